//! Keys are replaced while users hold tokens and codes of the old keys, and every valid token and code is still accepted.

mod load;

use acceptance::faults::Fault;
use acceptance::goodcity::{error, new_mobile, token};
use acceptance::gotu::tokens;
use acceptance::tokens::key_in;
use acceptance::{TestStack, goodcity, gotu, new_email, say, token_parts, without_limits};
use load::{Load, Outcome};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const FUNCTION: &str = "rotate-keys";
const GOODCITY_KEY: &str = "TOKEN_KEY_SECRET_GOODCITY";
const GOTU_KEY: &str = "TOKEN_KEY_SECRET_GOTU";

/// The settings with which no step waits: every run takes a step with every key, and a process reads the ring in every
/// request.
const AT_ONCE: [(&str, &str); 2] = [("KEY_ROTATION_SECONDS", "0"), ("KEY_RING_SECONDS", "0")];

/// A stack with these settings. Only the test invokes the function.
async fn without_waiting() -> TestStack {
    TestStack::unscheduled(&without_limits(&AT_ONCE)).await
}

/// Invokes the function, which must succeed, and returns the step of each key.
async fn rotate(stack: &TestStack, payload: &Value) -> Vec<Value> {
    let reply = stack.invoke(FUNCTION, payload).await;
    reply.expect_invoked();
    reply.json()["keys"].as_array().unwrap().clone()
}

/// The id of the key that signs after a step.
fn current(step: &Value) -> String {
    step["current"].as_str().unwrap().to_owned()
}

/// The token of a new user of GoodCity.
async fn new_token(stack: &TestStack) -> String {
    token(&goodcity(stack).registered(&new_mobile()).await)
}

/// The id of the key that a token is signed with.
fn key_of(token: &str) -> String {
    token_parts(token).0["kid"].as_str().unwrap().to_owned()
}

/// The state of a secret.
struct SecretState {
    values: Vec<String>,
    versions: BTreeSet<String>,
    labels: BTreeMap<String, String>,
}

impl SecretState {
    fn label(&self, name: &str) -> Option<&String> {
        self.labels.get(name)
    }

    /// The version that is published and has not signed yet.
    fn next(&self) -> Option<&String> {
        let used = [self.label("AWSCURRENT"), self.label("AWSPREVIOUS")];
        self.label("AWSPENDING").filter(|next| !used.contains(&Some(*next)))
    }
}

/// The state of every secret, by its name.
async fn secrets(stack: &TestStack) -> BTreeMap<String, SecretState> {
    let secrets = stack.secrets().await.into_iter().map(|secret| {
        let state = SecretState {
            values: secret.versions.values().map(|value| key_in(value)).collect(),
            versions: secret.versions.into_keys().collect(),
            labels: secret.labels,
        };
        (secret.name, state)
    });
    secrets.collect()
}

/// The number of steps from one state to another. Requires that there is a way of whole steps, on which every published key
/// gets to sign.
fn steps(before: &SecretState, after: &SecretState) -> usize {
    assert!(after.versions.is_superset(&before.versions));
    let published = after.versions.difference(&before.versions).count();
    let waiting = |secret: &SecretState| usize::from(secret.next().is_some());
    let seen = published.saturating_add(waiting(before));
    let signed = seen.checked_sub(waiting(after)).unwrap();
    assert_eq!(signed > 0, before.label("AWSCURRENT") != after.label("AWSCURRENT"));
    if signed == 1 {
        assert_eq!(after.label("AWSPREVIOUS"), before.label("AWSCURRENT"));
    }
    published.saturating_add(signed)
}

fn assert_no_key_in(logs: &[String], secrets: &BTreeMap<String, SecretState>) {
    for value in secrets.values().flat_map(|secret| &secret.values) {
        assert_eq!(value.len(), 64);
        assert!(!logs.iter().any(|line| line.contains(value)), "a log line holds a key");
    }
}

#[tokio::test]
async fn five_rotations_under_load_reject_no_valid_token_or_code() {
    const ROTATIONS: usize = 5;
    let stack = &without_waiting().await;
    let Outcome { signed, presented, outdated, rejected } = Load::new(stack).run(ROTATIONS).await;
    say(&format!(
        "rejected valid tokens: {} of {presented}, rotations {ROTATIONS} \
         ({outdated} had a key that did not sign any more)",
        rejected.len()
    ));
    assert!(rejected.is_empty(), "{rejected:?}");
    assert!(outdated >= 30 && presented >= 300, "{outdated} {presented}");
    assert_eq!(signed.len(), secrets(stack).await.len(), "every secret is rotated");
    for (key, ids) in &signed {
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{key} came back");
        assert!(ids.len() > ROTATIONS, "{key}");
    }
    // A new token has the newest key.
    let token = tokens(&gotu(stack).sign_up_by_email(&new_email()).await).access;
    assert_eq!(Some(&key_of(&token)), signed[GOTU_KEY].last());
    assert_no_key_in(&stack.logs(), &secrets(stack).await);
}

