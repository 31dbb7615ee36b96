//! Requests succeed while SNS, SES or EventBridge is down, and every effect arrives once it is back.

use acceptance::drivers::drivers;
use acceptance::events::types;
use acceptance::faults::{Fault, of_store};
use acceptance::goodcity::otp_auth_key;
use acceptance::gotu::user_id;
use acceptance::{NO_LIMITS, TestStack, goodcity, gotu, new_email, new_phone};
use serde_json::{Value, json};

/// The services that the relay delivers to.
const SERVICES: [&str; 3] = ["sns", "ses", "events"];

#[tokio::test]
async fn effects_arrive_once_their_service_is_back() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let drivers = drivers(stack).await;
    for (service, mode) in [("sns", "error"), ("ses", "throttle"), ("events", "error")] {
        stack.fault(&Fault::of(service, mode)).await;
    }
    let (address, email) = (new_email(), new_email());
    gotu(stack).ask_for_code(&address, "sign_up").await.expect_text(204, "");
    let id = user_id(&gotu(stack).sign_up_by_email(&email).await);
    let mut people = Vec::new();
    for driver in &drivers {
        let person = driver.new_person();
        let asked = driver.ask_for_code(&person).await;
        assert!(asked.status < 300, "{asked:?}");
        people.push((driver, person, asked));
    }
    // The relay has tried and failed before the services are back. It has not tried each effect: as on AWS, a record waits
    // behind a failing record of its shard.
    let tried = async || {
        let calls = stack.calls("relay").await;
        calls.iter().any(|call| SERVICES.iter().any(|it| call["service"] == *it)).then_some(())
    };
    stack.wait_for("a try", tried).await;
    assert!(stack.messages(&address).await.is_empty() && stack.events_of(&id).await.is_empty());
    stack.clear_faults().await;
    for (driver, person, asked) in people {
        let code = driver.code(&person, 1).await;
        let reply = driver.enter_code(&person, &asked, &code).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        driver.expect_events(&person).await;
        stack.wait_until_delivered(&person.recipient).await;
        assert_eq!(stack.messages(&person.recipient).await.len(), 1, "{person:?}");
    }
    stack.message(&address, 1).await;
    let events = stack.events(&id, 2).await;
    assert_eq!(types(&events), ["AUTH_USER_CREATED", "NEW_DEVICE_TOKEN"]);
    stack.wait_until_delivered(&address).await;
    assert_eq!(stack.messages(&address).await.len(), 1);
}

#[tokio::test]
async fn events_that_the_bus_refuses_are_put_again() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    stack.fault(&Fault::of("events", "partial").times(2)).await;
    let id = user_id(&gotu(stack).sign_up_by_email(&new_email()).await);
    stack.events(&id, 2).await;
    stack.wait_until_delivered(&id).await;
    let events = stack.events_of(&id).await;
    assert_eq!(events.len(), 2);
    assert_eq!(events[0]["detail"]["sequence"], 1);
    let puts = stack.calls("relay").await;
    let puts = puts.iter().filter(|call| call["operation"] == "PutEvents").count();
    assert_eq!(puts, 3);
}

#[tokio::test]
async fn a_delivered_effect_is_not_repeated_for_one_that_failed() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    stack.fault(&Fault::of("sns", "error")).await;
    let mobile = "+85251224538";
    let reply = goodcity(stack).sign_up(mobile).await;
    assert_eq!(otp_auth_key(&reply).len(), 24);
    // One entry holds an event and a text. The event is delivered, and only the text is left.
    let left = async || {
        let entries = stack.items("Outbox").await;
        let effects = entries.first().map(|entry| entry["effects"].as_array().unwrap().len());
        (entries.len() == 1 && effects == Some(1)).then_some(())
    };
    stack.wait_for("a shorter entry", left).await;
    assert!(stack.messages(mobile).await.is_empty());
    stack.clear_faults().await;
    stack.message(mobile, 1).await;
    stack.wait_until_delivered(mobile).await;
    assert_eq!(stack.all_events().await.len(), 1);
    assert_eq!(stack.messages(mobile).await.len(), 1);
}

#[tokio::test]
async fn a_code_that_was_replaced_or_has_ended_is_not_sent() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    stack.fault(&Fault::of("sns", "error")).await;
    let (replaced, ended) = (new_phone(), new_phone());
    for phone in [&replaced, &replaced, &ended] {
        gotu(stack).ask_for_code(phone, "sign_up").await.expect_text(204, "");
    }
    // The entry of the code that is to expire.
    let entry = stack.items_with("Outbox", &ended).await.remove(0);
    let update = json!({"TableName": "Outbox", "Key": {"event_id": {"S": entry["event_id"]}},
        "UpdateExpression": "SET effects[0].expires_at = :past",
        "ExpressionAttributeValues": {":past": {"N": "1000"}}});
    stack.dynamodb("UpdateItem", &update).await;
    stack.clear_faults().await;
    stack.message(&replaced, 1).await;
    stack.wait_until_delivered(&replaced).await;
    stack.wait_until_delivered(&ended).await;
    assert_eq!(stack.messages(&replaced).await.len(), 1);
    assert!(stack.messages(&ended).await.is_empty());
}

