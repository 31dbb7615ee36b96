//! The AWS calls of each request: a function makes no call more than its work needs.

use acceptance::drivers::{AwsCall, for_every_contract};
use acceptance::{TestStack, gotu, new_email};
use serde_json::{Value, json};

/// Requires exactly these calls, and the last one at the end. Some of the others are made at the same time.
#[track_caller]
fn assert_calls(calls: &[Value], expected: &[AwsCall]) {
    let mut calls: Vec<_> = calls
        .iter()
        .map(|call| json!([call["operation"], call["resources"]]).to_string())
        .collect();
    let mut expected: Vec<_> =
        expected.iter().map(|(operation, tables)| json!([operation, tables]).to_string()).collect();
    assert_eq!(calls.last(), expected.last(), "{calls:?}");
    calls.sort();
    expected.sort();
    assert_eq!(calls, expected);
}

/// Limits that no request here reaches. A limit of 0 would make calls without the budgets' items.
const WIDE_LIMITS: [(&str, &str); 3] = [
    ("OTP_RESEND_SECONDS", "0"),
    ("OTP_SENDS_PER_HOUR", "1000"),
    ("OTP_SENDS_PER_HOUR_PER_IP", "1000"),
];

#[tokio::test]
async fn a_sign_up_makes_no_more_calls_than_it_needs() {
    let stack = &TestStack::with(&WIDE_LIMITS).await;
    for_every_contract(stack, async |driver| {
        let facts = driver.facts();
        // The first request of a process warms up, and takes a block of ids.
        driver.signed_up(&driver.new_person()).await;
        let person = driver.new_person();
        let ask = driver.ask_for_code(&person);
        let (asked, calls) = stack.calls_during(facts.asks, ask).await;
        assert_calls(&calls, facts.calls_to_ask);
        let code = driver.code(&person, 1).await;
        let enter = driver.enter_code(&person, &asked, &code);
        let (reply, calls) = stack.calls_during(facts.enters, enter).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        assert_calls(&calls, facts.calls_to_enter);
    })
    .await;
}

#[tokio::test]
async fn a_sign_up_by_mail_is_two_calls_and_a_process_takes_one_block_of_ids() {
    let stack = &TestStack::with(&[("OTP_RESEND_SECONDS", "0")]).await;
    let sign_up = || gotu(stack).sign_up_by_email(&new_email());
    assert_eq!(sign_up().await.status, 200);
    let calls = stack.calls("gotu-post-users").await;
    let blocks = calls.iter().filter(|call| call["resources"] == json!(["Sequences"]));
    assert_eq!(blocks.count(), 1);
    let (reply, calls) = stack.calls_during("gotu-post-users", sign_up()).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let tables: &[_] = &["Budgets", "Devices", "Identifiers", "Outbox", "Sessions", "Users"];
    let judges: &[_] = &["Budgets", "Identifiers"];
    assert_calls(&calls, &[("BatchGetItem", judges), ("TransactWriteItems", tables)]);
}
