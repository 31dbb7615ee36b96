//! `POST /ecommerce/v1/auth/signin`.

use acceptance::events::of_type;
use acceptance::posbytz::{
    BOTH, TOO_MANY, bad_request, by_email, by_mobile, code_refused, customer_id, new_number,
    refusal, session, signed_in, typed,
};
use acceptance::{NO_LIMITS, TestStack, code_in, new_email, posbytz};
use serde_json::json;

/// A verified customer of a store: address and id.
async fn verified(stack: &TestStack, client: &str) -> (String, String) {
    let email = new_email();
    let id = posbytz(stack).registered(client, &email).await;
    (email, id)
}

#[tokio::test]
async fn a_verified_customer_signs_in_and_an_unverified_one_does_not_yet() {
    let stack = TestStack::shared().await;
    let client = posbytz(stack).store_token("SIGNIN1").await;
    let email = new_email();
    let id = customer_id(&posbytz(stack).sign_up(&client, &by_email(&email)).await);
    // A link that is replaced before it is sent is never sent.
    posbytz(stack).mailed_secret(&email, &id, 1).await;
    let not_yet = refusal(403, "Account not verified", "Forbidden");
    posbytz(stack).sign_in(&client, &by_email(&email)).await.expect(403, &not_yet);
    // Without the password, the answer does not tell whether the account is verified.
    let wrong = json!({"email": email, "password": "wrong horse"});
    let refused = refusal(401, "Invalid credentials", "Unauthorized");
    posbytz(stack).sign_in(&client, &wrong).await.expect(401, &refused);
    // The right password sent a second link.
    let link = posbytz(stack).mailed_secret(&email, &id, 2).await;
    assert_eq!(posbytz(stack).verify_email(&id, &link).await.status, 200);
    let reply = posbytz(stack).sign_in(&client, &by_email(&email.to_uppercase())).await;
    assert_eq!(signed_in(&reply), id);
    let events = stack.events(&id, 5).await;
    let detail = &of_type(&events, "customer.signed_in")[0]["detail"];
    assert_eq!((&detail["method"], &detail["store"]), (&json!("password"), &json!("SIGNIN1")));
}

#[tokio::test]
async fn a_customer_whose_code_was_late_gets_another_one_and_signs_in() {
    // The codes live longer than an unverified customer, so every new one keeps the customer for longer.
    let limits: Vec<_> = NO_LIMITS.into_iter().chain([("OTP_TTL_SECONDS", "100000")]).collect();
    let stack = &TestStack::with(&limits).await;
    let client = posbytz(stack).store_token("SIGNIN5").await;
    let number = new_number();
    let (body, mobile) = (by_mobile("91", &number), format!("+91{number}"));
    let code = async |count| code_in(&stack.text(&mobile, count).await);
    let id = customer_id(&posbytz(stack).sign_up(&client, &body).await);
    let first = code(1).await;
    let not_yet = refusal(403, "Account not verified", "Forbidden");
    posbytz(stack).sign_in(&client, &body).await.expect(403, &not_yet);
    let second = code(2).await;
    let exists = json!({"statusCode": 422, "errors": {"mobile": ["Mobile already exists"]}});
    posbytz(stack).sign_up(&client, &body).await.expect(422, &exists);
    let third = code(3).await;
    for code in [first, second].iter().filter(|code| **code != third) {
        posbytz(stack)
            .enter_code(&client, &typed(&number, code))
            .await
            .expect(401, &code_refused());
    }
    let reply = posbytz(stack).enter_code(&client, &typed(&number, &third)).await;
    assert_eq!(signed_in(&reply), id);
    assert_eq!(signed_in(&posbytz(stack).sign_in(&client, &body).await), id);
    let events = stack.events(&id, 7).await;
    assert_eq!(of_type(&events, "customer.verification_requested").len(), 3);
    // What was kept for a time is kept for ever.
    for table in ["Users", "Identifiers"] {
        let items = stack.items_with(table, &id).await;
        assert!(items.iter().all(|item| item.get("expires_at").is_none()), "{items:?}");
    }
}

