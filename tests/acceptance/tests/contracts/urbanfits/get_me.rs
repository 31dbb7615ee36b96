//! `GET /user/get/me` (contracts.md C.4).

use super::{cookies, new_person, no, registered, session};
use acceptance::{Reply, World, new_email};
use serde_json::{Value, json};

async fn me(world: &World, path: &str, token: &str) -> Reply {
    let cookie = format!("session-token={token}");
    world.send("GET", path, &[("cookie", &cookie)], "", None).await
}

#[tokio::test]
async fn the_session_shows_its_user() {
    let world = World::shared().await;
    let (username, email) = new_person();
    let reply = registered(world, &username, &email).await;
    let mut user = reply.json()["user"].clone();
    user.as_object_mut().unwrap().remove("password");
    let token = session(&cookies(&reply)[0]).to_owned();
    for path in ["/user/get/me", "/api/user/get/me"] {
        let expected = json!({"success": true, "msg": "", "user": user});
        me(world, path, &token).await.expect(200, &expected);
    }
}

#[tokio::test]
async fn what_is_no_session_of_somebody_who_is_there_is_refused() {
    let world = World::shared().await;
    let refused = no("Your session is invalid or expired. Please sign in again.");
    let (username, email) = new_person();
    let reply = registered(world, &username, &email).await;
    let token = session(&cookies(&reply)[0]).to_owned();
    let agent = reply.json()["user"]["user_agent"].as_str().unwrap().to_owned();
    let gotu = world.sign_up_by_email(&new_email()).await.json()["data"]["accessToken"].clone();
    let forged = acceptance::forged(&token);
    for bad in [forged.as_str(), &agent, gotu.as_str().unwrap(), "", "a.b.c"] {
        me(world, "/user/get/me", bad).await.expect(401, &refused);
    }
    world.send("GET", "/user/get/me", &[], "", None).await.expect(401, &refused);
    let id = &reply.json()["user"]["_id"];
    let delete = json!({"TableName": "Users", "Key": {"user_id": {"S": id}}});
    world.dynamodb("DeleteItem", &delete).await;
    me(world, "/user/get/me", &token).await.expect(401, &refused);
}

#[tokio::test]
async fn a_session_ends_with_its_life() {
    let key = "a key of sessions";
    let ring = json!({"v1": {"key": key, "stage": "AWSCURRENT"}}).to_string();
    let world = World::with(&[("TOKEN_KEY_RING_URBANFITS", &ring)]).await;
    let (username, email) = new_person();
    let reply = registered(&world, &username, &email).await;
    let token = session(&cookies(&reply)[0]).to_owned();
    let (header, mut claims) = acceptance::token_parts(&token);
    assert_eq!(me(&world, "/user/get/me", &token).await.status, 200);
    claims["exp"] = json!(1000);
    let part = |value: &Value| data_encoding::BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let input = format!("{}.{}", part(&header), part(&claims));
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, key.as_bytes());
    let signature = ring::hmac::sign(&key, input.as_bytes());
    let ended = format!("{input}.{}", data_encoding::BASE64URL_NOPAD.encode(signature.as_ref()));
    assert_eq!(me(&world, "/user/get/me", &ended).await.status, 401);
}
