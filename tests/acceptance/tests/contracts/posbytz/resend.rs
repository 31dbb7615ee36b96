//! `POST /ecommerce/v1/auth/otp/resend`, `POST /ecommerce/v1/auth/email/resend`: sends the code or
//! the link again to a customer of whom nothing is verified.

use acceptance::posbytz::{
    SUCCESS, TOO_MANY, bad_request, by_email, by_mobile, code_refused, customer_id, new_number,
    refusal, signed_in, typed,
};
use acceptance::{NO_LIMITS, TestStack, code_in, new_email, posbytz};
use serde_json::json;

#[tokio::test]
async fn a_code_that_is_sent_again_takes_the_account_over() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let client = posbytz(stack).store_token("RESEND1").await;
    let number = new_number();
    let (to, mobile) =
        (json!({"mobile": {"code": "+91", "number": number}}), format!("+91{number}"));
    let id = customer_id(&posbytz(stack).sign_up(&client, &by_mobile("+91", &number)).await);
    // A text that is replaced before it is sent is never sent.
    stack.text(&mobile, 1).await;
    posbytz(stack).resend(&client, &to).await.expect_text(200, SUCCESS);
    let second = code_in(&stack.text(&mobile, 2).await);
    let reply = posbytz(stack).enter_code(&client, &typed(&number, &second)).await;
    assert_eq!(signed_in(&reply), id);
    // Who set the account up did not state the password again, and may be a stranger.
    let old = posbytz(stack).sign_in(&client, &by_mobile("+91", &number)).await;
    old.expect(401, &refusal(401, "Invalid credentials", "Unauthorized"));
    posbytz(stack).forgot_password(&client, &to).await.expect_text(200, SUCCESS);
    let otp = code_in(&stack.text(&mobile, 3).await);
    let reset = posbytz(stack).reset_password(&client, &to, (&otp, "battery staple")).await;
    reset.expect_text(200, SUCCESS);
    let mut owner = to.clone();
    owner["password"] = json!("battery staple");
    assert_eq!(signed_in(&posbytz(stack).sign_in(&client, &owner).await), id);
}

#[tokio::test]
async fn a_link_that_is_sent_again_verifies_the_address() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let client = posbytz(stack).store_token("RESEND2").await;
    let email = new_email();
    let (id, _) = posbytz(stack).mailed(&client, &email).await;
    let again = async || posbytz(stack).resend(&client, &json!({"email": email})).await;
    again().await.expect_text(200, SUCCESS);
    let second = posbytz(stack).mailed_secret(&email, &id, 2).await;
    again().await.expect_text(200, SUCCESS);
    let third = posbytz(stack).mailed_secret(&email, &id, 3).await;
    let invalid = refusal(401, "Invalid token", "Unauthorized");
    posbytz(stack).verify_email(&id, &second).await.expect(401, &invalid);
    posbytz(stack).verify_email(&id, &third).await.expect_text(200, SUCCESS);
    assert_eq!(stack.items_with("Users", &id).await[0]["email_verified"], true);
}

#[tokio::test]
async fn a_stranger_who_sends_again_does_not_cost_the_password() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let client = posbytz(stack).store_token("RESEND6").await;
    let (email, number) = (new_email(), new_number());
    let (id, link) = posbytz(stack).mailed(&client, &email).await;
    posbytz(stack).resend(&client, &json!({"email": email})).await.expect_text(200, SUCCESS);
    // The link of the sign-up still completes it.
    posbytz(stack).verify_email(&id, &link).await.expect_text(200, SUCCESS);
    assert_eq!(signed_in(&posbytz(stack).sign_in(&client, &by_email(&email)).await), id);
    let body = by_mobile("+91", &number);
    let id = customer_id(&posbytz(stack).sign_up(&client, &body).await);
    let code = code_in(&stack.text(&format!("+91{number}"), 1).await);
    let to = json!({"mobile": body["mobile"]});
    posbytz(stack).resend(&client, &to).await.expect_text(200, SUCCESS);
    let reply = posbytz(stack).enter_code(&client, &typed(&number, &code)).await;
    assert_eq!(signed_in(&reply), id);
    assert_eq!(signed_in(&posbytz(stack).sign_in(&client, &body).await), id);
}

