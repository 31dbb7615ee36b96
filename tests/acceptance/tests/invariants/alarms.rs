//! The metrics that the alarms watch: each condition is caused in the local stack, and the functions write the metric of its
//! alarm, above the alarm's threshold.
//!
//! AWS alone measures errors, throttles and latencies. There, the tests look at what the functions write instead.

use crate::delivery_reports::report_text;
use acceptance::drivers::names;
use acceptance::faults::{Fault, of_store};
use acceptance::{
    NO_LIMITS, TestStack, date_in, goodcity, gotu, new_email, new_phone, without_limits,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use template::{Alarm, Template};

fn template() -> Template {
    Template::load().unwrap_or_else(|error| panic!("{error:#}"))
}

/// The alarms that watch the errors of functions.
fn errors_alarms(template: &Template) -> impl Iterator<Item = &Alarm> {
    template.alarms.iter().filter(|alarm| alarm.id.ends_with("ErrorsAlarm"))
}

#[test]
fn each_function_is_in_the_errors_alarm_of_its_contract_and_in_no_other() {
    let template = template();
    for function in &template.functions {
        let alarms = errors_alarms(&template).filter(|it| it.functions.contains(&function.id));
        // An alarm takes ten functions, so a contract with more has a second one.
        let ids: Vec<_> = alarms.map(|it| it.id.to_lowercase().replace("more", "")).collect();
        let contract =
            names().into_iter().find(|name| function.name.starts_with(&format!("{name}-")));
        assert_eq!(
            ids,
            [format!("{}errorsalarm", contract.unwrap_or("shared"))],
            "{}",
            function.name
        );
    }
}

/// Every text of a JSON value.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(values) => values.iter().flat_map(texts).collect(),
        Value::Object(members) => members.values().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

/// The metrics that an alarm watches, each with its namespace.
fn metrics(properties: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    if let Some(name) = properties["MetricName"].as_str() {
        found.push((texts(&properties["Namespace"]).concat(), name.to_owned()));
    }
    match properties {
        Value::Array(values) => found.extend(values.iter().flat_map(metrics)),
        Value::Object(members) => found.extend(members.values().flat_map(metrics)),
        _ => {}
    }
    found
}

#[tokio::test]
async fn the_functions_write_every_metric_that_an_alarm_of_ours_watches() {
    let template = template();
    let watched: BTreeSet<_> = template
        .alarms
        .iter()
        .flat_map(|alarm| metrics(&alarm.properties))
        .filter(|(namespace, _)| namespace.starts_with("Latchkey"))
        .map(|(_, name)| name)
        // CloudWatch writes this one, from the lines of level ERROR.
        .filter(|name| name != "ErrorLines")
        .collect();
    assert!(watched.len() >= 3, "{watched:?}");
    // The second code of the hour is half of what the contract may send.
    let until = date_in(2);
    let test_numbers = format!("+447700900123=48213@gotu:{until}");
    let env = without_limits(&[
        ("MESSAGES_PER_HOUR", "2"),
        ("DELIVERY_REPORTS", "on"),
        ("TEST_NUMBERS", &test_numbers),
        ("ANSWERS_TABLE", "absent"),
    ]);
    let stack = &TestStack::with(&env).await;
    let phone = new_phone();
    gotu(stack).registered(&phone).await;
    for status in ["DELIVERED", "UNREACHABLE"] {
        report_text(stack, &phone, status).await;
    }
    stack.fault(&of_store("error").in_function("gotu-post-users")).await;
    gotu(stack).sign_up_by_email(&new_email()).await;
    // A release that names a table wrongly.
    let keyed = stack.call("gotu-post-otp").header("idempotency-key", "a-key-of-this-test");
    assert_eq!(keyed.json(&json!({})).await.status, 500);
    for mode in ["refuse", "misconfigured"] {
        stack.fault(&Fault::of("sns", mode).times(1)).await;
    }
    goodcity(stack).sign_up("+85251234567").await;
    stack.fault(&Fault::of("sns", "error")).await;
    gotu(stack).ask_for_code(&new_phone(), "sign_up").await;
    let written = || async {
        let samples: BTreeSet<_> = stack.samples().into_iter().map(|it| it.metric).collect();
        watched.is_subset(&samples).then_some(())
    };
    stack.wait_for(&format!("{watched:?}"), written).await;
}

/// Streams invoke the relay as well, so that its invocations say nothing of its sweeps.
#[tokio::test]
async fn each_part_of_the_outbox_is_swept_and_counted() {
    let template = template();
    let alarm = template.alarms.iter().find(|alarm| alarm.id == "RelayHeartbeatAlarm").unwrap();
    let metrics = alarm.properties["Metrics"].as_array().unwrap().iter();
    let parts = metrics.filter_map(|it| {
        it.pointer("/MetricStat/Metric/Dimensions/0/Value")?.as_str().map(str::to_owned)
    });
    let watched: BTreeSet<_> = parts.collect();
    assert_eq!(watched.len(), 4);
    let stack = &TestStack::with(&NO_LIMITS).await;
    let swept = || async {
        let sweeps = stack.samples().into_iter().filter(|sample| sample.metric == "Sweeps");
        let parts: BTreeSet<_> =
            sweeps.filter_map(|sample| sample.dimensions.get("Part").cloned()).collect();
        (parts == watched).then_some(())
    };
    stack.wait_for("a sweep of each part", swept).await;
}

/// The threshold of an alarm: a number, or the default of a parameter.
fn threshold(id: &str) -> f64 {
    let template = template();
    let alarm = template.alarms.iter().find(|alarm| alarm.id == id).unwrap();
    let value = template.resolve(&alarm.properties["Threshold"]).unwrap().unwrap();
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    text.parse().unwrap_or_else(|_| panic!("the threshold of {id}: {text}"))
}

/// Requires this sum of a metric without dimensions, or with exactly these.
#[track_caller]
fn assert_sum(stack: &TestStack, metric: &str, dimensions: &[(&str, &str)], expected: f64) {
    let sum = stack.sum(metric, dimensions);
    assert!((sum - expected).abs() < f64::EPSILON, "{metric} {dimensions:?}: {sum}");
}

#[tokio::test]
async fn a_store_that_is_down_counts_as_faults_and_writes_error_lines() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    gotu(stack).ask_for_code(&new_phone(), "sign_up").await.expect_text(204, "");
    stack.wait_for_sum("CodesSent", 1.0).await;
    let errors = || stack.json_lines().iter().filter(|(_, it)| it["level"] == "ERROR").count();
    assert_sum(stack, "Faults", &[], 0.0);
    assert_eq!(errors(), 0);
    stack.fault(&of_store("error")).await;
    for _ in 0..5 {
        let reply = gotu(stack).ask_for_code(&new_phone(), "sign_up").await;
        assert_eq!(reply.status, 500, "{reply:?}");
    }
    stack.wait_for_sum("Faults", 5.0).await;
    assert!(stack.sum("Faults", &[("Function", "gotu-post-otp")]) >= 5.0);
    assert!(errors() >= 5);
}

