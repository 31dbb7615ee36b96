//! Every alarm rings when it should: the condition is caused in the local stack, and the alarm, as
//! template.yaml defines it, judges the metrics that the real functions wrote.
//!
//! What AWS alone measures is taken from what can be seen here instead, and each test says so.

use super::cloudwatch::{Alarm, Sample, json_lines, resources, samples, sum};
use acceptance::{NO_LIMITS, Reply, World, new_email, new_phone};
use serde_json::{Value, json};

/// The alarms that are tested here.
const TESTED: [&str; 14] = [
    "ApiFaultsAlarm",
    "FaultsAlarm",
    "GotuErrorsAlarm",
    "GoodcityErrorsAlarm",
    "UrbanfitsErrorsAlarm",
    "PosbytzErrorsAlarm",
    "SharedErrorsAlarm",
    "ErrorLinesAlarm",
    "ThrottlesAlarm",
    "LatencyAlarm",
    "RelayIteratorAgeAlarm",
    "OutboxAgeAlarm",
    "CodesUnusedAlarm",
    "RelayDeadLettersAlarm",
];

fn rings(id: &str, samples: &[Sample]) -> bool {
    Alarm::named(id).breaches(samples)
}

async fn ask_for_code(world: &World, identifier: &str) -> Reply {
    world.post("/otp", &json!({"identifier": identifier, "otpType": "sign_up"})).await
}

/// AWS/ApiGateway 5xx, from the statuses that clients got.
fn of_gateway(replies: &[Reply]) -> Vec<Sample> {
    let faults = replies.iter().map(|reply| if reply.status >= 500 { 1.0 } else { 0.0 });
    let sample = |value| Sample::of_aws("AWS/ApiGateway", "5xx", ("ApiId", "Api"), value);
    faults.map(sample).collect()
}

/// The lines of this message, of any function.
fn lines(world: &World, message: &str) -> Vec<Value> {
    let lines = json_lines(&world.stack().logs()).into_iter().map(|(_, line)| line);
    lines.filter(|line| line["message"] == message).collect()
}

/// Waits until the metric's sum over everything is this.
async fn counted(world: &World, metric: &str, least: f64) -> Vec<Sample> {
    let look = || async {
        let samples = samples(&world.stack().logs());
        (sum(&samples, metric, &[]) >= least).then_some(samples)
    };
    world.until(metric, look).await
}

#[test]
fn every_alarm_of_the_template_is_tested() {
    let mut alarms = resources("AWS::CloudWatch::Alarm");
    alarms.sort();
    let mut tested = TESTED.to_vec();
    tested.sort_unstable();
    assert_eq!(alarms, tested);
}

#[tokio::test]
async fn a_store_that_is_down_rings_for_faults_and_error_lines() {
    let world = World::with(&NO_LIMITS).await;
    let calm = [ask_for_code(&world, &new_phone()).await];
    let quiet = counted(&world, "CodesSent", 1.0).await;
    for id in ["ApiFaultsAlarm", "FaultsAlarm", "ErrorLinesAlarm"] {
        assert!(!rings(id, &[quiet.clone(), of_gateway(&calm)].concat()), "{id}");
    }
    world.fault(&json!({"service": "dynamodb", "mode": "error", "count": 1_000_000})).await;
    let mut replies = Vec::new();
    for _ in 0..5 {
        replies.push(ask_for_code(&world, &new_phone()).await);
    }
    let faults = counted(&world, "Faults", 5.0).await;
    assert!(sum(&faults, "Faults", &[("Function", "gotu-post-otp")]) >= 5.0);
    let all = [faults, of_gateway(&replies)].concat();
    for id in ["ApiFaultsAlarm", "FaultsAlarm", "ErrorLinesAlarm"] {
        assert!(rings(id, &all), "{id}: {all:?}");
    }
}

/// AWS/Lambda Errors of a function.
fn errors_of(id: &str, count: usize) -> Vec<Sample> {
    vec![Sample::of_aws("AWS/Lambda", "Errors", ("FunctionName", id), 1.0); count]
}

