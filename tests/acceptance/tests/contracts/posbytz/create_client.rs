//! posbytz-create-client: what an administrator does with clients.

use super::{BOTH, TOKEN, administer, asking, credentials, failed, new_client, token};
use acceptance::{World, all, token_parts};
use serde_json::{Value, json};

#[tokio::test]
async fn a_client_is_stored_with_a_hash_alone() {
    let world = World::shared().await;
    let client = new_client(world, "STORE1").await;
    let items = world.items_with("Clients", &client.id).await;
    let item = &items[0];
    assert_eq!((&item["store"], &item["contract"]), (&json!("STORE1"), &json!("posbytz")));
    assert_eq!(item["scopes"], json!(["user:read", "user:write"]));
    let hash = ring::digest::digest(&ring::digest::SHA256, client.secret.as_bytes());
    assert_eq!(item["secret_hash"], data_encoding::BASE64.encode(hash.as_ref()));
    assert!(!item.to_string().contains(&client.secret));
    assert_eq!(item["next_secret_hash"], Value::Null);
    let (_, claims) = token_parts(&token(world, &client, BOTH).await);
    assert_eq!(claims["store"], "STORE1");
}

#[tokio::test]
async fn ids_and_secrets_differ() {
    let world = World::shared().await;
    let clients = all((0..4).map(|_| new_client(world, "STORE1"))).await;
    for (number, one) in clients.iter().enumerate() {
        for other in clients.iter().skip(number.saturating_add(1)) {
            assert!(one.id != other.id && one.secret != other.secret);
        }
    }
}

#[tokio::test]
async fn secrets_are_rotated_without_a_gap() {
    let world = World::shared().await;
    let old = new_client(world, "STORE1").await;
    let id = json!({"clientId": old.id});
    let retire = |which: &str| json!({"clientId": old.id, "retire": which});
    let works = async |client| world.post(TOKEN, &asking(client, None)).await.status == 200;
    failed(
        &administer(world, &retire("old")).await,
        "the client has only one secret; give it a second one first",
    );
    let new = credentials(&administer(world, &id).await);
    assert_eq!(new.id, old.id);
    assert!(works(&old).await && works(&new).await, "both work");
    failed(&administer(world, &id).await, "the client has two secrets already; retire one first");
    let reply = administer(world, &retire("old")).await;
    assert_eq!((reply.status, reply.json()), (200, retire("old")));
    assert!(!works(&old).await && works(&new).await, "the new one alone");
    let third = credentials(&administer(world, &id).await);
    let reply = administer(world, &retire("new")).await;
    assert_eq!((reply.status, reply.json()), (200, retire("new")));
    assert!(works(&new).await && !works(&third).await, "the newer one is gone");
}

#[tokio::test]
async fn racing_rotations_make_one_secret() {
    let world = World::shared().await;
    let client = new_client(world, "STORE1").await;
    let id = json!({"clientId": client.id});
    let replies = all((0..8).map(|_| administer(world, &id))).await;
    let made = replies.iter().filter(|reply| reply.header("x-amz-function-error").is_empty());
    assert_eq!(made.count(), 1, "{replies:?}");
}

#[tokio::test]
async fn a_suspended_client_gets_no_tokens_until_it_is_let_in_again() {
    let world = World::shared().await;
    let client = new_client(world, "STORE1").await;
    let suspended = |suspended: bool| json!({"clientId": client.id, "suspended": suspended});
    assert_eq!(administer(world, &suspended(true)).await.json(), suspended(true));
    let reply = world.post(TOKEN, &asking(&client, None)).await;
    let refused =
        json!({"error": "unauthorized_client", "error_description": "The client is suspended"});
    reply.expect(400, &refused);
    // Who does not know the secret does not learn it.
    let mut wrong = asking(&client, None);
    wrong["client_secret"] = json!("x");
    assert_eq!(world.post(TOKEN, &wrong).await.status, 401);
    assert_eq!(administer(world, &suspended(false)).await.json(), suspended(false));
    assert_eq!(world.post(TOKEN, &asking(&client, None)).await.status, 200);
}

#[tokio::test]
async fn bad_payloads_are_refused_and_make_nothing() {
    let world = World::with(&[]).await;
    let shape = "the payload must be {\"store\",\"scopes\"}, {\"clientId\"}, \
                 {\"clientId\",\"retire\"} or {\"clientId\",\"suspended\"}";
    let nobody = "0".repeat(31) + "1";
    let cases = [
        (json!({}), shape),
        (json!([]), shape),
        (json!(null), shape),
        (json!({"store": "STORE1"}), shape),
        (json!({"store": "STORE1", "scopes": ["user:read"], "secret": "mine"}), shape),
        (
            json!({"store": "A#B", "scopes": ["user:read"]}),
            "store must be 1 to 64 letters, digits, - or _",
        ),
        (
            json!({"store": "STORE1", "scopes": ["admin"]}),
            "scopes must be a list of user:read and user:write, at least one of them",
        ),
        (json!({"clientId": "nobody"}), "clientId must be 32 hex digits"),
        (json!({"clientId": nobody}), "there is no such client"),
        (json!({"clientId": nobody, "retire": "old"}), "there is no such client"),
        (json!({"clientId": nobody, "suspended": true}), "there is no such client"),
        (json!({"clientId": nobody, "retire": "both"}), "retire must be \"old\" or \"new\""),
    ];
    for (payload, message) in cases {
        failed(&administer(&world, &payload).await, message);
    }
    assert!(world.items("Clients").await.is_empty());
}

#[tokio::test]
async fn a_lost_reply_is_no_failure_because_the_secret_is_shown_once() {
    let world = World::with(&[]).await;
    let lose = json!({"service": "dynamodb", "mode": "lost-reply", "count": 1,
        "function": "posbytz-create-client"});
    world.fault(&lose).await;
    let client = new_client(&world, "STORE1").await;
    world.fault(&lose).await;
    let second = credentials(&administer(&world, &json!({"clientId": client.id})).await);
    for client in [&client, &second] {
        assert_eq!(world.post(TOKEN, &asking(client, None)).await.status, 200);
    }
    assert_eq!(world.items("Clients").await.len(), 1);
}
