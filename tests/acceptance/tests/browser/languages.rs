//! Pages and mails in every language, and with a brand.

use super::browser::{Browser, in_browser, in_browser_of};
use super::console::{picture, pictures};
use super::looks::FLAWS;
use super::page;
use acceptance::posbytz::by_email;
use acceptance::urbanfits::{UNKNOWN_ID, new_person};
use acceptance::{NO_LIMITS, TestStack, gotu, new_email, posbytz, urbanfits};
use serde_json::{Value, json};

/// The Enter key.
const ENTER: &str = "\u{e007}";
/// The window of a phone, and that of a desk.
const SIZES: [(u32, u32); 2] = [(375, 720), (1280, 800)];

/// Lets the browser ask for pages in a language.
async fn speak(browser: &Browser<'_>, language: &str) {
    browser.cdp("Network.enable", json!({})).await;
    let headers = json!({"headers": {"Accept-Language": language}});
    browser.cdp("Network.setExtraHTTPHeaders", headers).await;
}

/// Requires that what is shown can be read and hit in every size and colour, and takes its picture.
async fn seen(browser: &Browser<'_>, name: &str) {
    for (width, height) in SIZES {
        for scheme in ["light", "dark"] {
            let size =
                json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
            browser.cdp("Emulation.setDeviceMetricsOverride", size).await;
            let media = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
            browser.cdp("Emulation.setEmulatedMedia", media).await;
            browser.run("document.getAnimations().forEach((it) => it.finish())").await;
            let flaws = browser.run(FLAWS).await;
            assert_eq!(flaws, json!([width, scheme == "dark", []]), "{name} {scheme}");
            if let Some(folder) = pictures() {
                picture(browser, &folder.join(format!("{name}-{scheme}-{width}.png"))).await;
            }
        }
    }
}

/// The language and the direction of the page, and those of its heading.
const DIRECTION: &str = "
    const heading = document.getElementById('heading');
    const { left, right } = heading.getBoundingClientRect();
    const range = document.createRange();
    range.selectNodeContents(heading);
    const text = range.getBoundingClientRect();
    return [document.documentElement.lang, getComputedStyle(heading).direction,
        Math.abs(text.left - left) <= 1, Math.abs(text.right - right) <= 1];";

pub(super) async fn the_code_page_speaks_arabic_from_right_to_left() {
    in_browser_of(&[], async |browser| {
        for (language, heading, direction) in [
            ("en", "Enter your code", json!(["en", "ltr", true, false])),
            ("ar", "أدخل الرمز", json!(["ar", "rtl", false, true])),
        ] {
            speak(browser, language).await;
            let name = |state: &str| format!("page-urbanfits-{language}-{state}");
            browser.open(&page(&format!("?otp_id={UNKNOWN_ID}#email=ines@domain.com"))).await;
            let state = browser.wait_for_heading(heading).await;
            assert_eq!(browser.run(DIRECTION).await, direction);
            let masked = state["lead"].as_str().unwrap();
            assert!(masked.contains("i•••@d•••.com"), "{masked}");
            // A value that runs against the text stays in one piece.
            assert_eq!(
                masked.contains("\u{2068}i•••@d•••.com\u{2069}"),
                language == "ar",
                "{masked}"
            );
            seen(browser, &name("entry")).await;
            browser.press(&format!("1234{ENTER}")).await;
            browser.wait_for("an error", |state| state["error"] != "").await;
            seen(browser, &name("error")).await;
            browser.press(&format!("12345{ENTER}")).await;
            browser.wait_for("the end", |state| state["form"] == false).await;
            seen(browser, &name("over")).await;
            browser.open(&page("?otp_id=")).await;
            browser.wait_for("another end", |state| state["form"] == false).await;
            seen(browser, &name("incomplete")).await;
            browser.assert_no_error().await;
        }
    })
    .await;
}

pub(super) async fn the_pause_is_counted_in_the_plurals_of_arabic() {
    in_browser_of(&[("OTP_RESEND_SECONDS", "3")], async |browser| {
        speak(browser, "ar").await;
        let (username, email) = new_person();
        let reply = urbanfits(browser.stack).sign_up(&username, &email).await;
        let path = reply.json()["redirect_url"].as_str().unwrap().to_owned();
        browser.open(&path).await;
        let again =
            |state: &Value| state["again"].as_str().unwrap().replace(['\u{2068}', '\u{2069}'], "");
        let forms = ["3 ثوانٍ", "ثانيتين", "ثانية واحدة"];
        let held = |state: &Value| {
            state["held"] == true && forms.iter().any(|form| again(state).ends_with(form))
        };
        let state = browser.wait_for("a form of the plural", held).await;
        assert!(again(&state).starts_with("إعادة الإرسال بعد "), "{state}");
        browser.wait_for("the end of the pause", |state| state["again"] == "إعادة الإرسال").await;
        browser.assert_no_error().await;
    })
    .await;
}