#[test]
fn each_function_rings_for_its_own_errors_and_no_other_stacks() {
    let ringing = |id: &str, count| {
        let errors = errors_of(id, count);
        TESTED.into_iter().filter(|alarm| rings(alarm, &errors)).collect::<Vec<_>>()
    };
    for id in resources("AWS::Serverless::Function") {
        let mut contracts = ["Gotu", "Goodcity", "Urbanfits", "Posbytz"].into_iter();
        let contract = contracts.find(|contract| id.starts_with(contract));
        assert_eq!(ringing(&id, 3), [format!("{}ErrorsAlarm", contract.unwrap_or("Shared"))]);
        assert!(ringing(&id, 2).is_empty(), "{id}");
    }
    assert!(ringing("AnotherStacksFunction", 1000).is_empty());
    let few = [errors_of("GotuPostOtpFunction", 2), errors_of("GotuPostUsersFunction", 1)];
    assert!(rings("GotuErrorsAlarm", &few.concat()), "they add up");
}

/// AWS/Lambda Errors are Lambda's own to count: here, the answers in the gateway's words, which it
/// gives when the function did not answer.
#[tokio::test]
async fn a_function_that_crashes_rings() {
    let world = World::with(&NO_LIMITS).await;
    let crash = json!({"service": "dynamodb", "mode": "crash-before", "function": "gotu-post-otp",
        "count": 1_000_000});
    world.fault(&crash).await;
    let mut replies = Vec::new();
    for _ in 0..3 {
        replies.push(ask_for_code(&world, &new_phone()).await);
    }
    let crashed =
        replies.iter().filter(|reply| reply.json() == json!({"message": "Internal Server Error"}));
    assert_eq!(crashed.count(), 3, "{replies:?}");
    assert!(rings("GotuErrorsAlarm", &errors_of("GotuPostOtpFunction", 3)));
    assert!(rings("ApiFaultsAlarm", &of_gateway(&replies)));
    assert!(!rings("FaultsAlarm", &samples(&world.stack().logs())), "nobody was left to count");
}

/// AWS/ApiGateway Latency: here, the time that the functions' own lines tell.
#[tokio::test]
async fn a_slow_store_rings_for_latency() {
    let world = World::with(&NO_LIMITS).await;
    let latencies = || async {
        let times = lines(&world, "request").into_iter().map(|line| line["duration_ms"].as_f64());
        let sample = |time: Option<f64>| {
            Sample::of_aws("AWS/ApiGateway", "Latency", ("ApiId", "Api"), time.unwrap())
        };
        times.map(sample).collect::<Vec<_>>()
    };
    let seen = async |count| {
        let look = || async {
            let latencies = latencies().await;
            (latencies.len() >= count).then_some(latencies)
        };
        world.until("the requests' lines", look).await
    };
    ask_for_code(&world, &new_phone()).await;
    assert!(!rings("LatencyAlarm", &seen(1).await));
    world.fault(&json!({"service": "dynamodb", "mode": "timeout", "count": 1_000_000})).await;
    ask_for_code(&world, &new_phone()).await;
    let slow = seen(2).await;
    assert!(rings("LatencyAlarm", &slow), "{slow:?}");
}

/// AWS/Lambda `IteratorAge` is what the event source mapping measures: here, the relay's own line of a
/// batch that was delivered late.
#[tokio::test]
async fn effects_that_wait_ring_for_their_age() {
    let world = World::with(&NO_LIMITS).await;
    world.fault(&json!({"service": "sns", "mode": "error", "count": 1_000_000})).await;
    let phone = new_phone();
    assert_eq!(ask_for_code(&world, &phone).await.status, 204);
    let young = counted(&world, "OutboxAge", 0.001).await;
    assert!(!rings("OutboxAgeAlarm", &young), "a moment is no outage: {young:?}");
    // As if it had been written long ago, so that nobody has to wait.
    let entry = world.items_with("Outbox", &phone).await.remove(0);
    let update = json!({"TableName": "Outbox", "Key": {"event_id": {"S": entry["event_id"]}},
        "UpdateExpression": "SET written_at = :past",
        "ExpressionAttributeValues": {":past": {"N": "1000"}}});
    world.dynamodb("UpdateItem", &update).await;
    let old = counted(&world, "OutboxAge", 180_000.0).await;
    assert!(rings("OutboxAgeAlarm", &old), "{old:?}");
    world.heal().await;
    world.settled(&phone).await;
    let delivered = || async {
        let batches = lines(&world, "batch");
        let late = batches.iter().find(|line| line["delivered"] == 1)?["lag_ms"].as_f64();
        late.map(|lag| {
            let dimension = ("FunctionName", "RelayFunction");
            Sample::of_aws("AWS/Lambda", "IteratorAge", dimension, lag)
        })
    };
    let late = world.until("a late batch", delivered).await;
    assert!(rings("RelayIteratorAgeAlarm", std::slice::from_ref(&late)), "{late:?}");
    let soon = Sample { value: 900.0, ..late };
    assert!(!rings("RelayIteratorAgeAlarm", &[soon]));
}

