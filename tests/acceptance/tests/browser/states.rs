//! The states of the page in which the sign-up does not succeed at once.

use super::browser::{Browser, in_browser, in_browser_of};
use super::{Pending, page};
use acceptance::faults::of_store;
use acceptance::urbanfits::UNKNOWN_ID;
use acceptance::{NO_LIMITS, other_than, without_limits};
use serde_json::json;

/// The Enter key.
const ENTER: &str = "\u{e007}";

pub(super) async fn a_wrong_code_is_typed_over() {
    in_browser(async |browser| {
        let stack = browser.stack;
        let pending = Pending::new(stack).await;
        let code = pending.code(stack).await;
        browser.open(&pending.redirect_url).await;
        let wrong = &other_than(&code);
        browser.press(&format!("{wrong}{ENTER}")).await;
        let error = "That code is not right. Please check it and try again.";
        let seen = browser.wait_for_error(error).await;
        assert_eq!((&seen["form"], &seen["disabled"]), (&json!(true), &json!(false)));
        assert_eq!((&seen["invalid"], &seen["focus"]), (&json!("true"), &json!("code")));
        assert_eq!((&seen["code"], &seen["selected"]), (&json!(wrong), &json!(wrong)));
        assert_eq!(seen["title"], format!("Error: {error} – UrbanFits"));
        let alerts = browser.exposed(&["alert", "textbox"]).await;
        assert_eq!(alerts, ["alert ", "alert ", "textbox 5-digit code"]);

        // The first key replaces the code and removes the error.
        browser.press(&code[..1]).await;
        let seen = browser.look().await;
        assert_eq!((&seen["code"], &seen["error"]), (&json!(&code[..1]), &json!("")));
        assert_eq!(
            (&seen["invalid"], &seen["title"]),
            (&json!("false"), &json!("Enter your code – UrbanFits"))
        );
        browser.press(&format!("{}{ENTER}", &code[1..])).await;
        browser.wait_for_heading("You're registered").await;
        browser.assert_no_error().await;
    })
    .await;
}

pub(super) async fn a_text_that_is_not_a_code_is_not_sent() {
    in_browser(async |browser| {
        for (typed, error) in [
            ("", "Please enter the 5-digit code."),
            ("1234", "The code has 5 digits; you entered 4."),
            ("123456", "The code has 5 digits; you entered 6."),
            ("no code", "Please enter the 5-digit code."),
        ] {
            browser.open(&unknown()).await;
            browser.press(&format!("{typed}{ENTER}")).await;
            let seen = browser.wait_for_error(error).await;
            assert_eq!(
                (&seen["invalid"], &seen["focus"]),
                (&json!("true"), &json!("code")),
                "{typed}"
            );
        }
        let requests = browser.traffic().await.requests;
        assert_eq!(requests, vec![format!("GET {}", unknown()); 4]);
        browser.assert_no_error().await;
    })
    .await;
}

pub(super) async fn a_code_may_be_pasted_with_the_text_around_it() {
    in_browser(async |browser| {
        for pasted in
            ["12345", " 12 345 ", "12-345", "1 2 3 4 5\n", "١٢٣٤٥", "１２３４５", "Code: 12345"]
        {
            browser.open(&unknown()).await;
            browser.paste(pasted).await;
            assert_eq!(browser.look().await["code"], "12345", "{pasted:?}");
        }
    })
    .await;
}

pub(super) async fn a_code_that_was_guessed_too_often_is_over() {
    in_browser(async |browser| {
        let stack = browser.stack;
        let pending = Pending::new(stack).await;
        let code = pending.code(stack).await;
        for _ in 0..5 {
            assert_eq!(pending.enter(stack, &other_than(&code)).await.status, 401);
        }
        assert_over(browser, &pending.redirect_url, &code).await;
        assert!(pending.accounts(stack).await.is_empty());
    })
    .await;
}

pub(super) async fn a_code_that_was_used_is_over() {
    in_browser(async |browser| {
        let stack = browser.stack;
        let pending = Pending::new(stack).await;
        let code = pending.code(stack).await;
        assert_eq!(pending.enter(stack, &code).await.status, 200);
        assert_over(browser, &pending.redirect_url, &code).await;
        assert_eq!(pending.accounts(stack).await.len(), 1);
    })
    .await;
}

pub(super) async fn a_sign_up_that_is_not_there_looks_the_same() {
    in_browser(async |browser| assert_over(browser, &unknown(), "12345").await).await;
}

/// The page of a sign-up that does not exist.
fn unknown() -> String {
    page(&format!("?otp_id={UNKNOWN_ID}"))
}

/// Requires that the page says that this code is over.
async fn assert_over(browser: &Browser<'_>, path: &str, code: &str) {
    browser.open(path).await;
    browser.press(&format!("{code}{ENTER}")).await;
    let seen = browser.wait_for_heading("This code no longer works").await;
    assert_eq!((&seen["form"], &seen["focus"]), (&json!(false), &json!("heading")));
    assert_eq!(seen["title"], "This code no longer works – UrbanFits");
    assert!(seen["lead"].as_str().unwrap().contains("or sign up again"), "{seen}");
    assert_eq!(browser.exposed(&["textbox", "button"]).await, ["button Send again"]);
    // No new code is sent for it either.
    browser.run("document.getElementById('again').focus()").await;
    browser.press(ENTER).await;
    let seen = browser.wait_for_heading("This sign-up has ended").await;
    assert_eq!((&seen["form"], &seen["focus"]), (&json!(false), &json!("heading")));
    assert!(seen["lead"].as_str().unwrap().contains("Please sign up again"), "{seen}");
    assert!(browser.exposed(&["textbox", "button"]).await.is_empty());
    assert!(browser.cookies().await.is_empty());
    browser.assert_no_error().await;
}

