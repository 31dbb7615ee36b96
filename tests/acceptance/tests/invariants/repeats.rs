//! Requests with idempotency keys: a repetition gets the same answer, and nothing happens again.

use acceptance::faults::of_store;
use acceptance::requests::{ENDPOINTS, Prepared, prepare};
use acceptance::{Call, NO_LIMITS, Reply, TestStack, all, gotu, new_phone, say};
use latchkey::contracts::CONTRACTS;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU32, Ordering};

/// The functions that only read or describe, or whose requests are safe to repeat without a key: each token of a shop is as
/// good as the other, and a link works once by itself.
const WITHOUT_KEYS: [&str; 6] = [
    "goodcity-current-user-profile",
    "urbanfits-get-me",
    "urbanfits-verify-otp-page",
    "posbytz-oauth2-token",
    "posbytz-email-verify",
    "posbytz-email-confirm",
];

/// The tables with what a request changes. The others hold counts, and the answers themselves.
const TABLES: [&str; 8] =
    ["Users", "Identifiers", "Challenges", "Devices", "Sessions", "Ledger", "Clients", "Outbox"];

/// Returns the text of a value with the members of objects in order. The items have theirs in any.
fn in_order(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| (name, in_order(value)));
            format!("{:?}", members.collect::<BTreeMap<_, _>>())
        }
        Value::Array(values) => format!("{:?}", values.iter().map(in_order).collect::<Vec<_>>()),
        plain => plain.to_string(),
    }
}

fn new_key() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("\"8e03978e-40d5-43dd-bc93-{:012}\"", NEXT.fetch_add(1, Ordering::Relaxed))
}

fn keyed<'a>(call: Call<'a>, key: &str) -> Call<'a> {
    call.header("idempotency-key", key)
}

/// Everything that is stored, without what counts tries and what waits to be delivered.
async fn stored(stack: &TestStack) -> BTreeMap<&'static str, Vec<String>> {
    stack.wait_until_delivered("").await;
    let mut tables = BTreeMap::new();
    for table in TABLES {
        let mut items: Vec<_> = stack.items(table).await.iter().map(in_order).collect();
        items.sort();
        tables.insert(table, items);
    }
    tables
}

/// The effects so far: texts, mails and events.
async fn effects(stack: &TestStack) -> (usize, usize) {
    let messages = stack.local("messages").await["messages"].as_array().map_or(0, Vec::len);
    (messages, stack.all_events().await.len())
}

/// Requires that two answers are the same, byte for byte.
#[track_caller]
fn assert_same(one: &Reply, other: &Reply, endpoint: (&str, &str)) {
    let visible = |reply: &Reply| {
        let mut headers = reply.headers.clone();
        // The HTTP front adds the time of the answer, and an API Gateway the id of the request.
        headers.remove("date");
        headers.remove("apigw-requestid");
        (reply.status, headers, reply.body.clone())
    };
    assert_eq!(visible(one), visible(other), "{endpoint:?}");
}

#[test]
fn every_endpoint_keeps_answers_or_needs_none() {
    let routes = CONTRACTS.iter().flat_map(|contract| contract.routes);
    let all: BTreeSet<_> = routes.map(|route| route.function).collect();
    let known = ENDPOINTS.iter().map(|(function, _)| *function).chain(WITHOUT_KEYS);
    assert_eq!(all, known.collect());
}

