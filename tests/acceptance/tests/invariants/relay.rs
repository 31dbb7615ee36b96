//! Requests succeed while SNS, SES or EventBridge is down, and every effect arrives once it is back.

use acceptance::drivers::drivers;
use acceptance::events::types;
use acceptance::faults::{Fault, of_store};
use acceptance::goodcity::otp_auth_key;
use acceptance::gotu::user_id;
use acceptance::{
    NO_LIMITS, TestStack, all, count, goodcity, gotu, new_email, new_phone, without_limits,
};
use serde_json::{Value, json};
use template::{Stream, Template};

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
async fn a_text_that_failed_does_not_hold_up_the_event_of_its_transaction() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    stack.fault(&Fault::of("sns", "error")).await;
    let mobile = "+85251224538";
    let reply = goodcity(stack).sign_up(mobile).await;
    assert_eq!(otp_auth_key(&reply).len(), 24);
    let left = async || (stack.items("Outbox").await.len() == 1).then_some(());
    stack.wait_for("the entry of the text alone", left).await;
    assert!(stack.messages(mobile).await.is_empty());
    stack.clear_faults().await;
    stack.message(mobile, 1).await;
    stack.wait_until_delivered(mobile).await;
    assert_eq!(stack.all_events().await.len(), 1);
    assert_eq!(stack.messages(mobile).await.len(), 1);
}

/// The streams of the relay that take an entry with this id.
fn streams_of(id: &str) -> Vec<String> {
    let template = Template::load().unwrap_or_else(|error| panic!("{error:#}"));
    let relay = template.function("relay").unwrap();
    let takes = |stream: &&Stream| stream.key_prefixes.iter().any(|it| id.starts_with(it));
    relay.streams().filter(takes).map(|stream| stream.name.clone()).collect()
}

#[tokio::test]
async fn messages_and_events_come_by_streams_of_their_own() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    stack.fault(&of_store("error").at("BatchGetItem").in_function("relay")).await;
    goodcity(stack).sign_up("+85251224539").await;
    let mut seen = Vec::new();
    for entry in stack.items("Outbox").await {
        let is_event = |effect: &Value| effect["effect"] == "event";
        let effects = entry["effects"].as_array().unwrap();
        let events = effects.iter().filter(|effect| is_event(effect)).count();
        seen.push((streams_of(entry["event_id"].as_str().unwrap()), events, effects.len()));
    }
    seen.sort();
    let expected = [("Events", 1, 1), ("Outbox", 0, 1)];
    assert_eq!(seen, expected.map(|(stream, events, all)| (vec![stream.to_owned()], events, all)));
    // The ids of a version that kept both in one item.
    for digit in "0123456789abcdef".chars() {
        assert_eq!(streams_of(&digit.to_string()), ["Events"]);
    }
}

#[tokio::test]
async fn a_code_that_was_replaced_or_has_ended_is_not_sent() {
    let stack = &TestStack::unscheduled(&NO_LIMITS).await;
    hold_streams(stack).await;
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
    miss(stack, "1000").await;
    sweep(stack).await;
    assert!(stack.items("Outbox").await.is_empty());
    assert_eq!(stack.messages(&replaced).await.len(), 1);
    assert!(stack.messages(&ended).await.is_empty());
    // The code that was replaced does not count.
    assert!((stack.wait_for_sum("CodesEnded", 1.0).await - 1.0).abs() < f64::EPSILON);
}

#[tokio::test]
async fn the_sweep_delivers_what_the_stream_missed() {
    let stack = &TestStack::unscheduled(&NO_LIMITS).await;
    hold_streams(stack).await;
    let id = user_id(&gotu(stack).sign_up_by_email(&new_email()).await);
    miss(stack, "2147483647").await;
    sweep(stack).await;
    assert_eq!(stack.items("Outbox").await.len(), 1, "the stream delivers young entries");
    age(stack, &stack.items("Outbox").await.remove(0)).await;
    sweep(stack).await;
    assert_eq!(stack.events_of(&id).await.len(), 2);
    assert!(stack.items("Outbox").await.is_empty());
    // The stream, free again, finds nothing left to send.
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
    let stack = &TestStack::unscheduled(&NO_LIMITS).await;
    hold_streams(stack).await;
    let id = user_id(&gotu(stack).sign_up_by_email(&new_email()).await);
    miss(stack, "1000").await;
    for name in ["an-entry", "of-a-newer-version", "zz"] {
        let item = json!({"event_id": {"S": name}, "written_at": {"N": "1000"},
            "due_at": {"N": "999"}, "due_shard": {"S": "e#0"},
            "effects": {"L": [{"M": {"effect": {"S": "unknown"}}}]}});
        stack.put("Outbox", &item).await;
    }
    sweep(stack).await;
    assert_eq!(stack.events_of(&id).await.len(), 2);
    assert_eq!(stack.items("Outbox").await.len(), 3, "an entry that cannot be read is kept");
}

