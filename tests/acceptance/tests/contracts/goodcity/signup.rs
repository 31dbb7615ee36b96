//! `POST /api/v1/auth/signup` (contracts.md B.2).

use super::{
    SEND_PIN, SIGNUP, events, new_mobile, otp_auth_key, pin, signed_in, signup_body, verify,
};
use acceptance::{NO_LIMITS, World, all};
use serde_json::{Value, json};

#[tokio::test]
async fn the_documented_example_creates_a_user_who_is_gone_after_a_day() {
    let world = World::with(&NO_LIMITS).await;
    let reply = world.post(SIGNUP, &signup_body("+85251224538")).await;
    otp_auth_key(&reply);
    let users = world.items("Users").await;
    let user = &users[0];
    assert_eq!((&user["phone"], &user["phone_verified"]), (&json!("+85251224538"), &json!(false)));
    assert_eq!(
        user["attributes"],
        json!({"first_name": "Jake", "last_name": "Deamon", "district_id": "1",
            "address_type": "Profile", "address_id": user["attributes"]["address_id"]})
    );
    let life = user["expires_at"].as_f64().unwrap() - user["created_at"].as_f64().unwrap();
    assert!((86_400.0..86_402.0).contains(&life), "{life}");
    assert_eq!(world.items("Identifiers").await[0]["expires_at"], user["expires_at"]);
    let id: u32 = user["user_id"].as_str().unwrap().parse().unwrap();
    let events = events(&world, &json!(id), 1).await;
    assert_eq!(
        (&events[0]["source"], &events[0]["detailType"]),
        (&json!("goodcity.auth"), &json!("user.created"))
    );
    assert_eq!(events[0]["detail"]["mobile"], "+85251224538");
    pin(&world, "+85251224538", 1).await;
}

#[tokio::test]
async fn a_form_with_brackets_is_the_same_as_json() {
    let world = World::shared().await;
    let mobile = new_mobile();
    let body = format!(
        "user_auth[mobile]={}&user_auth[first_name]=Jake&user_auth%5Blast_name%5D=De+amon\
         &user_auth[address_attributes][district_id]=7&user_auth[address_attributes][address_type]=profile",
        mobile.replace('+', "%2B")
    );
    let kind = [("content-type", "application/x-www-form-urlencoded")];
    let key = otp_auth_key(&world.send("POST", SIGNUP, &kind, body, None).await);
    let reply = verify(world, &key, &pin(world, &mobile, 1).await).await;
    let user = &reply.json()["user"];
    assert_eq!(user["user_profile"]["last_name"], "De amon");
    assert_eq!(user["addresses"][0]["district_id"], 7);
}

#[tokio::test]
async fn a_known_mobile_keeps_its_user_and_gets_the_same_answer() {
    let world = World::shared().await;
    let mobile = new_mobile();
    let first = signed_in(world, &mobile).await.json();
    let mut body = signup_body(&mobile);
    body["user_auth"]["first_name"] = json!("Mallory");
    let key = otp_auth_key(&world.post(SIGNUP, &body).await);
    let reply = verify(world, &key, &pin(world, &mobile, 2).await).await;
    assert_eq!(reply.json()["user"], first["user"]);
    assert_eq!(world.items_with("Users", &mobile).await.len(), 1);
}

#[tokio::test]
async fn an_unverified_user_is_not_overwritten_and_an_expired_one_is_replaced() {
    let world = World::shared().await;
    let mobile = new_mobile();
    otp_auth_key(&world.post(SIGNUP, &signup_body(&mobile)).await);
    let mut body = signup_body(&mobile);
    body["user_auth"]["first_name"] = json!("Second");
    otp_auth_key(&world.post(SIGNUP, &body).await);
    let users = world.items_with("Users", &mobile).await;
    assert_eq!((users.len(), &users[0]["attributes"]["first_name"]), (1, &json!("Jake")));
    // A day later, both items still there.
    let old = users[0]["user_id"].as_str().unwrap();
    for (table, key, id) in [
        ("Users", "user_id", old),
        ("Identifiers", "identifier", &format!("goodcity#phone#{mobile}")),
    ] {
        let update = json!({"TableName": table, "Key": {key: {"S": id}},
            "UpdateExpression": "SET expires_at = :past",
            "ConditionExpression": "attribute_exists(expires_at)",
            "ExpressionAttributeValues": {":past": {"N": "1000"}}});
        world.dynamodb("UpdateItem", &update).await;
    }
    world.settled(&mobile).await;
    let sent = world.messages(&mobile).await.len();
    otp_auth_key(&world.post(SEND_PIN, &json!({"mobile": mobile})).await);
    world.settled(&mobile).await;
    assert_eq!(world.messages(&mobile).await.len(), sent, "an expired user is none");
    let key = otp_auth_key(&world.post(SIGNUP, &body).await);
    let pin = pin(world, &mobile, sent.saturating_add(1)).await;
    let reply = verify(world, &key, &pin).await;
    assert_eq!(reply.json()["user"]["user_profile"]["first_name"], "Second");
    assert_ne!(reply.json()["user"]["user_profile"]["id"].to_string(), old);
}

