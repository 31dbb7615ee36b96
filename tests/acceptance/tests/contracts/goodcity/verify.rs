//! `POST /api/v1/auth/verify` (contracts.md B.3).

use super::{
    SEND_PIN, SIGNUP, VERIFY, events, new_mobile, other_than, otp_auth_key, pin, signed_in,
    signup_body, verify,
};
use acceptance::{NO_LIMITS, World, all, token_parts};
use serde_json::{Value, json};

#[tokio::test]
async fn the_right_pin_gives_the_documented_answer() {
    let world = World::shared().await;
    let mobile = new_mobile();
    let reply = signed_in(world, &mobile).await;
    let json = reply.json();
    let token = json["jwt_token"].as_str().unwrap();
    let (id, address_id) =
        (&json["user"]["user_profile"]["id"], &json["user"]["addresses"][0]["id"]);
    assert!(id.is_u64() && address_id.is_u64());
    let expected = format!(
        "{{\"jwt_token\":\"{token}\",\"user\":{{\"addresses\":[{{\"id\":{address_id},\"street\":null,\
         \"flat\":null,\"building\":null,\"district_id\":1,\"addressable_id\":{id},\
         \"addressable_type\":\"User\"}}],\"permissions\":[],\"user_profile\":{{\"id\":{id},\
         \"first_name\":\"Jake\",\"last_name\":\"Deamon\",\"mobile\":\"{}\",\"address_id\":{address_id},\
         \"permission_id\":null}}}}}}",
        &mobile[4..]
    );
    assert_eq!(reply.body, expected);
    let (header, claims) = token_parts(token);
    assert_eq!((&header["alg"], &header["typ"]), (&json!("HS256"), &json!("JWT")));
    let issued = claims["iat"].as_i64().unwrap();
    assert_eq!(
        claims,
        json!({"user_id": id, "iat": issued, "iss": "GoodCityHK", "exp": issued.saturating_add(1800)})
    );
    let users = world.items_with("Users", &mobile).await;
    assert_eq!(
        (&users[0]["phone_verified"], &users[0]["expires_at"]),
        (&json!(true), &Value::Null)
    );
    let identifiers = world.items_with("Identifiers", &mobile).await;
    assert_eq!(identifiers[0]["expires_at"], Value::Null);
}

#[tokio::test]
async fn verifying_is_announced_and_so_is_whether_it_was_the_first_time() {
    let world = World::shared().await;
    let mobile = new_mobile();
    let id = signed_in(world, &mobile).await.json()["user"]["user_profile"]["id"].clone();
    let key = otp_auth_key(&world.post(SEND_PIN, &json!({"mobile": mobile})).await);
    assert_eq!(verify(world, &key, &pin(world, &mobile, 2).await).await.status, 200);
    let events = events(world, &id, 3).await;
    let mut said: Vec<_> = events
        .iter()
        .map(|event| format!("{} {}", event["detailType"], event["detail"]["firstTime"]))
        .collect();
    said.sort();
    assert_eq!(
        said,
        ["\"user.created\" null", "\"user.verified\" false", "\"user.verified\" true"]
    );
}

#[tokio::test]
async fn every_failure_is_the_same() {
    let world = World::shared().await;
    let mobile = new_mobile();
    let key = otp_auth_key(&world.post(SIGNUP, &signup_body(&mobile)).await);
    let right = pin(world, &mobile, 1).await;
    let refused = json!({"errors": {"pin": "Invalid SMS code."}});
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
        json!({"otp_auth_key": "/JqONEgEjrZefDV3ZIQsNA==", "pin": right}),
        json!({"otp_auth_key": key, "pin": other_than(&right)}),
    ] {
        world.post(VERIFY, &body).await.expect(422, &refused);
    }
    for app in ["admin.goodcity", "nobody"] {
        let headers = [("content-type", "application/json"), ("x-goodcity-app-name", app)];
        let body = json!({"otp_auth_key": key, "pin": right}).to_string();
        world.send("POST", VERIFY, &headers, body, None).await.expect(422, &refused);
    }
    assert_eq!(verify(world, &key, &right).await.status, 200);
    verify(world, &key, &right).await.expect(422, &refused);
}

