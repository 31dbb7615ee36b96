//! The ways on: a new code, a reload, the link of the mail.

use super::browser::{Browser, in_browser, in_browser_of};
use super::looks::FLAWS;
use super::{Pending, page};
use acceptance::faults::of_store;
use acceptance::{NO_LIMITS, route};
use serde_json::json;

/// The Tab key and the Enter key.
const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";

/// Presses the button that asks for a new code, with the keyboard alone: it is the second one after
/// the field.
async fn ask_again(browser: &Browser<'_>) {
    browser.run("document.getElementById('code').focus()").await;
    browser.press(&format!("{TAB}{TAB}")).await;
    assert_eq!(browser.look().await["focus"], "again");
    browser.press(ENTER).await;
}

pub(super) async fn a_new_code_is_sent_after_the_pause() {
    in_browser_of(&[("OTP_RESEND_SECONDS", "5")], async |browser| {
        let stack = browser.stack;
        let pending = Pending::new(stack).await;
        let first = pending.code(stack).await;
        let (local, domain) = pending.email.split_once('@').unwrap();
        browser.open(&format!("{}#email={local}%40{domain}", pending.redirect_url)).await;
        let seen = browser.wait_for("the pause", |seen| seen["held"] == true).await;
        assert_eq!(
            seen["lead"],
            "We sent it to f•••@d•••.com. Enter it here to finish signing up."
        );
        let wait = seen["again"].as_str().unwrap();
        assert!(wait.starts_with("Send again in ") && wait.contains(" second"), "{seen}");
        // The whole address does not stay in the address of the page.
        assert_eq!(browser.run("return location.hash").await, "");
        browser.press(&first[..2]).await;

        // A reload does not start the pause again, and the address is still known.
        let seen = browser.wait_for("the end of the pause", |seen| seen["held"] == false).await;
        assert_eq!((&seen["again"], &seen["code"]), (&json!("Send again"), &json!(&first[..2])));
        browser.open(&pending.redirect_url).await;
        let seen = browser.wait_for("a form", |seen| seen["form"] == true).await;
        assert_eq!((&seen["held"], &seen["again"]), (&json!(false), &json!("Send again")));
        assert!(seen["lead"].as_str().unwrap().contains("f•••@d•••.com"), "{seen}");

        browser.press(&first[..2]).await;
        ask_again(browser).await;
        let sent = "A new code was sent.";
        let seen = browser.wait_for(sent, |seen| seen["status"] == sent).await;
        let lead = "We sent a new code to f•••@d•••.com. The code before does not work any more.";
        assert_eq!(seen["lead"], lead);
        assert_eq!((&seen["code"], &seen["focus"]), (&json!(""), &json!("code")));
        assert_eq!((&seen["held"], &seen["notice"]), (&json!(true), &json!("")));
        let exposed = browser.exposed(&["status", "button"]).await;
        assert!(exposed.iter().any(|button| button.starts_with("button Send again in ")));
        let traffic = browser.traffic().await;
        let resend = format!("POST {}", route("urbanfits-signup-resend").path);
        assert_eq!(traffic.requests.last(), Some(&resend));
        assert_eq!(traffic.bodies, [json!({"otp_id": pending.otp_id})]);

        let code = acceptance::urbanfits(stack).code(&pending.email, 2).await;
        browser.press(&format!("{code}{ENTER}")).await;
        browser.wait_for_heading("You're registered").await;
        browser.assert_no_error().await;
    })
    .await;
}

