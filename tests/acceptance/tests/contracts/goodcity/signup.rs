//! `POST /api/v1/auth/signup`.

use acceptance::goodcity::{error, errors, new_mobile, otp_auth_key, sign_up_body};
use acceptance::tokens::seconds_between;
use acceptance::{NO_LIMITS, TestStack, all, goodcity};
use serde_json::{Value, json};

#[tokio::test]
async fn the_documented_example_creates_a_user_who_expires_after_a_day() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let reply = goodcity(stack).sign_up("+85251224538").await;
    otp_auth_key(&reply);
    let users = stack.items("Users").await;
    let user = &users[0];
    assert_eq!((&user["phone"], &user["phone_verified"]), (&json!("+85251224538"), &json!(false)));
    assert_eq!(
        user["attributes"],
        json!({"first_name": "Jake", "last_name": "Deamon", "district_id": "1",
            "address_type": "Profile", "address_id": user["attributes"]["address_id"]})
    );
    let life = seconds_between(user, "created_at", "expires_at");
    assert!((86_400.0..86_402.0).contains(&life), "{life}");
    assert_eq!(stack.items("Identifiers").await[0]["expires_at"], user["expires_at"]);
    let events = stack.events(user["user_id"].as_str().unwrap(), 1).await;
    assert_eq!(
        (&events[0]["source"], &events[0]["detailType"]),
        (&json!("goodcity.auth"), &json!("user.created"))
    );
    assert_eq!(events[0]["detail"]["mobile"], "+85251224538");
    goodcity(stack).pin("+85251224538", 1).await;
}

#[tokio::test]
async fn a_form_with_brackets_is_the_same_as_json() {
    let stack = TestStack::shared().await;
    let mobile = new_mobile();
    let body = format!(
        "user_auth[mobile]={}&user_auth[first_name]=Jake&user_auth%5Blast_name%5D=De+amon\
         &user_auth[address_attributes][district_id]=7&user_auth[address_attributes][address_type]=profile",
        mobile.replace('+', "%2B")
    );
    let key = otp_auth_key(&stack.call("goodcity-signup").form(body).await);
    let reply = goodcity(stack).verify(&key, &goodcity(stack).pin(&mobile, 1).await).await;
    let user = &reply.json()["user"];
    assert_eq!(user["user_profile"]["last_name"], "De amon");
    assert_eq!(user["addresses"][0]["district_id"], 7);
}

#[tokio::test]
async fn a_known_mobile_keeps_its_user_and_gets_the_same_answer() {
    let stack = TestStack::shared().await;
    let mobile = new_mobile();
    let first = goodcity(stack).registered(&mobile).await.json();
    let mut body = sign_up_body(&mobile);
    body["user_auth"]["first_name"] = json!("Mallory");
    let key = otp_auth_key(&goodcity(stack).sign_up_with(&body).await);
    let reply = goodcity(stack).verify(&key, &goodcity(stack).pin(&mobile, 2).await).await;
    assert_eq!(reply.json()["user"], first["user"]);
    assert_eq!(stack.items_with("Users", &mobile).await.len(), 1);
}

#[tokio::test]
async fn an_unverified_user_is_not_overwritten_and_an_expired_one_is_replaced() {
    let stack = TestStack::shared().await;
    let mobile = new_mobile();
    otp_auth_key(&goodcity(stack).sign_up(&mobile).await);
    let mut body = sign_up_body(&mobile);
    body["user_auth"]["first_name"] = json!("Second");
    otp_auth_key(&goodcity(stack).sign_up_with(&body).await);
    let users = stack.items_with("Users", &mobile).await;
    assert_eq!((users.len(), &users[0]["attributes"]["first_name"]), (1, &json!("Jake")));
    // A day later, both items still there.
    let old = users[0]["user_id"].as_str().unwrap();
    for (table, key, id) in [
        ("Users", "user_id", old),
        ("Identifiers", "identifier", &format!("goodcity#phone#{mobile}")),
    ] {
        assert!(!stack.expire(table, key, id).await.is_null(), "{table}");
    }
    stack.wait_until_delivered(&mobile).await;
    let sent = stack.messages(&mobile).await.len();
    otp_auth_key(&goodcity(stack).send_pin(&mobile).await);
    stack.wait_until_delivered(&mobile).await;
    assert_eq!(stack.messages(&mobile).await.len(), sent, "an expired user does not count");
    let key = otp_auth_key(&goodcity(stack).sign_up_with(&body).await);
    let pin = goodcity(stack).pin(&mobile, sent.saturating_add(1)).await;
    let reply = goodcity(stack).verify(&key, &pin).await;
    assert_eq!(reply.json()["user"]["user_profile"]["first_name"], "Second");
    assert_ne!(reply.json()["user"]["user_profile"]["id"].to_string(), old);
}

