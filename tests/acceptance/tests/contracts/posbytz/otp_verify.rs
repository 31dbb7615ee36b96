//! `POST /ecommerce/v1/auth/otp/verify` (contracts.md D.3).

use super::{by_mobile, call, customer_id, new_number, sign_up, signed_in, store_token};
use acceptance::{NO_LIMITS, World, all, code_in};
use serde_json::{Value, json};

const OTP_VERIFY: &str = "/ecommerce/v1/auth/otp/verify";

fn refused() -> Value {
    json!({"statusCode": 401, "message": "OTP invalid or expired", "error": "Unauthorized"})
}

fn typed(number: &str, otp: u32) -> Value {
    json!({"otp": otp, "source": "mobile", "mobile": {"code": "+91", "number": number}})
}

/// A customer who got a code: number, id and code.
async fn asked(world: &World, client: &str) -> (String, String, u32) {
    let number = new_number();
    let id = customer_id(&sign_up(world, client, &by_mobile("+91", &number)).await);
    let message = world.message(&format!("+91{number}"), 1).await;
    let code = code_in(message["body"].as_str().unwrap()).parse().unwrap();
    (number, id, code)
}

#[tokio::test]
async fn the_code_verifies_the_mobile_and_signs_in_once() {
    let world = World::shared().await;
    let client = store_token(world, "OTP1").await;
    let (number, id, code) = asked(world, &client).await;
    let reply = call(world, OTP_VERIFY, &client, &typed(&number, code)).await;
    assert_eq!(signed_in(&reply), id);
    assert_eq!(world.items_with("Users", &id).await[0]["phone_verified"], true);
    call(world, OTP_VERIFY, &client, &typed(&number, code)).await.expect(401, &refused());
    let reply = call(world, "/ecommerce/v1/auth/signin", &client, &by_mobile("91", &number)).await;
    assert_eq!(signed_in(&reply), id);
    let events = world.events(&id, 5).await;
    let types: Vec<_> = events.iter().map(|event| event["detailType"].as_str().unwrap()).collect();
    for name in ["customer.mobile_verified", "customer.signed_in"] {
        assert!(types.contains(&name), "{types:?}");
    }
}

#[tokio::test]
async fn racers_with_one_code_get_one_session() {
    let world = World::with(&NO_LIMITS).await;
    let client = store_token(&world, "OTP2").await;
    let (number, _, code) = asked(&world, &client).await;
    let body = typed(&number, code);
    let replies = all((0..20).map(|_| call(&world, OTP_VERIFY, &client, &body))).await;
    let count = |status| replies.iter().filter(|reply| reply.status == status).count();
    assert_eq!((count(200), count(401)), (1, 19), "{replies:?}");
}

#[tokio::test]
async fn wrong_codes_other_stores_and_addresses_are_refused() {
    let world = World::shared().await;
    let (client, other) = (store_token(world, "OTP3").await, store_token(world, "OTP4").await);
    let (number, _, code) = asked(world, &client).await;
    let wrong = if code == 123_456 { 654_321 } else { 123_456 };
    call(world, OTP_VERIFY, &other, &typed(&number, code)).await.expect(401, &refused());
    call(world, OTP_VERIFY, &client, &typed(&new_number(), code)).await.expect(401, &refused());
    let by_mail = json!({"otp": code, "source": "email"});
    call(world, OTP_VERIFY, &client, &by_mail).await.expect(401, &refused());
    for _ in 0..5 {
        call(world, OTP_VERIFY, &client, &typed(&number, wrong)).await.expect(401, &refused());
    }
    call(world, OTP_VERIFY, &client, &typed(&number, code)).await.expect(401, &refused());
}

#[tokio::test]
async fn every_field_is_named_after_who_may_call() {
    let world = World::shared().await;
    let missing = json!({"statusCode": 401,
        "message": "authorization header missing or invalid", "error": "Unauthorized"});
    world.post(OTP_VERIFY, &json!({})).await.expect(401, &missing);
    let client = store_token(world, "OTP5").await;
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
        let reply = call(world, OTP_VERIFY, &client, &body).await;
        reply.expect(400, &json!({"statusCode": 400, "errors": errors, "message": "Bad Request"}));
    }
}

#[tokio::test]
async fn wrong_codes_of_one_shop_run_out_even_for_a_right_one() {
    let env = [("SENDS_PER_HOUR_PER_CLIENT", "3"), ("OTP_SENDS_PER_HOUR", "0")];
    let world = World::with(&env).await;
    let client = store_token(&world, "OTP6").await;
    let (number, _, code) = asked(&world, &client).await;
    let wrong = if code == 123_456 { 654_321 } else { 123_456 };
    for _ in 0..3 {
        call(&world, OTP_VERIFY, &client, &typed(&number, wrong)).await.expect(401, &refused());
    }
    for code in [wrong, code] {
        let reply = call(&world, OTP_VERIFY, &client, &typed(&number, code)).await;
        reply.expect(429, &json!({"statusCode": 429, "message": "Too Many Requests"}));
    }
    assert_eq!(world.items("Users").await[0]["phone_verified"], false);
}
