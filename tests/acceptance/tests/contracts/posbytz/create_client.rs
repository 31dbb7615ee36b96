//! `posbytz-create-client`: an administrator's changes of clients. The function has no route.

use acceptance::faults::of_store;
use acceptance::posbytz::{BOTH, CREATE_CLIENT, credentials, failed, token_request};
use acceptance::{TestStack, all, posbytz, token_parts};
use serde_json::{Value, json};

#[tokio::test]
async fn a_client_is_stored_with_a_hash_alone() {
    let stack = TestStack::shared().await;
    let client = posbytz(stack).new_client("STORE1").await;
    let items = stack.items_with("Clients", &client.id).await;
    let item = &items[0];
    assert_eq!((&item["store"], &item["contract"]), (&json!("STORE1"), &json!("posbytz")));
    assert_eq!(item["scopes"], json!(["user:read", "user:write"]));
    let hash = ring::digest::digest(&ring::digest::SHA256, client.secret.as_bytes());
    assert_eq!(item["secret_hash"], data_encoding::BASE64.encode(hash.as_ref()));
    assert!(!item.to_string().contains(&client.secret));
    assert_eq!(item["next_secret_hash"], Value::Null);
    let (_, claims) = token_parts(&posbytz(stack).token(&client, BOTH).await);
    assert_eq!(claims["store"], "STORE1");
}

#[tokio::test]
async fn ids_and_secrets_differ() {
    let stack = TestStack::shared().await;
    let clients = all((0..4).map(|_| posbytz(stack).new_client("STORE1"))).await;
    for (number, one) in clients.iter().enumerate() {
        for other in clients.iter().skip(number.saturating_add(1)) {
            assert!(one.id != other.id && one.secret != other.secret);
        }
    }
}

#[tokio::test]
async fn secrets_are_rotated_without_a_gap() {
    let stack = TestStack::shared().await;
    let old = posbytz(stack).new_client("STORE1").await;
    let id = json!({"clientId": old.id});
    let retire = |which: &str| json!({"clientId": old.id, "retire": which});
    let works = async |client| {
        posbytz(stack).ask_for_token(&token_request(client, None)).await.status == 200
    };
    failed(
        &posbytz(stack).administer(&retire("old")).await,
        "the client has only one secret; give it a second one first",
    );
    let new = credentials(&posbytz(stack).administer(&id).await);
    assert_eq!(new.id, old.id);
    assert!(works(&old).await && works(&new).await, "both work");
    failed(
        &posbytz(stack).administer(&id).await,
        "the client has two secrets already; retire one first",
    );
    let reply = posbytz(stack).administer(&retire("old")).await;
    assert_eq!((reply.status, reply.json()), (200, retire("old")));
    assert!(!works(&old).await && works(&new).await, "the new one alone");
    let third = credentials(&posbytz(stack).administer(&id).await);
    let reply = posbytz(stack).administer(&retire("new")).await;
    assert_eq!((reply.status, reply.json()), (200, retire("new")));
    assert!(works(&new).await && !works(&third).await, "the newer one is gone");
}

#[tokio::test]
async fn a_payload_with_a_key_can_be_repeated() {
    let stack = TestStack::shared().await;
    let create = json!({"store": "STORE1", "scopes": ["user:read"], "idempotencyKey": "create-1"});
    let replies = all((0..4).map(|_| posbytz(stack).administer(&create))).await;
    let client = credentials(&replies[0]);
    assert!(replies.iter().all(|reply| reply.json() == replies[0].json()), "{replies:?}");
    assert_eq!(stack.items_with("Clients", &client.id).await.len(), 1);
    let add = json!({"clientId": client.id, "idempotencyKey": "add-1"});
    let second = posbytz(stack).administer(&add).await;
    assert_ne!(credentials(&second).secret, client.secret);
    assert_eq!(posbytz(stack).administer(&add).await.json(), second.json());
    // Another client, or another key, is another request.
    let mut other = create.clone();
    other["store"] = json!("STORE2");
    let reused = "the idempotencyKey was used with another payload";
    failed(&posbytz(stack).administer(&other).await, reused);
    other["idempotencyKey"] = json!("create-2");
    assert_ne!(credentials(&posbytz(stack).administer(&other).await).id, client.id);
    other["idempotencyKey"] = json!("");
    let malformed = "idempotencyKey must be a string of 1 to 255 characters";
    failed(&posbytz(stack).administer(&other).await, malformed);
}

