//! Prints how fast one relay drains a backlog of events, and how long entries that cannot be delivered delay one that can:
//! `cargo run -p acceptance --example drain [-- --entries 10000]`; `--delay` prints the second alone. With `--missed`, no try was made
//! of the entries, so that sweeps find them by a scan and not by the index.
//!
//! The backlog is written into the table as a long outage leaves it: no stream takes the entries, so the sweeps do. A sweep is
//! one process; in a stack, four run at the same time.

#![expect(clippy::print_stdout, reason = "figures are printed")]
#![expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a measurement that fails, fails"
)]

use acceptance::faults::{Fault, of_store};
use acceptance::{NO_LIMITS, TestStack, all, gotu, new_email, new_phone};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// The requests that write the backlog at the same time.
const AT_ONCE: usize = 50;
/// The longest time to wait for the text.
const PATIENCE: Duration = Duration::from_mins(2);
const DIGITS: [char; 16] =
    ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];

/// Takes the entries out of the table before a stream delivers them.
async fn taken(stack: &TestStack, ask: impl AsyncFnOnce()) -> Vec<Value> {
    stack.fault(&of_store("error").at("BatchGetItem").in_function("relay")).await;
    ask().await;
    let table = json!({"TableName": "Outbox"});
    let items = stack.dynamodb("Scan", &table).await["Items"].as_array().unwrap().clone();
    for item in &items {
        let old = json!({"TableName": "Outbox", "Key": {"event_id": item["event_id"]}});
        stack.dynamodb("DeleteItem", &old).await;
    }
    stack.clear_faults().await;
    items
}

/// Writes copies of an entry that are due since this second: spread over the shards of a kind, or in none.
async fn put(stack: &TestStack, entry: &Value, kind: Option<&str>, count: usize, due_at: u32) {
    let copies: Vec<_> = (0..count)
        .zip(DIGITS.iter().cycle())
        .map(|(number, digit)| {
            let mut copy = entry.clone();
            copy["event_id"] = json!({"S": format!("missed {due_at} {number} {digit}")});
            copy["due_at"] = json!({"N": due_at.to_string()});
            if let Some(kind) = kind {
                copy["due_shard"] = json!({"S": format!("{kind}#{digit}")});
            }
            copy
        })
        .collect();
    for some in copies.chunks(AT_ONCE) {
        all(some.iter().map(|copy| stack.put("Outbox", copy))).await;
    }
}

async fn sweep(stack: &TestStack, part: usize, of: usize) {
    let payload = json!({"sweep": {"part": part, "of": of}});
    // A sweep fails if the embedded database is too slow for it. The next one goes on.
    drop(stack.invoke("relay", &payload).await);
}

async fn left(stack: &TestStack) -> usize {
    stack.items("Outbox").await.len()
}

/// Drains the outbox with sweeps of all parts at the same time. Returns how long it takes.
async fn drain(stack: &TestStack, parts: usize) -> Duration {
    let started = Instant::now();
    while left(stack).await > 0 {
        all((0..parts).map(|part| sweep(stack, part, parts))).await;
    }
    started.elapsed()
}

#[tokio::main]
async fn main() {
    let arguments: Vec<_> = std::env::args().collect();
    let given = arguments.iter().position(|argument| argument == "--entries");
    let given = given.and_then(|at| arguments.get(at.saturating_add(1)));
    let entries = given.map_or(10_000, |value| value.parse().unwrap());
    let stack = &TestStack::unscheduled(&NO_LIMITS).await;

    let events =
        taken(stack, async || drop(gotu(stack).sign_up_by_email(&new_email()).await)).await;
    let only_delay = arguments.iter().any(|argument| argument == "--delay");
    let is_tried = arguments.iter().all(|argument| argument != "--missed");
    let shards = |kind: &'static str| is_tried.then_some(kind);
    for parts in [1, 4].into_iter().filter(|_| !only_delay) {
        put(stack, &events[0], shards("e"), entries, 1000).await;
        let took = drain(stack, parts).await.as_secs_f64();
        let rate = f64::from(u32::try_from(entries).unwrap()) / took;
        println!(
            "{entries} entries with two events each, {parts} sweeps at once: {took:.1} s, {rate:.0} a second"
        );
    }

    let ask = async |to: String| drop(gotu(stack).ask_for_code(&to, "sign_up").await);
    let mail = taken(stack, async || ask(new_email()).await).await;
    let phone = new_phone();
    let text = taken(stack, async || ask(phone.clone()).await).await;
    for (mode, what) in [("error", "answers errors"), ("timeout", "hangs")] {
        stack.fault(&Fault::of("ses", mode).in_function("relay")).await;
        put(stack, &mail[0], shards("m"), entries, 1000).await;
        put(stack, &text[0], shards("m"), 1, 2000).await;
        let before = stack.messages(&phone).await.len();
        let started = Instant::now();
        let arrived = async {
            let mut ticks = tokio::time::interval(Duration::from_millis(50));
            while stack.messages(&phone).await.len() == before && started.elapsed() < PATIENCE {
                ticks.tick().await;
            }
            started.elapsed()
        };
        // As the schedule does.
        let sweeps = async {
            let mut minutes = tokio::time::interval(Duration::from_mins(1));
            loop {
                minutes.tick().await;
                all((0..4).map(|part| sweep(stack, part, 4))).await;
            }
        };
        let delay = tokio::select! {
            delay = arrived => delay,
            () = sweeps => Duration::ZERO,
        };
        println!(
            "{entries} mails in front while SES {what}: a text that is due after them goes out after {:.1} s",
            delay.as_secs_f64()
        );
        stack.clear_faults().await;
        taken(stack, async || {}).await;
    }
}