#[tokio::test]
async fn a_repeated_request_gets_the_same_answer_and_changes_nothing() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    for endpoint in ENDPOINTS {
        let (prepared, key) = (prepare(stack, endpoint).await, new_key());
        let first = keyed(prepared.call(), &key).await;
        assert!((200..300).contains(&first.status), "{endpoint:?}: {first:?}");
        let (before, sent) = (stored(stack).await, effects(stack).await);
        let bare = key.trim_matches('"');
        for key in [&*key, &*key, bare] {
            assert_same(&first, &keyed(prepared.call(), key).await, endpoint);
        }
        assert_eq!(stored(stack).await, before, "{endpoint:?}");
        assert_eq!(effects(stack).await, sent, "{endpoint:?}");
        // Without the key, and for another request, it is as before.
        let reused = keyed(prepared.other(), &key).await;
        assert_eq!(reused.status, 422, "{endpoint:?}: {reused:?}");
        assert!(
            reused.body.contains("Idempotency-Key was used with another request"),
            "{reused:?}"
        );
        assert_eq!(stored(stack).await, before, "{endpoint:?}");
    }
}

#[tokio::test]
async fn a_kept_answer_holds_no_token_and_no_name() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    for endpoint in ENDPOINTS {
        let prepared = prepare(stack, endpoint).await;
        let answer = keyed(prepared.call(), &new_key()).await;
        let kept = json!(stack.items("Answers").await).to_string();
        let words = answer.body.split(['"', ' ', ';', '=']).filter(|word| word.len() > 11);
        for word in words.map(str::to_owned).chain(answer.cookies()) {
            assert!(!kept.contains(&word), "{endpoint:?}: {word} in {kept}");
        }
    }
}

#[tokio::test]
async fn a_key_is_worth_nothing_to_another_caller() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let endpoint = ("gotu-post-users", "by phone");
    let (prepared, key) = (prepare(stack, endpoint).await, new_key());
    let first = keyed(prepared.call(), &key).await;
    let elsewhere = Ipv4Addr::new(127, 0, 77, 1);
    let stranger = keyed(prepared.call(), &key).from(elsewhere).await;
    stranger.expect(401, &json!({"error": "invalid or expired otp code"}));
    assert_same(&first, &keyed(prepared.call(), &key).await, endpoint);
    // A device keeps its keys in every network.
    let (prepared, key) = (prepare(stack, endpoint).await, new_key());
    let on_device = || keyed(prepared.call(), &key).header("x-device-id", "phone-1");
    let first = on_device().await;
    assert_eq!(first.status, 200);
    assert_same(&first, &on_device().from(elsewhere).await, endpoint);
    // What changes something for a session belongs to its token.
    let endpoint = ("gotu-delete-sessions", "");
    let (one, two) = (prepare(stack, endpoint).await, prepare(stack, endpoint).await);
    let key = new_key();
    assert_eq!(keyed(one.call(), &key).await.status, 204);
    assert_eq!(keyed(two.call(), &key).await.status, 204);
    assert_eq!(two.call().await.status, 401, "the session of the second caller is over, too");
}

#[tokio::test]
async fn a_refused_request_leaves_its_key_free() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    for endpoint in ENDPOINTS {
        let (prepared, key) = (prepare(stack, endpoint).await, new_key());
        let before = stack.items("Answers").await.len();
        let malformed = prepared.call().body("{");
        let refused = keyed(malformed, &key).await;
        if !(400..500).contains(&refused.status) {
            // The endpoint reads no body.
            continue;
        }
        let kept = stack.items("Answers").await.len();
        assert_eq!(kept, before, "{endpoint:?}");
        let answer = keyed(prepared.call(), &key).await;
        assert!((200..300).contains(&answer.status), "{endpoint:?}: {answer:?}");
    }
}

#[tokio::test]
async fn a_key_that_is_no_key_is_refused() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let text = "Idempotency-Key must be a string of 1 to 255 characters";
    for key in ["\"\"", "\"", "a b", &"x".repeat(256)] {
        let refused = keyed(gotu(stack).ask_for_code(&new_phone(), "sign_up"), key).await;
        assert_eq!(refused.status, 400, "{key:?}: {refused:?}");
        refused.expect(400, &json!({"error": text}));
    }
    let twice = keyed(keyed(gotu(stack).ask_for_code(&new_phone(), "sign_up"), "a"), "b");
    twice.await.expect(400, &json!({"error": text}));
    assert_eq!(effects(stack).await, (0, 0));
}