/// Makes the streams' way to read entries fail.
async fn hold_streams(stack: &TestStack) {
    stack.fault(&of_store("error").at("BatchGetItem").in_function("relay")).await;
}

/// Gives the entries ids that no stream takes, makes them due at a time in seconds, and lets the streams
/// go on: they missed them.
async fn miss(stack: &TestStack, due_at: &str) {
    let table = json!({"TableName": "Outbox"});
    for mut item in stack.dynamodb("Scan", &table).await["Items"].as_array().unwrap().clone() {
        let id = item["event_id"].take();
        item["event_id"] = json!({"S": format!("missed {}", id["S"].as_str().unwrap())});
        item["due_at"] = json!({"N": due_at});
        stack.put("Outbox", &item).await;
        let old = json!({"TableName": "Outbox", "Key": {"event_id": id}});
        stack.dynamodb("DeleteItem", &old).await;
    }
    stack.clear_faults().await;
}

/// Makes an outbox entry due.
async fn age(stack: &TestStack, entry: &Value) {
    stack.set_past("Outbox", "event_id", entry["event_id"].clone(), "due_at").await;
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

#[tokio::test]
async fn eight_queued_sweeps_send_fifty_texts_for_fifty_codes() {
    let stack = &TestStack::unscheduled(&NO_LIMITS).await;
    hold_streams(stack).await;
    let phones: Vec<_> = (0..50).map(|_| new_phone()).collect();
    let asked = phones.iter().map(|phone| gotu(stack).ask_for_code(phone, "sign_up"));
    assert_eq!(count(&all(asked).await, 204), 50);
    miss(stack, "1000").await;
    all((0..8).map(|_| async { sweep(stack).await })).await;
    for phone in &phones {
        assert_eq!(stack.messages(phone).await.len(), 1, "{phone}");
    }
    assert!(stack.items("Outbox").await.is_empty());
}

#[tokio::test]
async fn a_relay_that_ends_after_it_sent_repeats_one_text_after_its_claim() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    stack.fault(&Fault::of("sns", "crash-after").in_function("relay").times(1)).await;
    let phone = new_phone();
    gotu(stack).ask_for_code(&phone, "sign_up").await.expect_text(204, "");
    stack.message(&phone, 1).await;
    let claimed = async || {
        let entries = stack.items_with("Outbox", &phone).await;
        entries.into_iter().find(|entry| entry.get("claimed_until").is_some())
    };
    let entry = stack.wait_for("a claim", claimed).await;
    let id = &entry["event_id"];
    age(stack, &entry).await;
    sweep(stack).await;
    assert_eq!(stack.messages(&phone).await.len(), 1, "the claim lasts");
    stack.set_past("Outbox", "event_id", id.clone(), "claimed_until").await;
    sweep(stack).await;
    assert_eq!(stack.messages(&phone).await.len(), 2);
    assert!(stack.items_with("Outbox", &phone).await.is_empty());
    sweep(stack).await;
    assert_eq!(stack.messages(&phone).await.len(), 2);
}

/// Invokes the relay as an operator does.
async fn operate(stack: &TestStack, task: Value) -> Value {
    let reply = stack.invoke("relay", &json!({"outbox": task})).await;
    reply.expect_invoked();
    reply.json()
}

#[tokio::test]
async fn what_failed_often_arrives_soon_after_the_fault_ends() {
    let stack = &TestStack::with(&without_limits(&[("BREAKER_SECONDS", "0")])).await;
    for service in SERVICES {
        stack.fault(&Fault::of(service, "error")).await;
    }
    let phone = new_phone();
    gotu(stack).ask_for_code(&phone, "sign_up").await.expect_text(204, "");
    let id = user_id(&gotu(stack).sign_up_by_email(&new_email()).await);
    let tried = async |more_than: i64| {
        let failed = async || {
            let entries = stack.items("Outbox").await;
            let tries = entries.iter().filter_map(|entry| entry["tries"].as_i64());
            (tries.filter(|tries| *tries > more_than).count() == 2).then_some(entries)
        };
        stack.wait_for("tries of both", failed).await
    };
    for entry in tried(2).await {
        let many = json!({"N": "20"});
        stack.set("Outbox", "event_id", entry["event_id"].clone(), "tries", &many).await;
    }
    tried(20).await;
    stack.clear_faults().await;
    stack.message(&phone, 1).await;
    stack.events(&id, 2).await;
}