#[tokio::test]
async fn a_leaked_key_is_worthless_once_it_was_replaced_twice() {
    // Nothing is due, and a process reads the ring in every request.
    let env = without_limits(&[("KEY_RING_SECONDS", "0")]);
    let stack = &TestStack::unscheduled(&env).await;
    let before = rotate(stack, &json!({})).await;
    assert!(before.iter().all(|step| step["turn"] == "rests" && step["next"].is_null()));
    let leaked = new_token(stack).await;
    let once = json!({"at_once": [GOODCITY_KEY]});
    let first = rotate(stack, &once).await;
    assert_eq!((first.len(), &first[0]["key"]), (1, &json!(GOODCITY_KEY)));
    assert_eq!(first[0]["turn"], "replaced");
    assert_ne!(current(&first[0]), key_of(&leaked));
    // It is the previous key now.
    assert_eq!(goodcity(stack).current_user_profile(&leaked).await.status, 200);
    let fresh = new_token(stack).await;
    assert_eq!(key_of(&fresh), current(&first[0]));
    assert_eq!(goodcity(stack).current_user_profile(&fresh).await.status, 200);

    rotate(stack, &once).await;
    let refusal = goodcity(stack).current_user_profile(&leaked).await;
    refusal.expect(401, &error("Invalid token"));
    assert_eq!(goodcity(stack).current_user_profile(&fresh).await.status, 200);

    // A name that is not a key is refused, and nothing happens.
    let unknown = json!({"at_once": [GOTU_KEY, "EMAIL_SENDER"]});
    let reply = stack.invoke(FUNCTION, &unknown).await;
    assert_eq!(reply.header("x-amz-function-error"), "Unhandled", "{reply:?}");
    assert!(reply.body.contains("there is no key EMAIL_SENDER"), "{reply:?}");
    let after = rotate(stack, &json!({})).await;
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(before == after, before["key"] != GOODCITY_KEY, "{before} {after}");
    }
    assert_no_key_in(&stack.logs(), &secrets(stack).await);
}

#[tokio::test]
async fn a_published_key_waits_for_the_copies_of_the_processes() {
    // With the template's lifetime of a copy.
    let env = without_limits(&[("KEY_ROTATION_SECONDS", "0")]);
    let stack = &TestStack::unscheduled(&env).await;
    for turn in ["published", "rests"] {
        let steps = rotate(stack, &json!({})).await;
        assert!(steps.iter().all(|step| step["turn"] == turn && !step["next"].is_null()));
    }
}

#[tokio::test]
async fn a_warm_process_accepts_the_token_of_a_key_that_it_has_not_read() {
    const CHECKS: &str = "goodcity-current-user-profile";
    const SIGNS: &str = "goodcity-verify";
    let stack = &TestStack::unscheduled(&without_limits(&[])).await;
    let old = new_token(stack).await;
    assert_eq!(goodcity(stack).current_user_profile(&old).await.status, 200);
    let replaced = rotate(stack, &json!({"at_once": [GOODCITY_KEY]})).await;
    // Another process signs, so that a token has the new key although no copy has ended.
    let crash = Fault::of("dynamodb", "crash-before").in_function(SIGNS).times(1);
    stack.fault(&crash).await;
    assert!(goodcity(stack).verify("no key", "0000").await.status >= 500);
    let new = new_token(stack).await;
    assert_eq!(key_of(&new), current(&replaced[0]));
    let profile = goodcity(stack).current_user_profile(&new);
    let (reply, calls) = stack.calls_during(CHECKS, profile).await;
    assert_eq!(reply.status, 200);
    let reads = |call: &&Value| call["operation"] == "DescribeSecret";
    assert_eq!(calls.iter().filter(reads).count(), 1, "{calls:?}");
    for token in [&old, &new] {
        let profile = goodcity(stack).current_user_profile(token);
        let (reply, calls) = stack.calls_during(CHECKS, profile).await;
        assert_eq!((reply.status, calls.iter().filter(reads).count()), (200, 0), "{calls:?}");
    }
}

