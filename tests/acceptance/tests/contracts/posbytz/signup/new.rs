//! New customers: what is answered, stored and published.

use super::documented;
use acceptance::events::{of_type, types};
use acceptance::faults::of_store;
use acceptance::posbytz::{INTERNAL, by_email, by_mobile, customer_id, new_number};
use acceptance::tokens::is_hex;
use acceptance::{NO_LIMITS, Reply, TestStack, all, compact, count, new_email, posbytz};
use serde_json::{Value, json};

#[tokio::test]
async fn the_documented_example_gives_the_documented_answer() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let token = posbytz(stack).store_token("STORE1").await;
    let reply = posbytz(stack).sign_up(&token, &documented()).await;
    let id = customer_id(&reply);
    let json = reply.json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let (token, created) =
        (text(&json["data"]["email"]["token"]), text(&json["data"]["createdAt"]));
    assert!(is_hex(&token, 64), "{token}");
    assert!(created.len() == 24 && created.ends_with('Z') && created.as_bytes()[19] == b'.');
    let body = compact(
        r#"{
            "statusCode": 201,
            "data": {
                "email": {"id": "harish@bytize.in", "token": "<token>", "verified": false},
                "mobile": {"code": "+91", "number": "9962794005", "verified": false},
                "createdAt": "<created>",
                "deletedAt": null,
                "_id": "<id>",
                "addresses": []
            }
        }"#,
        &[("token", &token), ("created", &created), ("id", &id)],
    );
    reply.expect_text(201, &body);
    let user = &stack.items("Users").await[0];
    assert_eq!((&user["contract"], &user["store"]), (&json!("posbytz"), &json!("STORE1")));
    assert_eq!(
        (&user["email"], &user["email_verified"]),
        (&json!("harish@bytize.in"), &json!(false))
    );
    assert_eq!((&user["phone"], &user["phone_verified"]), (&json!("+919962794005"), &json!(false)));
    assert!(user["password_hash"].as_str().unwrap().starts_with("$argon2id$"));
    // Sign-up alone gives no session and keeps no device.
    for table in ["Sessions", "Devices"] {
        assert!(stack.items(table).await.is_empty(), "{table}");
    }
}

#[tokio::test]
async fn an_identifier_that_was_not_given_is_not_shown() {
    let stack = TestStack::shared().await;
    let token = posbytz(stack).store_token("SHOWN").await;
    let keys = |reply: &Reply| -> Vec<String> {
        customer_id(reply);
        let mut keys: Vec<_> = reply.json()["data"].as_object().unwrap().keys().cloned().collect();
        keys.sort();
        keys
    };
    let rest = ["_id", "addresses", "createdAt", "deletedAt"];
    let with = |key: &'static str| [&rest[..], &[key]].concat();
    let mut body = by_email(&new_email());
    body["mobile"] = Value::Null;
    assert_eq!(keys(&posbytz(stack).sign_up(&token, &body).await), with("email"));
    let mobile = by_mobile("91", &new_number());
    let reply = posbytz(stack).sign_up(&token, &mobile).await;
    assert_eq!(keys(&reply), with("mobile"));
    assert_eq!(reply.json()["data"]["mobile"]["code"], "+91");
    // A property that the contract does not know is not read, whatever it is.
    let mut body = by_email(&new_email());
    for (name, value) in
        [("verified", json!(true)), ("_id", json!("632c34752269f12c57952275")), ("role", json!(1))]
    {
        body[name] = value;
    }
    let reply = posbytz(stack).sign_up(&token, &body).await;
    assert_ne!(customer_id(&reply), "632c34752269f12c57952275");
    assert_eq!(reply.json()["data"]["email"]["verified"], false);
}

#[tokio::test]
async fn values_at_the_bounds_are_accepted() {
    let stack = TestStack::shared().await;
    let token = posbytz(stack).store_token("BOUNDS").await;
    for body in [
        by_mobile("+1", "2345"),
        by_mobile("1", "23456789012345"),
        by_mobile("+1234", "99999999999"),
        json!({"email": new_email(), "password": "87654320"}),
        json!({"email": new_email(), "password": "é".repeat(32), "referralCode": "x".repeat(64)}),
    ] {
        customer_id(&posbytz(stack).sign_up(&token, &body).await);
    }
}

