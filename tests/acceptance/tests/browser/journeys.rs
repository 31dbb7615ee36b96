//! From the sign-up to the account.

use super::Pending;
use super::browser::in_browser;
use acceptance::{new_email, route};
use serde_json::json;
use thirtyfour::SameSite;

pub(super) async fn the_code_makes_an_account_and_signs_in() {
    in_browser(async |browser| {
        let stack = browser.stack;
        let pending = Pending::new(stack).await;
        let code = pending.code(stack).await;
        browser.open(&pending.redirect_url).await;
        let seen = browser.look().await;
        assert_eq!(seen["title"], "Enter your code – UrbanFits");
        assert_eq!((&seen["form"], &seen["focus"]), (&json!(true), &json!("code")));

        browser.press(&format!("{code}\u{e007}")).await;
        let seen = browser.wait_for_heading("You're registered").await;
        assert_eq!(seen["title"], "You're registered – UrbanFits");
        assert_eq!((&seen["form"], &seen["focus"]), (&json!(false), &json!("heading")));
        let greeting =
            format!("Welcome, {}! You are signed in and can close this page.", pending.username);
        assert_eq!(seen["lead"], greeting);
        assert_eq!(pending.accounts(stack).await.len(), 1);

        // The page requests nothing but itself and the callback, and its policy allows both.
        let traffic = browser.traffic().await;
        let page = format!("GET {}", pending.redirect_url);
        let callback = format!("POST {}", route("urbanfits-signup-callback").path);
        assert_eq!(traffic.requests, [page.as_str(), callback.as_str()]);
        assert_eq!(traffic.bodies, [json!({"otp_id": pending.otp_id, "otp": code})]);
        browser.assert_no_error().await;

        // The browser keeps both cookies, because loopback counts as secure.
        let names: Vec<_> =
            traffic.cookies.iter().filter_map(|cookie| cookie.split('=').next()).collect();
        assert_eq!(names, ["session-token", "is_logged_in"]);
        let kept = browser.cookies().await;
        let kept: Vec<_> = kept
            .iter()
            .map(|cookie| (cookie.name.as_str(), cookie.http_only, cookie.secure, cookie.same_site))
            .collect();
        assert_eq!(
            kept,
            [
                ("is_logged_in", Some(false), Some(true), Some(SameSite::None)),
                ("session-token", Some(true), Some(true), Some(SameSite::None)),
            ]
        );
        assert_eq!(browser.run("return document.cookie").await, "is_logged_in=true");
    })
    .await;
}

pub(super) async fn the_other_prefix_and_the_keyboard_alone_do_as_well() {
    in_browser(async |browser| {
        let stack = browser.stack;
        let pending = Pending::new(stack).await;
        let code = pending.code(stack).await;
        browser.open(&format!("/api{}", pending.redirect_url)).await;
        // Tab, and the space bar on the button that it leads to.
        browser.press(&format!("{code}\u{e004}")).await;
        assert_eq!(browser.look().await["focus"], "send");
        browser.press(" ").await;
        browser.wait_for_heading("You're registered").await;
        let requests = browser.traffic().await.requests;
        assert_eq!(
            requests[1..],
            [format!("POST /api{}", route("urbanfits-signup-callback").path)]
        );
        browser.assert_no_error().await;
        assert_eq!(pending.accounts(stack).await.len(), 1);
    })
    .await;
}

pub(super) async fn another_customer_can_take_the_name_first() {
    in_browser(async |browser| {
        let stack = browser.stack;
        let pending = Pending::new(stack).await;
        let email = new_email();
        let rival = Pending::of(stack, email, pending.username.clone()).await;
        let rivals = rival.code(stack).await;
        assert_eq!(rival.enter(stack, &rivals).await.status, 200);
        let code = pending.code(stack).await;
        browser.open(&pending.redirect_url).await;
        browser.press(&format!("{code}\u{e007}")).await;
        let seen = browser.wait_for_heading("Already taken").await;
        assert_eq!((&seen["form"], &seen["focus"]), (&json!(false), &json!("heading")));
        assert_eq!(seen["title"], "Already taken – UrbanFits");
        assert!(browser.cookies().await.is_empty());
        browser.assert_no_error().await;
        assert!(pending.accounts(stack).await.is_empty());
    })
    .await;
}
