//! Instances that work, crash, time out and fail to start.

use super::outcome::Outcome;
use super::testing::Scripted;
use crate::random;
use axum::body::Bytes;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

const LONG: Duration = Duration::from_secs(30);

fn invoke(scripted: &Scripted, payload: &'static str) -> JoinHandle<Outcome> {
    let function = Arc::clone(&scripted.function);
    tokio::spawn(async move {
        function.invoke(&random::uuid(), Bytes::from_static(payload.as_bytes())).await
    })
}

fn answer(scripted: &Scripted, id: u64, request_id: &str, text: &'static str) -> bool {
    let outcome = Outcome::Answered(Bytes::from_static(text.as_bytes()));
    scripted.function.answer(id, request_id, outcome)
}

fn text(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Answered(answer) => String::from_utf8_lossy(answer).into_owned(),
        Outcome::Failed(_) | Outcome::TimedOut(_) => outcome.error().unwrap(),
    }
}

#[tokio::test]
async fn one_instance_processes_invocations_one_by_one() {
    let scripted = Scripted::silent(LONG);
    for _ in 0..3 {
        let invocation = invoke(&scripted, "in");
        let delivery = scripted.next(1).await;
        assert_eq!(delivery.payload, "in");
        assert!(answer(&scripted, 1, &delivery.request_id, "out"));
        assert!(!answer(&scripted, 1, &delivery.request_id, "again"), "answered twice");
        assert_eq!(text(&invocation.await.unwrap()), "out");
    }
    assert!(scripted.function.next(2).await.is_none(), "a second instance was started");
}

#[tokio::test]
async fn an_answer_to_another_request_is_refused() {
    let scripted = Scripted::silent(LONG);
    let invocation = invoke(&scripted, "in");
    let delivery = scripted.next(1).await;
    assert!(!answer(&scripted, 1, "nonsense", "out"));
    assert!(answer(&scripted, 1, &delivery.request_id, "out"));
    assert_eq!(text(&invocation.await.unwrap()), "out");
}

#[tokio::test]
async fn a_crash_fails_its_invocation_and_the_next_one_gets_a_new_process() {
    let scripted = Scripted::silent(LONG);
    let first = invoke(&scripted, "in");
    scripted.next(1).await;
    scripted.function.crash(1).await;
    let error = text(&first.await.unwrap());
    assert!(error.contains("Runtime.ExitError") && error.contains("killed"), "{error}");
    let second = invoke(&scripted, "in");
    let delivery = scripted.next(2).await;
    assert!(answer(&scripted, 2, &delivery.request_id, "out"));
    assert_eq!(text(&second.await.unwrap()), "out");
}

#[tokio::test]
async fn the_timeout_of_an_invocation_ends_its_process() {
    let scripted = Scripted::silent(Duration::from_millis(100));
    let invocation = invoke(&scripted, "in");
    let delivery = scripted.next(1).await;
    let outcome = invocation.await.unwrap();
    assert!(matches!(outcome, Outcome::TimedOut(_)));
    assert!(text(&outcome).ends_with("Task timed out after 0.10 seconds"), "{}", text(&outcome));
    assert!(!answer(&scripted, 1, &delivery.request_id, "late"));
    assert!(scripted.function.next(1).await.is_none());
}

#[tokio::test]
async fn a_binary_that_exits_at_its_start_makes_each_request_fail() {
    let scripted = Scripted::new("echo \"$GREETING $AWS_ACCESS_KEY_ID$HOME\" >&2; exit 3", LONG);
    let all: Vec<_> = (0..12).map(|_| invoke(&scripted, "in")).collect();
    for invocation in all {
        let error = text(&invocation.await.unwrap());
        assert!(error.contains("exit status 3"), "{error}");
    }
    let lines = scripted.logs.all();
    let starts = lines.iter().filter(|line| line.starts_with("[f] hello f.")).count();
    assert_eq!(starts, 12, "{lines:?}");
}

#[tokio::test]
async fn a_missing_binary_makes_the_request_fail() {
    let scripted = Scripted::silent(LONG);
    std::fs::remove_file(&scripted.script).unwrap();
    let error = text(&invoke(&scripted, "in").await.unwrap());
    assert!(error.contains("failed to start"), "{error}");
}

