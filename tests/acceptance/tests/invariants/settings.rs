//! What settings change, and which functions read them.

use acceptance::gotu::PASSWORD;
use acceptance::{NO_LIMITS, TestStack, gotu, new_email, without_limits};
use serde_json::json;

#[tokio::test]
async fn a_malformed_setting_stops_only_the_functions_that_use_it() {
    let malformed = [
        ("ARGON2_ITERATIONS", "many"),
        ("OTP_TTL_SECONDS", "soon"),
        ("SHOP_URL_URBANFITS", "http://shop.example"),
    ];
    let stack = &TestStack::with(&[&NO_LIMITS[..], &malformed].concat()).await;
    for (function, status) in [
        ("urbanfits-logout", 200),
        ("urbanfits-get-me", 401),
        ("goodcity-current-user-profile", 401),
        ("gotu-delete-sessions", 401),
        ("gotu-post-sessions-phone", 400),
        ("posbytz-email-verify", 400),
    ] {
        let reply = stack.call(function).json(&json!({})).await;
        assert_eq!(reply.status, status, "{function}: {reply:?}");
    }
    for function in
        ["gotu-post-sessions", "gotu-post-otp", "urbanfits-signup", "urbanfits-verify-otp-page"]
    {
        let reply = stack.call(function).json(&json!({})).await;
        assert!(reply.status >= 500, "{function} started: {reply:?}");
    }
}

#[tokio::test]
async fn passwords_that_the_faster_crate_hashed_are_verified() {
    let stack = &TestStack::with(&without_limits(&[("PASSWORD_HASHER", "argon2-rust")])).await;
    let email = new_email();
    assert_eq!(gotu(stack).sign_up_by_email(&email).await.status, 200);
    let user = &stack.items("Users").await[0];
    let hash = user["password_hash"].as_str().unwrap();
    assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
    assert_eq!(gotu(stack).sign_in(&email, PASSWORD).await.status, 200);
    assert_eq!(gotu(stack).sign_in(&email, "not the password").await.status, 401);
}
