//! `PATCH /users/password` (contracts.md A.3).

use acceptance::{Reply, World, all, new_email, new_phone, user_id};
use serde_json::{Value, json};

async fn set_password(world: &World, body: &Value) -> Reply {
    let headers = [("content-type", "application/json")];
    world.send("PATCH", "/users/password", &headers, body.to_string(), None).await
}

/// A request token for the owner of an identifier.
async fn request_token(world: &World, identifier: &str, otp_type: &str, count: usize) -> String {
    let code = world.code(identifier, otp_type, count).await;
    let body = json!({"identifier": identifier, "otpCode": code, "otpType": otp_type});
    let reply = world.post("/otp/verification", &body).await;
    reply.json()["data"]["requestToken"].as_str().unwrap().to_owned()
}

async fn sign_in(world: &World, email: &str, password: &str) -> u16 {
    world.post("/sessions", &json!({"email": email, "password": password})).await.status
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_once_and_every_session_ends() {
    let world = World::shared().await;
    let email = new_email();
    let signed_up = world.sign_up_by_email(&email).await;
    let id = user_id(&signed_up);
    let (early, late) = (
        request_token(world, &email, "reset_password", 1).await,
        request_token(world, &email, "reset_password", 2).await,
    );
    let body =
        |token: &str, password: &str| json!({"requestToken": token, "newPassword": password});
    let reply = set_password(world, &body(&late, "battery staple")).await;
    assert_eq!((reply.status, reply.body.as_str()), (204, ""));
    assert_eq!(sign_in(world, &email, "battery staple").await, 200);
    assert_eq!(sign_in(world, &email, "correct horse").await, 401);
    let used = json!({"error": "invalid or expired request token"});
    for (token, password) in
        [(&late, "another staple"), (&late, "battery staple"), (&early, "another staple")]
    {
        set_password(world, &body(token, password)).await.expect(401, &used);
    }
    let refresh = json!({"refreshToken": signed_up.json()["data"]["refreshToken"]});
    assert_eq!(world.post("/sessions/refresh", &refresh).await.status, 401);
    let access = signed_up.json()["data"]["accessToken"].as_str().unwrap().to_owned();
    let authorization = format!("Bearer {access}");
    let headers = [("authorization", authorization.as_str())];
    assert_eq!(world.send("DELETE", "/sessions", &headers, "", None).await.status, 401);
    world.settled(&id).await;
    let events = world.events_of(&id).await;
    let changed = events.iter().find(|event| event["detailType"] == "AUTH_PASSWORD_CHANGED");
    let ended = events.iter().find(|event| event["detailType"] == "AUTH_SESSION_REVOKED");
    assert_eq!(ended.unwrap()["detail"]["reason"], "password_reset");
    assert_eq!(
        changed.unwrap()["detail"]["correlationId"],
        ended.unwrap()["detail"]["correlationId"]
    );
}

#[tokio::test]
async fn many_at_once_with_one_token_set_one_password() {
    let world = World::shared().await;
    let email = new_email();
    world.sign_up_by_email(&email).await;
    let token = request_token(world, &email, "reset_password", 1).await;
    let bodies: Vec<_> = (0..8)
        .map(|number| json!({"requestToken": token, "newPassword": format!("password {number}")}))
        .collect();
    let replies = all(bodies.iter().map(|body| set_password(world, body))).await;
    let count = |status| replies.iter().filter(|reply| reply.status == status).count();
    assert_eq!((count(204), count(401)), (1, 7), "{replies:?}");
}

#[tokio::test]
async fn every_refusal_is_told_and_changes_nothing() {
    let world = World::shared().await;
    let email = new_email();
    let signed_up = world.sign_up_by_email(&email).await;
    let token = request_token(world, &email, "reset_password", 1).await;
    let other = request_token(world, &new_phone(), "change_phone", 1).await;
    let access = signed_up.json()["data"]["accessToken"].clone();
    let forged = acceptance::forged(&token);
    for (body, status, text) in [
        (json!({"newPassword": "battery staple"}), 400, "requestToken is required"),
        (json!({"requestToken": token}), 400, "newPassword is required"),
        (
            json!({"requestToken": token, "newPassword": "short"}),
            400,
            "newPassword must be at least 8 characters",
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
        set_password(world, &body).await.expect(status, &json!({"error": text}));
    }
    assert_eq!(sign_in(world, &email, "correct horse").await, 200);
    let body = json!({"requestToken": token, "newPassword": "battery staple"});
    assert_eq!(set_password(world, &body).await.status, 204);
}
