//! Accessibility: every user can use the page.

use super::browser::in_browser;
use super::page;
use acceptance::urbanfits::UNKNOWN_ID;
use serde_json::json;

/// The flaws of the page: text that is too faint to read (WCAG 2.2, 1.4.3: 4.5 to 1), too small to hit (2.5.5: 44 pixels)
/// or too wide (1.4.10, 1.4.4).
pub(super) const FLAWS: &str = r"
    const channels = (color) => color.match(/[\d.]+/g).map(Number);
    const luminance = (color) => {
        const [r, g, b] = channels(color).map((value) => value / 255)
            .map((value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = (element) => {
        const color = getComputedStyle(element).backgroundColor;
        return channels(color)[3] === 0 ? behind(element.parentElement) : color;
    };
    const flaws = [];
    for (const element of document.body.querySelectorAll('header, main *')) {
        if (!element.checkVisibility() || element.closest('svg')) continue;
        const text = element.value ?? [...element.childNodes]
            .filter((node) => node.nodeType === Node.TEXT_NODE).map((node) => node.data).join('');
        const [low, high] = [luminance(getComputedStyle(element).color), luminance(behind(element))]
            .sort((a, b) => a - b);
        if (text.trim() && (high + 0.05) / (low + 0.05) < 4.5) flaws.push('faint: ' + text);
        const { width, height } = element.getBoundingClientRect();
        if (element.matches('input, button, a') && Math.min(width, height) < 44)
            flaws.push('small: ' + element.id);
    }
    if (document.documentElement.scrollWidth > innerWidth) flaws.push('wide');
    const code = document.getElementById('code');
    if (code && code.scrollWidth > code.clientWidth) flaws.push('cut: ' + code.value);
    return [innerWidth, matchMedia('(prefers-color-scheme: dark)').matches, flaws];";

pub(super) async fn assistive_technology_is_told_what_there_is() {
    in_browser(async |browser| {
        browser.open(&page(&format!("?otp_id={UNKNOWN_ID}"))).await;
        let roles =
            ["RootWebArea", "banner", "main", "heading", "textbox", "alert", "button", "status"];
        let expected = [
            "RootWebArea Enter your code – UrbanFits",
            "alert ",
            "alert ",
            "banner ",
            "button Confirm",
            "button Send again",
            "heading Enter your code",
            "main ",
            "status ",
            "textbox 5-digit code",
        ];
        assert_eq!(browser.exposed(&roles).await, expected);
        let attributes = "
            const code = document.getElementById('code');
            const described = code.getAttribute('aria-describedby').split(' ');
            return [document.documentElement.lang, document.querySelectorAll('h1').length,
                code.autocomplete, code.inputMode, described,
                described.every((id) => document.getElementById(id))];";
        assert_eq!(
            browser.run(attributes).await,
            json!(["en", 1, "one-time-code", "numeric", ["error", "lead"], true])
        );
    })
    .await;
}

pub(super) async fn it_can_be_read_and_hit_in_every_size_and_colour() {
    in_browser(async |browser| {
        let sizes = [(320, 16), (320, 32), (1280, 16)];
        let looks = sizes.map(|size| ["light", "dark"].map(|scheme| (size, scheme)));
        for ((width, letters), scheme) in looks.into_iter().flatten() {
            let fonts = json!({"fontSizes": {"standard": letters}});
            browser.cdp("Page.setFontSizes", fonts).await;
            let size =
                json!({"width": width, "height": 640, "deviceScaleFactor": 1, "mobile": false});
            browser.cdp("Emulation.setDeviceMetricsOverride", size).await;
            let media = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
            browser.cdp("Emulation.setEmulatedMedia", media).await;
            let fine = json!([width, scheme == "dark", []]);
            browser.open(&page(&format!("?otp_id={UNKNOWN_ID}"))).await;
            assert_eq!(browser.run(FLAWS).await, fine);
            browser.press("123456\u{e007}").await;
            browser.wait_for_error("The code has 5 digits; you entered 6.").await;
            // Finishes the transitions of the colours.
            browser.run("document.getAnimations().forEach((it) => it.finish())").await;
            assert_eq!(browser.run(FLAWS).await, fine);
            browser.press("12345\u{e007}").await;
            let seen = browser.wait_for_heading("This code no longer works").await;
            assert_eq!(seen["again"], "Send again");
            assert_eq!(browser.run(FLAWS).await, fine);
            browser.open(&page("?otp_id=")).await;
            assert_eq!(browser.run(FLAWS).await, fine);
        }
    })
    .await;
}

/// The field and its button, their places in the viewport, and how far the page is scrolled.
const PLACES: &str = "
    const places = ['code', 'send'].map((id) => {
        const { top, bottom, left, right } = document.getElementById(id).getBoundingClientRect();
        return top >= 0 && left >= 0 && bottom <= innerHeight && right <= innerWidth;
    });
    return [innerWidth, innerHeight, scrollY, document.activeElement.id, places];";

pub(super) async fn field_and_button_fit_above_the_keyboard_of_a_phone_in_landscape() {
    in_browser(async |browser| {
        for (width, height) in [(640, 200), (568, 180), (844, 220)] {
            let size =
                json!({"width": width, "height": height, "deviceScaleFactor": 2, "mobile": true});
            browser.cdp("Emulation.setDeviceMetricsOverride", size).await;
            browser.open(&page(&format!("?otp_id={UNKNOWN_ID}#email=ines@domain.com"))).await;
            let seen = browser.wait_for_heading("Enter your code").await;
            assert!(seen["lead"].as_str().unwrap().starts_with("We sent it to i•••@d•••.com."));
            let inside = json!([width, height, 0, "code", [true, true]]);
            assert_eq!(browser.run(PLACES).await, inside);
            browser.press("1234\u{e007}").await;
            browser.wait_for_error("The code has 5 digits; you entered 4.").await;
            assert_eq!(browser.run(PLACES).await, inside);
            assert_eq!(browser.run(FLAWS).await, json!([width, false, []]));
        }
    })
    .await;
}

pub(super) async fn without_scripts_it_says_what_is_missing() {
    in_browser(async |browser| {
        browser.cdp("Emulation.setScriptExecutionDisabled", json!({"value": true})).await;
        browser.open(&page(&format!("?otp_id={UNKNOWN_ID}"))).await;
        let seen = browser.exposed(&["StaticText", "textbox", "button"]).await.join("\n");
        assert!(seen.contains("This page needs JavaScript"), "{seen}");
        assert!(!seen.contains("textbox") && !seen.contains("button"), "{seen}");
    })
    .await;
}
