//! `DELETE /sessions`.

use acceptance::events::of_type;
use acceptance::goodcity::{new_mobile, token};
use acceptance::gotu::{PASSWORD, Tokens, error, tokens, user_id};
use acceptance::tokens::forged;
use acceptance::{NO_LIMITS, TestStack, goodcity, gotu, new_email, new_phone};
use serde_json::{Value, json};

fn refused() -> Value {
    error("invalid or expired access token")
}

#[tokio::test]
async fn signing_out_ends_this_session_and_no_other() {
    let stack = TestStack::shared().await;
    let email = new_email();
    let signed_up = gotu(stack).sign_up_by_email(&email).await;
    let id = user_id(&signed_up);
    let other = tokens(&gotu(stack).sign_in(&email, PASSWORD).await);
    let Tokens { access, refresh } = tokens(&signed_up);
    let reply = gotu(stack).sign_out(&access).await;
    reply.expect_text(204, "");
    gotu(stack).sign_out(&access).await.expect(401, &refused());
    let no_more = error("invalid or expired refresh token");
    gotu(stack).refresh(&refresh).await.expect(401, &no_more);
    assert_eq!(gotu(stack).refresh(&other.refresh).await.status, 200);
    stack.wait_until_delivered(&id).await;
    let events = stack.events_of(&id).await;
    let ended = of_type(&events, "AUTH_SESSION_REVOKED");
    assert_eq!(ended.len(), 1, "{events:?}");
    assert_eq!(ended[0]["detail"]["reason"], "signed_out");
}

#[tokio::test]
async fn a_device_that_was_signed_out_keeps_no_push_token() {
    let stack = TestStack::shared().await;
    let email = new_email();
    let id = user_id(&gotu(stack).sign_up_by_email(&email).await);
    let push = format!("push-of-{email}");
    let reply = gotu(stack).sign_in(&email, PASSWORD).header("x-device-token", &push).await;
    assert_eq!(stack.items_with("Devices", &push).await.len(), 1);
    gotu(stack).sign_out(&tokens(&reply).access).await.expect_text(204, "");
    assert_eq!(stack.items_with("Devices", &push).await.len(), 0);
    assert_eq!(stack.items_with("Devices", &id).await.len(), 2);
}

#[tokio::test]
async fn signing_out_everywhere_ends_every_session_and_a_new_one_may_begin() {
    let stack = TestStack::shared().await;
    let email = new_email();
    let first = tokens(&gotu(stack).sign_up_by_email(&email).await);
    let second = tokens(&gotu(stack).sign_in(&email, PASSWORD).await);
    assert_eq!(gotu(stack).sign_out_everywhere(&second.access).await.status, 204);
    for Tokens { access, refresh } in [&first, &second] {
        gotu(stack).sign_out(access).await.expect(401, &refused());
        assert_eq!(gotu(stack).refresh(refresh).await.status, 401);
    }
    let third = tokens(&gotu(stack).sign_in(&email, PASSWORD).await);
    assert_eq!(gotu(stack).refresh(&third.refresh).await.status, 200);
    assert_eq!(gotu(stack).sign_out(&third.access).await.status, 204);
}

#[tokio::test]
async fn only_an_access_token_of_this_contract_signs_out() {
    let stack = TestStack::shared().await;
    let Tokens { access, refresh } = tokens(&gotu(stack).sign_up_by_email(&new_email()).await);
    let foreign = token(&goodcity(stack).registered(&new_mobile()).await);
    let forged = forged(&access);
    for token in [foreign.as_str(), &refresh, &forged, "", "a.b.c"] {
        gotu(stack).sign_out(token).await.expect(401, &refused());
    }
    stack.call("gotu-delete-sessions").await.expect(401, &refused());
    assert_eq!(gotu(stack).sign_out(&access).await.status, 204);
}

#[tokio::test]
async fn no_device_keeps_a_push_token_after_the_end_of_its_session() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let device = |number| [("x-device-token", ["one", "two", "three"][number])];
    let push_tokens = async |id: &str| {
        let devices = stack.items_with("Devices", id).await;
        devices.iter().filter(|device| device.get("push_handle").is_some()).count()
    };
    // Everywhere.
    let email = new_email();
    let id = user_id(&gotu(stack).sign_up_by_email(&email).headers(&device(0)).await);
    let second = tokens(&gotu(stack).sign_in(&email, PASSWORD).headers(&device(1)).await).access;
    assert_eq!(push_tokens(&id).await, 2);
    gotu(stack).sign_out_everywhere(&second).await.expect_text(204, "");
    assert_eq!(push_tokens(&id).await, 0);
    // With a new number, all but the device that asks.
    let kept = tokens(&gotu(stack).sign_in(&email, PASSWORD).headers(&device(0)).await).access;
    gotu(stack).sign_in(&email, PASSWORD).headers(&device(1)).await;
    let body = gotu(stack).proved_phone(&new_phone(), 1).await;
    gotu(stack).change_phone(&kept, &body).await.expect_text(204, "");
    assert_eq!(push_tokens(&id).await, 1);
    // With a new password.
    gotu(stack).sign_in(&email, PASSWORD).headers(&device(2)).await;
    assert_eq!(push_tokens(&id).await, 2);
    let code = gotu(stack).code(&email, "reset_password", 1).await;
    let proved = gotu(stack).verify_code(&email, &code, "reset_password").await;
    let body = json!({"newPassword": "battery staple",
        "requestToken": proved.json()["data"]["requestToken"]});
    gotu(stack).set_password(&body).await.expect_text(204, "");
    assert_eq!(push_tokens(&id).await, 0);
}