#[tokio::test]
async fn a_request_that_failed_leaves_its_key_free() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    for endpoint in [("gotu-delete-sessions", ""), ("urbanfits-logout", "of one session")] {
        let (prepared, key) = (prepare(stack, endpoint).await, new_key());
        stack.fault(&of_store("error").at("TransactWriteItems").in_function(endpoint.0)).await;
        assert_eq!(keyed(prepared.call(), &key).await.status, 500, "{endpoint:?}");
        stack.clear_faults().await;
        let again = keyed(prepared.call(), &key).await;
        assert!(again.status < 300, "{endpoint:?}: {again:?}");
    }
}

#[tokio::test]
async fn concurrent_repetitions_do_one_thing() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    for endpoint in ENDPOINTS {
        let (prepared, key) = (prepare(stack, endpoint).await, new_key());
        let replies = all((0..TestStack::at_once(12)).map(|_| keyed(prepared.call(), &key))).await;
        let (done, rest): (Vec<_>, Vec<_>) =
            replies.iter().partition(|reply| (200..300).contains(&reply.status));
        assert!(!done.is_empty(), "{endpoint:?}: {rest:?}");
        for reply in &rest {
            assert_eq!(reply.status, 409, "{endpoint:?}: {reply:?}");
            reply.expect_wait(2);
        }
        for reply in done.iter().skip(1) {
            assert_same(done[0], reply, endpoint);
        }
        assert_same(done[0], &repeated(stack, &prepared, &key).await, endpoint);
    }
}

/// Repeats a request. If an earlier one claims the key, the clock moves to the end of the claim.
async fn repeated(stack: &TestStack, prepared: &Prepared<'_>, key: &str) -> Reply {
    let reply = keyed(prepared.call(), key).await;
    if reply.status != 409 {
        return reply;
    }
    for item in stack.items("Answers").await {
        if let Some(id) = item["answer_id"].as_str().filter(|_| item["sealed"].is_null()) {
            stack.set_past("Answers", "answer_id", id, "claimed_until").await;
        }
    }
    keyed(prepared.call(), key).await
}

/// The attributes that counts change, whether a request commits or not.
const COUNTS: [&str; 3] = ["attempts", "stranger_attempts", "guess_ids"];

/// What a request does: the kinds of items that it makes, changes and removes, and its effects. An item's kind is its table
/// with the names of its attributes.
async fn shape(stack: &TestStack) -> BTreeMap<String, i64> {
    let mut kinds = BTreeMap::new();
    stack.wait_until_delivered("").await;
    for table in TABLES {
        for item in stack.items(table).await {
            let names = item.as_object().into_iter().flatten().map(|(name, _)| name.as_str());
            let mut names: Vec<_> = names.filter(|name| !COUNTS.contains(name)).collect();
            names.sort_unstable();
            let count: &mut i64 = kinds.entry(format!("{table}: {}", names.join(" "))).or_default();
            *count = count.saturating_add(1);
        }
    }
    let (messages, events) = effects(stack).await;
    kinds.insert("messages".to_owned(), i64::try_from(messages).unwrap());
    kinds.insert("events".to_owned(), i64::try_from(events).unwrap());
    kinds
}

fn difference(
    before: &BTreeMap<String, i64>,
    after: &BTreeMap<String, i64>,
) -> BTreeMap<String, i64> {
    let kinds: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let of = |shape: &BTreeMap<String, i64>, kind: &String| shape.get(kind).copied().unwrap_or(0);
    let changes = kinds
        .into_iter()
        .map(|kind| (kind.clone(), of(after, kind).saturating_sub(of(before, kind))));
    changes.filter(|(_, change)| *change != 0).collect()
}

/// The faults of one call.
const MODES: [&str; 7] =
    ["crash-before", "crash-after", "lost-reply", "error", "throttle", "conflict", "timeout"];

