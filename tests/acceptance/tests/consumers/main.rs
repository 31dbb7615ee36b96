//! The consumers of events in the local stack: URLs, and the rules and queues of another team's template. In an account,
//! EventBridge and SQS deliver, so these tests run in the local stack only.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod hook;
mod replay;

use acceptance::{NO_LIMITS, TestStack, gotu, new_phone};
use hook::{Handler, Hook};
use local::{Options, Retries, Stack};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The events of a sign-up, in their order.
const SIGN_UP: [&str; 2] = ["AUTH_USER_CREATED", "NEW_DEVICE_TOKEN"];

/// Retries without long pauses.
fn quick(most: u32) -> Retries {
    Retries { most, first_pause: Duration::from_millis(10), ..Retries::default() }
}

async fn stack(options: Options) -> TestStack {
    TestStack::with_options(&NO_LIMITS, options).await
}

/// A stack with these consumers, each a URL with or without a pattern.
async fn stack_with(consumers: &[String], retries: Retries) -> TestStack {
    let consumers = consumers.iter().map(|consumer| consumer.parse().unwrap()).collect();
    stack(Options { consumers, retries, ..Options::default() }).await
}

/// The path of a template in the folder of these tests.
fn template(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/consumers").join(name)
}

/// Waits until the consumer number `index` is in a state, and returns what the stack says of it.
async fn consumer(stack: &TestStack, index: usize, state: fn(&Value) -> bool) -> Value {
    let look = || async {
        let page = stack.local("consumers").await;
        Some(page["consumers"][index].clone()).filter(state)
    };
    stack.wait_for("the state of a consumer", look).await
}

async fn set_mode(stack: &TestStack, mode: &str) {
    let body = json!({ "mode": mode });
    stack.request("POST", "/_local/consumers").json(&body).await.expect_text(204, "");
}

