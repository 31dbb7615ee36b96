//! `POST /ecommerce/v1/auth/password/forgot`: sends a code that allows a new password.

use acceptance::posbytz::{SUCCESS, TOO_MANY, bad_request, refusal};
use acceptance::{NO_LIMITS, TestStack, new_email, posbytz};
use serde_json::{Value, json};

#[tokio::test]
async fn the_shop_cannot_tell_who_is_a_customer() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let client = posbytz(stack).store_token("FORGOT1").await;
    let (known, unknown) = (new_email(), new_email());
    posbytz(stack).registered(&client, &known).await;
    let mut answers = Vec::new();
    // The first one warms up.
    for email in [&known, &known, &unknown] {
        let asked = posbytz(stack).forgot_password(&client, &json!({"email": email}));
        let (reply, calls) = stack.calls_during("posbytz-password-forgot", asked).await;
        reply.expect_text(200, SUCCESS);
        let calls: Vec<_> =
            calls.iter().map(|call| json!([call["operation"], call["resources"]])).collect();
        answers.push(calls);
    }
    assert_eq!(answers[1], answers[2]);
    assert_eq!(stack.message(&known, 2).await["subject"], "Set a new password");
    stack.wait_until_delivered(&unknown).await;
    assert!(stack.messages(&unknown).await.is_empty());
}

#[tokio::test]
async fn another_shop_gets_nothing_and_a_pause_is_kept() {
    let stack = &TestStack::with(&[]).await;
    let client = posbytz(stack).store_token("FORGOT2").await;
    let other = posbytz(stack).store_token("FORGOT3").await;
    let email = new_email();
    posbytz(stack).registered(&client, &email).await;
    let body = json!({"email": email});
    posbytz(stack).forgot_password(&other, &body).await.expect_text(200, SUCCESS);
    posbytz(stack).forgot_password(&client, &body).await.expect_text(200, SUCCESS);
    stack.message(&email, 2).await;
    let reply = posbytz(stack).forgot_password(&client, &body).await;
    reply.expect_text(429, TOO_MANY);
    assert!(!reply.header("retry-after").is_empty(), "{reply:?}");
    stack.wait_until_delivered(&email).await;
    assert_eq!(stack.messages(&email).await.len(), 2);
}

#[tokio::test]
async fn every_field_is_named_once_the_caller_is_known() {
    let stack = TestStack::shared().await;
    let missing = refusal(401, "authorization header missing or invalid", "Unauthorized");
    stack.call("posbytz-password-forgot").json(&json!({})).await.expect(401, &missing);
    let client = posbytz(stack).store_token("FORGOT4").await;
    let empty = json!({"email": ["email should not be empty"],
        "mobile": ["mobile should not be empty"]});
    for (body, errors) in [
        (json!({}), empty),
        (json!({"email": "x"}), json!({"email": ["email must be an email"]})),
        (
            json!({"mobile": {"code": "+91", "number": "x"}}),
            json!({"mobile": {"number": ["number must be a valid phone number"]}}),
        ),
        (Value::Null, json!({})),
    ] {
        let reply = posbytz(stack).forgot_password(&client, &body).await;
        reply.expect(400, &bad_request(&errors));
    }
}