pub(super) async fn the_limit_of_the_address_has_to_be_waited_for() {
    let limits = [("OTP_SENDS_PER_HOUR", "1"), ("OTP_RESEND_SECONDS", "0")];
    in_browser_of(&limits, async |browser| {
        let stack = browser.stack;
        let pending = Pending::new(stack).await;
        let code = pending.code(stack).await;
        browser.open(&pending.redirect_url).await;
        browser.press(&code).await;
        ask_again(browser).await;
        let text = "No new code yet. Please wait ";
        let has_text =
            |seen: &serde_json::Value| seen["notice"].as_str().unwrap().starts_with(text);
        let seen = browser.wait_for(text, has_text).await;
        assert_eq!((&seen["held"], &seen["focus"]), (&json!(true), &json!("code")));
        assert!(seen["again"].as_str().unwrap().starts_with("Send again in "), "{seen}");
        // The code that was sent is still there, and works.
        assert_eq!((&seen["code"], &seen["disabled"]), (&json!(code), &json!(false)));
        browser.press(ENTER).await;
        browser.wait_for_heading("You're registered").await;
        browser.assert_no_error().await;
    })
    .await;
}

pub(super) async fn a_code_that_has_expired_is_replaced() {
    in_browser(async |browser| {
        let stack = browser.stack;
        let pending = Pending::new(stack).await;
        let code = pending.code(stack).await;
        for item in stack.items_with("Challenges", &pending.email).await {
            stack.expire("Challenges", "challenge_id", item["challenge_id"].clone()).await;
        }
        browser.open(&pending.redirect_url).await;
        browser.press(&format!("{code}{ENTER}")).await;
        browser.wait_for_heading("This code no longer works").await;
        browser.press(TAB).await;
        assert_eq!(browser.look().await["focus"], "again");
        browser.press(ENTER).await;
        let seen = browser.wait_for_heading("Enter your code").await;
        assert_eq!((&seen["form"], &seen["code"]), (&json!(true), &json!("")));
        let code = acceptance::urbanfits(stack).code(&pending.email, 2).await;
        browser.press(&format!("{code}{ENTER}")).await;
        browser.wait_for_heading("You're registered").await;
        browser.assert_no_error().await;
    })
    .await;
}

pub(super) async fn a_failure_can_be_tried_again() {
    in_browser_of(&NO_LIMITS, async |browser| {
        let stack = browser.stack;
        let pending = Pending::new(stack).await;
        browser.open(&pending.redirect_url).await;
        // More faults than the function retries.
        let fault = of_store("error").in_function("urbanfits-signup-resend").times(100);
        stack.fault(&fault).await;
        ask_again(browser).await;
        let text = "Something went wrong on our side. Please try again.";
        let seen = browser.wait_for(text, |seen| seen["notice"] == text).await;
        assert_eq!((&seen["held"], &seen["focus"]), (&json!(false), &json!("code")));
        let alerts = browser.exposed(&["alert", "StaticText"]).await;
        assert!(alerts.contains(&format!("StaticText {text}")), "{alerts:?}");
        stack.clear_faults().await;
        ask_again(browser).await;
        let sent = "A new code was sent.";
        let seen = browser.wait_for(sent, |seen| seen["status"] == sent).await;
        assert_eq!(seen["notice"], "");
        browser.assert_no_error().await;
    })
    .await;
}

pub(super) async fn the_page_of_the_mail_knows_the_sign_up_of_its_browser() {
    in_browser(async |browser| {
        let stack = browser.stack;
        let pending = Pending::new(stack).await;
        let code = pending.code(stack).await;
        // Another browser knows no sign-up.
        browser.open(&page("")).await;
        let seen = browser.wait_for_heading("This link is incomplete").await;
        assert_eq!(seen["form"], false);
        browser.open(&pending.redirect_url).await;
        browser.wait_for_heading("Enter your code").await;
        // The browser forgets a sign-up whose codes have all ended.
        let age = "
            const kept = JSON.parse(localStorage.getItem('sign-up'));
            kept.sent -= 66 * 60 * 1000;
            localStorage.setItem('sign-up', JSON.stringify(kept));";
        browser.run(age).await;
        browser.open(&page("")).await;
        browser.wait_for_heading("This link is incomplete").await;
        browser.open(&pending.redirect_url).await;
        browser.wait_for_heading("Enter your code").await;
        // The link is the one of the mail.
        let mail = stack.message(&pending.email, 1).await;
        let mut lines = mail["body"].as_str().unwrap().lines();
        let link = lines.find_map(|line| line.strip_prefix(stack.url())).unwrap();
        assert_eq!(link, page(""));
        browser.open(link).await;
        browser.wait_for_heading("Enter your code").await;
        browser.press(&format!("{code}{ENTER}")).await;
        browser.wait_for_heading("You're registered").await;
        assert_eq!(pending.accounts(stack).await.len(), 1);
        browser.assert_no_error().await;
    })
    .await;
}