#[tokio::test]
async fn an_operator_reads_why_an_entry_is_parked_and_releases_or_drops_it() {
    let stack = &TestStack::unscheduled(&without_limits(&[("BREAKER_SECONDS", "0")])).await;
    hold_streams(stack).await;
    let mut ids = Vec::new();
    for _ in 0..2 {
        ids.push(user_id(&gotu(stack).sign_up_by_email(&new_email()).await));
    }
    miss(stack, "1000").await;
    stack.fault(&Fault::of("events", "error")).await;
    assert_eq!(operate(stack, json!("parked")).await, json!({"parked": []}));
    for entry in stack.items("Outbox").await {
        let last = json!({"N": "149"});
        stack.set("Outbox", "event_id", entry["event_id"].clone(), "tries", &last).await;
    }
    sweep(stack).await;
    let parked = operate(stack, json!("parked")).await;
    let parked = parked["parked"].as_array().unwrap();
    assert_eq!(parked.len(), 2, "{parked:?}");
    for entry in parked {
        assert_eq!(entry["tries"], 150, "{entry}");
        assert_eq!(entry["effects"], json!(["AUTH_USER_CREATED", "NEW_DEVICE_TOKEN"]));
        assert!(entry["error"].as_str().unwrap().contains("publish"), "{entry}");
    }
    stack.clear_faults().await;
    sweep(stack).await;
    assert_eq!(stack.items("Outbox").await.len(), 2, "no try is made of them");
    let (first, second) = (&parked[0]["id"], &parked[1]["id"]);
    let released = operate(stack, json!({"release": first})).await;
    assert_eq!(released, json!({"released": true}));
    assert_eq!(operate(stack, json!({"drop": second})).await, json!({"dropped": true}));
    assert_eq!(operate(stack, json!({"drop": second})).await, json!({"dropped": false}));
    sweep(stack).await;
    let mut events = Vec::new();
    for id in &ids {
        events.extend(stack.events_of(id).await);
    }
    assert_eq!(events.len(), 2, "those of the released entry");
    assert!(stack.items("Outbox").await.is_empty());
    let refused = stack.invoke("relay", &json!({"outbox": "all"})).await;
    assert_eq!(refused.header("x-amz-function-error"), "Unhandled", "{refused:?}");
}

#[tokio::test]
async fn a_carrier_that_fails_is_left_alone_until_an_operator_deletes_the_pauses() {
    let stack = &TestStack::unscheduled(&without_limits(&[("BREAKER_SECONDS", "600")])).await;
    let ask = async |phone: &str| {
        gotu(stack).ask_for_code(phone, "sign_up").await.expect_text(204, "");
    };
    stack.fault(&Fault::of("sns", "error")).await;
    for _ in 0..3 {
        ask(&new_phone()).await;
    }
    let item = stack.wait_for("a pause", async || stack.items("Deliveries").await.pop()).await;
    let carriers: Vec<_> = item["paused_until"].as_object().unwrap().keys().collect();
    assert_eq!(carriers, ["sns#gotu#"]);
    stack.clear_faults().await;
    let phone = new_phone();
    ask(&phone).await;
    let deferred = async || {
        let entries = stack.items_with("Outbox", &phone).await;
        let due_at = entries.first()?["due_at"].as_f64()?;
        (due_at - entries.first()?["written_at"].as_f64()? > 100.0).then_some(())
    };
    stack.wait_for("the entry to wait for SNS", deferred).await;
    assert!(stack.messages(&phone).await.is_empty());
    let key = json!({"TableName": "Deliveries", "Key": {"delivery_id": {"S": "pauses"}}});
    stack.dynamodb("DeleteItem", &key).await;
    let next = new_phone();
    ask(&next).await;
    stack.message(&next, 1).await;
    miss(stack, "1000").await;
    sweep(stack).await;
    stack.message(&phone, 1).await;
}