#[tokio::test]
async fn a_repeated_sign_up_keeps_the_customer_as_long_as_its_code() {
    let limits: Vec<_> = NO_LIMITS.into_iter().chain([("OTP_TTL_SECONDS", "100000")]).collect();
    let stack = &TestStack::with(&limits).await;
    let client = posbytz(stack).store_token("SIGNIN6").await;
    let body = by_mobile("91", &new_number());
    let id = customer_id(&posbytz(stack).sign_up(&client, &body).await);
    let ends = async || {
        let items = stack.items_with("Users", &id).await;
        let identifiers = stack.items_with("Identifiers", &id).await;
        [&items[0], &identifiers[0]].map(|item| item["expires_at"].as_i64().unwrap())
    };
    let before = ends().await;
    assert_eq!(posbytz(stack).sign_up(&client, &body).await.status, 422);
    let after = ends().await;
    assert!(
        before.iter().zip(&after).all(|(before, after)| before < after),
        "{before:?} {after:?}"
    );
}

#[tokio::test]
async fn customers_of_other_stores_and_unknown_addresses_are_refused_alike() {
    let stack = TestStack::shared().await;
    let (client, other) =
        (posbytz(stack).store_token("SIGNIN2").await, posbytz(stack).store_token("SIGNIN3").await);
    let (email, _) = verified(stack, &client).await;
    let refused = refusal(401, "Invalid credentials", "Unauthorized");
    posbytz(stack).sign_in(&other, &by_email(&email)).await.expect(401, &refused);
    posbytz(stack).sign_in(&client, &by_email(&new_email())).await.expect(401, &refused);
    let long = json!({"email": email, "password": "x".repeat(2000)});
    posbytz(stack).sign_in(&client, &long).await.expect(401, &refused);
}

#[tokio::test]
async fn the_caller_is_judged_before_the_body_and_every_field_is_named() {
    let stack = TestStack::shared().await;
    let client = posbytz(stack).new_client("SIGNIN4").await;
    let missing = refusal(401, "authorization header missing or invalid", "Unauthorized");
    stack.call("posbytz-signin").json(&json!({})).await.expect(401, &missing);
    let less = posbytz(stack).token(&client, "user:read").await;
    let scope = refusal(403, "insufficient_scope", "Forbidden");
    posbytz(stack).sign_in(&less, &json!({})).await.expect(403, &scope);
    let all = posbytz(stack).token(&client, BOTH).await;
    // A customer's token is not a client's.
    let (email, _) = verified(stack, &all).await;
    let customer = session(&posbytz(stack).sign_in(&all, &by_email(&email)).await);
    posbytz(stack).sign_in(&customer, &json!({})).await.expect(401, &missing);
    let reply = posbytz(stack).sign_in(&all, &json!({})).await;
    let errors = json!({"email": ["email should not be empty"],
        "mobile": ["mobile should not be empty"],
        "password": ["password must be a string", "password should not be empty"]});
    reply.expect(400, &bad_request(&errors));
    let body = json!({"email": "x", "mobile": {"code": "+91", "number": "1"}, "password": ""});
    let errors = json!({"email": ["email must be an email"],
        "mobile": {"number": ["number must be a valid phone number"]},
        "password": ["password should not be empty"]});
    let reply = posbytz(stack).sign_in(&all, &body).await;
    reply.expect(400, &bad_request(&errors));
}

#[tokio::test]
async fn failures_slow_one_customer_down_and_not_the_shop() {
    let stack = &TestStack::with(&[]).await;
    let client = posbytz(stack).store_token("SIGNIN5").await;
    let ((email, _), (other, id)) =
        (verified(stack, &client).await, verified(stack, &client).await);
    let wrong = json!({"email": email, "password": "wrong horse"});
    for _ in 0..5 {
        assert_eq!(posbytz(stack).sign_in(&client, &wrong).await.status, 401);
    }
    let reply = posbytz(stack).sign_in(&client, &by_email(&email)).await;
    reply.expect_text(429, TOO_MANY);
    assert_eq!(signed_in(&posbytz(stack).sign_in(&client, &by_email(&other)).await), id);
}

#[tokio::test]
async fn a_mobile_that_is_not_verified_does_not_sign_in() {
    let stack = TestStack::shared().await;
    let client = posbytz(stack).store_token("SIGNIN6").await;
    let number = new_number();
    let body = by_mobile("+91", &number);
    customer_id(&posbytz(stack).sign_up(&client, &body).await);
    let reply = posbytz(stack).sign_in(&client, &body).await;
    reply.expect(403, &refusal(403, "Account not verified", "Forbidden"));
}