/// The calls that an endpoint makes, each with the number of equal operations before it.
fn calls_of(calls: &[Value]) -> Vec<(String, u32)> {
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    let store = calls.iter().filter(|call| call["service"] == "dynamodb");
    store
        .map(|call| {
            let operation = call["operation"].as_str().unwrap().to_owned();
            let before = seen.entry(operation.clone()).or_default();
            let number = *before;
            *before = before.saturating_add(1);
            (operation, number)
        })
        .collect()
}

/// Runs the matrix of one endpoint. Returns the number of its cells.
async fn run_matrix(stack: &TestStack, endpoint: (&'static str, &'static str)) -> usize {
    let function = endpoint.0;
    // The first request warms the process up.
    assert!(keyed(prepare(stack, endpoint).await.call(), &new_key()).await.status < 300);
    let prepared = prepare(stack, endpoint).await;
    let before = shape(stack).await;
    let (reply, calls) = stack.calls_during(function, keyed(prepared.call(), &new_key())).await;
    assert!(reply.status < 300, "{endpoint:?}: {reply:?}");
    let (whole, calls) = (difference(&before, &shape(stack).await), calls_of(&calls));
    assert!(!whole.is_empty() && !calls.is_empty(), "{endpoint:?}");
    let mut count: usize = 0;
    for (operation, after) in &calls {
        for mode in MODES {
            if mode == "conflict" && operation.contains("Get") {
                continue;
            }
            let cell = (endpoint, operation, after, mode);
            let (prepared, key) = (prepare(stack, endpoint).await, new_key());
            let before = shape(stack).await;
            let fault = of_store(mode).at(operation).after(*after).in_function(function);
            stack.fault(&fault.times(1)).await;
            let first = keyed(prepared.call(), &key).await;
            stack.clear_faults().await;
            let done = difference(&before, &shape(stack).await);
            assert!(
                done.is_empty() || done == whole,
                "{cell:?}: {first:?} did {done:?}, not {whole:?}"
            );
            let again = repeated(stack, &prepared, &key).await;
            assert!(again.status < 300, "{cell:?}: {first:?}, then {again:?}");
            if first.status < 300 {
                assert_same(&first, &again, endpoint);
            }
            assert_eq!(difference(&before, &shape(stack).await), whole, "{cell:?}");
            count = count.saturating_add(1);
        }
    }
    count
}

/// A fault at any call leaves all or nothing, and the retry succeeds. In an account, one endpoint of the contract shows that a
/// crashed process is replaced; the faults are those of the local stack, and each cell waits for three deliveries.
async fn run_matrix_of(contract: &str) {
    let most = if TestStack::is_in_account() { 1 } else { ENDPOINTS.len() };
    let stack = &TestStack::with(&NO_LIMITS).await;
    let mut cells: usize = 0;
    let endpoints = ENDPOINTS.into_iter().filter(|endpoint| endpoint.0.starts_with(contract));
    for endpoint in endpoints.take(most) {
        cells = run_matrix(stack, endpoint).await.saturating_add(cells);
    }
    assert!(cells > 0);
    say(&format!("{contract}: {cells} cells of the crash matrix, 0 wrong"));
}

#[tokio::test]
async fn a_fault_at_any_call_of_gotu_leaves_all_or_nothing() {
    run_matrix_of("gotu").await;
}

#[tokio::test]
async fn a_fault_at_any_call_of_goodcity_leaves_all_or_nothing() {
    run_matrix_of("goodcity").await;
}

#[tokio::test]
async fn a_fault_at_any_call_of_urbanfits_leaves_all_or_nothing() {
    run_matrix_of("urbanfits").await;
}

#[tokio::test]
async fn a_fault_at_any_call_of_posbytz_leaves_all_or_nothing() {
    run_matrix_of("posbytz").await;
}
