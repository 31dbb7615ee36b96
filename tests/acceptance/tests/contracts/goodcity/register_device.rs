//! `POST /api/v1/auth/register_device` (contracts.md B.5).

use super::{REGISTER_DEVICE, events, new_mobile, signed_in};
use acceptance::{NO_LIMITS, Reply, World, all};
use serde_json::{Value, json};

/// A user and their token.
async fn user(world: &World) -> (Value, String) {
    let answer = signed_in(world, &new_mobile()).await.json();
    let token = answer["jwt_token"].as_str().unwrap().to_owned();
    (answer["user"]["user_profile"]["id"].clone(), token)
}

async fn register(world: &World, token: &str, body: &str) -> Reply {
    let authorization = format!("Bearer {token}");
    let headers = [("content-type", "application/json"), ("authorization", authorization.as_str())];
    world.send("POST", REGISTER_DEVICE, &headers, body.to_owned(), None).await
}

fn body(handle: &str, platform: &str) -> String {
    json!({"handle": handle, "platform": platform}).to_string()
}

#[tokio::test]
async fn a_device_is_registered_for_its_user_and_announced() {
    let world = World::shared().await;
    let (id, token) = user(world).await;
    for platform in ["fcm", "gcm", "aps"] {
        let reply = register(world, &token, &body("handle-1", platform)).await;
        assert_eq!((reply.status, reply.body.as_str()), (204, ""), "{reply:?}");
    }
    let devices = world.items_with("Devices", &format!("\"user_id\":\"{id}\"")).await;
    assert_eq!(devices.len(), 3);
    assert!(devices.iter().all(|device| device["push_handle"] == "handle-1"));
    let life =
        devices[0]["expires_at"].as_f64().unwrap() - devices[0]["created_at"].as_f64().unwrap();
    assert!((life - 90.0 * 86_400.0).abs() < 2.0, "{life}");
    let events = events(world, &id, 5).await;
    let registered: Vec<_> =
        events.iter().filter(|event| event["detailType"] == "device.registered").collect();
    assert_eq!(registered.len(), 3);
    assert_eq!(registered[0]["detail"]["channel"], format!("user_{id}"));
}

#[tokio::test]
async fn a_handle_moves_to_the_newest_user() {
    let world = World::shared().await;
    let ((first, first_token), (second, second_token)) = (user(world).await, user(world).await);
    let handle = format!("shared-phone-{first}");
    for token in [&first_token, &first_token, &second_token] {
        assert_eq!(register(world, token, &body(&handle, "fcm")).await.status, 204);
    }
    let devices = world.items_with("Devices", &handle).await;
    assert_eq!((devices.len(), &devices[0]["user_id"]), (1, &json!(second.to_string())));
    let events = events(world, &second, 3).await;
    let moved: Vec<_> = events.iter().map(|event| &event["detail"]["movedFrom"]).collect();
    assert!(moved.contains(&&first), "{events:?}");
}

#[tokio::test]
async fn a_handle_that_many_register_at_once_has_one_owner() {
    let world = World::with(&NO_LIMITS).await;
    let users = all((0..4).map(|_| user(&world))).await;
    let replies = all(users
        .iter()
        .map(|(_, token)| async { register(&world, token, &body("h", "aps")).await }))
    .await;
    assert!(replies.iter().all(|reply| reply.status == 204), "{replies:?}");
    let devices = world.items("Devices").await;
    let owners = world.items_with("Identifiers", "#handle#").await;
    assert_eq!((devices.len(), owners.len()), (1, 1));
    assert_eq!(devices[0]["user_id"], owners[0]["user_id"]);
}

#[tokio::test]
async fn the_token_is_judged_before_the_platform_and_that_before_the_handle() {
    let world = World::shared().await;
    let (id, token) = user(world).await;
    let reply = register(world, "x", &body("", "wns")).await;
    reply.expect(401, &json!({"error": "Invalid token"}));
    let platform = "Unrecognised platform, expecting 'fcm' or 'gcm' (Android) or 'aps' (iOS)";
    for bad in
        [body("", "wns"), body("h", "fcm/gcm"), body("h", "FCM"), "{}".to_owned(), String::new()]
    {
        let reply = register(world, &token, &bad).await;
        assert_eq!((reply.status, reply.body.as_str()), (400, platform), "{bad}");
        assert!(reply.header("content-type").starts_with("text/plain"));
    }
    for blank in [body("", "fcm"), body("  ", "fcm"), json!({"platform": "fcm"}).to_string()] {
        register(world, &token, &blank)
            .await
            .expect(422, &json!({"errors": "Handle can't be blank"}));
    }
    let long = body(&"x".repeat(4097), "fcm");
    register(world, &token, &long).await.expect(422, &json!({"errors": "Handle is too long"}));
    let stored = world.items_with("Devices", &format!("\"user_id\":\"{id}\"")).await;
    assert!(stored.is_empty());
}

#[tokio::test]
async fn apps_have_channels_of_their_own() {
    let world = World::shared().await;
    let (id, token) = user(world).await;
    let authorization = format!("Bearer {token}");
    let from = async |app: &str| {
        let headers = [
            ("content-type", "application/json"),
            ("authorization", authorization.as_str()),
            ("x-goodcity-app-name", app),
        ];
        world.send("POST", REGISTER_DEVICE, &headers, body("handle-9", "aps"), None).await
    };
    from("other").await.expect(403, &json!({"errors": "Invalid host"}));
    assert_eq!(from("stock.goodcity").await.status, 204);
    let events = events(world, &id, 3).await;
    let channels: Vec<_> = events.iter().map(|event| &event["detail"]["channel"]).collect();
    assert!(channels.contains(&&json!(format!("user_{id}_stock"))), "{channels:?}");
}

#[tokio::test]
async fn a_form_is_read_like_json() {
    let world = World::shared().await;
    let (_, token) = user(world).await;
    let authorization = format!("Bearer {token}");
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("authorization", authorization.as_str()),
    ];
    let reply =
        world.send("POST", REGISTER_DEVICE, &headers, "handle=a%3Ab&platform=gcm", None).await;
    assert_eq!(reply.status, 204, "{reply:?}");
}
