//! The replay of a local stack, by the program.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use acceptance::{NO_LIMITS, TestStack, gotu, new_phone};
use local::Options;
use serde_json::json;
use std::path::Path;
use std::process::{Command, Output};

fn replay(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_replay")).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_brings_recorded_events_to_a_queue_again() {
    let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/consumer/template.yaml");
    let options = Options { with: vec![template], ..Options::default() };
    let stack = &TestStack::with_options(&NO_LIMITS, options).await;
    let delivered = |count: u64| async move {
        let look = || async {
            let page = stack.local("consumers").await;
            (page["consumers"][0]["delivered"] == json!(count)).then_some(())
        };
        stack.wait_for("the deliveries", look).await;
    };
    gotu(stack).registered(&new_phone()).await;
    delivered(1).await;

    let done = replay(&["--local", stack.url(), "--from", "1h", "--type", "AUTH_USER_CREATED"]);
    assert_eq!(text(&done.stdout), "1 events, 1 deliveries to consumers", "{done:?}");
    assert!(done.status.success());
    delivered(2).await;
    let done = replay(&["--local", stack.url(), "--from", "2h", "--to", "1h"]);
    assert_eq!(text(&done.stdout), "0 events, 0 deliveries to consumers", "{done:?}");
}

#[test]
fn what_cannot_be_replayed_is_refused_in_a_sentence() {
    for (arguments, expected) in [
        (vec!["--from", "1h", "--type", "USER_CREATED"], "publishes no such event"),
        (vec!["--from", "1h", "--to", "2h"], "is not before --to"),
        (vec!["--from", "1h", "--local", "http://127.0.0.1:9"], "failed to reach a local stack at"),
        (vec!["--from", "1h", "--rule", "R"], "--bus"),
    ] {
        let refused = replay(&arguments);
        let message = text(&refused.stderr);
        assert!(
            !refused.status.success() && message.contains(expected),
            "{arguments:?}: {message}"
        );
    }
}