#[tokio::test]
async fn racing_rotations_make_one_secret() {
    let stack = TestStack::shared().await;
    let client = posbytz(stack).new_client("STORE1").await;
    let id = json!({"clientId": client.id});
    let replies = all((0..8).map(|_| posbytz(stack).administer(&id))).await;
    let made = replies.iter().filter(|reply| reply.header("x-amz-function-error").is_empty());
    assert_eq!(made.count(), 1, "{replies:?}");
}

#[tokio::test]
async fn a_suspended_client_gets_no_tokens_until_the_suspension_ends() {
    let stack = TestStack::shared().await;
    let client = posbytz(stack).new_client("STORE1").await;
    let suspended = |suspended: bool| json!({"clientId": client.id, "suspended": suspended});
    assert_eq!(posbytz(stack).administer(&suspended(true)).await.json(), suspended(true));
    let reply = posbytz(stack).ask_for_token(&token_request(&client, None)).await;
    let refused =
        json!({"error": "unauthorized_client", "error_description": "The client is suspended"});
    reply.expect(400, &refused);
    // Without the secret, the answer does not tell that the client is suspended.
    let mut wrong = token_request(&client, None);
    wrong["client_secret"] = json!("x");
    assert_eq!(posbytz(stack).ask_for_token(&wrong).await.status, 401);
    assert_eq!(posbytz(stack).administer(&suspended(false)).await.json(), suspended(false));
    assert_eq!(posbytz(stack).ask_for_token(&token_request(&client, None)).await.status, 200);
}

#[tokio::test]
async fn bad_payloads_are_refused_and_make_nothing() {
    let stack = &TestStack::with(&[]).await;
    let shape = concat!(
        r#"the payload must be {"store","scopes"}, {"clientId"}, "#,
        r#"{"clientId","retire"} or {"clientId","suspended"}, each with or without "idempotencyKey""#,
    );
    let unknown = "0".repeat(31) + "1";
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
        (json!({"clientId": "unknown"}), "clientId must be 32 hex digits"),
        (json!({"clientId": unknown}), "there is no such client"),
        (json!({"clientId": unknown, "retire": "old"}), "there is no such client"),
        (json!({"clientId": unknown, "suspended": true}), "there is no such client"),
        (json!({"clientId": unknown, "retire": "both"}), r#"retire must be "old" or "new""#),
    ];
    for (payload, message) in &cases {
        failed(&posbytz(stack).administer(payload).await, message);
    }
    assert!(stack.items("Clients").await.is_empty());
    let logged = || async {
        let mut lines = stack.json_lines();
        lines.retain(|(name, line)| name == CREATE_CLIENT && line["error"].is_string());
        let batches = lines.into_iter().filter(|(_, line)| line["message"] == "batch");
        let errors: Vec<_> = batches.map(|(_, line)| line["error"].clone()).collect();
        (errors.len() == cases.len()).then_some(errors)
    };
    let errors = stack.wait_for("a line about each refusal", logged).await;
    assert_eq!(errors, cases.map(|(_, message)| json!(message)));
}

#[tokio::test]
async fn a_lost_reply_is_not_a_failure_because_the_secret_is_shown_only_once() {
    let stack = &TestStack::with(&[]).await;
    let lose = of_store("lost-reply").in_function("posbytz-create-client").times(1);
    stack.fault(&lose).await;
    let client = posbytz(stack).new_client("STORE1").await;
    stack.fault(&lose).await;
    let second = credentials(&posbytz(stack).administer(&json!({"clientId": client.id})).await);
    for client in [&client, &second] {
        assert_eq!(posbytz(stack).ask_for_token(&token_request(client, None)).await.status, 200);
    }
    assert_eq!(stack.items("Clients").await.len(), 1);
}
