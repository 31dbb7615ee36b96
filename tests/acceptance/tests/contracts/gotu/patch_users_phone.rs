//! `PATCH /users/phone`.

use acceptance::events::of_type;
use acceptance::gotu::{PASSWORD, error, tokens, user_id};
use acceptance::{NO_LIMITS, TestStack, all, count, gotu, new_email, new_phone};
use serde_json::{Value, json};

/// A user by phone: the number, the access token and the id.
async fn user(stack: &TestStack) -> (String, String, String) {
    let phone = new_phone();
    let code = gotu(stack).code(&phone, "sign_up", 1).await;
    let reply = gotu(stack).sign_up_by_phone(&phone, &code).await;
    (phone, tokens(&reply).access, user_id(&reply))
}

#[tokio::test]
async fn a_proved_number_replaces_the_one_before() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let ((old, access, id), new) = (user(stack).await, new_phone());
    let code = gotu(stack).code(&old, "login", 2).await;
    let elsewhere = tokens(&gotu(stack).sign_in_by_phone(&old, &code).await).access;
    let body = gotu(stack).proved_phone(&new, 1).await;
    gotu(stack).change_phone(&access, &body).await.expect_text(204, "");
    // The new number signs in, the old one is free, and the session that asked stays alone.
    let code = gotu(stack).code(&new, "login", 2).await;
    assert_eq!(user_id(&gotu(stack).sign_in_by_phone(&new, &code).await), id);
    let code = gotu(stack).code(&old, "sign_up", 3).await;
    assert_ne!(user_id(&gotu(stack).sign_up_by_phone(&old, &code).await), id);
    assert_eq!(gotu(stack).sign_out(&elsewhere).await.status, 401);
    assert_eq!(gotu(stack).sign_out(&access).await.status, 204);
    let item = &stack.items_with("Users", &id).await[0];
    assert_eq!((&item["phone"], &item["phone_verified"]), (&json!(new), &json!(true)));
    let events = stack.events(&id, 7).await;
    let changed = &of_type(&events, "AUTH_PHONE_CHANGED")[0]["detail"];
    let ended = &of_type(&events, "AUTH_SESSION_REVOKED")[0]["detail"];
    assert_eq!((&changed["phoneNumber"], &ended["reason"]), (&json!(new), &json!("phone_changed")));
    assert_eq!(changed["correlationId"], ended["correlationId"]);
}

#[tokio::test]
async fn a_user_by_mail_gets_a_number() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let (email, phone) = (new_email(), new_phone());
    let reply = gotu(stack).sign_up_by_email(&email).await;
    let body = gotu(stack).proved_phone(&phone, 1).await;
    gotu(stack).change_phone(&tokens(&reply).access, &body).await.expect_text(204, "");
    let code = gotu(stack).code(&phone, "login", 2).await;
    assert_eq!(user_id(&gotu(stack).sign_in_by_phone(&phone, &code).await), user_id(&reply));
    assert_eq!(gotu(stack).sign_in(&email, PASSWORD).await.status, 200);
}

#[tokio::test]
async fn one_proof_allows_one_change() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let ((_, access, id), new) = (user(stack).await, new_phone());
    let body = gotu(stack).proved_phone(&new, 1).await;
    let replies = all((0..8).map(|_| gotu(stack).change_phone(&access, &body))).await;
    assert_eq!(count(&replies, 204), 1, "{replies:?}");
    assert_eq!(count(&replies, 401), 7, "{replies:?}");
    assert_eq!(stack.items_with("Identifiers", &id).await.len(), 1);
    // It is older than the number of a later user.
    let (_, other, _) = user(stack).await;
    let used = error("invalid or expired request token");
    gotu(stack).change_phone(&other, &body).await.expect(401, &used);
}