/// What the release does wrong counts as its defect, and what every release meets does not.
#[tokio::test]
async fn a_table_that_a_release_cannot_find_is_its_defect_and_a_throttled_one_is_not() {
    let env = without_limits(&[("ANSWERS_TABLE", "absent"), ("RELEASE", "4f2a")]);
    let stack = &TestStack::with(&env).await;
    for mode in ["throttle", "error", "timeout"] {
        stack.fault(&of_store(mode).in_function("gotu-post-otp").times(100)).await;
        let reply = gotu(stack).ask_for_code(&new_phone(), "sign_up").await;
        assert_eq!(reply.status, 500, "{mode}: {reply:?}");
        stack.clear_faults().await;
    }
    stack.wait_for_sum("Faults", 3.0).await;
    assert_sum(stack, "Defects", &[], 0.0);
    let keyed = stack.call("gotu-post-otp").header("idempotency-key", "a-key-of-this-test");
    assert_eq!(keyed.json(&json!({})).await.status, 500);
    stack.wait_for_sum("Defects", 1.0).await;
    assert_sum(stack, "Defects", &[("Release", "4f2a")], 1.0);
}

/// AWS/Lambda Errors are counted by Lambda itself. A function that did not answer shows in API Gateway's own answer.
#[tokio::test]
async fn a_crash_is_answered_by_the_gateway_and_is_not_among_the_faults() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    stack.fault(&of_store("crash-before").in_function("gotu-post-otp")).await;
    for _ in 0..3 {
        let reply = gotu(stack).ask_for_code(&new_phone(), "sign_up").await;
        reply.expect(500, &json!({"message": "Internal Server Error"}));
    }
    // The process that crashed counts nothing.
    assert_sum(stack, "Faults", &[], 0.0);
}

/// AWS/ApiGateway Latency is measured by API Gateway: here, by the functions' own lines.
#[tokio::test]
async fn a_slow_store_shows_in_the_duration_of_a_request() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let threshold = threshold("LatencyAlarm");
    let durations = || {
        let lines = stack.lines("request");
        lines.iter().map(|line| line["duration_ms"].as_f64().unwrap()).collect::<Vec<_>>()
    };
    let seen = async |count| {
        let look = || async { Some(durations()).filter(|durations| durations.len() >= count) };
        stack.wait_for("the requests' lines", look).await
    };
    gotu(stack).ask_for_code(&new_phone(), "sign_up").await;
    assert!(seen(1).await[0] < threshold);
    stack.fault(&of_store("timeout")).await;
    gotu(stack).ask_for_code(&new_phone(), "sign_up").await;
    let slow = seen(2).await;
    assert!(slow[1] > threshold, "{slow:?}");
}