pub(super) async fn a_link_without_its_id_asks_for_nothing() {
    in_browser(async |browser| {
        let links =
            ["", "?otp_id=", "?otp_id=0123456789ABCDEF01234567", "?otp_id=<b>", "?otp=1"].map(page);
        for link in &links {
            browser.open(link).await;
            let seen = browser.look().await;
            assert_eq!(seen["heading"], "This link is incomplete", "{link}");
            assert_eq!((&seen["form"], &seen["focus"]), (&json!(false), &json!("heading")));
        }
        let requests = browser.traffic().await.requests;
        assert!(requests.len() == links.len() && requests.iter().all(|r| r.starts_with("GET ")));
        browser.assert_no_error().await;
    })
    .await;
}

pub(super) async fn a_code_is_sent_once() {
    in_browser(async |browser| {
        let stack = browser.stack;
        let pending = Pending::new(stack).await;
        let code = pending.code(stack).await;
        browser.open(&pending.redirect_url).await;
        browser.press(&code).await;
        // Submits three times before an answer can arrive.
        let sending = "
            const form = document.getElementById('form');
            for (let i = 0; i < 3; i++)
                form.dispatchEvent(new Event('submit', { cancelable: true }));
            const send = document.getElementById('send');
            return [send.disabled, send.getAttribute('aria-busy'), send.innerText,
                document.getElementById('status').innerText, document.activeElement.id];";
        let seen = browser.run(sending).await;
        assert_eq!(seen, json!([true, "true", "Checking…", "Checking your code", "code"]));
        browser.wait_for_heading("You're registered").await;
        assert_eq!(browser.traffic().await.requests.len(), 2);
        browser.assert_no_error().await;
    })
    .await;
}

pub(super) async fn too_many_guesses_have_to_wait() {
    let mut env = without_limits(&[("OTP_GUESSES_PER_HOUR_PER_IP", "1")]);
    env.retain(|(name, _)| *name != "OTP_SENDS_PER_HOUR_PER_IP");
    in_browser_of(&env, async |browser| {
        let stack = browser.stack;
        let pending = Pending::new(stack).await;
        let code = pending.code(stack).await;
        assert_eq!(pending.enter(stack, &other_than(&code)).await.status, 401);
        browser.open(&pending.redirect_url).await;
        browser.press(&format!("{code}{ENTER}")).await;
        let seen = browser.wait_for_error("Too many tries. Please wait ").await;
        assert_eq!((&seen["form"], &seen["disabled"]), (&json!(true), &json!(true)));
        assert_eq!((&seen["code"], &seen["invalid"]), (&json!(code), &json!("false")));
        assert!(seen["button"].as_str().unwrap().starts_with("Try again in "), "{seen}");
        // The button counts the seconds. The announced text stays.
        let later = browser.wait_for("a second", |now| now["button"] != seen["button"]).await;
        assert_eq!((&later["error"], &later["status"]), (&seen["error"], &json!("")));
        browser.press(ENTER).await;
        assert_eq!(browser.traffic().await.requests.len(), 2);

        // Advances the browser's clock by an hour.
        let hour = json!({"policy": "advance", "budget": 3_600_000});
        browser.cdp("Emulation.setVirtualTimePolicy", hour).await;
        let seen = browser.wait_for("the end of the wait", |now| now["disabled"] == false).await;
        assert_eq!((&seen["button"], &seen["error"]), (&json!("Confirm"), &json!("")));
        assert_eq!(seen["status"], "You can try again now.");
        browser.assert_no_error().await;
    })
    .await;
}

pub(super) async fn a_fault_keeps_the_code() {
    in_browser_of(&NO_LIMITS, async |browser| {
        let stack = browser.stack;
        let pending = Pending::new(stack).await;
        let code = pending.code(stack).await;
        browser.open(&pending.redirect_url).await;
        // More faults than the function retries.
        let fault = of_store("error").in_function("urbanfits-signup-callback").times(100);
        stack.fault(&fault).await;
        browser.press(&format!("{code}{ENTER}")).await;
        let seen = browser.wait_for_error("Something went wrong on our side.").await;
        assert_eq!((&seen["code"], &seen["focus"]), (&json!(code), &json!("code")));
        assert_eq!((&seen["invalid"], &seen["disabled"]), (&json!("false"), &json!(false)));
        stack.clear_faults().await;
        browser.press(ENTER).await;
        browser.wait_for_heading("You're registered").await;
        browser.assert_no_error().await;
    })
    .await;
}

pub(super) async fn no_network_keeps_the_code() {
    in_browser(async |browser| {
        let stack = browser.stack;
        let pending = Pending::new(stack).await;
        let code = pending.code(stack).await;
        browser.open(&pending.redirect_url).await;
        let network = |offline: bool| {
            json!({"offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1})
        };
        browser.cdp("Network.enable", json!({})).await;
        browser.cdp("Network.emulateNetworkConditions", network(true)).await;
        browser.press(&format!("{code}{ENTER}")).await;
        let seen = browser.wait_for_error("We could not reach UrbanFits.").await;
        assert_eq!((&seen["code"], &seen["focus"]), (&json!(code), &json!("code")));
        browser.cdp("Network.emulateNetworkConditions", network(false)).await;
        browser.press(ENTER).await;
        browser.wait_for_heading("You're registered").await;
        browser.assert_no_error().await;
    })
    .await;
}
