//! `PATCH /users/password`.

use acceptance::events::of_type;
use acceptance::gotu::{Tokens, error, tokens, user_id};
use acceptance::tokens::forged;
use acceptance::{TestStack, all, count, gotu, new_email, new_phone};
use serde_json::json;

/// A request token for the owner of an identifier.
async fn request_token(
    stack: &TestStack,
    identifier: &str,
    otp_type: &str,
    count: usize,
) -> String {
    let code = gotu(stack).code(identifier, otp_type, count).await;
    let reply = gotu(stack).verify_code(identifier, &code, otp_type).await;
    reply.json()["data"]["requestToken"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_once_and_every_session_ends() {
    let stack = TestStack::shared().await;
    let email = new_email();
    let signed_up = gotu(stack).sign_up_by_email(&email).await;
    let id = user_id(&signed_up);
    let (early, late) = (
        request_token(stack, &email, "reset_password", 1).await,
        request_token(stack, &email, "reset_password", 2).await,
    );
    let body =
        |token: &str, password: &str| json!({"requestToken": token, "newPassword": password});
    let reply = gotu(stack).set_password(&body(&late, "battery staple")).await;
    reply.expect_text(204, "");
    assert_eq!(gotu(stack).sign_in(&email, "battery staple").await.status, 200);
    assert_eq!(gotu(stack).sign_in(&email, "correct horse").await.status, 401);
    let used = error("invalid or expired request token");
    for (token, password) in
        [(&late, "another staple"), (&late, "battery staple"), (&early, "another staple")]
    {
        gotu(stack).set_password(&body(token, password)).await.expect(401, &used);
    }
    let Tokens { access, refresh } = tokens(&signed_up);
    assert_eq!(gotu(stack).refresh(&refresh).await.status, 401);
    assert_eq!(gotu(stack).sign_out(&access).await.status, 401);
    stack.wait_until_delivered(&id).await;
    let events = stack.events_of(&id).await;
    let changed = &of_type(&events, "AUTH_PASSWORD_CHANGED")[0]["detail"];
    let ended = &of_type(&events, "AUTH_SESSION_REVOKED")[0]["detail"];
    assert_eq!(ended["reason"], "password_reset");
    assert_eq!(changed["correlationId"], ended["correlationId"]);
}

#[tokio::test]
async fn a_new_password_verifies_the_recipient_that_received_the_code() {
    let stack = TestStack::shared().await;
    let email = new_email();
    gotu(stack).sign_up_by_email(&email).await;
    let token = request_token(stack, &email, "reset_password", 1).await;
    let verified = async || {
        let user = &stack.items_with("Users", &email).await[0];
        (user["email_verified"] == true, user["email_verified_at"].is_null())
    };
    // The code alone changes nothing.
    assert_eq!(verified().await, (false, true));
    let body = json!({"requestToken": token, "newPassword": "battery staple"});
    gotu(stack).set_password(&body).await.expect_text(204, "");
    assert_eq!(verified().await, (true, false));
}

#[tokio::test]
async fn many_at_once_with_one_token_set_one_password() {
    let stack = TestStack::shared().await;
    let email = new_email();
    gotu(stack).sign_up_by_email(&email).await;
    let token = request_token(stack, &email, "reset_password", 1).await;
    let bodies: Vec<_> = (0..8)
        .map(|number| json!({"requestToken": token, "newPassword": format!("password {number}")}))
        .collect();
    let replies = all(bodies.iter().map(|body| gotu(stack).set_password(body))).await;
    assert_eq!((count(&replies, 204), count(&replies, 401)), (1, 7), "{replies:?}");
}

#[tokio::test]
async fn every_refusal_is_named_and_changes_nothing() {
    let stack = TestStack::shared().await;
    let email = new_email();
    let signed_up = gotu(stack).sign_up_by_email(&email).await;
    let token = request_token(stack, &email, "reset_password", 1).await;
    let other = request_token(stack, &new_phone(), "change_phone", 1).await;
    let access = tokens(&signed_up).access;
    let forged = forged(&token);
    for (body, status, text) in [
        (json!({"newPassword": "battery staple"}), 400, "requestToken is required"),
        (json!({"requestToken": token}), 400, "newPassword is required"),
        (
            json!({"requestToken": token, "newPassword": "short"}),
            400,
            "newPassword must be at least 8 characters",
        ),
        (
            json!({"requestToken": token, "newPassword": "qwertyuiop"}),
            400,
            "newPassword is too common",
        ),
        (
            json!({"requestToken": token, "newPassword": "password"}),
            400,
            "newPassword is too common",
        ),
        (
            json!({"requestToken": token, "newPassword": "correct horse"}),
            400,
            "newPassword must be different from the current password",
        ),
        (
            json!({"requestToken": forged, "newPassword": "battery staple"}),
            401,
            "invalid or expired request token",
        ),
        (
            json!({"requestToken": access, "newPassword": "battery staple"}),
            401,
            "invalid or expired request token",
        ),
        (json!({"requestToken": other, "newPassword": "battery staple"}), 403, "forbidden"),
    ] {
        gotu(stack).set_password(&body).await.expect(status, &error(text));
    }
    assert_eq!(gotu(stack).sign_in(&email, "correct horse").await.status, 200);
    let body = json!({"requestToken": token, "newPassword": "battery staple"});
    assert_eq!(gotu(stack).set_password(&body).await.status, 204);
}