#[tokio::test]
async fn identical_sign_ups_at_once_make_one_customer() {
    // The pause between messages holds: a loser of the race sends nothing.
    let stack = &TestStack::with(&[("SENDS_PER_HOUR_PER_CLIENT", "0")]).await;
    let token = posbytz(stack).store_token("STORE1").await;
    for racers in [2, 20] {
        let mut body = by_email(&new_email());
        body["mobile"] = json!({"code": "+91", "number": new_number()});
        let replies = all((0..racers).map(|_| posbytz(stack).sign_up(&token, &body))).await;
        let lost = replies.len().saturating_sub(1);
        assert_eq!((count(&replies, 201), count(&replies, 422)), (1, lost), "{replies:?}");
        let email = body["email"].as_str().unwrap();
        assert_eq!(stack.items_with("Users", email).await.len(), 1);
        stack.wait_until_delivered(email).await;
        assert_eq!(stack.messages(email).await.len(), 1);
    }
    stack.wait_until_delivered("customer").await;
    let events = stack.all_events().await;
    assert_eq!(of_type(&events, "customer.created").len(), 2);
}

#[tokio::test]
async fn every_store_has_its_own_customers() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let mut ids = Vec::new();
    for store in ["STORE1", "STORE2"] {
        let token = posbytz(stack).store_token(store).await;
        ids.push(customer_id(&posbytz(stack).sign_up(&token, &documented()).await));
    }
    ids.dedup();
    assert_eq!(ids.len(), 2);
    let identifiers = stack.items("Identifiers").await;
    let mut names: Vec<_> =
        identifiers.iter().map(|item| item["identifier"].as_str().unwrap()).collect();
    names.sort_unstable();
    let expected = [
        "posbytz#STORE1#email#harish@bytize.in",
        "posbytz#STORE1#phone#+919962794005",
        "posbytz#STORE2#email#harish@bytize.in",
        "posbytz#STORE2#phone#+919962794005",
    ];
    assert_eq!(names, expected);
    stack.message("harish@bytize.in", 2).await;
    // Another client of the same store meets the same customers.
    let other = posbytz(stack).store_token("STORE1").await;
    assert_eq!(posbytz(stack).sign_up(&other, &documented()).await.status, 422);
}

#[tokio::test]
async fn referrals_are_recorded_resolved_or_not() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let token = posbytz(stack).store_token("STORE1").await;
    let elsewhere = posbytz(stack).store_token("STORE2").await;
    let referrer = customer_id(&posbytz(stack).sign_up(&token, &by_email(&new_email())).await);
    let foreign = customer_id(&posbytz(stack).sign_up(&elsewhere, &by_email(&new_email())).await);
    let referral = async |code: Option<&str>, by: Option<&str>| {
        let mut body = by_email(&new_email());
        body["referralCode"] = json!(code);
        body["referredBy"] = json!(by);
        let id = customer_id(&posbytz(stack).sign_up(&token, &body).await);
        stack.wait_until_delivered(&id).await;
        let mut events = stack.events_of(&id).await;
        events.retain(|event| event["detailType"] == "referral.recorded");
        let facts = |event: Value| {
            let detail = &event["detail"];
            json!([detail["referralCode"], detail["referredBy"], detail["resolved"]])
        };
        events.into_iter().next().map(facts)
    };
    let upper = referrer.to_ascii_uppercase();
    assert_eq!(referral(Some("ABC"), None).await, Some(json!(["ABC", null, false])));
    assert_eq!(referral(None, Some(&referrer)).await, Some(json!([null, referrer, true])));
    assert_eq!(referral(Some("A"), Some(&upper)).await, Some(json!(["A", referrer, true])));
    for unknown in ["632c34752269f12c57952275", &foreign] {
        assert_eq!(referral(None, Some(unknown)).await, None, "ignored");
        assert_eq!(referral(Some("B"), Some(unknown)).await, Some(json!(["B", null, false])));
    }
    assert_eq!(referral(Some(""), None).await, None);
    let user = &stack.items_with("Users", r#""ABC""#).await[0];
    assert_eq!(user["attributes"], json!({"referral_code": "ABC"}));
}

