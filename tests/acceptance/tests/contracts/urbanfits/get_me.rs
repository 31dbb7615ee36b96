//! `GET /user/get/me`.

use acceptance::gotu::tokens;
use acceptance::tokens::{forged, hs256, part};
use acceptance::urbanfits::{new_person, refusal, session, user_id};
use acceptance::{TestStack, gotu, new_email, token_parts, urbanfits};
use serde_json::json;

#[tokio::test]
async fn the_session_shows_its_user() {
    let stack = TestStack::shared().await;
    let (username, email) = new_person();
    let reply = urbanfits(stack).registered(&username, &email).await;
    let mut user = reply.json()["user"].clone();
    user.as_object_mut().unwrap().remove("password");
    let token = session(&reply);
    let expected = json!({"success": true, "msg": "", "user": user});
    for prefix in ["", "/api"] {
        urbanfits(stack).get_me(&token).under(prefix).await.expect(200, &expected);
    }
}

#[tokio::test]
async fn a_text_that_is_not_the_session_of_an_existing_user_is_refused() {
    let stack = TestStack::shared().await;
    let refused = refusal("Your session is invalid or expired. Please sign in again.");
    let (username, email) = new_person();
    let reply = urbanfits(stack).registered(&username, &email).await;
    let token = session(&reply);
    let agent = reply.json()["user"]["user_agent"].as_str().unwrap().to_owned();
    let foreign = tokens(&gotu(stack).sign_up_by_email(&new_email()).await).access;
    let forged = forged(&token);
    for bad in [forged.as_str(), &agent, foreign.as_str(), "", "a.b.c"] {
        urbanfits(stack).get_me(bad).await.expect(401, &refused);
    }
    stack.call("urbanfits-get-me").await.expect(401, &refused);
    stack.delete("Users", "user_id", user_id(&reply)).await;
    urbanfits(stack).get_me(&token).await.expect(401, &refused);
}

#[tokio::test]
async fn a_session_ends_with_its_lifetime() {
    let key = "a key of sessions that is long enough";
    let ring = json!({"v1": {"key": key, "stage": "AWSCURRENT"}}).to_string();
    let stack = &TestStack::with(&[("TOKEN_KEY_RING_URBANFITS", &ring)]).await;
    let (username, email) = new_person();
    let reply = urbanfits(stack).registered(&username, &email).await;
    let token = session(&reply);
    let (header, mut claims) = token_parts(&token);
    assert_eq!(urbanfits(stack).get_me(&token).await.status, 200);
    claims["exp"] = json!(1000);
    let input = format!("{}.{}", part(&header.to_string()), part(&claims.to_string()));
    let ended = hs256(&input, key);
    assert_eq!(urbanfits(stack).get_me(&ended).await.status, 401);
}
