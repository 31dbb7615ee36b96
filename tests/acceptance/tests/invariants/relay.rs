//! Invariant 5: SNS, SES or EventBridge down: requests still succeed, and every effect arrives
//! once they are back.

use acceptance::{NO_LIMITS, World, new_email, new_phone, user_id};
use serde_json::{Value, json};

async fn down(world: &World, service: &str, mode: &str) {
    world.fault(&json!({"service": service, "mode": mode, "count": 1_000_000})).await;
}

#[tokio::test]
async fn effects_arrive_once_their_carrier_is_back() {
    let world = World::with(&NO_LIMITS).await;
    down(&world, "sns", "error").await;
    down(&world, "ses", "throttle").await;
    down(&world, "events", "error").await;
    let (phone, address, email) = (new_phone(), new_email(), new_email());
    for identifier in [&phone, &address] {
        let body = json!({"identifier": identifier, "otpType": "sign_up"});
        assert_eq!(world.post("/otp", &body).await.status, 204);
    }
    let id = user_id(&world.sign_up_by_email(&email).await);
    // The relay has tried and failed before anything comes back. Not all of it: as on AWS, a record
    // waits behind a failing one of its lane.
    let tried = async || {
        let calls = world.calls("relay").await;
        let carriers = ["sns", "ses", "events"];
        calls.iter().any(|call| carriers.iter().any(|name| call["service"] == *name)).then_some(())
    };
    world.until("a try", tried).await;
    assert!(world.messages(&phone).await.is_empty() && world.events_of(&id).await.is_empty());
    world.heal().await;
    world.message(&phone, 1).await;
    world.message(&address, 1).await;
    let events = world.events(&id, 2).await;
    let types: Vec<_> = events.iter().map(|event| &event["detailType"]).collect();
    assert_eq!(types, ["AUTH_USER_CREATED", "NEW_DEVICE_TOKEN"]);
    for text in [&phone, &address, &email] {
        world.settled(text).await;
    }
    assert_eq!(world.messages(&phone).await.len(), 1);
}

#[tokio::test]
async fn a_bus_that_takes_events_in_part_is_asked_again() {
    let world = World::with(&NO_LIMITS).await;
    world.fault(&json!({"service": "events", "mode": "partial", "count": 2})).await;
    let id = user_id(&world.sign_up_by_email(&new_email()).await);
    world.events(&id, 2).await;
    world.settled(&id).await;
    let events = world.events_of(&id).await;
    assert_eq!(events.len(), 2);
    assert_eq!(events[0]["detail"]["sequence"], 1);
    let puts = world.calls("relay").await;
    let puts = puts.iter().filter(|call| call["operation"] == "PutEvents").count();
    assert_eq!(puts, 3);
}

#[tokio::test]
async fn what_went_out_is_not_repeated_for_what_did_not() {
    let world = World::with(&NO_LIMITS).await;
    down(&world, "sns", "error").await;
    let mobile = "+85251224538";
    let body = json!({"user_auth": {"mobile": mobile, "address_attributes": {}}});
    assert_eq!(world.post("/api/v1/auth/signup", &body).await.status, 200);
    // One entry, an event and a text: the event is out, and the text alone is left.
    let left = async || {
        let entries = world.items("Outbox").await;
        let effects = entries.first().map(|entry| entry["effects"].as_array().unwrap().len());
        (entries.len() == 1 && effects == Some(1)).then_some(())
    };
    world.until("a shorter entry", left).await;
    assert!(world.messages(mobile).await.is_empty());
    world.heal().await;
    world.message(mobile, 1).await;
    world.settled(mobile).await;
    assert_eq!(world.all_events().await.len(), 1);
    assert_eq!(world.messages(mobile).await.len(), 1);
}

#[tokio::test]
async fn a_code_that_was_replaced_or_has_ended_is_not_sent() {
    let world = World::with(&NO_LIMITS).await;
    down(&world, "sns", "error").await;
    let (replaced, ended) = (new_phone(), new_phone());
    for phone in [&replaced, &replaced, &ended] {
        let body = json!({"identifier": phone, "otpType": "sign_up"});
        assert_eq!(world.post("/otp", &body).await.status, 204);
    }
    // The entry of the one that has ended.
    let entry = world.items_with("Outbox", &ended).await.remove(0);
    let update = json!({"TableName": "Outbox", "Key": {"event_id": {"S": entry["event_id"]}},
        "UpdateExpression": "SET effects[0].expires_at = :past",
        "ExpressionAttributeValues": {":past": {"N": "1000"}}});
    world.dynamodb("UpdateItem", &update).await;
    world.heal().await;
    world.message(&replaced, 1).await;
    world.settled(&replaced).await;
    world.settled(&ended).await;
    assert_eq!(world.messages(&replaced).await.len(), 1);
    assert!(world.messages(&ended).await.is_empty());
}

