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
    let mut opened = vec![first];
    // `iat` has second precision. The tokens of the same second end, and one that is opened afterwards works at once.
    for _ in 0..3 {
        let current = session(&urbanfits(stack).log_in(&email, "password").await);
        assert_eq!(urbanfits(stack).get_me(&current).await.status, 200);
        let reply = urbanfits(stack)
            .log_out(&current)
            .header("content-type", "application/json")
            .body(r#"{"all":true}"#)
            .await;
        assert_eq!(reply.status, 200);
        opened.push(current);
        for session in &opened {
            assert_eq!(urbanfits(stack).get_me(session).await.status, 401);
        }
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