fn types(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["detail-type"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_events_of_a_sign_up_arrive_in_order_with_their_envelope() {
    let (all, some) = (Hook::start().await, Hook::start().await);
    let pattern =
        json!({"source": [{"prefix": "auth-"}], "detail": {"deviceId": [{"exists": true}]}});
    let consumers = [all.url(), format!("{}={pattern}", some.url())];
    let stack = &stack_with(&consumers, quick(185)).await;
    let user = gotu(stack).registered(&new_phone()).await;
    let events = all.events(stack, 2).await;
    assert_eq!(types(&events), SIGN_UP);
    let put = stack.events(&user, 2).await;
    for (event, put) in events.iter().zip(&put) {
        let expected = json!({
            "version": "0",
            "id": put["id"],
            "detail-type": put["detailType"],
            "source": "auth-service",
            "account": "000000000000",
            "time": event["time"],
            "region": "us-east-1",
            "resources": [],
            "detail": put["detail"],
        });
        assert_eq!(event, &expected);
    }
    let created = events[0]["detail"]["createdAt"].as_str().unwrap();
    assert_eq!(events[0]["time"], format!("{}Z", created.split('.').next().unwrap()));
    assert_eq!(all.content_types(), ["application/json", "application/json"]);

    assert_eq!(types(&some.events(stack, 1).await), ["NEW_DEVICE_TOKEN"]);
    let page = consumer(stack, 1, |consumer| consumer["delivered"] == 1).await;
    assert_eq!((&page["matched"], &page["waiting"]), (&json!(1), &json!(0)));
    assert_eq!((&page["pattern"], &page["target"]), (&pattern, &json!(some.url())));
}

#[tokio::test]
async fn the_stack_serves_the_document_of_all_events() {
    let stack = &stack(Options::default()).await;
    let reply = stack.request("GET", "/asyncapi.json").await;
    let document = reply.json();
    assert_eq!((reply.status, &document["asyncapi"]), (200, &json!("3.0.0")));
    assert!(document["components"]["messages"]["GotuAuthUserCreated"].is_object(), "{document}");
}

#[tokio::test]
async fn a_consumer_that_fails_gets_its_events_again_and_holds_up_no_other() {
    let (failing, other) = (Hook::start().await, Hook::start().await);
    failing.answer(500);
    let stack = &stack_with(&[failing.url(), other.url()], quick(185)).await;
    gotu(stack).registered(&new_phone()).await;
    let expected = other.events(stack, 2).await;
    failing.requests(stack, 5).await;
    let page = consumer(stack, 0, |consumer| !consumer["lastError"].is_null()).await;
    assert_eq!(
        (&page["delivered"], &page["failed"], &page["waiting"]),
        (&json!(0), &json!(0), &json!(2))
    );
    assert!(page["lastError"].as_str().unwrap().ends_with("it answered 500"), "{page}");

    failing.answer(200);
    let mut events = failing.events(stack, 2).await;
    events.sort_by_key(|event| event["detail"]["sequence"].as_u64());
    assert_eq!(events, expected);
    let page = consumer(stack, 0, |consumer| consumer["waiting"] == 0).await;
    assert_eq!((&page["delivered"], &page["failed"]), (&json!(2), &json!(0)));
}

#[tokio::test]
async fn an_event_is_given_up_after_its_retries_or_a_refusal() {
    let (failing, refusing) = (Hook::start().await, Hook::start().await);
    failing.answer(503);
    refusing.answer(400);
    let stack = &stack_with(&[failing.url(), refusing.url()], quick(2)).await;
    gotu(stack).registered(&new_phone()).await;
    for (index, hook, requests) in [(0, &failing, 6), (1, &refusing, 2)] {
        let page = consumer(stack, index, |consumer| consumer["failed"] == 2).await;
        assert_eq!((&page["waiting"], &page["delivered"]), (&json!(0), &json!(0)));
        hook.requests(stack, requests).await;
    }
    let logs = stack.logs();
    let told = |text: &str| logs.iter().filter(|line| line.contains(text)).count();
    assert_eq!(told("it answered 503; the event"), 4, "two begin to fail, and two are given up");
    assert_eq!(told("it answered 400, after which EventBridge does not try again; the event"), 2);
}

#[tokio::test]
async fn events_are_doubled_and_shuffled_on_demand() {
    let hook = Hook::start().await;
    let stack = &stack_with(&[hook.url()], quick(185)).await;
    let mut handler = Handler::default();
    for (turn, (mode, copies)) in
        [("plain", 1), ("doubled", 2), ("shuffled", 1), ("doubled-shuffled", 2)]
            .into_iter()
            .enumerate()
    {
        set_mode(stack, "held").await;
        gotu(stack).registered(&new_phone()).await;
        let matched = turn.saturating_add(1).saturating_mul(2);
        let both = |events: Vec<Value>| (events.len() >= matched).then_some(());
        stack.wait_for("both events", || async { both(stack.all_events().await) }).await;
        let page = consumer(stack, 0, |consumer| consumer["waiting"] == 2).await;
        assert_eq!(page["matched"], matched, "{mode}");
        assert_eq!(hook.taken().len(), 0, "{mode}");

        set_mode(stack, mode).await;
        let events = hook.events(stack, 2 * copies).await;
        consumer(stack, 0, |consumer| consumer["waiting"] == 0).await;
        hook.forget();
        let mut order: Vec<_> =
            events.iter().map(|event| event["detail"]["sequence"].as_u64().unwrap()).collect();
        match mode {
            "plain" => assert_eq!(order, [1, 2]),
            "doubled" => assert_eq!(order, [1, 1, 2, 2]),
            "shuffled" => assert_eq!(order, [2, 1]),
            _ => {
                assert_ne!(order, [1, 1, 2, 2]);
                order.sort_unstable();
                assert_eq!(order, [1, 1, 2, 2]);
            }
        }
        // A consumer that follows the rules of the documentation handles each event once, and has the same state.
        for event in &events {
            handler.take(event);
        }
        assert_eq!(
            std::mem::take(&mut handler.handled),
            BTreeSet::from(SIGN_UP.map(str::to_owned))
        );
        assert_eq!(handler.state, SIGN_UP[1], "{mode}");
    }
    let page = stack.local("consumers").await;
    assert_eq!(page["mode"], "doubled-shuffled");
    let unknown = stack.request("POST", "/_local/consumers").json(&json!({"mode": "x"})).await;
    assert_eq!(unknown.status, 400);
    assert!(unknown.body.contains("unknown variant"), "{}", unknown.body);
}

/// Sends a request to SQS as an AWS client does.
async fn sqs(stack: &TestStack, operation: &str, body: &Value) -> Value {
    let request = stack.request("POST", "/_local/sqs/").json(body);
    let reply = request.header("x-amz-target", format!("AmazonSQS.{operation}")).await;
    assert_eq!(reply.status, 200, "{operation}: {}", reply.body);
    reply.json()
}

/// Waits for messages of a queue, and returns up to ten.
async fn receive(stack: &TestStack, url: &Value) -> Vec<Value> {
    let body = json!({"QueueUrl": url, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 20,
        "MessageSystemAttributeNames": ["ApproximateReceiveCount"]});
    sqs(stack, "ReceiveMessage", &body).await["Messages"].as_array().unwrap().clone()
}

fn event_of(message: &Value) -> Value {
    serde_json::from_str(message["Body"].as_str().unwrap()).unwrap()
}

async fn url_of(stack: &TestStack, queue: &str) -> Value {
    sqs(stack, "GetQueueUrl", &json!({ "QueueName": queue })).await["QueueUrl"].clone()
}

#[tokio::test]
async fn another_teams_template_gets_its_events_through_its_queues() {
    let options = Options { with: vec![template("crm.yaml")], ..Options::default() };
    let stack = &stack(options).await;
    let work = url_of(stack, "crm-NewUsersQueue").await;
    let letters = url_of(stack, "crm-dead-letters").await;
    assert_eq!(work, format!("{}/_local/sqs/000000000000/crm-NewUsersQueue", stack.url()));

    // The request waits for the events.
    let look = async {
        let mut messages = receive(stack, &work).await;
        while messages.len() < 2 {
            messages.extend(receive(stack, &work).await);
        }
        messages
    };
    let sign_up = async { gotu(stack).registered(&new_phone()).await };
    let (messages, user) = futures_util::future::join(look, sign_up).await;
    let events: Vec<_> = messages.iter().map(event_of).collect();
    assert_eq!(types(&events), SIGN_UP);
    assert!(events.iter().all(|event| event["detail"]["userId"] == user.as_str()));
    let [first, second] = messages.as_slice() else { panic!("{messages:?}") };
    let body = json!({"QueueUrl": work, "ReceiptHandle": first["ReceiptHandle"]});
    sqs(stack, "DeleteMessage", &body).await;

    // The other one fails twice, and is a dead letter then.
    let retry = async |message: &Value| {
        let body = json!({"QueueUrl": work, "ReceiptHandle": message["ReceiptHandle"],
            "VisibilityTimeout": 0});
        sqs(stack, "ChangeMessageVisibility", &body).await;
    };
    retry(second).await;
    let again = receive(stack, &work).await;
    assert_eq!(
        (&again[0]["MessageId"], &again[0]["Body"]),
        (&second["MessageId"], &second["Body"])
    );
    assert_eq!(again[0]["Attributes"], json!({"ApproximateReceiveCount": "2"}));
    retry(&again[0]).await;
    let body = json!({ "QueueUrl": work });
    assert_eq!(sqs(stack, "ReceiveMessage", &body).await, json!({}));
    let letter = receive(stack, &letters).await;
    assert_eq!((letter.len(), event_of(&letter[0])), (1, events[1].clone()));
    let body =
        json!({"QueueUrl": letters, "AttributeNames": ["ApproximateNumberOfMessagesNotVisible"]});
    let attributes = sqs(stack, "GetQueueAttributes", &body).await;
    assert_eq!(attributes["Attributes"], json!({"ApproximateNumberOfMessagesNotVisible": "1"}));
    sqs(stack, "PurgeQueue", &json!({ "QueueUrl": letters })).await;
    let page = stack.local("consumers").await;
    assert_eq!(page["queues"][1]["inFlight"], 0, "{page}");

    // The code of the function does not run, and its events wait in a queue.
    let function = receive(stack, &url_of(stack, "crm-welcome").await).await;
    assert_eq!(function.iter().map(event_of).collect::<Vec<_>>(), [events[0]["detail"].clone()]);
    let logs = stack.logs();
    for note in [
        "the function Welcome does not run here: read the events from the queue crm-welcome",
        "the rule Orders is left out: it is on another bus, orders",
    ] {
        assert!(logs.iter().any(|line| line.contains(note)), "{note}");
    }
}

#[tokio::test]
async fn a_mistake_of_an_aws_client_is_an_error_of_sqs() {
    let options = Options { with: vec![template("crm.yaml")], ..Options::default() };
    let stack = &stack(options).await;
    let queue = "http://127.0.0.1/000000000000/crm-dead-letters";
    for (operation, body, kind) in [
        ("GetQueueUrl", json!({"QueueName": "other"}), "QueueDoesNotExist"),
        (
            "ReceiveMessage",
            json!({"QueueUrl": queue, "MaxNumberOfMessages": 11}),
            "InvalidParameterValueException",
        ),
        (
            "ReceiveMessage",
            json!({"QueueUrl": queue, "WaitTimeSeconds": 21}),
            "InvalidParameterValueException",
        ),
        ("ReceiveMessage", json!({}), "InvalidParameterValueException"),
        (
            "DeleteMessage",
            json!({"QueueUrl": queue, "ReceiptHandle": "x"}),
            "ReceiptHandleIsInvalid",
        ),
        (
            "ChangeMessageVisibility",
            json!({"QueueUrl": queue, "ReceiptHandle": "a:b", "VisibilityTimeout": 1}),
            "InvalidParameterValueException",
        ),
        (
            "DeleteMessageBatch",
            json!({"QueueUrl": queue, "Entries": []}),
            "TooManyEntriesInBatchRequest",
        ),
        ("SendMessage", json!({"QueueUrl": queue, "MessageBody": "x"}), "UnsupportedOperation"),
    ] {
        let request =
            stack.request("POST", "/_local/sqs/000000000000/crm-dead-letters").json(&body);
        let reply = request.header("x-amz-target", format!("AmazonSQS.{operation}")).await;
        let expected = format!("com.amazonaws.sqs#{kind}");
        assert_eq!((reply.status, &reply.json()["__type"]), (400, &json!(expected)), "{operation}");
        assert!(reply.header("x-amzn-query-error").ends_with(";Sender"), "{operation}");
    }
    let query = stack.request("POST", "/_local/sqs").form("Action=ReceiveMessage").await;
    assert!(query.body.contains("not in the JSON protocol"), "{}", query.body);
}

#[tokio::test]
async fn a_template_that_takes_no_event_is_refused() {
    let refused = async |options: Options| {
        let error = Stack::start(options).await.map(drop).unwrap_err();
        format!("{error:#}")
    };
    let with = |name: &str| Options { with: vec![template(name)], ..Options::default() };
    let missing = refused(with("missing.yaml")).await;
    assert!(missing.contains("failed to read the template"), "{missing}");
    let useless = refused(with("main.rs")).await;
    assert!(useless.contains("main.rs: not valid YAML or JSON"), "{useless}");
    let twice = vec![template("crm.yaml"), template("crm.yaml")];
    let twice = refused(Options { with: twice, ..Options::default() }).await;
    assert!(twice.starts_with("the queue crm-dead-letters is in both"), "{twice}");
}
