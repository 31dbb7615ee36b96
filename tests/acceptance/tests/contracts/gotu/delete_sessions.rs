//! `DELETE /sessions` (contracts.md A.3).

use acceptance::{Reply, World, new_email, user_id};
use serde_json::{Value, json};

async fn sign_out(world: &World, path: &str, token: &str) -> Reply {
    let authorization = format!("Bearer {token}");
    world.send("DELETE", path, &[("authorization", &authorization)], "", None).await
}

/// The tokens of a session answer.
fn tokens(reply: &Reply) -> (String, String) {
    let data = &reply.json()["data"];
    let text = |name: &str| data[name].as_str().unwrap().to_owned();
    (text("accessToken"), text("refreshToken"))
}

async fn refresh(world: &World, token: &str) -> Reply {
    world.post("/sessions/refresh", &json!({"refreshToken": token})).await
}

fn refused() -> Value {
    json!({"error": "invalid or expired access token"})
}

#[tokio::test]
async fn signing_out_ends_this_session_and_no_other() {
    let world = World::shared().await;
    let email = new_email();
    let signed_up = world.sign_up_by_email(&email).await;
    let id = user_id(&signed_up);
    let body = json!({"email": email, "password": "correct horse"});
    let other = tokens(&world.post("/sessions", &body).await);
    let (access, refresh_token) = tokens(&signed_up);
    let reply = sign_out(world, "/sessions", &access).await;
    assert_eq!((reply.status, reply.body.as_str()), (204, ""));
    sign_out(world, "/sessions", &access).await.expect(401, &refused());
    let no_more = json!({"error": "invalid or expired refresh token"});
    refresh(world, &refresh_token).await.expect(401, &no_more);
    assert_eq!(refresh(world, &other.1).await.status, 200);
    world.settled(&id).await;
    let events = world.events_of(&id).await;
    let ended: Vec<_> =
        events.iter().filter(|event| event["detailType"] == "AUTH_SESSION_REVOKED").collect();
    assert_eq!(ended.len(), 1, "{events:?}");
    assert_eq!(ended[0]["detail"]["reason"], "signed_out");
}

#[tokio::test]
async fn signing_out_everywhere_ends_every_session_and_a_new_one_may_begin() {
    let world = World::shared().await;
    let email = new_email();
    let first = tokens(&world.sign_up_by_email(&email).await);
    let body = json!({"email": email, "password": "correct horse"});
    let second = tokens(&world.post("/sessions", &body).await);
    assert_eq!(sign_out(world, "/sessions?all=true", &second.0).await.status, 204);
    for (access, refresh_token) in [&first, &second] {
        sign_out(world, "/sessions", access).await.expect(401, &refused());
        assert_eq!(refresh(world, refresh_token).await.status, 401);
    }
    let third = tokens(&world.post("/sessions", &body).await);
    assert_eq!(refresh(world, &third.1).await.status, 200);
    assert_eq!(sign_out(world, "/sessions", &third.0).await.status, 204);
}

#[tokio::test]
async fn only_an_access_token_of_this_contract_signs_out() {
    let world = World::shared().await;
    let (access, refresh_token) = tokens(&world.sign_up_by_email(&new_email()).await);
    let mobile = "+85261677001";
    let body = json!({"user_auth": {"mobile": mobile, "address_attributes": {}}});
    let key = world.post("/api/v1/auth/signup", &body).await.json()["otp_auth_key"].clone();
    let message = world.message(mobile, 1).await;
    let pin = acceptance::code_in(message["body"].as_str().unwrap());
    let body = json!({"otp_auth_key": key, "pin": pin});
    let goodcity = world.post("/api/v1/auth/verify", &body).await.json();
    let forged = acceptance::forged(&access);
    for token in [goodcity["jwt_token"].as_str().unwrap(), &refresh_token, &forged, "", "a.b.c"] {
        sign_out(world, "/sessions", token).await.expect(401, &refused());
    }
    world.send("DELETE", "/sessions", &[], "", None).await.expect(401, &refused());
    assert_eq!(sign_out(world, "/sessions", &access).await.status, 204);
}
