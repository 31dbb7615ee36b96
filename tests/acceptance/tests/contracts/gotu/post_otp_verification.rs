//! `POST /otp/verification`.

use acceptance::gotu::{CODE_REFUSED, error, user_id};
use acceptance::tokens::lifetime;
use acceptance::{TestStack, gotu, new_email, new_phone, other_than, token_parts};
use serde_json::json;

#[tokio::test]
async fn a_reset_code_gives_a_request_token_once() {
    let stack = TestStack::shared().await;
    let email = new_email();
    let id = user_id(&gotu(stack).sign_up_by_email(&email).await);
    let code = gotu(stack).code(&email, "reset_password", 1).await;
    let reply = gotu(stack).verify_code(&email, &code, "reset_password").await;
    let json = reply.json();
    let token = json["data"]["requestToken"].as_str().unwrap();
    assert_eq!(reply.body, json!({"data": {"requestToken": token}}).to_string());
    let (_, claims) = token_parts(token);
    assert_eq!((&claims["Usage"], &claims["sub"]), (&json!("reset_password"), &json!(id)));
    assert_eq!(lifetime(&claims), 600);
    let again = gotu(stack).verify_code(&email, &code, "reset_password").await;
    again.expect(400, &error(CODE_REFUSED));
    // A request token is not an access token.
    let reply = gotu(stack).sign_out(token).await;
    reply.expect(401, &error("invalid or expired access token"));
}

#[tokio::test]
async fn a_new_phone_is_proved_for_a_change() {
    let stack = TestStack::shared().await;
    let phone = new_phone();
    let code = gotu(stack).code(&phone, "change_phone", 1).await;
    let reply = gotu(stack).verify_code(&phone, &code, "change_phone").await;
    let (_, claims) = token_parts(reply.json()["data"]["requestToken"].as_str().unwrap());
    assert_eq!((&claims["Usage"], &claims["phoneNumber"]), (&json!("change_phone"), &json!(phone)));
}

#[tokio::test]
async fn every_refusal_is_400() {
    let stack = TestStack::shared().await;
    let email = new_email();
    gotu(stack).sign_up_by_email(&email).await;
    let code = gotu(stack).code(&email, "login", 1).await;
    let other_purpose = json!({"identifier": email, "otpCode": code, "otpType": "reset_password"});
    for (body, text) in [
        (json!({}), "identifier is required"),
        (json!({"identifier": email, "otpType": "reset_password"}), "otpCode is required"),
        (json!({"identifier": email, "otpCode": "12345"}), "otpType is required"),
        (
            json!({"identifier": email, "otpCode": "12345", "otpType": "login"}),
            "otpType must be one of change_phone, reset_password",
        ),
        (
            json!({"identifier": "x", "otpCode": "12345", "otpType": "reset_password"}),
            "identifier must be an email address or a phone number in E.164 format",
        ),
        (other_purpose, "invalid or expired otp code"),
        (
            json!({"identifier": new_email(), "otpCode": "12345", "otpType": "reset_password"}),
            "invalid or expired otp code",
        ),
    ] {
        stack.call("gotu-post-otp-verification").json(&body).await.expect(400, &error(text));
    }
}

#[tokio::test]
async fn wrong_guesses_of_one_source_run_out_even_for_a_right_one() {
    let env = [("OTP_GUESSES_PER_HOUR_PER_IP", "2"), ("OTP_SENDS_PER_HOUR", "0")];
    let stack = &TestStack::with(&env).await;
    let email = new_email();
    gotu(stack).sign_up_by_email(&email).await;
    let code = gotu(stack).code(&email, "reset_password", 1).await;
    let wrong = &other_than(&code);
    let enter = |code: &str| gotu(stack).verify_code(&email, code, "reset_password");
    for _ in 0..2 {
        assert_eq!(enter(wrong).await.status, 400);
    }
    for code in [wrong, &code] {
        let reply = enter(code).await;
        reply.expect(429, &error("too many requests"));
    }
}
