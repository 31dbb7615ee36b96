//! `DELETE /users`: deletes the account of the signed-in user after the password or a code.

use acceptance::events::of_type;
use acceptance::gotu::{PASSWORD, error, tokens, user_id};
use acceptance::{
    NO_LIMITS, NO_PAUSE, TestStack, all, count, gotu, new_email, new_phone, other_than,
};
use serde_json::json;
use std::time::Duration;

/// The device of a request.
const DEVICE: [(&str, &str); 3] =
    [("x-device-id", "a-device"), ("x-device-token", "a-push-token"), ("user-agent", "an-agent")];

#[tokio::test]
async fn a_code_deletes_the_account_and_leaves_nothing_of_the_person() {
    let stack = &TestStack::with(&NO_PAUSE).await;
    let phone = new_phone();
    let code = gotu(stack).code(&phone, "sign_up", 1).await;
    let reply = gotu(stack).sign_up_by_phone(&phone, &code).headers(&DEVICE).await;
    let (session, id) = (tokens(&reply), user_id(&reply));
    let code = gotu(stack).code(&phone, "delete_account", 2).await;
    assert!(stack.text(&phone, 2).await.contains("code to delete your account"));
    let wrong = other_than(&code);
    let refused = error("invalid or expired otp code");
    for (identifier, code) in [(&phone, &wrong), (&new_phone(), &code)] {
        let body = json!({"identifier": identifier, "otpCode": code});
        gotu(stack).delete_account(&session.access, &body).await.expect(401, &refused);
    }
    let body = json!({"identifier": phone, "otpCode": code});
    gotu(stack).delete_account(&session.access, &body).await.expect_text(204, "");
    let events = stack.events(&id, 3).await;
    let deleted = &of_type(&events, "AUTH_USER_DELETED")[0]["detail"];
    assert_eq!(deleted["userId"], id);
    // The hashes of refresh tokens end by themselves, and so does the count of codes to the number.
    assert_eq!(stack.tables_with(&[&id]).await, ["Sessions"]);
    assert_eq!(stack.tables_with(&[&phone]).await, ["Challenges"]);
    let device = ["a-device", "a-push-token", "an-agent"];
    assert!(stack.tables_with(&device).await.is_empty());
    gotu(stack)
        .delete_account(&session.access, &body)
        .await
        .expect(401, &error("invalid or expired access token"));
    assert_eq!(gotu(stack).refresh(&session.refresh).await.status, 401);
    // The number is free.
    let code = gotu(stack).code(&phone, "sign_up", 3).await;
    assert_ne!(user_id(&gotu(stack).sign_up_by_phone(&phone, &code).await), id);
}

#[tokio::test]
async fn the_password_deletes_the_account_and_a_wrong_one_pauses() {
    let stack = &TestStack::with(&NO_PAUSE).await;
    let (email, other) = (new_email(), new_email());
    let reply = gotu(stack).sign_up_by_email(&email).await;
    let (access, id) = (tokens(&reply).access, user_id(&reply));
    gotu(stack).sign_up_by_email(&other).await;
    let wrong = json!({"password": "a-wrong-password"});
    for _ in 0..5 {
        let reply = gotu(stack).delete_account(&access, &wrong).await;
        reply.expect(401, &error("invalid password"));
    }
    let right = json!({"password": PASSWORD});
    let paused = gotu(stack).delete_account(&access, &right).await;
    assert_eq!(paused.status, 429, "{paused:?}");
    let code = gotu(stack).code(&email, "delete_account", 1).await;
    let body = json!({"identifier": email, "otpCode": code});
    gotu(stack).delete_account(&access, &body).await.expect_text(204, "");
    assert!(stack.items_with("Users", &id).await.is_empty());
    let reply = gotu(stack).sign_up_by_email(&email).await;
    let access = tokens(&reply).access;
    gotu(stack).delete_account(&access, &right).await.expect_text(204, "");
    assert_eq!(gotu(stack).sign_in(&email, PASSWORD).await.status, 404);
    assert_eq!(gotu(stack).sign_in(&other, PASSWORD).await.status, 200);
}

