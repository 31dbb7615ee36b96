//! A function reads only the settings that it needs.

use acceptance::{NO_LIMITS, TestStack};
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