#[tokio::test]
async fn racing_sign_ups_create_one_user() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let mobile = new_mobile();
    let replies = all((0..20).map(|_| goodcity(stack).sign_up(&mobile))).await;
    for reply in &replies {
        otp_auth_key(reply);
    }
    assert_eq!(stack.items("Users").await.len(), 1);
    stack.wait_until_delivered(&mobile).await;
    let events = stack.all_events().await;
    assert_eq!(events.len(), 1, "{events:?}");
}

#[tokio::test]
async fn bad_requests_are_named_and_store_nothing() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let user = |field: &str, value: Value| {
        let mut body = sign_up_body("+85251224538");
        body["user_auth"][field] = value;
        body
    };
    let address = |field: &str, value: Value| {
        let mut body = sign_up_body("+85251224538");
        body["user_auth"]["address_attributes"][field] = value;
        body
    };
    let mut no_address = sign_up_body("+85251224538");
    no_address["user_auth"].as_object_mut().unwrap().remove("address_attributes");
    let must_be = |name: &str, value: &str, kind: &str| {
        error(&format!("Invalid parameter '{name}' value {value}: Must be a {kind}"))
    };
    let cases = [
        (json!({}), error("Missing parameter user_auth")),
        (json!({"user_auth": "x"}), must_be("user_auth", r#""x""#, "Hash")),
        (json!({"user_auth": null}), must_be("user_auth", "nil", "Hash")),
        (no_address, error("Missing parameter address_attributes")),
        (user("address_attributes", json!(1)), must_be("address_attributes", "1", "Hash")),
        (user("first_name", Value::Null), must_be("first_name", "nil", "String")),
        (user("last_name", json!(7)), must_be("last_name", "7", "String")),
        (address("district_id", json!(1)), must_be("district_id", "1", "String")),
        (address("address_type", Value::Null), must_be("address_type", "nil", "String")),
        (user("mobile", Value::Null), errors("Mobile can't be blank")),
        (user("mobile", json!("")), errors("Mobile can't be blank")),
        (user("mobile", json!("+85212345678")), errors("Mobile must begin with +852")),
        (address("district_id", json!("one")), errors("Address district is invalid")),
        (address("district_id", json!("1234567890")), errors("Address district is invalid")),
        (user("first_name", json!("x".repeat(256))), errors("First name is too long")),
    ];
    for (body, refusal) in cases {
        goodcity(stack).sign_up_with(&body).await.expect(422, &refusal);
    }
    let reply = stack.call("goodcity-signup").body("{").await;
    reply.expect(400, &error("Invalid request body"));
    for table in ["Users", "Identifiers", "Challenges", "Outbox"] {
        assert!(stack.items(table).await.is_empty(), "{table}");
    }
}

#[tokio::test]
async fn an_app_other_than_the_donors_makes_no_user() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let mobile = new_mobile();
    let from = |app: &str| goodcity(stack).sign_up(&mobile).header("x-goodcity-app-name", app);
    from("other").await.expect(403, &errors("Invalid host"));
    otp_auth_key(&from("admin.goodcity").await);
    stack.wait_until_delivered(&mobile).await;
    assert!(stack.items("Users").await.is_empty() && stack.messages(&mobile).await.is_empty());
    otp_auth_key(&from("app.goodcity").await);
    assert_eq!(stack.items("Users").await.len(), 1);
}

#[tokio::test]
async fn names_and_address_may_be_absent_or_empty() {
    let stack = TestStack::shared().await;
    let mobile = new_mobile();
    let body = json!({"user_auth": {"mobile": mobile, "last_name": "", "address_attributes": {}}});
    let key = otp_auth_key(&goodcity(stack).sign_up_with(&body).await);
    let reply = goodcity(stack).verify(&key, &goodcity(stack).pin(&mobile, 1).await).await;
    let user = &reply.json()["user"];
    assert_eq!(user["user_profile"]["first_name"], Value::Null);
    assert_eq!(user["user_profile"]["last_name"], "");
    assert_eq!(user["addresses"][0]["district_id"], Value::Null);
}
