//! Limits of clients and recipients.

use super::documented;
use acceptance::posbytz::{TOO_MANY, by_email, by_mobile, customer_id, new_number};
use acceptance::{TestStack, new_email, posbytz};
use serde_json::json;

#[tokio::test]
async fn a_client_has_a_budget_by_the_hour() {
    let stack = &TestStack::with(&[("SENDS_PER_HOUR_PER_CLIENT", "3")]).await;
    let token = posbytz(stack).store_token("STORE1").await;
    let email = new_email();
    customer_id(&posbytz(stack).sign_up(&token, &by_email(&email)).await);
    // "Already exists" tells who is registered, so it counts. An earlier refusal does not.
    assert_eq!(posbytz(stack).sign_up(&token, &by_email(&email)).await.status, 422);
    assert_eq!(posbytz(stack).sign_up(&token, &json!({})).await.status, 400);
    customer_id(&posbytz(stack).sign_up(&token, &by_mobile("+91", &new_number())).await);
    let users = stack.items("Users").await;
    for body in [by_email(&new_email()), by_email(&email)] {
        let reply = posbytz(stack).sign_up(&token, &body).await;
        reply.expect_text(429, TOO_MANY);
        reply.expect_wait(3600);
    }
    assert_eq!(stack.items("Users").await, users);
    let other = posbytz(stack).store_token("STORE1").await;
    customer_id(&posbytz(stack).sign_up(&other, &by_email(&new_email())).await);
}

#[tokio::test]
async fn the_budget_of_clients_is_switched_off_with_that_of_sources() {
    let env = [("SENDS_PER_HOUR_PER_CLIENT", "1"), ("OTP_SENDS_PER_HOUR_PER_IP", "0")];
    let stack = &TestStack::with(&env).await;
    let token = posbytz(stack).store_token("STORE1").await;
    for _ in 0..3 {
        customer_id(&posbytz(stack).sign_up(&token, &by_email(&new_email())).await);
    }
    assert!(stack.items("Budgets").await.is_empty());
}

/// Makes an identifier free again, as the deletion of an account does.
async fn free(stack: &TestStack, identifier: &str) {
    assert_eq!(stack.items_with("Identifiers", identifier).await.len(), 1);
    stack.delete("Identifiers", "identifier", identifier).await;
}

#[tokio::test]
async fn a_recipient_that_was_sent_a_message_before_has_its_limits() {
    for (pause, status, revision) in [("60", 429, 1), ("0", 201, 2)] {
        let stack = &TestStack::with(&[("OTP_RESEND_SECONDS", pause)]).await;
        let token = posbytz(stack).store_token("STORE1").await;
        customer_id(&posbytz(stack).sign_up(&token, &documented()).await);
        free(stack, "posbytz#STORE1#email#harish@bytize.in").await;
        let reply = posbytz(stack).sign_up(&token, &by_email("harish@bytize.in")).await;
        assert_eq!(reply.status, status, "{reply:?}");
        let challenge = &stack.items_with("Challenges", "#email#").await[0];
        assert_eq!(challenge["revision"], revision);
    }
}
