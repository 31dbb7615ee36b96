//! `POST /api/v1/auth/verify`.

use acceptance::events::of_type;
use acceptance::goodcity::{UNKNOWN_KEY, errors, new_mobile, otp_auth_key, pin_refused, user_id};
use acceptance::{NO_LIMITS, TestStack, all, compact, count, goodcity, other_than, token_parts};
use serde_json::{Value, json};

#[tokio::test]
async fn the_right_pin_gives_the_documented_answer() {
    let stack = TestStack::shared().await;
    let mobile = new_mobile();
    let reply = goodcity(stack).registered(&mobile).await;
    let json = reply.json();
    let token = json["jwt_token"].as_str().unwrap();
    let (id, address_id) =
        (&json["user"]["user_profile"]["id"], &json["user"]["addresses"][0]["id"]);
    assert!(id.is_u64() && address_id.is_u64());
    let expected = compact(
        r#"{
            "jwt_token": "<token>",
            "user": {
                "addresses": [{
                    "id": <address_id>, "street": null, "flat": null, "building": null,
                    "district_id": 1, "addressable_id": <id>, "addressable_type": "User"
                }],
                "permissions": [],
                "user_profile": {
                    "id": <id>, "first_name": "Jake", "last_name": "Deamon",
                    "mobile": "<number>", "address_id": <address_id>, "permission_id": null
                }
            }
        }"#,
        &[
            ("token", token),
            ("id", &id.to_string()),
            ("address_id", &address_id.to_string()),
            ("number", mobile.trim_start_matches("+852")),
        ],
    );
    assert_eq!(reply.body, expected);
    let (header, claims) = token_parts(token);
    assert_eq!((&header["alg"], &header["typ"]), (&json!("HS256"), &json!("JWT")));
    let issued = claims["iat"].as_i64().unwrap();
    assert_eq!(
        claims,
        json!({"user_id": id, "iat": issued, "iss": "GoodCityHK", "exp": issued.saturating_add(1800)})
    );
    let users = stack.items_with("Users", &mobile).await;
    assert_eq!(
        (&users[0]["phone_verified"], &users[0]["expires_at"]),
        (&json!(true), &Value::Null)
    );
    let identifiers = stack.items_with("Identifiers", &mobile).await;
    assert_eq!(identifiers[0]["expires_at"], Value::Null);
}

#[tokio::test]
async fn the_event_of_a_verification_says_whether_it_was_the_first_one() {
    let stack = TestStack::shared().await;
    let mobile = new_mobile();
    let id = user_id(&goodcity(stack).registered(&mobile).await);
    let key = otp_auth_key(&goodcity(stack).send_pin(&mobile).await);
    let pin = goodcity(stack).pin(&mobile, 2).await;
    assert_eq!(goodcity(stack).verify(&key, &pin).await.status, 200);
    let events = stack.events(&id, 3).await;
    let mut first_times: Vec<_> = of_type(&events, "user.verified")
        .iter()
        .map(|event| event["detail"]["firstTime"].as_bool().unwrap())
        .collect();
    first_times.sort_unstable();
    assert_eq!(first_times, [false, true]);
}

#[tokio::test]
async fn every_failure_is_the_same() {
    let stack = TestStack::shared().await;
    let mobile = new_mobile();
    let key = otp_auth_key(&goodcity(stack).sign_up(&mobile).await);
    let right = goodcity(stack).pin(&mobile, 1).await;
    let refused = pin_refused();
    let number: u32 = right.parse().unwrap();
    for body in [
        json!({}),
        json!({"otp_auth_key": key}),
        json!({"pin": right}),
        json!({"otp_auth_key": null, "pin": right}),
        json!({"otp_auth_key": "", "pin": right}),
        json!({"otp_auth_key": key, "pin": ""}),
        json!({"otp_auth_key": key, "pin": " "}),
        json!({"otp_auth_key": key, "pin": number}),
        json!({"otp_auth_key": [key], "pin": right}),
        json!({"otp_auth_key": UNKNOWN_KEY, "pin": right}),
        json!({"otp_auth_key": key, "pin": other_than(&right)}),
    ] {
        goodcity(stack).verify_with(&body).await.expect(422, &refused);
    }
    for app in ["admin.goodcity", "unknown"] {
        let verify = goodcity(stack).verify(&key, &right).header("x-goodcity-app-name", app);
        verify.await.expect(422, &refused);
    }
    assert_eq!(goodcity(stack).verify(&key, &right).await.status, 200);
    goodcity(stack).verify(&key, &right).await.expect(422, &refused);
}