#[tokio::test]
async fn a_sign_up_publishes_its_events_in_order() {
    let stack = TestStack::shared().await;
    let token = posbytz(stack).store_token("EVENTS").await;
    let (email, number) = (new_email(), new_number());
    let body = json!({"email": email, "mobile": {"code": "+91", "number": number},
        "password": "correct horse", "referralCode": "ABC"});
    let reply = posbytz(stack).sign_up(&token, &body).await;
    let id = customer_id(&reply);
    let events = stack.events(&id, 4).await;
    let expected = [
        "customer.created",
        "customer.verification_requested",
        "customer.verification_requested",
        "referral.recorded",
    ];
    assert_eq!(types(&events), expected);
    for (number, event) in (1..).zip(&events) {
        assert_eq!(event["source"], "posbytz.ecommerce");
        assert_eq!(event["detail"]["sequence"], number);
        assert_eq!(event["detail"]["store"], "EVENTS");
        assert_eq!(event["detail"]["correlationId"], events[0]["detail"]["correlationId"]);
    }
    let created = &events[0]["detail"];
    assert_eq!(created["email"], email);
    assert_eq!(created["mobile"], json!({"code": "+91", "number": number}));
    assert_eq!(created["createdAt"], reply.json()["data"]["createdAt"]);
    assert_eq!(
        (&events[1]["detail"]["channel"], &events[2]["detail"]["channel"]),
        (&json!("email"), &json!("mobile"))
    );
}

#[tokio::test]
async fn one_failed_call_is_not_noticed_and_a_lasting_fault_leaves_nothing() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let token = posbytz(stack).store_token("STORE1").await;
    for mode in ["error", "throttle", "conflict", "lost-reply"] {
        let email = new_email();
        let fault = of_store(mode).at("TransactWriteItems").in_function("posbytz-signup").times(1);
        stack.fault(&fault).await;
        let id = customer_id(&posbytz(stack).sign_up(&token, &by_email(&email)).await);
        stack.clear_faults().await;
        assert_eq!(stack.items_with("Users", &email).await[0]["user_id"], id, "{mode}");
        assert_eq!(stack.items_with("Identifiers", &email).await.len(), 1, "{mode}");
        stack.events(&id, 2).await;
        stack.wait_until_delivered(&id).await;
        assert_eq!(stack.events_of(&id).await.len(), 2, "{mode}");
        assert_eq!(stack.messages(&email).await.len(), 1, "{mode}");
    }
    let users = stack.items("Users").await;
    let email = new_email();
    let fault = of_store("error").in_function("posbytz-signup").times(1000);
    stack.fault(&fault).await;
    posbytz(stack).sign_up(&token, &by_email(&email)).await.expect_text(500, INTERNAL);
    stack.clear_faults().await;
    assert_eq!(stack.items("Users").await, users);
    assert!(stack.items_with("Challenges", &email).await.is_empty());
    customer_id(&posbytz(stack).sign_up(&token, &by_email(&email)).await);
}

#[tokio::test]
async fn a_crash_leaves_all_or_nothing() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let token = posbytz(stack).store_token("STORE1").await;
    // After a commit whose answer was lost, the repeated sign-up sends the link again.
    for (mode, again, links) in [("crash-before", 201, 1), ("crash-after", 422, 2)] {
        let email = new_email();
        let fault = of_store(mode).at("TransactWriteItems").in_function("posbytz-signup").times(1);
        stack.fault(&fault).await;
        assert_eq!(posbytz(stack).sign_up(&token, &by_email(&email)).await.status, 500);
        stack.clear_faults().await;
        assert_eq!(posbytz(stack).sign_up(&token, &by_email(&email)).await.status, again, "{mode}");
        let user = stack.items_with("Users", &email).await;
        assert_eq!(user.len(), 1);
        stack.events(user[0]["user_id"].as_str().unwrap(), links + 1).await;
        stack.message(&email, links).await;
    }
}

#[tokio::test]
async fn a_sign_up_is_two_round_trips() {
    let stack = &TestStack::with(&[("OTP_RESEND_SECONDS", "0")]).await;
    let token = posbytz(stack).store_token("STORE1").await;
    customer_id(&posbytz(stack).sign_up(&token, &by_email(&new_email())).await);
    let before = stack.calls("posbytz-signup").await.len();
    let mut body = by_email(&new_email());
    body["mobile"] = json!({"code": "+91", "number": new_number()});
    customer_id(&posbytz(stack).sign_up(&token, &body).await);
    let calls = stack.calls("posbytz-signup").await.split_off(before);
    let calls: Vec<_> =
        calls.iter().map(|call| (&call["operation"], call["resources"].clone())).collect();
    let tables = json!(["Budgets", "Challenges", "Identifiers", "Outbox", "Users"]);
    let judges = json!(["Budgets", "Challenges", "Identifiers"]);
    let (read, write) = (json!("BatchGetItem"), json!("TransactWriteItems"));
    assert_eq!(calls, [(&read, judges), (&write, tables)]);
}
