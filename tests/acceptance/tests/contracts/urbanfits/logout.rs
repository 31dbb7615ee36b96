//! `POST /auth/logout` (contracts.md C.4).

use super::{cookies, new_person, no, registered, session};
use acceptance::{Reply, World};
use serde_json::json;

async fn logout(world: &World, token: &str, body: &str, origin: Option<&str>) -> Reply {
    let cookie = format!("a=b; session-token={token}; is_logged_in=true");
    let mut headers = vec![("content-type", "application/json"), ("cookie", cookie.as_str())];
    headers.extend(origin.map(|origin| ("origin", origin)));
    world.send("POST", "/auth/logout", &headers, body.to_owned(), None).await
}

async fn me(world: &World, token: &str) -> u16 {
    let cookie = format!("session-token={token}");
    world.send("GET", "/user/get/me", &[("cookie", &cookie)], "", None).await.status
}

async fn sign_in(world: &World, email: &str) -> String {
    let body = json!({"email": email, "password": "password"});
    session(&cookies(&world.post("/auth/login", &body).await)[0]).to_owned()
}

#[tokio::test]
async fn this_session_ends_and_both_cookies_are_cleared() {
    let world = World::shared().await;
    let (username, email) = new_person();
    let reply = registered(world, &username, &email).await;
    let id = reply.json()["user"]["_id"].as_str().unwrap().to_owned();
    let (first, second) = (session(&cookies(&reply)[0]).to_owned(), sign_in(world, &email).await);
    let reply = logout(world, &first, "{}", None).await;
    let done = json!({"success": true, "msg": "You are Logged out successfully !"});
    reply.expect(200, &done);
    assert_eq!(
        cookies(&reply),
        [
            "session-token=; Max-Age=0; Path=/; HttpOnly; Secure; Priority=High; SameSite=None",
            "is_logged_in=; Max-Age=0; Path=/; Secure; Priority=High; SameSite=None",
        ]
    );
    assert_eq!((me(world, &first).await, me(world, &second).await), (401, 200));
    // Who has no session may have cookies to clear.
    for token in [first.as_str(), "garbage", ""] {
        let reply = logout(world, token, "", None).await;
        reply.expect(200, &done);
        assert_eq!(cookies(&reply).len(), 2);
    }
    world.settled(&id).await;
    let events = world.events_of(&id).await;
    let ended = events.iter().filter(|event| event["detailType"] == "session.revoked");
    assert_eq!(ended.count(), 1, "{events:?}");
    assert!(!json!(world.items("Sessions").await).to_string().contains(&first));
}

#[tokio::test]
async fn every_session_ends_if_all_are_meant() {
    let world = World::shared().await;
    let (username, email) = new_person();
    let reply = registered(world, &username, &email).await;
    let first = session(&cookies(&reply)[0]).to_owned();
    let id = reply.json()["user"]["_id"].as_str().unwrap().to_owned();
    let second = sign_in(world, &email).await;
    assert_eq!(logout(world, &second, r#"{"all":true}"#, None).await.status, 200);
    // A token knows the second of its birth alone, so those of this very second may live on: as if it
    // had been a moment later.
    let update = json!({"TableName": "Users", "Key": {"user_id": {"S": id}},
        "UpdateExpression": "SET sessions_since = sessions_since + :second",
        "ExpressionAttributeValues": {":second": {"N": "1"}}});
    world.dynamodb("UpdateItem", &update).await;
    assert_eq!((me(world, &first).await, me(world, &second).await), (401, 401));
}

#[tokio::test]
async fn a_strangers_page_cannot_sign_its_visitor_out() {
    let world = World::shared().await;
    let (username, email) = new_person();
    let reply = registered(world, &username, &email).await;
    let token = session(&cookies(&reply)[0]).to_owned();
    let reply = logout(world, &token, "{}", Some("https://evil.example")).await;
    reply.expect(403, &no("This page may not send this request."));
    assert_eq!(me(world, &token).await, 200);
    let reply = logout(world, &token, "{}", Some("https://urbanfits.ae")).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("access-control-allow-origin"), "https://urbanfits.ae");
}
