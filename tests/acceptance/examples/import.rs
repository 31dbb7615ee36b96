//! Prints how fast users are imported, and what it costs:
//! `cargo run -p acceptance --example import [-- --users 100000]`.
//!
//! Half of the users have an address, the other half a phone number too; all have a password hash of bcrypt. The write units are
//! those of the embedded DynamoDB. The speed is that of this machine, with a debug build and one process for all tables.

#![expect(clippy::print_stdout, reason = "figures are printed")]
#![expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]
#![expect(clippy::unwrap_used, reason = "a measurement that fails, fails")]

use acceptance::{TestStack, all, new_email, new_phone};
use serde_json::{Value, json};
use std::time::Instant;

/// The list price of a write unit in USD, as in the example `costs`.
const WRITE_UNIT: f64 = 0.625e-6;
/// The users of one call, and the calls at the same time: those of the program `people`.
const USERS: usize = 500;
const AT_ONCE: usize = 4;
/// The number of users to which the figures are extended.
const MANY: f64 = 2e6;

fn user(identifiers: usize) -> Value {
    let at = "2020-05-06T07:08:09Z";
    let email = json!({"kind": "email", "value": new_email(), "verifiedAt": at});
    let phone = json!({"kind": "phone", "value": new_phone(), "verifiedAt": at});
    let known: Vec<_> = [email, phone].into_iter().take(identifiers).collect();
    json!({"contract": "gotu", "createdAt": at, "identifiers": known, "attributes": {"user_type": "HYG"},
        "passwordHash": "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"})
}

async fn import(stack: &TestStack, users: &[Value]) {
    let payload =
        json!({"verb": "import", "who": "a measurement", "why": "a measurement", "users": users});
    let answer = stack.invoke("people", &payload).await.json();
    assert_eq!(answer, json!({"created": users.len(), "present": 0, "problems": []}));
}

/// The write units of the function so far.
async fn units(stack: &TestStack) -> f64 {
    let calls = stack.calls("people").await;
    let writes = calls.iter().filter(|call| call["operation"] != "BatchGetItem");
    writes.filter_map(|call| call["units"].as_f64()).sum()
}

async fn measure(stack: &TestStack, identifiers: usize, count: usize) {
    let users: Vec<_> = (0..count).map(|_| user(identifiers)).collect();
    let (before, started) = (units(stack).await, Instant::now());
    let calls: Vec<_> = users.chunks(USERS).collect();
    for calls in calls.chunks(AT_ONCE) {
        all(calls.iter().map(|users| import(stack, users))).await;
    }
    let seconds = started.elapsed().as_secs_f64();
    let count = f64::from(u32::try_from(count).unwrap());
    let each = (units(stack).await - before) / count;
    println!(
        "| {identifiers} | {count} | {:.0} | {each:.2} | {:.0} | {:.2} |",
        count / seconds,
        MANY * seconds / count / 60.0,
        each * MANY * WRITE_UNIT
    );
}

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip_while(|argument| argument != "--users");
    let users = arguments.nth(1).map_or(100_000, |users| users.parse().unwrap());
    let stack = &TestStack::measured(false, &[]).await;
    println!(
        "| identifiers | users | users a second | write units of a user | minutes for 2 million | USD for 2 million |"
    );
    println!("| --- | --- | --- | --- | --- | --- |");
    for identifiers in [1, 2] {
        measure(stack, identifiers, users / 2).await;
    }
}
