//! Replays: consumers get recorded events again.

use super::{hook::Hook, quick, stack_with, types};
use acceptance::{TestStack, gotu, new_phone};
use serde_json::{Value, json};

async fn replay(stack: &TestStack, what: &Value) -> Value {
    let reply = stack.request("POST", "/_local/events/replay").json(what).await;
    assert_eq!(reply.status, 200, "{what}: {}", reply.body);
    reply.json()
}

#[tokio::test]
async fn a_replay_delivers_the_events_of_a_type_again_and_says_so() {
    let hook = Hook::start().await;
    let stack = &stack_with(&[hook.url()], quick(185)).await;
    for _ in 0..2 {
        gotu(stack).registered(&new_phone()).await;
    }
    let mut first = hook.events(stack, 4).await;
    first.retain(|event| event["detail-type"] == "AUTH_USER_CREATED");
    hook.forget();

    let done = replay(stack, &json!({"type": "AUTH_USER_CREATED"})).await;
    assert_eq!((&done["events"], &done["deliveries"]), (&json!(2), &json!(2)));
    let again = hook.events(stack, 2).await;
    for event in &again {
        assert_eq!(event["replay-name"], done["name"]);
    }
    let without_name = |mut event: Value| {
        event.as_object_mut().unwrap().remove("replay-name");
        event
    };
    assert_eq!(again.into_iter().map(without_name).collect::<Vec<_>>(), first);
    assert_eq!(stack.all_events().await.len(), 4, "a replay records nothing");
}

#[tokio::test]
async fn a_replay_takes_the_events_of_a_time() {
    let hook = Hook::start().await;
    let stack = &stack_with(&[hook.url()], quick(185)).await;
    gotu(stack).registered(&new_phone()).await;
    hook.events(stack, 2).await;
    stack.request("POST", "/_local/clock").json(&json!({"advance": "1h"})).await;
    let from = stack.local("clock").await["now"].clone();
    stack.request("POST", "/_local/clock").json(&json!({"advance": "1m"})).await;
    let late = gotu(stack).registered(&new_phone()).await;
    hook.events(stack, 4).await;
    hook.forget();

    assert_eq!(replay(stack, &json!({ "to": from })).await["events"], 2);
    hook.events(stack, 2).await;
    hook.forget();
    assert_eq!(replay(stack, &json!({ "from": from })).await["events"], 2);
    let again = hook.events(stack, 2).await;
    assert_eq!(types(&again), super::SIGN_UP);
    assert!(again.iter().all(|event| event["detail"]["userId"] == late));
    assert_eq!(replay(stack, &json!({"from": from, "type": "OTHER"})).await["events"], 0);
}

#[tokio::test]
async fn a_replay_that_is_malformed_is_refused() {
    let hook = Hook::start().await;
    let stack = &stack_with(&[hook.url()], quick(185)).await;
    for what in [json!({"from": "yesterday"}), json!({"until": "2026-11-28T00:00:00Z"})] {
        let reply = stack.request("POST", "/_local/events/replay").json(&what).await;
        assert_eq!(reply.status, 400, "{what}: {}", reply.body);
    }
}