#[tokio::test]
async fn five_wrong_pins_kill_the_key() {
    let world = World::shared().await;
    let mobile = new_mobile();
    let key = otp_auth_key(&world.post(SIGNUP, &signup_body(&mobile)).await);
    let right = pin(world, &mobile, 1).await;
    for _ in 0..5 {
        assert_eq!(verify(world, &key, other_than(&right)).await.status, 422);
    }
    assert_eq!(verify(world, &key, &right).await.status, 422);
}

#[tokio::test]
async fn a_pin_that_has_ended_is_refused_while_its_items_are_there() {
    let world = World::shared().await;
    let mobile = new_mobile();
    let key = otp_auth_key(&world.post(SIGNUP, &signup_body(&mobile)).await);
    let right = pin(world, &mobile, 1).await;
    for item in world.items_with("Challenges", &mobile).await {
        let update = json!({"TableName": "Challenges",
            "Key": {"challenge_id": {"S": item["challenge_id"]}},
            "UpdateExpression": "SET expires_at = :past",
            "ExpressionAttributeValues": {":past": {"N": "1000"}}});
        world.dynamodb("UpdateItem", &update).await;
    }
    assert_eq!(verify(world, &key, &right).await.status, 422);
    assert_eq!(world.items_with("Users", &mobile).await[0]["phone_verified"], false);
}

#[tokio::test]
async fn racers_with_one_pin_get_one_token() {
    let world = World::with(&NO_LIMITS).await;
    let mobile = new_mobile();
    let key = otp_auth_key(&world.post(SIGNUP, &signup_body(&mobile)).await);
    let right = pin(&world, &mobile, 1).await;
    let replies = all((0..20).map(|_| verify(&world, &key, &right))).await;
    let count = |status| replies.iter().filter(|reply| reply.status == status).count();
    assert_eq!((count(200), count(422)), (1, 19), "{replies:?}");
}

#[tokio::test]
async fn wrong_guesses_of_one_address_run_out_even_for_a_right_one() {
    let env = [("OTP_GUESSES_PER_HOUR_PER_IP", "3"), ("OTP_SENDS_PER_HOUR", "0")];
    let world = World::with(&env).await;
    let mobile = new_mobile();
    let key = otp_auth_key(&world.post(SIGNUP, &signup_body(&mobile)).await);
    let right = pin(&world, &mobile, 1).await;
    for _ in 0..3 {
        assert_eq!(verify(&world, "no such key", "1234").await.status, 422);
    }
    for (key, pin) in [("no such key", "1234"), (key.as_str(), right.as_str())] {
        let reply = verify(&world, key, pin).await;
        reply.expect(429, &json!({"errors": "Too many requests"}));
        assert!(reply.header("retry-after").parse::<u32>().unwrap() <= 3600);
    }
    assert_eq!(world.items("Users").await[0]["phone_verified"], false);
}

#[tokio::test]
async fn the_risk_of_a_guessed_pin_is_printed_at_start() {
    let world = World::with(&[]).await;
    otp_auth_key(&world.post(SIGNUP, &signup_body(&new_mobile())).await);
    let logs = world.stack().logs().join("\n");
    for part in ["\"guesses_per_day\":50", "\"codes\":10000", "\"risk_per_million\":5000"] {
        assert!(logs.contains(part), "{part}");
    }
}

#[tokio::test]
async fn a_user_who_is_gone_is_not_verified() {
    let world = World::shared().await;
    let mobile = new_mobile();
    let key = otp_auth_key(&world.post(SIGNUP, &signup_body(&mobile)).await);
    let right = pin(world, &mobile, 1).await;
    let user = world.items_with("Users", &mobile).await.remove(0);
    let delete = json!({"TableName": "Users", "Key": {"user_id": {"S": user["user_id"]}}});
    world.dynamodb("DeleteItem", &delete).await;
    let refused = json!({"errors": {"pin": "Invalid SMS code."}});
    verify(world, &key, &right).await.expect(422, &refused);
    assert!(world.items_with("Users", &mobile).await.is_empty());
}