#[tokio::test]
async fn five_wrong_pins_end_the_key() {
    let stack = TestStack::shared().await;
    let mobile = new_mobile();
    let key = otp_auth_key(&goodcity(stack).sign_up(&mobile).await);
    let right = goodcity(stack).pin(&mobile, 1).await;
    for _ in 0..5 {
        assert_eq!(goodcity(stack).verify(&key, &other_than(&right)).await.status, 422);
    }
    assert_eq!(goodcity(stack).verify(&key, &right).await.status, 422);
}

#[tokio::test]
async fn a_pin_that_has_ended_is_refused_while_its_items_are_there() {
    let stack = TestStack::shared().await;
    let mobile = new_mobile();
    let key = otp_auth_key(&goodcity(stack).sign_up(&mobile).await);
    let right = goodcity(stack).pin(&mobile, 1).await;
    for item in stack.items_with("Challenges", &mobile).await {
        stack.expire("Challenges", "challenge_id", item["challenge_id"].clone()).await;
    }
    assert_eq!(goodcity(stack).verify(&key, &right).await.status, 422);
    assert_eq!(stack.items_with("Users", &mobile).await[0]["phone_verified"], false);
}

#[tokio::test]
async fn racers_with_one_pin_get_one_token() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let mobile = new_mobile();
    let key = otp_auth_key(&goodcity(stack).sign_up(&mobile).await);
    let right = goodcity(stack).pin(&mobile, 1).await;
    let replies = all((0..20).map(|_| goodcity(stack).verify(&key, &right))).await;
    assert_eq!((count(&replies, 200), count(&replies, 422)), (1, 19), "{replies:?}");
}

#[tokio::test]
async fn a_source_without_guesses_may_try_the_code_that_it_asked_for_once() {
    let env = [("OTP_GUESSES_PER_HOUR_PER_IP", "3"), ("OTP_SENDS_PER_HOUR", "0")];
    let stack = &TestStack::with(&env).await;
    let mobile = new_mobile();
    let key = otp_auth_key(&goodcity(stack).sign_up(&mobile).await);
    let right = goodcity(stack).pin(&mobile, 1).await;
    for _ in 0..3 {
        assert_eq!(goodcity(stack).verify("no such key", "1234").await.status, 422);
    }
    let reply = goodcity(stack).verify("no such key", "1234").await;
    reply.expect(429, &errors("Too many requests"));
    reply.expect_wait(3600);
    assert_eq!(goodcity(stack).verify(&key, &right).await.status, 200);
    let mobile = new_mobile();
    let key = otp_auth_key(&goodcity(stack).sign_up(&mobile).await);
    let right = goodcity(stack).pin(&mobile, 1).await;
    for pin in [&other_than(&right), &right] {
        let reply = goodcity(stack).verify(&key, pin).await;
        reply.expect(429, &errors("Too many requests"));
    }
    let user = stack.items_with("Users", &mobile).await.remove(0);
    assert_eq!(user["phone_verified"], false);
}

#[tokio::test]
async fn the_risk_of_a_guessed_pin_is_printed_at_start() {
    let stack = &TestStack::with(&[]).await;
    otp_auth_key(&goodcity(stack).sign_up(&new_mobile()).await);
    for part in [r#""guesses_per_day":50"#, r#""codes":10000"#, r#""risk_per_million":5000"#] {
        let logged = || stack.logs().join("\n").contains(part).then_some(());
        stack.wait_for(part, || async { logged() }).await;
    }
}

#[tokio::test]
async fn a_deleted_user_is_not_verified() {
    let stack = TestStack::shared().await;
    let mobile = new_mobile();
    let key = otp_auth_key(&goodcity(stack).sign_up(&mobile).await);
    let right = goodcity(stack).pin(&mobile, 1).await;
    let user = stack.items_with("Users", &mobile).await.remove(0);
    stack.delete("Users", "user_id", user["user_id"].clone()).await;
    let refused = pin_refused();
    goodcity(stack).verify(&key, &right).await.expect(422, &refused);
    assert!(stack.items_with("Users", &mobile).await.is_empty());
}