#[tokio::test]
async fn the_sweep_delivers_what_the_stream_missed() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    // The stream's way to read entries fails. The sweep scans the table.
    stack.fault(&of_store("error").at("BatchGetItem").in_function("relay")).await;
    let id = user_id(&gotu(stack).sign_up_by_email(&new_email()).await);
    sweep(stack).await;
    assert_eq!(stack.items("Outbox").await.len(), 1, "the stream delivers young entries");
    age(stack, &stack.items("Outbox").await.remove(0)).await;
    sweep(stack).await;
    assert_eq!(stack.events_of(&id).await.len(), 2);
    assert!(stack.items("Outbox").await.is_empty());
    // The stream, free again, finds nothing left to send.
    stack.clear_faults().await;
    let other = user_id(&gotu(stack).sign_up_by_email(&new_email()).await);
    stack.events(&other, 2).await;
    assert_eq!(stack.events_of(&id).await.len(), 2);
}

#[tokio::test]
async fn a_permanent_refusal_is_not_tried_again() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    for service in ["sns", "ses"] {
        stack.fault(&Fault::of(service, "refuse")).await;
    }
    for identifier in [new_phone(), new_email()] {
        gotu(stack).ask_for_code(&identifier, "sign_up").await.expect_text(204, "");
        stack.wait_until_delivered(&identifier).await;
        assert!(stack.messages(&identifier).await.is_empty());
    }
    let calls = stack.calls("relay").await;
    let sends = calls.iter().filter(|call| call["service"] == "sns" || call["service"] == "ses");
    assert_eq!(sends.count(), 2);
    let lines = stack.json_lines();
    let warnings = lines.iter().filter(|(name, line)| name == "relay" && line["level"] == "WARN");
    assert_eq!(warnings.count(), 2, "each refusal is logged");
}

#[tokio::test]
async fn an_entry_that_cannot_be_read_does_not_stop_a_sweep() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    // The stream's way to read entries fails. The sweep scans the table.
    stack.fault(&of_store("error").at("BatchGetItem").in_function("relay")).await;
    let id = user_id(&gotu(stack).sign_up_by_email(&new_email()).await);
    age(stack, &stack.items("Outbox").await.remove(0)).await;
    for name in ["an-entry", "of-a-newer-version", "zz"] {
        let item = json!({"event_id": {"S": name}, "written_at": {"N": "1000"},
            "effects": {"L": [{"M": {"effect": {"S": "unknown"}}}]}});
        stack.put("Outbox", &item).await;
    }
    sweep(stack).await;
    assert_eq!(stack.events_of(&id).await.len(), 2);
    assert_eq!(stack.items("Outbox").await.len(), 3, "an entry that cannot be read is kept");
}

/// Makes an outbox entry old enough for the sweep.
async fn age(stack: &TestStack, entry: &Value) {
    stack.set_past("Outbox", "event_id", entry["event_id"].clone(), "written_at").await;
}

/// Invokes the relay as the schedule does.
async fn sweep(stack: &TestStack) {
    stack.invoke("relay", &json!({"source": "aws.events"})).await.expect_invoked();
}

#[tokio::test]
async fn a_crash_of_the_relay_loses_nothing() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    for (service, mode) in
        [("events", "crash-before"), ("events", "crash-after"), ("dynamodb", "crash-before")]
    {
        stack.fault(&Fault::of(service, mode).in_function("relay").times(1)).await;
        let id = user_id(&gotu(stack).sign_up_by_email(&new_email()).await);
        let events = stack.events(&id, 2).await;
        stack.wait_until_delivered(&id).await;
        let mut types: Vec<_> =
            events.iter().map(|event| event["detailType"].to_string()).collect();
        types.sort();
        types.dedup();
        assert_eq!(types.len(), 2, "{service} {mode}: {events:?}");
        // An event that is put twice has the same id, so that a consumer can tell.
        let mut ids: Vec<_> = stack
            .events_of(&id)
            .await
            .iter()
            .map(|event| event["detail"]["eventId"].to_string())
            .collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 2, "{service} {mode}");
        stack.clear_faults().await;
    }
}
