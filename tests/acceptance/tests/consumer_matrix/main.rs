//! The example consumer (`tests/aws/consumer.py`) behind a rule for each single type of event, in each mode of delivery. Without
//! Python, the test is reported as ignored.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![expect(clippy::arithmetic_side_effects, reason = "the numbers of a test are small")]

mod scenario;

use acceptance::{TestStack, date_in, say, without_limits};
use event_schemas::{Schema, published};
use libtest_mimic::{Arguments, Trial};
use local::Options;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

/// How the local stack delivers, and how often an event.
const MODES: [(&str, usize); 4] =
    [("plain", 1), ("doubled", 2), ("shuffled", 1), ("doubled-shuffled", 2)];
/// The queue of a rule whose target makes a text of each event that is no event.
const BAD: &str = "bad";
/// Its dead letters.
const LETTERS: &str = "letters";
/// How often a message is received before it is a dead letter.
const RECEIVED: usize = 2;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let version = "import sys, sqlite3; sys.exit(sys.version_info < (3, 10))";
    let python = Command::new("python3").args(["-c", version]).status();
    let has_python = python.is_ok_and(|status| status.success());
    if !has_python && !arguments.list {
        say("the test of the example consumer is ignored: install Python 3.10 with sqlite3");
    }
    let is_ignored = !has_python || TestStack::is_in_account();
    let test = Trial::test(
        "the_example_consumer_works_behind_every_single_type_rule_in_every_mode",
        || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(works_behind_every_rule());
            Ok(())
        },
    );
    libtest_mimic::run(&arguments, vec![test.with_ignored_flag(is_ignored)]).exit_code()
}

/// The name of the queue behind the rule for a type.
fn queue(schema: &Schema) -> String {
    format!("{}-{}", schema.contract, schema.kind.replace('.', "-"))
}

/// The template of another team: a rule and a queue for each type.
fn template(schemas: &[Schema]) -> Value {
    let mut resources = Map::new();
    for (number, schema) in (1..).zip(schemas) {
        let pattern = json!({"source": [schema.source()], "detail-type": [schema.kind]});
        add(
            &mut resources,
            &format!("Q{number}"),
            &json!({"QueueName": queue(schema), "VisibilityTimeout": 600}),
        );
        add_rule(
            &mut resources,
            &number.to_string(),
            &pattern,
            &json!({"Arn": arn(&format!("Q{number}"))}),
        );
    }
    let redrive = json!({"deadLetterTargetArn": arn("Letters"), "maxReceiveCount": RECEIVED});
    add(&mut resources, "Letters", &json!({"QueueName": LETTERS}));
    add(&mut resources, "Bad", &json!({"QueueName": BAD, "RedrivePolicy": redrive}));
    let target = json!({"Arn": arn("Bad"), "Input": "{\"no\":\"event\"}"});
    add_rule(&mut resources, "Bad", &json!({"detail-type": ["AUTH_USER_DELETED"]}), &target);
    json!({ "Resources": resources })
}

fn arn(queue: &str) -> Value {
    json!({"Fn::GetAtt": [queue, "Arn"]})
}

fn add(resources: &mut Map<String, Value>, id: &str, properties: &Value) {
    resources.insert(id.to_owned(), json!({"Type": "AWS::SQS::Queue", "Properties": properties}));
}

fn add_rule(resources: &mut Map<String, Value>, id: &str, pattern: &Value, target: &Value) {
    let mut target = target.clone();
    target["Id"] = json!("queue");
    let properties =
        json!({"EventBusName": "latchkey-events", "EventPattern": pattern, "Targets": [target]});
    let rule = json!({"Type": "AWS::Events::Rule", "Properties": properties});
    resources.insert(format!("Rule{id}"), rule);
}

/// An empty folder of this test.
fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("consumer_matrix");
    if folder.exists() {
        std::fs::remove_dir_all(&folder).unwrap();
    }
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Runs the consumer on queues, and returns what it handled.
fn consume(folder: &Path, stack: &TestStack, queues: &[(String, usize)]) -> Value {
    let sqs = format!("{}/_local/sqs", stack.url());
    let queues: Vec<_> = queues
        .iter()
        .map(|(name, messages)| {
            json!({"name": name, "url": format!("{sqs}/000000000000/{name}"), "messages": messages})
        })
        .collect();
    let plan = json!({"sqs": sqs, "folder": folder, "queues": queues}).to_string();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/consumer_matrix/run.py");
    let mut python = Command::new("python3")
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    python.stdin.take().unwrap().write_all(plan.as_bytes()).unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success(), "the consumer failed");
    let text = String::from_utf8(output.stdout).unwrap();
    serde_json::from_str(text.lines().last().unwrap()).unwrap()
}