#[tokio::test]
async fn a_reported_error_of_the_initialization_is_the_outcome() {
    let scripted = Scripted::silent(LONG);
    let invocation = invoke(&scripted, "in");
    // The instance exists before the invocation first waits.
    while scripted.logs.all().is_empty() && !invocation.is_finished() {
        let reported = json!({ "errorType": "Init", "errorMessage": "no settings" });
        scripted.function.init_failed(1, Outcome::Failed(reported));
        scripted.function.crash(1).await;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(text(&invocation.await.unwrap()), "Init: no settings");
}

#[tokio::test]
async fn invocations_wait_for_ten_instances() {
    let scripted = Arc::new(Scripted::silent(LONG));
    let all: Vec<_> = (0..50).map(|_| invoke(&scripted, "in")).collect();
    for id in 1..=10 {
        let scripted = Arc::clone(&scripted);
        tokio::spawn(async move {
            loop {
                let delivery = scripted.next(id).await;
                answer(&scripted, id, &delivery.request_id, "out");
            }
        });
    }
    for invocation in all {
        assert_eq!(text(&invocation.await.unwrap()), "out");
    }
    assert!(scripted.function.next(11).await.is_none());
}

/// Returns the first lines of a function's processes, in the order of their starts.
async fn greetings(scripted: &Scripted, count: usize) -> Vec<String> {
    loop {
        let lines = scripted.logs.all();
        if lines.len() >= count {
            return lines;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_running_invocation_ends_on_the_old_program_and_the_next_one_is_on_the_new() {
    let scripted = Scripted::new("echo old; exec sleep 60", LONG);
    let new = Scripted::new("echo new; exec sleep 60", LONG);
    let running = invoke(&scripted, "in");
    let delivery = scripted.next(1).await;
    assert_eq!(greetings(&scripted, 1).await, ["[f] old"]);

    scripted.function.replace(&new.script);
    let next = invoke(&scripted, "in");
    let on_the_new = scripted.next(2).await;
    assert!(answer(&scripted, 1, &delivery.request_id, "from the old"));
    assert_eq!(text(&running.await.unwrap()), "from the old");
    assert!(scripted.function.next(1).await.is_none(), "the old process got another event");
    assert!(answer(&scripted, 2, &on_the_new.request_id, "from the new"));
    assert_eq!(text(&next.await.unwrap()), "from the new");
    assert_eq!(greetings(&scripted, 2).await, ["[f] old", "[f] new"]);
}

#[tokio::test]
async fn an_idle_process_of_the_old_program_is_killed() {
    let scripted = Scripted::new("echo old; exec sleep 60", LONG);
    let new = Scripted::new("echo new; exec sleep 60", LONG);
    let first = invoke(&scripted, "in");
    let delivery = scripted.next(1).await;
    assert!(answer(&scripted, 1, &delivery.request_id, "out"));
    first.await.unwrap();
    let function = Arc::clone(&scripted.function);
    let idle = tokio::spawn(async move { function.next(1).await });
    // Lets the instance begin to wait.
    tokio::task::yield_now().await;
    assert!(!idle.is_finished());

    scripted.function.replace(&new.script);
    assert!(idle.await.unwrap().is_none());
    tokio::time::timeout(LONG, scripted.function.wait_until_empty()).await.unwrap();
    let second = invoke(&scripted, "in");
    let delivery = scripted.next(2).await;
    assert!(answer(&scripted, 2, &delivery.request_id, "out"));
    assert_eq!(text(&second.await.unwrap()), "out");
    assert_eq!(greetings(&scripted, 2).await, ["[f] old", "[f] new"]);
}

#[tokio::test]
async fn an_invocation_that_waits_for_the_start_of_an_old_process_gets_a_new_one() {
    let scripted = Scripted::silent(LONG);
    let new = Scripted::new("echo new; exec sleep 60", LONG);
    let waiting = invoke(&scripted, "in");
    // Lets the invocation begin.
    tokio::task::yield_now().await;
    scripted.function.replace(&new.script);
    // As after a build: nothing may need the old file any more.
    std::fs::remove_file(&scripted.script).unwrap();
    let delivery = scripted.next(2).await;
    assert!(answer(&scripted, 2, &delivery.request_id, "out"));
    assert_eq!(text(&waiting.await.unwrap()), "out");
    assert_eq!(greetings(&scripted, 1).await, ["[f] new"]);
}

#[tokio::test]
async fn a_closed_function_refuses_and_leaves_no_process() {
    let scripted = Scripted::silent(LONG);
    let waiting = invoke(&scripted, "in");
    scripted.next(1).await;
    scripted.function.close();
    tokio::time::timeout(Duration::from_secs(2), scripted.function.wait_until_empty())
        .await
        .unwrap();
    assert!(waiting.await.unwrap().error().is_some());
    assert!(text(&invoke(&scripted, "in").await.unwrap()).contains("stopping"));
}
