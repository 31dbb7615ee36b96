//! `POST /auth/logout`.

use acceptance::events::of_type;
use acceptance::urbanfits::{new_person, refusal, session, user_id};
use acceptance::{TestStack, urbanfits};
use serde_json::json;

#[tokio::test]
async fn this_session_ends_and_both_cookies_are_cleared() {
    let stack = TestStack::shared().await;
    let (username, email) = new_person();
    let reply = urbanfits(stack).registered(&username, &email).await;
    let id = user_id(&reply);
    let first = session(&reply);
    let second = session(&urbanfits(stack).log_in(&email, "password").await);
    let reply = urbanfits(stack).log_out(&first).body("{}").await;
    let done = json!({"success": true, "msg": "You are Logged out successfully !"});
    reply.expect(200, &done);
    assert_eq!(
        reply.cookies(),
        [
            "session-token=; Max-Age=0; Path=/; HttpOnly; Secure; Priority=High; SameSite=None",
            "is_logged_in=; Max-Age=0; Path=/; Secure; Priority=High; SameSite=None",
        ]
    );
    assert_eq!(urbanfits(stack).get_me(&first).await.status, 401);
    assert_eq!(urbanfits(stack).get_me(&second).await.status, 200);
    // A browser without a session may have cookies to clear.
    for token in [first.as_str(), "garbage", ""] {
        let reply = urbanfits(stack).log_out(token).body("").await;
        reply.expect(200, &done);
        assert_eq!(reply.cookies().len(), 2);
    }
    stack.wait_until_delivered(&id).await;
    let events = stack.events_of(&id).await;
    assert_eq!(of_type(&events, "session.revoked").len(), 1, "{events:?}");
    assert!(!json!(stack.items("Sessions").await).to_string().contains(&first));
}

#[tokio::test]
async fn every_session_ends_on_request() {
    let stack = TestStack::shared().await;
    let (username, email) = new_person();
    let reply = urbanfits(stack).registered(&username, &email).await;
    let first = session(&reply);
    let id = user_id(&reply);
    let second = session(&urbanfits(stack).log_in(&email, "password").await);
    assert_eq!(
        urbanfits(stack)
            .log_out(&second)
            .header("content-type", "application/json")
            .body(r#"{"all":true}"#)
            .await
            .status,
        200
    );
    // `iat` has second precision, so a token that was issued in the same second stays valid. The test adds one second.
    let since = stack.items_with("Users", &id).await[0]["sessions_since"].as_f64().unwrap();
    let later = json!({"N": (since + 1.0).to_string()});
    stack.set("Users", "user_id", id, "sessions_since", &later).await;
    for session in [&first, &second] {
        assert_eq!(urbanfits(stack).get_me(session).await.status, 401);
    }
}

#[tokio::test]
async fn a_page_of_another_origin_cannot_sign_its_visitor_out() {
    let stack = TestStack::shared().await;
    let (username, email) = new_person();
    let reply = urbanfits(stack).registered(&username, &email).await;
    let token = session(&reply);
    let reply =
        urbanfits(stack).log_out(&token).body("{}").header("origin", "https://evil.example").await;
    reply.expect(403, &refusal("This page may not send this request."));
    assert_eq!(urbanfits(stack).get_me(&token).await.status, 200);
    let reply =
        urbanfits(stack).log_out(&token).body("{}").header("origin", "https://urbanfits.ae").await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("access-control-allow-origin"), "https://urbanfits.ae");
}