#[tokio::test]
async fn codes_that_nobody_uses_ring() {
    let world = World::with(&NO_LIMITS).await;
    let mut phones = Vec::new();
    for _ in 0..49 {
        let phone = new_phone();
        assert_eq!(ask_for_code(&world, &phone).await.status, 204);
        phones.push(phone);
    }
    let few = counted(&world, "CodesSent", 49.0).await;
    assert!(!rings("CodesUnusedAlarm", &few), "too few to say");
    assert_eq!(ask_for_code(&world, &new_phone()).await.status, 204);
    let unused = counted(&world, "CodesSent", 50.0).await;
    assert!(rings("CodesUnusedAlarm", &unused));
    for phone in phones.iter().take(12) {
        let text = world.message(phone, 1).await;
        let code = acceptance::code_in(text["body"].as_str().unwrap());
        assert_eq!(world.sign_up_by_phone(phone, &code).await.status, 200);
    }
    let used = counted(&world, "CodesVerified", 12.0).await;
    assert!(!rings("CodesUnusedAlarm", &used), "one in four is used");
}

/// AWS/Lambda Throttles and AWS/SQS's depth: the local stack refuses no start, and a record takes a
/// minute to become a dead letter, so these samples are made up; that dead letters come to be is
/// tested in tests/local.
#[test]
fn throttles_and_dead_letters_ring() {
    let throttles = |count| [Sample::of_aws("AWS/Lambda", "Throttles", ("", ""), count)];
    assert!(rings("ThrottlesAlarm", &throttles(1.0)) && !rings("ThrottlesAlarm", &throttles(0.0)));
    let depth = |count| {
        let queue = ("QueueName", "RelayDeadLetters.QueueName");
        [Sample::of_aws("AWS/SQS", "ApproximateNumberOfMessagesVisible", queue, count)]
    };
    let id = "RelayDeadLettersAlarm";
    assert!(rings(id, &depth(1.0)) && !rings(id, &depth(0.0)) && !rings(id, &[]));
}

#[tokio::test]
async fn what_people_do_is_counted_once() {
    let world = World::with(&NO_LIMITS).await;
    let (phone, email) = (new_phone(), new_email());
    let code = world.code(&phone, "sign_up", 1).await;
    assert_eq!(world.sign_up_by_phone(&phone, "9999").await.status, 401);
    assert_eq!(world.sign_up_by_phone(&phone, &code).await.status, 200);
    assert_eq!(world.sign_up_by_phone(&phone, &code).await.status, 401);
    assert_eq!(world.sign_up_by_email(&email).await.status, 200);
    assert_eq!(world.sign_up_by_email(&email).await.status, 400);
    let samples = counted(&world, "SignUps", 2.0).await;
    for (metric, dimensions, expected) in [
        ("SignUps", vec![], 2.0),
        ("SignUps", vec![("Contract", "gotu")], 2.0),
        ("CodesSent", vec![("Contract", "gotu")], 1.0),
        ("CodesVerified", vec![("Contract", "gotu")], 1.0),
        ("CodesRefused", vec![("Contract", "gotu"), ("Cause", "wrong_code")], 1.0),
        ("CodesRefused", vec![("Contract", "gotu"), ("Cause", "no_code")], 1.0),
        ("Refusals", vec![("Contract", "gotu"), ("Class", "denied")], 2.0),
        ("Refusals", vec![("Contract", "gotu"), ("Class", "invalid")], 1.0),
        ("Faults", vec![], 0.0),
    ] {
        let counted = sum(&samples, metric, &dimensions);
        assert!((counted - expected).abs() < f64::EPSILON, "{metric} {dimensions:?}: {counted}");
    }
    // The functions' own count of write units is the store's.
    let calls = world.calls("gotu-post-users").await;
    let reported: f64 = calls
        .iter()
        .filter(|call| call["status"] == 200)
        .filter(|call| !call["operation"].as_str().unwrap().contains("Get"))
        .filter_map(|call| call["units"].as_f64())
        .sum();
    let units = sum(&samples, "WriteUnits", &[("Function", "gotu-post-users")]);
    assert!(units > 0.0 && (units - reported).abs() < f64::EPSILON, "{units} of {reported}");
}
