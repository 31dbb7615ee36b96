//! `POST /sessions/phone`.

use acceptance::gotu::{CODE_REFUSED, claims, error, user_id};
use acceptance::{NO_LIMITS, TestStack, all, count, gotu, new_phone, other_than};
use serde_json::json;

/// A phone with an account, and the user's id.
async fn registered(stack: &TestStack) -> (String, String) {
    let phone = new_phone();
    let id = gotu(stack).registered(&phone).await;
    (phone, id)
}

#[tokio::test]
async fn a_login_code_opens_a_session_once() {
    let stack = TestStack::shared().await;
    let (phone, id) = registered(stack).await;
    let code = gotu(stack).code(&phone, "login", 2).await;
    let reply = gotu(stack).sign_in_by_phone(&phone, &code).await;
    assert_eq!(user_id(&reply), id);
    assert_eq!(claims(&reply)["userType"], "DNT", "the type that was given at sign-up");
    gotu(stack).sign_in_by_phone(&phone, &code).await.expect(401, &error(CODE_REFUSED));
    let events = stack.events(&id, 3).await;
    assert_eq!(events[2]["detail"]["method"], "otp");
}

#[tokio::test]
async fn codes_of_other_purposes_and_unregistered_phones_open_no_session() {
    let stack = TestStack::shared().await;
    let (phone, _) = registered(stack).await;
    let refused = error(CODE_REFUSED);
    let code = gotu(stack).code(&phone, "reset_password", 2).await;
    gotu(stack).sign_in_by_phone(&phone, &code).await.expect(401, &refused);
    let other_phone = new_phone();
    let code = gotu(stack).code(&other_phone, "sign_up", 1).await;
    gotu(stack).sign_in_by_phone(&other_phone, &code).await.expect(401, &refused);
    for (body, text) in [
        (json!({}), "phoneNumber is required"),
        (json!({"phoneNumber": phone}), "otpCode is required"),
        (
            json!({"phoneNumber": "0812", "otpCode": "12345"}),
            "phoneNumber must be a phone number in E.164 format",
        ),
        (json!({"phoneNumber": phone, "otpCode": "abc"}), "otpCode must be 4 to 8 digits"),
    ] {
        stack.call("gotu-post-sessions-phone").json(&body).await.expect(400, &error(text));
    }
}

#[tokio::test]
async fn racers_with_one_code_get_one_session() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let (phone, _) = registered(stack).await;
    let code = gotu(stack).code(&phone, "login", 2).await;
    let replies = all((0..20).map(|_| gotu(stack).sign_in_by_phone(&phone, &code))).await;
    assert_eq!((count(&replies, 200), count(&replies, 401)), (1, 19), "{replies:?}");
    assert_eq!(stack.items("Sessions").await.len(), 2);
}

#[tokio::test]
async fn five_wrong_guesses_end_the_code() {
    let stack = TestStack::shared().await;
    let (phone, _) = registered(stack).await;
    let code = gotu(stack).code(&phone, "login", 2).await;
    let wrong = &other_than(&code);
    for _ in 0..5 {
        assert_eq!(gotu(stack).sign_in_by_phone(&phone, wrong).await.status, 401);
    }
    assert_eq!(gotu(stack).sign_in_by_phone(&phone, &code).await.status, 401);
}

#[tokio::test]
async fn wrong_guesses_of_one_source_run_out_even_for_a_right_one() {
    let env = [("OTP_GUESSES_PER_HOUR_PER_IP", "2"), ("OTP_SENDS_PER_HOUR", "0")];
    let stack = &TestStack::with(&env).await;
    let (phone, _) = registered(stack).await;
    let code = gotu(stack).code(&phone, "login", 2).await;
    let wrong = &other_than(&code);
    for _ in 0..2 {
        assert_eq!(gotu(stack).sign_in_by_phone(&phone, wrong).await.status, 401);
    }
    for code in [wrong, &code] {
        let reply = gotu(stack).sign_in_by_phone(&phone, code).await;
        reply.expect(429, &error("too many requests"));
    }
    assert_eq!(stack.items("Sessions").await.len(), 1);
}