#[tokio::test]
async fn of_two_users_with_a_proof_of_one_number_one_gets_it() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let (one, two, phone) = (user(stack).await, user(stack).await, new_phone());
    let first = gotu(stack).proved_phone(&phone, 1).await;
    let second = gotu(stack).proved_phone(&phone, 2).await;
    let calls = [(&one.1, &first), (&two.1, &second)];
    let replies = all(calls.map(|(access, body)| gotu(stack).change_phone(access, body))).await;
    assert_eq!((count(&replies, 204), count(&replies, 400)), (1, 1), "{replies:?}");
    assert_eq!(stack.items_with("Identifiers", &phone).await.len(), 1);
}

#[tokio::test]
async fn every_refusal_is_named_and_changes_nothing() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let ((phone, access, id), new) = (user(stack).await, new_phone());
    let body = gotu(stack).proved_phone(&new, 1).await;
    let code = gotu(stack).code(&phone, "reset_password", 2).await;
    let reset = gotu(stack).verify_code(&phone, &code, "reset_password").await;
    let reset = reset.json()["data"]["requestToken"].clone();
    let with = |name: &str, value: Value| {
        let mut body = body.clone();
        body[name] = value;
        body
    };
    let before = stack.items_with("Users", &id).await;
    for (body, status, text) in [
        (with("requestToken", Value::Null), 400, "requestToken is required"),
        (with("phoneNumber", Value::Null), 400, "phoneNumber is required"),
        (with("requestToken", json!("a.b.c")), 401, "invalid or expired request token"),
        (with("phoneNumber", json!(new_phone())), 401, "invalid or expired request token"),
        (with("requestToken", reset), 403, "forbidden"),
    ] {
        gotu(stack).change_phone(&access, &body).await.expect(status, &error(text));
    }
    let stranger = gotu(stack).change_phone("a.b.c", &body).await;
    stranger.expect(401, &error("invalid or expired access token"));
    assert_eq!(stack.items_with("Users", &id).await, before);
    assert_eq!(gotu(stack).change_phone(&access, &body).await.status, 204);
}

#[tokio::test]
async fn the_first_proof_of_the_address_takes_a_number_away_that_a_stranger_added() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let (email, theirs) = (new_email(), new_phone());
    let stranger = gotu(stack).sign_up_by_email(&email).await;
    let id = user_id(&stranger);
    let body = gotu(stack).proved_phone(&theirs, 1).await;
    gotu(stack).change_phone(&tokens(&stranger).access, &body).await.expect_text(204, "");
    // The owner of the address sets a password.
    let code = gotu(stack).code(&email, "reset_password", 1).await;
    let proved = gotu(stack).verify_code(&email, &code, "reset_password").await;
    let body = json!({"newPassword": "battery staple",
        "requestToken": proved.json()["data"]["requestToken"]});
    gotu(stack).set_password(&body).await.expect_text(204, "");
    assert_eq!(user_id(&gotu(stack).sign_in(&email, "battery staple").await), id);
    gotu(stack).ask_for_code(&theirs, "login").await.expect_text(204, "");
    stack.wait_until_delivered(&theirs).await;
    assert_eq!(stack.messages(&theirs).await.len(), 1, "no code to sign in");
    let items = stack.items_with("Users", &id).await;
    assert!(!items[0].to_string().contains(&theirs), "{items:?}");
    // The number is free. A later proof of the address takes nothing away.
    let access = tokens(&gotu(stack).sign_in(&email, "battery staple").await).access;
    let body = gotu(stack).proved_phone(&theirs, 2).await;
    gotu(stack).change_phone(&access, &body).await.expect_text(204, "");
    let code = gotu(stack).code(&email, "reset_password", 2).await;
    let proved = gotu(stack).verify_code(&email, &code, "reset_password").await;
    let body = json!({"newPassword": "correct staple",
        "requestToken": proved.json()["data"]["requestToken"]});
    gotu(stack).set_password(&body).await.expect_text(204, "");
    let code = gotu(stack).code(&theirs, "login", 3).await;
    assert_eq!(user_id(&gotu(stack).sign_in_by_phone(&theirs, &code).await), id);
}