#[tokio::test]
async fn a_code_of_another_person_or_purpose_deletes_nothing() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let (mine, theirs) = (new_phone(), new_phone());
    let mut sessions = Vec::new();
    for phone in [&mine, &theirs] {
        let code = gotu(stack).code(phone, "sign_up", 1).await;
        sessions.push(tokens(&gotu(stack).sign_up_by_phone(phone, &code).await).access);
    }
    let refused = error("invalid or expired otp code");
    let theirs_code = gotu(stack).code(&theirs, "delete_account", 2).await;
    let body = json!({"identifier": theirs, "otpCode": theirs_code});
    gotu(stack).delete_account(&sessions[0], &body).await.expect(401, &refused);
    let login = gotu(stack).code(&mine, "login", 2).await;
    let body = json!({"identifier": mine, "otpCode": login});
    gotu(stack).delete_account(&sessions[0], &body).await.expect(401, &refused);
    gotu(stack)
        .delete_account("no-token", &body)
        .await
        .expect(401, &error("invalid or expired access token"));
    for (body, text) in [
        (json!({}), "password or otpCode is required"),
        (json!({"password": "x", "otpCode": "12345"}), "password or otpCode is required"),
        (json!({"otpCode": "12345"}), "identifier is required"),
    ] {
        gotu(stack).delete_account(&sessions[0], &body).await.expect(400, &error(text));
    }
    assert_eq!(stack.items("Users").await.len(), 2);
}

#[tokio::test]
async fn sign_ins_at_the_same_time_leave_no_device() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    for _ in 0..5 {
        let email = new_email();
        let reply = gotu(stack).sign_up_by_email(&email).await;
        let (access, id) = (tokens(&reply).access, user_id(&reply));
        let body = json!({"password": PASSWORD});
        let deletions = (0..2).map(|_| gotu(stack).delete_account(&access, &body));
        let sign_ins = (0..6).map(|_| gotu(stack).sign_in(&email, PASSWORD));
        let replies = all(deletions.chain(sign_ins)).await;
        assert!(replies.iter().all(|reply| reply.status < 500), "{replies:?}");
        let left = stack.items_with("Users", &id).await.len();
        assert_eq!(left + count(&replies[..2], 204), 1, "{replies:?}");
        if left == 0 {
            assert!(stack.items_with("Devices", &id).await.is_empty());
            assert!(stack.items_with("Identifiers", &id).await.is_empty());
        }
    }
}

#[tokio::test]
async fn a_number_that_a_thief_gave_the_account_deletes_nothing_for_a_day() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let (mine, theirs) = (new_phone(), new_phone());
    let code = gotu(stack).code(&mine, "sign_up", 1).await;
    let reply = gotu(stack).sign_up_by_phone(&mine, &code).await;
    let (stolen, id) = (tokens(&reply).access, user_id(&reply));
    let body = gotu(stack).proved_phone(&theirs, 1).await;
    gotu(stack).change_phone(&stolen, &body).await.expect_text(204, "");
    let refused = error("invalid or expired otp code");
    let code = gotu(stack).code(&theirs, "delete_account", 2).await;
    let body = json!({"identifier": theirs, "otpCode": code});
    gotu(stack).delete_account(&stolen, &body).await.expect(401, &refused);
    assert_eq!(stack.items_with("Users", &id).await.len(), 1);
    // After a day the number counts as the user's.
    stack.age(Duration::from_hours(24)).await;
    let code = gotu(stack).code(&theirs, "delete_account", 3).await;
    let body = json!({"identifier": theirs, "otpCode": code});
    gotu(stack).delete_account(&stolen, &body).await.expect_text(204, "");
}
