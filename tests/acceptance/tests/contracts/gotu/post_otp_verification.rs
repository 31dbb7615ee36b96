//! `POST /otp/verification` (contracts.md A.3).

use acceptance::{World, new_email, new_phone, token_parts, user_id};
use serde_json::json;

const PATH: &str = "/otp/verification";

#[tokio::test]
async fn a_reset_code_gives_a_request_token_once() {
    let world = World::shared().await;
    let email = new_email();
    let id = user_id(&world.sign_up_by_email(&email).await);
    let code = world.code(&email, "reset_password", 1).await;
    let body = json!({"identifier": email, "otpCode": code, "otpType": "reset_password"});
    let reply = world.post(PATH, &body).await;
    let json = reply.json();
    let token = json["data"]["requestToken"].as_str().unwrap();
    assert_eq!(reply.body, json!({"data": {"requestToken": token}}).to_string());
    let (_, claims) = token_parts(token);
    assert_eq!((&claims["Usage"], &claims["sub"]), (&json!("reset_password"), &json!(id)));
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 600);
    world.post(PATH, &body).await.expect(400, &json!({"error": "invalid or expired otp code"}));
    // It is no access token.
    let authorization = format!("Bearer {token}");
    let headers = [("authorization", authorization.as_str())];
    let reply = world.send("DELETE", "/sessions", &headers, "", None).await;
    reply.expect(401, &json!({"error": "invalid or expired access token"}));
}

#[tokio::test]
async fn a_new_phone_is_proved_for_a_change() {
    let world = World::shared().await;
    let phone = new_phone();
    let code = world.code(&phone, "change_phone", 1).await;
    let body = json!({"identifier": phone, "otpCode": code, "otpType": "change_phone"});
    let reply = world.post(PATH, &body).await;
    let (_, claims) = token_parts(reply.json()["data"]["requestToken"].as_str().unwrap());
    assert_eq!((&claims["Usage"], &claims["phoneNumber"]), (&json!("change_phone"), &json!(phone)));
}

#[tokio::test]
async fn every_refusal_is_400() {
    let world = World::shared().await;
    let email = new_email();
    world.sign_up_by_email(&email).await;
    let code = world.code(&email, "login", 1).await;
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
        world.post(PATH, &body).await.expect(400, &json!({"error": text}));
    }
}

#[tokio::test]
async fn wrong_guesses_of_one_address_run_out_even_for_a_right_one() {
    let env = [("OTP_GUESSES_PER_HOUR_PER_IP", "2"), ("OTP_SENDS_PER_HOUR", "0")];
    let world = World::with(&env).await;
    let email = new_email();
    world.sign_up_by_email(&email).await;
    let code = world.code(&email, "reset_password", 1).await;
    let wrong = if code == "00000" { "11111" } else { "00000" };
    let body =
        |code: &str| json!({"identifier": email, "otpCode": code, "otpType": "reset_password"});
    for _ in 0..2 {
        assert_eq!(world.post(PATH, &body(wrong)).await.status, 400);
    }
    for code in [wrong, &code] {
        let reply = world.post(PATH, &body(code)).await;
        reply.expect(429, &json!({"error": "too many requests"}));
    }
}