#[tokio::test]
async fn the_sweep_delivers_what_the_stream_missed() {
    let world = World::with(&NO_LIMITS).await;
    // The stream's way of reading is shut; the sweep scans.
    world
        .fault(&json!({"service": "dynamodb", "operation": "BatchGetItem", "mode": "error",
            "function": "relay", "count": 1_000_000}))
        .await;
    let id = user_id(&world.sign_up_by_email(&new_email()).await);
    sweep(&world).await;
    assert_eq!(world.items("Outbox").await.len(), 1, "young entries are the stream's");
    age(&world, &world.items("Outbox").await.remove(0)).await;
    sweep(&world).await;
    assert_eq!(world.events_of(&id).await.len(), 2);
    assert!(world.items("Outbox").await.is_empty());
    // The stream, free again, finds nothing left to send.
    world.heal().await;
    let other = user_id(&world.sign_up_by_email(&new_email()).await);
    world.events(&other, 2).await;
    assert_eq!(world.events_of(&id).await.len(), 2);
}

#[tokio::test]
async fn a_carrier_that_refuses_for_good_is_not_asked_again() {
    let world = World::with(&NO_LIMITS).await;
    for service in ["sns", "ses"] {
        world.fault(&json!({"service": service, "mode": "refuse", "count": 1_000_000})).await;
    }
    for identifier in [new_phone(), new_email()] {
        let body = json!({"identifier": identifier, "otpType": "sign_up"});
        assert_eq!(world.post("/otp", &body).await.status, 204);
        world.settled(&identifier).await;
        assert!(world.messages(&identifier).await.is_empty());
    }
    let calls = world.calls("relay").await;
    let sends = calls.iter().filter(|call| call["service"] == "sns" || call["service"] == "ses");
    assert_eq!(sends.count(), 2);
    let logs = world.stack().logs();
    let said = logs.iter().filter(|line| line.contains("refused the recipient permanently"));
    assert_eq!(said.count(), 2);
}

#[tokio::test]
async fn an_entry_that_cannot_be_read_holds_up_no_sweep() {
    let world = World::with(&NO_LIMITS).await;
    // The stream's way of reading is shut; the sweep scans.
    world
        .fault(&json!({"service": "dynamodb", "operation": "BatchGetItem", "mode": "error",
            "function": "relay", "count": 1_000_000}))
        .await;
    let id = user_id(&world.sign_up_by_email(&new_email()).await);
    age(&world, &world.items("Outbox").await.remove(0)).await;
    for name in ["an-entry", "of-a-newer-version", "zz"] {
        let item = json!({"event_id": {"S": name}, "written_at": {"N": "1000"},
            "effects": {"L": [{"M": {"effect": {"S": "carrier-pigeon"}}}]}});
        world.dynamodb("PutItem", &json!({"TableName": "Outbox", "Item": item})).await;
    }
    sweep(&world).await;
    assert_eq!(world.events_of(&id).await.len(), 2);
    assert_eq!(world.items("Outbox").await.len(), 3, "what cannot be read is kept");
}

/// Makes an outbox entry old enough for the sweep.
async fn age(world: &World, entry: &Value) {
    let update = json!({"TableName": "Outbox", "Key": {"event_id": {"S": entry["event_id"]}},
        "UpdateExpression": "SET written_at = :past",
        "ExpressionAttributeValues": {":past": {"N": "1000"}}});
    world.dynamodb("UpdateItem", &update).await;
}

/// Invokes the relay as the schedule does.
async fn sweep(world: &World) {
    let path = "/2015-03-31/functions/relay/invocations";
    let reply = world.post(path, &json!({"source": "aws.events"})).await;
    assert_eq!((reply.status, reply.header("x-amz-function-error")), (200, ""), "{reply:?}");
}

#[tokio::test]
async fn a_crash_of_the_relay_loses_nothing() {
    let world = World::with(&NO_LIMITS).await;
    for (service, mode) in
        [("events", "crash-before"), ("events", "crash-after"), ("dynamodb", "crash-before")]
    {
        world
            .fault(&json!({"service": service, "mode": mode, "function": "relay", "count": 1}))
            .await;
        let id = user_id(&world.sign_up_by_email(&new_email()).await);
        let events = world.events(&id, 2).await;
        world.settled(&id).await;
        let mut types: Vec<_> =
            events.iter().map(|event| event["detailType"].to_string()).collect();
        types.sort();
        types.dedup();
        assert_eq!(types.len(), 2, "{service} {mode}: {events:?}");
        // What is put twice has the same ids, so that a consumer can tell.
        let mut ids: Vec<_> = world
            .events_of(&id)
            .await
            .iter()
            .map(|event| event["detail"]["eventId"].to_string())
            .collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 2, "{service} {mode}");
        world.heal().await;
    }
}
