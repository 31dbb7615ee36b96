//! Keys are replaced while users hold tokens and codes of the old keys, and every valid token and code is still accepted.

mod load;

use acceptance::faults::Fault;
use acceptance::goodcity::{error, new_mobile, token};
use acceptance::gotu::tokens;
use acceptance::tokens::key_in;
use acceptance::{TestStack, goodcity, gotu, new_email, say, token_parts, without_limits};
use latchkey::adapters::system::SystemClock;
use latchkey::domain::time::Timestamp;
use latchkey::ports::Clock as _;
use load::{LIFETIME, Load, Outcome};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const FUNCTION: &str = "rotate-keys";
const GOODCITY_KEY: &str = "TOKEN_KEY_SECRET_GOODCITY";
const GOTU_KEY: &str = "TOKEN_KEY_SECRET_GOTU";

fn now() -> Timestamp {
    SystemClock.now()
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

/// Waits for a token that is signed with this key.
async fn token_of(stack: &TestStack, key_id: &str) -> String {
    let look = async || Some(new_token(stack).await).filter(|token| key_of(token) == key_id);
    stack.wait_for("a token of the new key", look).await
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

/// The time after which every function knows a published key, with rings of one second.
const DUE: Duration = Duration::from_secs(2);

#[tokio::test]
async fn five_rotations_under_load_reject_no_valid_token_or_code() {
    const ROTATIONS: usize = 5;
    let lifetime = LIFETIME.to_string();
    let env = [
        ("KEY_ROTATION_SECONDS", "5"),
        ("KEY_RING_SECONDS", "3"),
        ("OTP_TTL_SECONDS", &lifetime),
        ("ACCESS_TOKEN_SECONDS_GOTU", &lifetime),
        ("ACCESS_TOKEN_SECONDS_GOODCITY", &lifetime),
        ("SESSION_SECONDS_URBANFITS", &lifetime),
    ];
    let stack = &TestStack::with(&without_limits(&env)).await;
    let load = Load::new(stack).await;
    let Outcome { signed, presented, outdated, rejected } = load.run(ROTATIONS).await;
    say(&format!(
        "rejected valid tokens: {} of {presented}, rotations {ROTATIONS} \
         ({outdated} had a key that did not sign any more)",
        rejected.len()
    ));
    assert!(rejected.is_empty(), "{rejected:?}");
    assert!(outdated > 0 && presented > 100);
    assert_eq!(signed.len(), secrets(stack).await.len(), "every secret is rotated");
    for (key, ids) in &signed {
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{key} came back");
        assert!(ids.len() > ROTATIONS, "{key}");
    }
    // A new token has the newest key.
    let newest = async || {
        let steps = rotate(stack, &json!({})).await;
        let newest = steps.iter().find(|step| step["key"] == GOTU_KEY).map(current);
        let token = tokens(&gotu(stack).sign_up_by_email(&new_email()).await).access;
        (newest == Some(key_of(&token))).then_some(())
    };
    stack.wait_for("a token of the newest key", newest).await;
    assert_no_key_in(&stack.logs(), &secrets(stack).await);
}

#[tokio::test]
async fn a_leaked_key_is_worthless_once_it_was_replaced_twice() {
    let stack = &TestStack::with(&without_limits(&[("KEY_RING_SECONDS", "1")])).await;
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
    let fresh = token_of(stack, &current(&first[0])).await;
    assert_eq!(goodcity(stack).current_user_profile(&fresh).await.status, 200);

    rotate(stack, &once).await;
    let refused = async || {
        let reply = goodcity(stack).current_user_profile(&leaked).await;
        (reply.status != 200).then_some(reply)
    };
    let refusal = stack.wait_for("the end of the leaked key", refused).await;
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
async fn two_rotators_at_once_take_one_step() {
    let env = [("KEY_ROTATION_SECONDS", "0"), ("KEY_RING_SECONDS", "1")];
    let stack = &TestStack::unscheduled(&without_limits(&env)).await;
    let keys = secrets(stack).await.len();
    let mut last = now().minus(DUE);
    for (operation, turn) in
        [("PutSecretValue", "published"), ("UpdateSecretVersionStage", "signs")]
    {
        // A key that was published a moment ago is not due yet.
        let due = || async { (now().since(last) >= DUE).then_some(()) };
        stack.wait_for("the next step", due).await;
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
            rotate(stack, &json!({})).await
        };
        let payload = json!({});
        let (first, second) = tokio::join!(rotate(stack, &payload), second);
        last = now();
        for (one, other) in first.iter().zip(&second) {
            let took = [one, other].iter().filter(|it| it["turn"] == turn).count();
            assert_eq!(took, 1, "{one} {other}");
        }
        for (name, after) in secrets(stack).await {
            assert_eq!(steps(&before[&name], &after), 1, "{name}");
        }
        stack.clear_faults().await;
    }
}

#[tokio::test]
async fn the_next_run_makes_up_for_a_fault_at_any_call() {
    // With these settings, every run takes a step with every key.
    let env = [("KEY_ROTATION_SECONDS", "0"), ("KEY_RING_SECONDS", "0")];
    let stack = &TestStack::unscheduled(&without_limits(&env)).await;
    for mode in ["error", "throttle", "lost-reply", "timeout", "crash-before", "crash-after"] {
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
    let stack = &TestStack::with(&without_limits(&[("KEY_RING_SECONDS", "1")])).await;
    let old = new_token(stack).await;
    assert_eq!(goodcity(stack).current_user_profile(&old).await.status, 200);
    let fault = Fault::of("secrets", "error").in_function("goodcity-current-user-profile");
    stack.fault(&fault).await;
    let replaced = rotate(stack, &json!({"at_once": [GOODCITY_KEY]})).await;
    let new = token_of(stack, &current(&replaced[0])).await;
    // The function's copy has the key of the old token, and not the key of the new one.
    for _ in 0..2 {
        assert_eq!(goodcity(stack).current_user_profile(&old).await.status, 200);
        assert_eq!(goodcity(stack).current_user_profile(&new).await.status, 500);
    }
    stack.clear_faults().await;
    let accepted = async || {
        let reply = goodcity(stack).current_user_profile(&new).await;
        (reply.status == 200).then_some(())
    };
    stack.wait_for("the new key", accepted).await;
}