#[tokio::test]
async fn others_get_nothing_and_the_same_answer() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let client = posbytz(stack).store_token("RESEND3").await;
    let other = posbytz(stack).store_token("RESEND4").await;
    let (email, unknown, number) = (new_email(), new_email(), new_number());
    let mut both = by_mobile("+91", &number);
    both["email"] = json!(email);
    let id = customer_id(&posbytz(stack).sign_up(&client, &both).await);
    let link = posbytz(stack).mailed_secret(&email, &id, 1).await;
    stack.text(&format!("+91{number}"), 1).await;
    let to = json!({"email": email});
    posbytz(stack).resend(&other, &to).await.expect_text(200, SUCCESS);
    posbytz(stack).resend(&client, &json!({"email": unknown})).await.expect_text(200, SUCCESS);
    posbytz(stack).verify_email(&id, &link).await.expect_text(200, SUCCESS);
    // Verified, and a number beside a verified address.
    posbytz(stack).resend(&client, &to).await.expect_text(200, SUCCESS);
    let beside = json!({"mobile": {"code": "+91", "number": number}});
    posbytz(stack).resend(&client, &beside).await.expect_text(200, SUCCESS);
    for (recipient, count) in [(email, 1), (unknown, 0), (format!("+91{number}"), 1)] {
        stack.wait_until_delivered(&recipient).await;
        assert_eq!(stack.messages(&recipient).await.len(), count, "{recipient}");
    }
}

#[tokio::test]
async fn what_was_sent_again_is_void_once_another_identifier_is_verified() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let client = posbytz(stack).store_token("RESEND6").await;
    let signed_up = async || {
        let (number, email) = (new_number(), new_email());
        let mut both = by_mobile("+91", &number);
        both["email"] = json!(email);
        let id = customer_id(&posbytz(stack).sign_up(&client, &both).await);
        // What is replaced before it is sent is never sent.
        stack.text(&format!("+91{number}"), 1).await;
        stack.text(&email, 1).await;
        (id, number, email)
    };
    // A stranger named the number beside an address of their own, and confirms it meanwhile.
    let (id, number, theirs) = signed_up().await;
    let to = json!({"mobile": {"code": "+91", "number": number}});
    posbytz(stack).resend(&client, &to).await.expect_text(200, SUCCESS);
    let code = code_in(&stack.text(&format!("+91{number}"), 2).await);
    let link = posbytz(stack).mailed_secret(&theirs, &id, 1).await;
    posbytz(stack).verify_email(&id, &link).await.expect_text(200, SUCCESS);
    let reply = posbytz(stack).enter_code(&client, &typed(&number, &code)).await;
    reply.expect(401, &code_refused());
    // The other way round.
    let (id, number, email) = signed_up().await;
    posbytz(stack).resend(&client, &json!({"email": email})).await.expect_text(200, SUCCESS);
    let link = posbytz(stack).mailed_secret(&email, &id, 2).await;
    let code = code_in(&stack.text(&format!("+91{number}"), 1).await);
    let reply = posbytz(stack).enter_code(&client, &typed(&number, &code)).await;
    assert_eq!(signed_in(&reply), id);
    let invalid = refusal(401, "Invalid token", "Unauthorized");
    posbytz(stack).verify_email(&id, &link).await.expect(401, &invalid);
}

#[tokio::test]
async fn limits_and_fields_are_named() {
    let stack = &TestStack::with(&[]).await;
    let missing = refusal(401, "authorization header missing or invalid", "Unauthorized");
    stack.call("posbytz-resend").json(&json!({})).await.expect(401, &missing);
    let client = posbytz(stack).store_token("RESEND5").await;
    let email = new_email();
    posbytz(stack).mailed(&client, &email).await;
    let reply = posbytz(stack).resend(&client, &json!({"email": email})).await;
    reply.expect_text(429, TOO_MANY);
    assert!(!reply.header("retry-after").is_empty(), "{reply:?}");
    for (path, body, errors) in [
        ("otp", by_email(&email), json!({"mobile": ["mobile should not be empty"]})),
        ("email", json!({}), json!({"email": ["email should not be empty"]})),
        ("email", json!({"email": 1}), json!({"email": ["email must be an email"]})),
    ] {
        let path = format!("/ecommerce/v1/auth/{path}/resend");
        let reply = stack.request("POST", &path).bearer(&client).json(&body).await;
        reply.expect(400, &bad_request(&errors));
    }
}
