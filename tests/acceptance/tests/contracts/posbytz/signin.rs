//! `POST /ecommerce/v1/auth/signin` (contracts.md D.3).

use super::{
    BOTH, by_email, call, customer_id, mailed_token, new_client, new_number, sign_up, signed_in,
    store_token, token, verify,
};
use acceptance::{World, new_email};
use serde_json::{Value, json};

const SIGNIN: &str = "/ecommerce/v1/auth/signin";

fn no(status: u16, message: &str, error: &str) -> Value {
    json!({"statusCode": status, "message": message, "error": error})
}

/// A verified customer of a store: address and id.
async fn verified(world: &World, client: &str) -> (String, String) {
    let email = new_email();
    let id = customer_id(&sign_up(world, client, &by_email(&email)).await);
    let link = mailed_token(world, &email, &id, 1).await;
    assert_eq!(verify(world, &id, &link).await.status, 200);
    (email, id)
}

#[tokio::test]
async fn a_verified_customer_signs_in_and_an_unverified_one_does_not_yet() {
    let world = World::shared().await;
    let client = store_token(world, "SIGNIN1").await;
    let email = new_email();
    let id = customer_id(&sign_up(world, &client, &by_email(&email)).await);
    let not_yet = no(403, "Account not verified", "Forbidden");
    call(world, SIGNIN, &client, &by_email(&email)).await.expect(403, &not_yet);
    // Who does not know the password does not learn whether the account is verified.
    let wrong = json!({"email": email, "password": "wrong horse"});
    let refused = no(401, "Invalid credentials", "Unauthorized");
    call(world, SIGNIN, &client, &wrong).await.expect(401, &refused);
    let link = mailed_token(world, &email, &id, 1).await;
    assert_eq!(verify(world, &id, &link).await.status, 200);
    let reply = call(world, SIGNIN, &client, &by_email(&email.to_uppercase())).await;
    assert_eq!(signed_in(&reply), id);
    let events = world.events(&id, 4).await;
    let detail =
        &events.iter().find(|event| event["detailType"] == "customer.signed_in").unwrap()["detail"];
    assert_eq!((&detail["method"], &detail["store"]), (&json!("password"), &json!("SIGNIN1")));
}

#[tokio::test]
async fn customers_of_other_stores_and_strangers_are_nobody() {
    let world = World::shared().await;
    let (client, other) =
        (store_token(world, "SIGNIN2").await, store_token(world, "SIGNIN3").await);
    let (email, _) = verified(world, &client).await;
    let refused = no(401, "Invalid credentials", "Unauthorized");
    call(world, SIGNIN, &other, &by_email(&email)).await.expect(401, &refused);
    call(world, SIGNIN, &client, &by_email(&new_email())).await.expect(401, &refused);
    let long = json!({"email": email, "password": "x".repeat(2000)});
    call(world, SIGNIN, &client, &long).await.expect(401, &refused);
}

#[tokio::test]
async fn who_may_call_comes_before_the_body_and_every_field_is_named() {
    let world = World::shared().await;
    let client = new_client(world, "SIGNIN4").await;
    let missing = no(401, "authorization header missing or invalid", "Unauthorized");
    world.post(SIGNIN, &json!({})).await.expect(401, &missing);
    let less = token(world, &client, "user:read").await;
    let scope = no(403, "insufficient_scope", "Forbidden");
    call(world, SIGNIN, &less, &json!({})).await.expect(403, &scope);
    let all = token(world, &client, BOTH).await;
    // A customer's token is no client's.
    let (email, _) = verified(world, &all).await;
    let session = call(world, SIGNIN, &all, &by_email(&email)).await.json();
    let customer = session["data"]["accessToken"].as_str().unwrap();
    call(world, SIGNIN, customer, &json!({})).await.expect(401, &missing);
    let reply = call(world, SIGNIN, &all, &json!({})).await;
    let errors = json!({"email": ["email should not be empty"],
        "mobile": ["mobile should not be empty"],
        "password": ["password must be a string", "password should not be empty"]});
    reply.expect(400, &json!({"statusCode": 400, "errors": errors, "message": "Bad Request"}));
    let body = json!({"email": "x", "mobile": {"code": "+91", "number": "1"}, "password": ""});
    let errors = json!({"email": ["email must be an email"],
        "mobile": {"number": ["number must be a valid phone number"]},
        "password": ["password should not be empty"]});
    let reply = call(world, SIGNIN, &all, &body).await;
    reply.expect(400, &json!({"statusCode": 400, "errors": errors, "message": "Bad Request"}));
}

#[tokio::test]
async fn failures_slow_one_customer_down_and_not_the_shop() {
    let world = World::with(&[]).await;
    let client = store_token(&world, "SIGNIN5").await;
    let ((email, _), (other, id)) =
        (verified(&world, &client).await, verified(&world, &client).await);
    let wrong = json!({"email": email, "password": "wrong horse"});
    for _ in 0..5 {
        assert_eq!(call(&world, SIGNIN, &client, &wrong).await.status, 401);
    }
    let reply = call(&world, SIGNIN, &client, &by_email(&email)).await;
    reply.expect(429, &json!({"statusCode": 429, "message": "Too Many Requests"}));
    assert_eq!(signed_in(&call(&world, SIGNIN, &client, &by_email(&other)).await), id);
}

#[tokio::test]
async fn a_mobile_that_is_not_verified_does_not_sign_in() {
    let world = World::shared().await;
    let client = store_token(world, "SIGNIN6").await;
    let number = new_number();
    let body = super::by_mobile("+91", &number);
    customer_id(&sign_up(world, &client, &body).await);
    let reply = call(world, SIGNIN, &client, &body).await;
    reply.expect(403, &no(403, "Account not verified", "Forbidden"));
}
