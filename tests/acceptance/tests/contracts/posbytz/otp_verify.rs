//! `POST /ecommerce/v1/auth/otp/verify`.

use acceptance::events::types;
use acceptance::posbytz::{
    TOO_MANY, bad_request, by_mobile, code_refused, customer_id, new_number, refusal, signed_in,
    typed,
};
use acceptance::{NO_LIMITS, TestStack, all, code_in, count, other_than, posbytz};
use serde_json::json;

/// A customer who was sent a code: number, id and code.
async fn asked(stack: &TestStack, client: &str) -> (String, String, String) {
    let number = new_number();
    let id = customer_id(&posbytz(stack).sign_up(client, &by_mobile("+91", &number)).await);
    let code = code_in(&stack.text(&format!("+91{number}"), 1).await);
    (number, id, code)
}

#[tokio::test]
async fn the_code_verifies_the_mobile_and_signs_in_once() {
    let stack = TestStack::shared().await;
    let client = posbytz(stack).store_token("OTP1").await;
    let (number, id, code) = asked(stack, &client).await;
    let reply = posbytz(stack).enter_code(&client, &typed(&number, &code)).await;
    assert_eq!(signed_in(&reply), id);
    assert_eq!(stack.items_with("Users", &id).await[0]["phone_verified"], true);
    let refused = code_refused();
    posbytz(stack).enter_code(&client, &typed(&number, &code)).await.expect(401, &refused);
    let reply = posbytz(stack).sign_in(&client, &by_mobile("91", &number)).await;
    assert_eq!(signed_in(&reply), id);
    let events = stack.events(&id, 5).await;
    let types = types(&events);
    for name in ["customer.mobile_verified", "customer.signed_in"] {
        assert!(types.contains(&name), "{types:?}");
    }
}

#[tokio::test]
async fn racers_with_one_code_get_one_session() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let client = posbytz(stack).store_token("OTP2").await;
    let (number, _, code) = asked(stack, &client).await;
    let body = typed(&number, &code);
    let replies = all((0..20).map(|_| posbytz(stack).enter_code(&client, &body))).await;
    assert_eq!((count(&replies, 200), count(&replies, 401)), (1, 19), "{replies:?}");
}

#[tokio::test]
async fn wrong_codes_other_stores_and_addresses_are_refused() {
    let stack = TestStack::shared().await;
    let (client, other) =
        (posbytz(stack).store_token("OTP3").await, posbytz(stack).store_token("OTP4").await);
    let (number, _, code) = asked(stack, &client).await;
    let refused = code_refused();
    let wrong = other_than(&code);
    posbytz(stack).enter_code(&other, &typed(&number, &code)).await.expect(401, &refused);
    posbytz(stack).enter_code(&client, &typed(&new_number(), &code)).await.expect(401, &refused);
    let mut by_mail = typed(&number, &code);
    by_mail["source"] = json!("email");
    posbytz(stack).enter_code(&client, &by_mail).await.expect(401, &refused);
    for _ in 0..5 {
        posbytz(stack).enter_code(&client, &typed(&number, &wrong)).await.expect(401, &refused);
    }
    posbytz(stack).enter_code(&client, &typed(&number, &code)).await.expect(401, &refused);
}

#[tokio::test]
async fn every_field_is_named_once_the_caller_is_known() {
    let stack = TestStack::shared().await;
    let missing = refusal(401, "authorization header missing or invalid", "Unauthorized");
    stack.call("posbytz-otp-verify").json(&json!({})).await.expect(401, &missing);
    let client = posbytz(stack).store_token("OTP5").await;
    let number = "otp must be a number conforming to the specified constraints";
    let value = "source must be a valid enum value";
    for (body, errors) in [
        (json!({}), json!({"otp": [number], "source": [value]})),
        (json!({"otp": "214524", "source": "email"}), json!({"otp": [number]})),
        (json!({"otp": 214_524, "source": "post"}), json!({"source": [value]})),
        (
            json!({"otp": 214_524, "source": "mobile"}),
            json!({"mobile": ["mobile should not be empty"]}),
        ),
    ] {
        let reply = posbytz(stack).enter_code(&client, &body).await;
        reply.expect(400, &bad_request(&errors));
    }
}

#[tokio::test]
async fn wrong_codes_of_one_shop_run_out_even_for_a_right_one() {
    let env = [("SENDS_PER_HOUR_PER_CLIENT", "3"), ("OTP_SENDS_PER_HOUR", "0")];
    let stack = &TestStack::with(&env).await;
    let client = posbytz(stack).store_token("OTP6").await;
    let (number, _, code) = asked(stack, &client).await;
    let refused = code_refused();
    let wrong = other_than(&code);
    for _ in 0..3 {
        posbytz(stack).enter_code(&client, &typed(&number, &wrong)).await.expect(401, &refused);
    }
    for code in [&wrong, &code] {
        let reply = posbytz(stack).enter_code(&client, &typed(&number, code)).await;
        reply.expect_text(429, TOO_MANY);
    }
    assert_eq!(stack.items("Users").await[0]["phone_verified"], false);
}