#[tokio::test]
async fn two_rotators_at_once_take_one_step() {
    let stack = &without_waiting().await;
    let keys = secrets(stack).await.len();
    for (operation, turn) in
        [("PutSecretValue", "published"), ("UpdateSecretVersionStage", "signs")]
    {
        let before = secrets(stack).await;
        // The first one reads the state of the keys and is then delayed until the second one is done.
        let delay = Fault::of("secrets", "timeout").at(operation).in_function(FUNCTION).times(keys);
        stack.fault(&delay).await;
        let delayed = async || {
            let calls = stack.calls(FUNCTION).await;
            let started = calls.iter().filter(|call| call["operation"] == operation).count();
            (started >= keys).then_some(())
        };
        let second = async {
            stack.wait_for("a rotator in the middle of its step", delayed).await;
            let steps = rotate(stack, &json!({})).await;
            stack.clear_faults().await;
            steps
        };
        let payload = json!({});
        let (first, second) = tokio::join!(rotate(stack, &payload), second);
        for (one, other) in first.iter().zip(&second) {
            let took = [one, other].iter().filter(|it| it["turn"] == turn).count();
            assert_eq!(took, 1, "{one} {other}");
        }
        for (name, after) in secrets(stack).await {
            assert_eq!(steps(&before[&name], &after), 1, "{name}");
        }
    }
}

#[tokio::test]
async fn the_next_run_makes_up_for_a_fault_at_any_call() {
    let stack = &without_waiting().await;
    for mode in ["error", "throttle", "lost-reply", "crash-before", "crash-after"] {
        for operation in ["DescribeSecret", "PutSecretValue", "UpdateSecretVersionStage"] {
            let is_due = |secret: &SecretState| match operation {
                "PutSecretValue" => secret.next().is_none(),
                "UpdateSecretVersionStage" => secret.next().is_some(),
                _ => true,
            };
            while !secrets(stack).await.values().any(is_due) {
                rotate(stack, &json!({})).await;
            }
            let before = secrets(stack).await;
            let fault = Fault::of("secrets", mode).at(operation).in_function(FUNCTION).times(1);
            stack.fault(&fault).await;
            let reply = stack.invoke(FUNCTION, &json!({})).await;
            let failed = reply.header("x-amz-function-error") == "Unhandled";
            assert_eq!(failed, mode.starts_with("crash"), "{mode} {operation}: {reply:?}");
            stack.clear_faults().await;
            let between = secrets(stack).await;
            rotate(stack, &json!({})).await;
            let after = secrets(stack).await;
            for (name, before) in &before {
                let taken = steps(before, &between[name]);
                assert!(taken == 1 || (taken == 0 && failed), "{mode} {operation} {name}");
                // A call of the crashed process may still take effect.
                let last = if failed { 1..=2 } else { 1..=1 };
                let made = steps(&between[name], &after[name]);
                assert!(last.contains(&made), "{mode} {operation} {name}: {made}");
            }
        }
    }
    // A lasting fault of one key is an error of the function, which an alarm can see. The other keys take their step.
    let before = secrets(stack).await;
    let fault = Fault::of("secrets", "error").at("DescribeSecret").in_function(FUNCTION).times(4);
    stack.fault(&fault).await;
    let reply = stack.invoke(FUNCTION, &json!({})).await;
    stack.clear_faults().await;
    let after = secrets(stack).await;
    let moved = before.iter().filter(|(name, before)| steps(before, &after[*name]) > 0).count();
    let failed = reply.header("x-amz-function-error") == "Unhandled";
    assert!(moved >= before.len() - 1 && failed == (moved < before.len()), "{moved} {reply:?}");
    assert_no_key_in(&stack.logs(), &after);
}

#[tokio::test]
async fn a_function_that_cannot_look_for_a_key_does_not_call_its_tokens_forged() {
    let stack = &without_waiting().await;
    let old = new_token(stack).await;
    assert_eq!(goodcity(stack).current_user_profile(&old).await.status, 200);
    let fault = Fault::of("secrets", "error").in_function("goodcity-current-user-profile");
    stack.fault(&fault).await;
    rotate(stack, &json!({"at_once": [GOODCITY_KEY]})).await;
    let new = new_token(stack).await;
    // The function's copy has the key of the old token, and not the key of the new one.
    for _ in 0..2 {
        assert_eq!(goodcity(stack).current_user_profile(&old).await.status, 200);
        assert_eq!(goodcity(stack).current_user_profile(&new).await.status, 500);
    }
    stack.clear_faults().await;
    assert_eq!(goodcity(stack).current_user_profile(&new).await.status, 200);
}