pub(super) async fn a_confirmed_address_stays_confirmed() {
    in_browser(async |browser| {
        let stack = browser.stack;
        let pending = Pending::new(stack).await;
        let code = pending.code(stack).await;
        browser.open(&pending.redirect_url).await;
        browser.press(&format!("{code}{ENTER}")).await;
        browser.wait_for_heading("You're registered").await;
        for path in [pending.redirect_url.clone(), page("")] {
            browser.open(&path).await;
            let seen = browser.wait_for_heading("Your address is confirmed").await;
            assert_eq!((&seen["form"], &seen["focus"]), (&json!(false), &json!("heading")));
            assert_eq!(seen["title"], "Your address is confirmed – UrbanFits");
            assert!(browser.exposed(&["textbox", "button"]).await.is_empty());
        }
        // The browser keeps no name, no address and no code.
        let stored = browser.run("return JSON.stringify(Object.values(localStorage))").await;
        let stored = stored.as_str().unwrap();
        for secret in [&*pending.username, &*pending.email, &*code] {
            assert!(!stored.contains(secret), "{stored}");
        }
        // The next sign-up in the browser starts anew.
        let next = Pending::new(stack).await;
        browser.open(&next.redirect_url).await;
        assert_eq!(browser.wait_for_heading("Enter your code").await["form"], true);
        browser.assert_no_error().await;
    })
    .await;
}

pub(super) async fn each_state_links_to_what_helps() {
    let shop = "https://shop.example";
    let (sign_up, sign_in) = (format!("{shop}/signup?a=1&b=2"), format!("{shop}/login"));
    let links = [
        ("SIGN_UP_URL_URBANFITS", sign_up.as_str()),
        ("SIGN_IN_URL_URBANFITS", sign_in.as_str()),
        ("SHOP_URL_URBANFITS", shop),
    ];
    let env: Vec<_> = NO_LIMITS.into_iter().chain(links).collect();
    in_browser_of(&env, async |browser| {
        let stack = browser.stack;
        let pending = Pending::new(stack).await;
        let code = pending.code(stack).await;
        let shown = async || {
            let links = "return [...document.querySelectorAll('nav a')]
                .filter((a) => a.checkVisibility()).map((a) => [a.innerText, a.href])";
            assert_eq!(browser.run(FLAWS).await[2], json!([]));
            browser.run(links).await
        };
        let [sign_up, sign_in, shop] = [
            json!(["Sign up again", sign_up]),
            json!(["Sign in", sign_in]),
            json!(["Go to the shop", format!("{shop}/")]),
        ];
        browser.open(&page("")).await;
        browser.wait_for_heading("This link is incomplete").await;
        assert_eq!(shown().await, json!([sign_up, sign_in, shop]));
        browser.open(&pending.redirect_url).await;
        browser.wait_for_heading("Enter your code").await;
        assert_eq!(shown().await, json!([sign_up, sign_in]));
        browser.press(&format!("{code}{ENTER}")).await;
        browser.wait_for_heading("You're registered").await;
        assert_eq!(shown().await, json!([sign_in, shop]));
        // The links are in the order of the keyboard, and the policy allows them.
        browser.press(TAB).await;
        assert_eq!(browser.look().await["focus"], "sign-in");
        browser.assert_no_error().await;
    })
    .await;
}