pub(super) async fn the_pages_of_a_link_speak_hindi() {
    in_browser(async |browser| {
        let stack = browser.stack;
        for (language, confirm) in [("en", "Confirm"), ("hi", "पुष्टि करें")] {
            speak(browser, language).await;
            let (email, token) = (new_email(), posbytz(stack).store_token("WORDS").await);
            let (id, secret) = posbytz(stack).mailed(&token, &email).await;
            let link = format!("{}{secret}", posbytz(stack).link_of(&id));
            let path = link.strip_prefix(stack.url()).unwrap();
            let state = || async {
                browser.run("return document.querySelector('main').dataset.state").await
            };
            browser.open(path).await;
            assert_eq!(
                browser.run("return document.getElementById('send').innerText").await,
                confirm
            );
            assert_eq!(browser.run(DIRECTION).await[0], language);
            seen(browser, &format!("page-posbytz-{language}-ask")).await;
            for page in ["confirmed", "already"] {
                browser.open(path).await;
                browser.run("document.getElementById('send').click()").await;
                let shown = || async { (state().await == "done").then_some(()) };
                stack.wait_for(page, shown).await;
                seen(browser, &format!("page-posbytz-{language}-{page}")).await;
            }
            let ended = posbytz(stack).link_of("1");
            browser.open(ended.strip_prefix(stack.url()).unwrap()).await;
            seen(browser, &format!("page-posbytz-{language}-ended")).await;
            browser.assert_no_error().await;
        }
    })
    .await;
}

/// Causes the mails of all products in these languages, and shows each.
async fn show_mails(browser: &Browser<'_>, stack: &TestStack, languages: [&str; 4], name: &str) {
    let [english, indonesian, arabic, hindi] = languages;
    for language in [english, indonesian] {
        let email = new_email();
        gotu(stack).ask_for_code(&email, "sign_up").header("accept-language", language).await;
        show(browser, &email, &format!("{name}-gotu-{language}")).await;
    }
    for language in [english, arabic] {
        let (username, email) = new_person();
        urbanfits(stack).sign_up(&username, &email).header("accept-language", language).await;
        show(browser, &email, &format!("{name}-urbanfits-{language}")).await;
    }
    for language in [english, hindi] {
        let (email, token) = (new_email(), posbytz(stack).store_token("MAILS").await);
        let body = by_email(&email);
        posbytz(stack).sign_up(&token, &body).header("accept-language", language).await;
        show(browser, &email, &format!("{name}-posbytz-{language}")).await;
    }
}

/// Shows the first mail to an address.
async fn show(browser: &Browser<'_>, email: &str, name: &str) {
    let mail = browser.stack.message(email, 1).await;
    // A mail that states no colours is shown in light ones; an empty tab would keep dark ones.
    let media = json!({"features": [{"name": "prefers-color-scheme", "value": "light"}]});
    browser.cdp("Emulation.setEmulatedMedia", media).await;
    // The policy of a page would forbid the styles of the mail.
    browser.cdp("Page.navigate", json!({"url": "about:blank"})).await;
    let tree = browser.cdp("Page.getFrameTree", json!({})).await;
    let frame = &tree["frameTree"]["frame"]["id"];
    let content = json!({"frameId": frame, "html": mail["html"]});
    browser.cdp("Page.setDocumentContent", content).await;
    let direction = "return [getComputedStyle(document.body).direction,
        document.documentElement.scrollWidth <= innerWidth]";
    let size = json!({"width": 480, "height": 520, "deviceScaleFactor": 1, "mobile": false});
    browser.cdp("Emulation.setDeviceMetricsOverride", size).await;
    let expected = if name.ends_with("-ar") { "rtl" } else { "ltr" };
    assert_eq!(browser.run(direction).await, json!([expected, true]), "{name}");
    if let Some(folder) = pictures() {
        picture(browser, &folder.join(format!("{name}.png"))).await;
    }
}

pub(super) async fn mails_run_in_the_direction_of_their_language() {
    in_browser_of(&NO_LIMITS, async |browser| {
        show_mails(browser, browser.stack, ["en", "id", "ar", "hi"], "mail").await;
    })
    .await;
}

pub(super) async fn a_brand_can_be_read_in_every_size_and_colour() {
    let links = json!({"shop": "https://shop.example", "help": "https://shop.example/help",
        "signIn": "https://shop.example/login"});
    let brand = json!({"name": "Fits & Co", "color": "#0a5c36", "links": links});
    let brands = json!({"gotu": brand, "urbanfits": brand, "posbytz": brand}).to_string();
    let env: Vec<_> = NO_LIMITS.into_iter().chain([("BRANDS", brands.as_str())]).collect();
    in_browser_of(&env, async |browser| {
        for language in ["en", "ar"] {
            speak(browser, language).await;
            browser.open(&page(&format!("?otp_id={UNKNOWN_ID}"))).await;
            browser.wait_for("a form", |state| state["form"] == true).await;
            seen(browser, &format!("page-brand-{language}")).await;
        }
        let accent = "return getComputedStyle(document.getElementById('send')).backgroundColor";
        assert_eq!(browser.run(accent).await, "rgb(10, 92, 54)");
        speak(browser, "hi").await;
        let link = posbytz(browser.stack).link_of("1");
        browser.open(link.strip_prefix(browser.stack.url()).unwrap()).await;
        seen(browser, "page-brand-posbytz-hi").await;
        browser.assert_no_error().await;
        show_mails(browser, browser.stack, ["en", "id", "ar", "hi"], "mail-brand").await;
    })
    .await;
}