#[tokio::test]
async fn racing_sign_ups_create_one_user() {
    let world = World::with(&NO_LIMITS).await;
    let mobile = new_mobile();
    let replies =
        all((0..20).map(|_| async { world.post(SIGNUP, &signup_body(&mobile)).await })).await;
    for reply in &replies {
        otp_auth_key(reply);
    }
    assert_eq!(world.items("Users").await.len(), 1);
    world.settled(&mobile).await;
    let events = world.all_events().await;
    assert_eq!(events.len(), 1, "{events:?}");
}

#[tokio::test]
async fn bad_requests_are_named_and_store_nothing() {
    let world = World::with(&NO_LIMITS).await;
    let user = |field: &str, value: Value| {
        let mut body = signup_body("+85251224538");
        body["user_auth"][field] = value;
        body
    };
    let address = |field: &str, value: Value| {
        let mut body = signup_body("+85251224538");
        body["user_auth"]["address_attributes"][field] = value;
        body
    };
    let mut no_address = signup_body("+85251224538");
    no_address["user_auth"].as_object_mut().unwrap().remove("address_attributes");
    let must_be = |name: &str, value: &str, kind: &str| json!({"error": format!("Invalid parameter '{name}' value {value}: Must be a {kind}")});
    let cases = [
        (json!({}), json!({"error": "Missing parameter user_auth"})),
        (json!({"user_auth": "x"}), must_be("user_auth", "\"x\"", "Hash")),
        (json!({"user_auth": null}), must_be("user_auth", "nil", "Hash")),
        (no_address, json!({"error": "Missing parameter address_attributes"})),
        (user("address_attributes", json!(1)), must_be("address_attributes", "1", "Hash")),
        (user("first_name", Value::Null), must_be("first_name", "nil", "String")),
        (user("last_name", json!(7)), must_be("last_name", "7", "String")),
        (address("district_id", json!(1)), must_be("district_id", "1", "String")),
        (address("address_type", Value::Null), must_be("address_type", "nil", "String")),
        (user("mobile", Value::Null), json!({"errors": "Mobile can't be blank"})),
        (user("mobile", json!("")), json!({"errors": "Mobile can't be blank"})),
        (user("mobile", json!("+85212345678")), json!({"errors": "Mobile must begin with +852"})),
        (address("district_id", json!("one")), json!({"errors": "Address district is invalid"})),
        (
            address("district_id", json!("1234567890")),
            json!({"errors": "Address district is invalid"}),
        ),
        (user("first_name", json!("x".repeat(256))), json!({"errors": "First name is too long"})),
    ];
    for (body, said) in cases {
        world.post(SIGNUP, &body).await.expect(422, &said);
    }
    let reply = world.send("POST", SIGNUP, &[], "{", None).await;
    reply.expect(400, &json!({"error": "Invalid request body"}));
    for table in ["Users", "Identifiers", "Challenges", "Outbox"] {
        assert!(world.items(table).await.is_empty(), "{table}");
    }
}

#[tokio::test]
async fn an_app_that_is_not_the_donors_makes_no_user() {
    let world = World::with(&NO_LIMITS).await;
    let mobile = new_mobile();
    let from = async |app: &str| {
        let headers = [("content-type", "application/json"), ("x-goodcity-app-name", app)];
        world.send("POST", SIGNUP, &headers, signup_body(&mobile).to_string(), None).await
    };
    from("other").await.expect(403, &json!({"errors": "Invalid host"}));
    otp_auth_key(&from("admin.goodcity").await);
    world.settled(&mobile).await;
    assert!(world.items("Users").await.is_empty() && world.messages(&mobile).await.is_empty());
    otp_auth_key(&from("app.goodcity").await);
    assert_eq!(world.items("Users").await.len(), 1);
}

#[tokio::test]
async fn names_and_address_may_be_absent_or_empty() {
    let world = World::shared().await;
    let mobile = new_mobile();
    let body = json!({"user_auth": {"mobile": mobile, "last_name": "", "address_attributes": {}}});
    let key = otp_auth_key(&world.post(SIGNUP, &body).await);
    let reply = verify(world, &key, &pin(world, &mobile, 1).await).await;
    let user = &reply.json()["user"];
    assert_eq!(user["user_profile"]["first_name"], Value::Null);
    assert_eq!(user["user_profile"]["last_name"], "");
    assert_eq!(user["addresses"][0]["district_id"], Value::Null);
}