async fn set_mode(stack: &TestStack, mode: &str) {
    let body = json!({ "mode": mode });
    stack.request("POST", "/_local/consumers").json(&body).await.expect_text(204, "");
}

/// The user of an event as text, or an empty text.
fn user(event: &Value) -> String {
    match &event["detail"]["userId"] {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

async fn works_behind_every_rule() {
    let (folder, schemas) = (folder(), published());
    let path = folder.join("template.json");
    std::fs::write(&path, template(&schemas).to_string()).unwrap();
    let options = Options { with: vec![path], ..Options::default() };
    let test_number = format!("{}=48213@gotu:{}", scenario::TEST_NUMBER, date_in(2));
    let env = [("DELIVERY_REPORTS", "on"), ("TEST_NUMBERS", &test_number)];
    let env = without_limits(&env);
    let stack = &TestStack::with_options(&env, options).await;
    let mut seen = 0;
    let mut deleted = 0;
    for (mode, copies) in MODES {
        set_mode(stack, "held").await;
        let all = scenario::run(stack, seen).await;
        let events = all[seen..].to_vec();
        seen = all.len();
        set_mode(stack, mode).await;
        let of = |schema: &Schema| -> Vec<&Value> {
            let is_it = |event: &&Value| {
                event["source"] == schema.source() && event["detailType"] == schema.kind
            };
            events.iter().filter(is_it).collect()
        };
        let queues: Vec<_> =
            schemas.iter().map(|schema| (queue(schema), of(schema).len() * copies)).collect();
        let done = folder.join(mode);
        std::fs::create_dir_all(&done).unwrap();
        let handled = consume(&done, stack, &queues);
        let mut passed = 0;
        for schema in &schemas {
            let expected = of(schema);
            assert!(!expected.is_empty(), "the scenario has no {}", schema.kind);
            check(&handled[queue(schema)], &expected, &format!("{mode} {}", queue(schema)));
            passed += 1;
        }
        say(&format!(
            "{mode}: {passed} of {} rules passed, {} messages",
            schemas.len(),
            queues.iter().map(|(_, count)| count).sum::<usize>()
        ));

        // What is no event is received as often as the queue allows, and is a dead letter then.
        let bad = events.iter().filter(|event| event["detailType"] == "AUTH_USER_DELETED").count()
            * copies;
        deleted += bad;
        let nothing = consume(&done, stack, &[(BAD.to_owned(), bad * RECEIVED)]);
        assert_eq!(nothing[BAD]["handled"], json!([]));
        // A message moves when it would be received once more.
        let more = json!({"QueueUrl": format!("{}/_local/sqs/000000000000/{BAD}", stack.url())});
        let request = stack.request("POST", "/_local/sqs").json(&more);
        request.header("x-amz-target", "AmazonSQS.ReceiveMessage").await.expect_text(200, "{}");
        let page = stack.local("consumers").await;
        let letters =
            page["queues"].as_array().unwrap().iter().find(|queue| queue["name"] == LETTERS);
        assert_eq!(letters.unwrap()["visible"], deleted, "{page}");
    }
    say(&format!(
        "{} rules × {} modes: {} passed",
        schemas.len(),
        MODES.len(),
        schemas.len() * MODES.len()
    ));
}

/// Requires that the consumer handled these events once each, that what it took for the newest event of a user grew, and that
/// the greatest one was the last.
fn check(result: &Value, expected: &[&Value], name: &str) {
    let handled = result["handled"].as_array().unwrap();
    let ids: Vec<_> = handled.iter().map(|event| event[0].as_str().unwrap()).collect();
    let distinct: BTreeSet<_> = ids.iter().copied().collect();
    let put: BTreeSet<_> =
        expected.iter().map(|event| event["detail"]["eventId"].as_str().unwrap()).collect();
    assert_eq!((ids.len(), distinct), (put.len(), put), "{name}");
    let mut newest: BTreeMap<&str, (u64, &str)> = BTreeMap::new();
    for event in handled.iter().filter(|event| event[2] != "") {
        let (user, version) = (event[2].as_str().unwrap(), event[3].as_u64().unwrap());
        let before = newest.get(user).map_or(0, |(version, _)| *version);
        assert_eq!(event[4], version > before, "{name}: {handled:?}");
        if version > before {
            newest.insert(user, (version, event[0].as_str().unwrap()));
        }
    }
    for event in expected.iter().filter(|event| !user(event).is_empty()) {
        let (greatest, _) = newest[user(event).as_str()];
        assert!(event["detail"]["userVersion"].as_u64().unwrap() <= greatest, "{name}");
    }
    for row in result["latest"].as_array().unwrap().iter().filter(|row| row[1] != "") {
        assert_eq!(row[2], newest[row[1].as_str().unwrap()].1, "{name}: the state in the database");
    }
}