/// AWS/Lambda `IteratorAge` is measured by the event source mapping: here, by the relay's own line.
#[tokio::test]
async fn effects_that_wait_show_their_age() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    stack.fault(&Fault::of("sns", "error")).await;
    let phone = new_phone();
    gotu(stack).ask_for_code(&phone, "sign_up").await.expect_text(204, "");
    let ages = || {
        let samples = stack.samples().into_iter().filter(|sample| sample.metric == "OutboxAge");
        samples.map(|sample| sample.value).fold(0.0, f64::max)
    };
    let older = async |than: f64| {
        stack.wait_for("an age", || async { Some(ages()).filter(|age| *age > than) }).await
    };
    let threshold = threshold("OutboxAgeAlarm");
    assert!(older(0.0).await < threshold, "a moment is not an outage");
    // As if the entry had been written long ago.
    let entry = stack.items_with("Outbox", &phone).await.remove(0);
    stack.set_past("Outbox", "event_id", entry["event_id"].clone(), "written_at").await;
    older(threshold).await;
    stack.clear_faults().await;
    stack.wait_until_delivered(&phone).await;
    let delivered = || async {
        let batches = stack.lines("batch");
        batches.iter().find(|line| line["delivered"] == 1)?["lag_ms"].as_f64()
    };
    let lag = stack.wait_for("a late batch", delivered).await;
    assert!(lag > self::threshold("RelayIteratorAgeAlarm"), "{lag}");
}

#[tokio::test]
async fn sent_and_used_codes_are_counted() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let phones: Vec<_> = (0..5).map(|_| new_phone()).collect();
    let mut codes = Vec::new();
    for phone in &phones {
        codes.push(gotu(stack).code(phone, "sign_up", 1).await);
    }
    stack.wait_for_sum("CodesSent", 5.0).await;
    assert_sum(stack, "CodesSent", &[], 5.0);
    assert_sum(stack, "CodesVerified", &[], 0.0);
    for (phone, code) in phones.iter().zip(&codes).take(2) {
        assert_eq!(gotu(stack).sign_up_by_phone(phone, code).await.status, 200);
    }
    stack.wait_for_sum("CodesVerified", 2.0).await;
    assert_sum(stack, "CodesVerified", &[], 2.0);
    assert_sum(stack, "CodesSent", &[], 5.0);
}

#[tokio::test]
async fn each_action_of_a_user_is_counted_once() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let (phone, email) = (new_phone(), new_email());
    let code = gotu(stack).code(&phone, "sign_up", 1).await;
    for (code, status) in [("9999", 401), (code.as_str(), 200), (code.as_str(), 401)] {
        assert_eq!(gotu(stack).sign_up_by_phone(&phone, code).await.status, status);
    }
    for status in [200, 400] {
        assert_eq!(gotu(stack).sign_up_by_email(&email).await.status, status);
    }
    stack.wait_for_sum("SignUps", 2.0).await;
    let gotu = ("Contract", "gotu");
    for (metric, dimensions, expected) in [
        ("SignUps", vec![], 2.0),
        ("SignUps", vec![gotu], 2.0),
        ("CodesSent", vec![gotu], 1.0),
        ("CodesVerified", vec![gotu], 1.0),
        ("CodesRefused", vec![gotu, ("Cause", "wrong_code")], 1.0),
        ("CodesRefused", vec![gotu, ("Cause", "no_code")], 1.0),
        ("Refusals", vec![gotu, ("Class", "denied")], 2.0),
        ("Refusals", vec![gotu, ("Class", "invalid")], 1.0),
        ("Faults", vec![], 0.0),
    ] {
        assert_sum(stack, metric, &dimensions, expected);
    }
    // The functions' own count of write units is equal to the store's.
    let calls = stack.calls("gotu-post-users").await;
    let reported: f64 = calls
        .iter()
        .filter(|call| call["status"] == 200)
        .filter(|call| !call["operation"].as_str().unwrap().contains("Get"))
        .filter_map(|call| call["units"].as_f64())
        .sum();
    let units = stack.sum("WriteUnits", &[("Function", "gotu-post-users")]);
    assert!(units > 0.0 && (units - reported).abs() < f64::EPSILON, "{units} of {reported}");
}
