//! Two releases at the same time: while traffic shifts, the version before reads what the new one writes.

use acceptance::events::types;
use acceptance::faults::Fault;
use acceptance::gotu::user_id;
use acceptance::{NO_LIMITS, TestStack, gotu, new_email};
use serde_json::{Value, json};

/// The id of the entry that the next release wrote.
const NEXT: &str = "e#of-the-next-release";

/// An entry with a kind of effect that only the next release knows, and the same entry as that release reads it.
async fn entries_of_the_next_release(stack: &TestStack) -> (Value, Value) {
    let table = json!({"TableName": "Outbox"});
    let scan = stack.dynamodb("Scan", &table).await;
    let mut known = scan["Items"][0].clone();
    for (name, value) in [("event_id", json!({"S": NEXT})), ("due_at", json!({"N": "1000"}))] {
        known[name] = value;
    }
    let mut unknown = known.clone();
    for effect in unknown["effects"]["L"].as_array_mut().unwrap() {
        effect["M"]["effect"] = json!({"S": "of-the-next-release"});
    }
    (unknown, known)
}

async fn sweep(stack: &TestStack) {
    stack.invoke("relay", &json!({"source": "aws.events"})).await.expect_invoked();
}

#[tokio::test]
async fn an_effect_that_this_relay_does_not_know_waits_for_a_relay_that_knows_it() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    stack.fault(&Fault::of("events", "error")).await;
    let id = user_id(&gotu(stack).sign_up_by_email(&new_email()).await);
    let (unknown, known) = entries_of_the_next_release(stack).await;
    stack.clear_faults().await;
    stack.events(&id, 2).await;
    // The stream brings it, and each sweep finds it.
    stack.put("Outbox", &unknown).await;
    for _ in 0..3 {
        sweep(stack).await;
    }
    let seen = async || {
        let lines = stack.json_lines();
        let unread = lines.iter().any(|(name, line)| name == "relay" && line["outbox.id"] == NEXT);
        unread.then_some(())
    };
    stack.wait_for("the line about the entry", seen).await;
    let waiting = stack.items_with("Outbox", NEXT).await;
    assert_eq!(waiting.len(), 1, "the entry is kept");
    assert_eq!(waiting[0]["effects"][0]["effect"], "of-the-next-release");
    assert_eq!(stack.events_of(&id).await.len(), 2, "nothing of it is delivered");
    // An invocation that fails is an error of Lambda, which would roll the release back.
    let faults = stack.sum("Faults", &[("Function", "relay")]);
    assert!(faults.abs() < f64::EPSILON, "{faults} invocations of the relay failed");
    // The relay of the next release.
    stack.put("Outbox", &known).await;
    sweep(stack).await;
    let events = stack.events(&id, 4).await;
    assert_eq!(types(&events[2..]), ["AUTH_USER_CREATED", "NEW_DEVICE_TOKEN"]);
    stack.wait_until_delivered(NEXT).await;
}
