//! `POST /api/v1/auth/register_device`.

use acceptance::events::of_type;
use acceptance::faults::of_store;
use acceptance::goodcity::{error, errors, new_mobile, token, user_id};
use acceptance::tokens::seconds_between;
use acceptance::{NO_LIMITS, TestStack, all, goodcity};
use serde_json::json;

/// A user's id and token.
async fn user(stack: &TestStack) -> (String, String) {
    let reply = goodcity(stack).registered(&new_mobile()).await;
    (user_id(&reply), token(&reply))
}

#[tokio::test]
async fn a_device_is_registered_for_its_user_and_announced() {
    let stack = TestStack::shared().await;
    let (id, token) = user(stack).await;
    for platform in ["fcm", "gcm", "aps"] {
        let reply = goodcity(stack).register_device(&token, "handle-1", platform).await;
        reply.expect_text(204, "");
    }
    let devices = stack.items_of_user("Devices", &id).await;
    assert_eq!(devices.len(), 3);
    assert!(devices.iter().all(|device| device["push_handle"] == "handle-1"));
    let life = seconds_between(&devices[0], "created_at", "expires_at");
    assert!((life - 90.0 * 86_400.0).abs() < 2.0, "{life}");
    let events = stack.events(&id, 5).await;
    let registered = of_type(&events, "device.registered");
    assert_eq!(registered.len(), 3);
    assert_eq!(registered[0]["detail"]["channel"], format!("user_{id}"));
}

#[tokio::test]
async fn what_describes_the_device_is_stored_in_any_script_and_cut() {
    let stack = TestStack::shared().await;
    let (id, token) = user(stack).await;
    let long = "é".repeat(300);
    let register = goodcity(stack).register_device(&token, "handle-of-a-script", "fcm");
    let headers = [("user-agent", "小米 14"), ("x-goodcity-device-id", long.as_str())];
    let register = register.headers(&headers).header("x-goodcity-app-version", b"caf\xe9");
    register.await.expect_text(204, "");
    let device = &stack.items_of_user("Devices", &id).await[0];
    assert_eq!(device["user_agent"], "小米 14");
    assert_eq!(device["client_device_id"], "é".repeat(256));
    // A gateway passes on text. What it makes of bytes that are not UTF-8 is its own choice.
    assert!(device["app_version"].as_str().unwrap().starts_with("caf"), "{device}");
}

#[tokio::test]
async fn a_handle_moves_to_the_newest_user() {
    let stack = TestStack::shared().await;
    let ((first, first_token), (second, second_token)) = (user(stack).await, user(stack).await);
    let handle = format!("shared-phone-{first}");
    for token in [&first_token, &first_token, &second_token] {
        assert_eq!(goodcity(stack).register_device(token, &handle, "fcm").await.status, 204);
    }
    let devices = stack.items_with("Devices", &handle).await;
    assert_eq!((devices.len(), &devices[0]["user_id"]), (1, &json!(second)));
    let events = stack.events(&second, 3).await;
    let moved: Vec<_> =
        events.iter().map(|event| event["detail"]["movedFrom"].to_string()).collect();
    assert!(moved.contains(&first), "{events:?}");
}

#[tokio::test]
async fn a_handle_that_many_register_at_once_has_one_owner() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let users = all((0..4).map(|_| user(stack))).await;
    let register =
        |(_, token): &(String, String)| goodcity(stack).register_device(token, "h", "aps");
    let replies = all(users.iter().map(register)).await;
    assert!(replies.iter().all(|reply| reply.status == 204), "{replies:?}");
    let devices = stack.items("Devices").await;
    let owners = stack.items_with("Identifiers", "#handle#").await;
    assert_eq!((devices.len(), owners.len()), (1, 1));
    assert_eq!(devices[0]["user_id"], owners[0]["user_id"]);
}

#[tokio::test]
async fn the_token_is_judged_before_the_platform_and_that_before_the_handle() {
    let stack = TestStack::shared().await;
    let (id, token) = user(stack).await;
    let reply = goodcity(stack).register_device("x", "", "wns").await;
    reply.expect(401, &error("Invalid token"));
    let platform = "Unrecognised platform, expecting 'fcm' or 'gcm' (Android) or 'aps' (iOS)";
    let body =
        |handle: &str, platform: &str| json!({"handle": handle, "platform": platform}).to_string();
    let register = |body: String| {
        stack
            .call("goodcity-register-device")
            .bearer(&token)
            .header("content-type", "application/json")
            .body(body)
    };
    for bad in
        [body("", "wns"), body("h", "fcm/gcm"), body("h", "FCM"), "{}".to_owned(), String::new()]
    {
        let reply = register(bad).await;
        reply.expect_text(400, platform);
        assert!(reply.header("content-type").starts_with("text/plain"));
    }
    for blank in [body("", "fcm"), body("  ", "fcm"), json!({"platform": "fcm"}).to_string()] {
        register(blank).await.expect(422, &errors("Handle can't be blank"));
    }
    let long = body(&"x".repeat(4097), "fcm");
    register(long).await.expect(422, &errors("Handle is too long"));
    let stored = stack.items_of_user("Devices", &id).await;
    assert!(stored.is_empty());
}

#[tokio::test]
async fn apps_have_channels_of_their_own() {
    let stack = TestStack::shared().await;
    let (id, token) = user(stack).await;
    let from = |app: &str| {
        let register = goodcity(stack).register_device(&token, "handle-9", "aps");
        register.header("x-goodcity-app-name", app)
    };
    from("other").await.expect(403, &errors("Invalid host"));
    assert_eq!(from("stock.goodcity").await.status, 204);
    let events = stack.events(&id, 3).await;
    let channels: Vec<_> = events.iter().map(|event| &event["detail"]["channel"]).collect();
    assert!(channels.contains(&&json!(format!("user_{id}_stock"))), "{channels:?}");
}

#[tokio::test]
async fn a_form_is_read_like_json() {
    let stack = TestStack::shared().await;
    let (_, token) = user(stack).await;
    let register = stack.call("goodcity-register-device").bearer(&token);
    let reply = register.form("handle=a%3Ab&platform=gcm").await;
    assert_eq!(reply.status, 204, "{reply:?}");
}

#[tokio::test]
async fn one_failed_call_is_not_noticed() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let (id, token) = user(stack).await;
    for mode in ["error", "throttle", "conflict", "lost-reply"] {
        let fault = of_store(mode).at("TransactWriteItems").in_function("goodcity-register-device");
        stack.fault(&fault.times(1)).await;
        let reply = goodcity(stack).register_device(&token, "handle-1", "fcm").await;
        assert_eq!(reply.status, 204, "{mode}: {reply:?}");
        stack.clear_faults().await;
    }
    assert_eq!(stack.items_of_user("Devices", &id).await.len(), 1);
}
