//! The traces of requests: the lines of one address, one identifier and one user can be joined, and no line names a person.

use acceptance::drivers::drivers;
use acceptance::faults::Fault;
use acceptance::goodcity::new_mobile;
use acceptance::gotu::user_id;
use acceptance::tokens::trace_hash;
use acceptance::{KNOWN_RING, TestStack, goodcity, gotu, new_email, new_phone, without_limits};
use serde_json::Value;
use std::net::Ipv4Addr;

/// A source that no other request of this machine has.
const ATTACKER: Ipv4Addr = Ipv4Addr::new(127, 0, 13, 77);

/// The hash of a value on the day of a line.
fn hash_in(line: &Value, kind: &str, value: &str) -> Value {
    let day = &line["timestamp"].as_str().unwrap()[..10];
    trace_hash(KNOWN_RING, day, kind, value).into()
}

/// The lines of a function's requests, when there are `count` of them.
async fn lines(stack: &TestStack, function: &str, count: usize) -> Vec<Value> {
    let look = || async {
        let mut lines = stack.json_lines();
        lines.retain(|(name, line)| name == function && line["message"] == "request");
        (lines.len() == count).then_some(lines)
    };
    let lines = stack.wait_for("the lines", look).await;
    lines.into_iter().map(|(_, line)| line).collect()
}

#[tokio::test]
async fn the_failed_sign_ins_of_one_address_can_be_joined_with_its_other_requests() {
    let env = without_limits(&[("TRACE_KEY_RING", KNOWN_RING)]);
    let stack = &TestStack::with(&env).await;
    let (email, stranger, phone) = (new_email(), new_email(), new_phone());
    let user = user_id(&gotu(stack).sign_up_by_email(&email).await);
    assert_eq!(gotu(stack).sign_in(&email, "wrong horse").from(ATTACKER).await.status, 401);
    assert_eq!(gotu(stack).sign_in(&stranger, "wrong horse").from(ATTACKER).await.status, 404);
    for identifier in [&email, &phone] {
        let asked = gotu(stack).ask_for_code(identifier, "login").from(ATTACKER).await;
        assert_eq!(asked.status, 204);
    }
    let sign_ins = lines(stack, "gotu-post-sessions", 2).await;
    let codes = lines(stack, "gotu-post-otp", 2).await;
    let sign_ups = lines(stack, "gotu-post-users", 1).await;
    let expected = [
        (&sign_ins[0], "email", &email),
        (&sign_ins[1], "email", &stranger),
        (&codes[0], "email", &email),
        (&codes[1], "phone", &phone),
    ];
    for (line, kind, value) in expected {
        assert_eq!(line["source"], hash_in(line, "source", "127.0.13.77"), "{line}");
        assert_eq!(line["identifiers"], hash_in(line, kind, value), "{line}");
        // The id of the gateway is in its access log, beside the address.
        let gateway = line["gateway_request_id"].as_str().unwrap();
        assert!(!gateway.is_empty() && line["request_id"] != gateway, "{line}");
        assert_eq!(line["trace_key"].as_str().unwrap().len(), 8, "{line}");
    }
    assert_ne!(sign_ins[0]["gateway_request_id"], sign_ins[1]["gateway_request_id"]);
    assert_eq!(
        (&sign_ins[0]["user"], &sign_ins[1]["user"]),
        (&hash_in(&sign_ins[0], "user", &user), &Value::Null)
    );
    assert_eq!(
        (&sign_ups[0]["user"], &sign_ups[0]["identifiers"]),
        (&hash_in(&sign_ups[0], "user", &user), &codes[0]["identifiers"])
    );
    assert_ne!(sign_ups[0]["source"], codes[0]["source"], "another source");
    for line in stack.logs() {
        for name in [email.as_str(), &stranger, &phone, "127.0.13.77"] {
            assert!(!line.contains(name), "a log line holds {name}: {line}");
        }
    }
}

#[tokio::test]
async fn every_contract_says_whom_a_code_concerns() {
    let env = without_limits(&[("TRACE_KEY_RING", KNOWN_RING)]);
    let stack = &TestStack::with(&env).await;
    for driver in drivers(stack).await {
        let (facts, person) = (driver.facts(), driver.new_person());
        let (asked, code) = driver.asked(&person).await;
        let entered = driver.enter_code(&person, &asked, &code).await;
        let user = driver.user_id(&entered);
        let kind = if person.recipient.contains('@') { "email" } else { "phone" };
        for function in [facts.asks, facts.enters] {
            let look = || async {
                let mut lines = stack.json_lines();
                lines.retain(|(name, line)| name == function && line["message"] == "request");
                lines.pop()
            };
            let line = stack.wait_for("a line", look).await.1;
            let hash = hash_in(&line, kind, &person.recipient);
            let all = line["identifiers"].as_str().unwrap_or_default();
            assert!(all.split(',').any(|one| one == hash), "{function}: {line}");
            if function == facts.enters {
                assert_eq!(line["user"], hash_in(&line, "user", &user), "{function}: {line}");
            }
        }
    }
}

#[tokio::test]
async fn a_key_that_cannot_be_read_costs_the_hashes_and_no_request() {
    let env = without_limits(&[("OTP_KEY_RING", KNOWN_RING)]);
    let stack = &TestStack::with(&env).await;
    stack.fault(&Fault::of("secrets", "error")).await;
    let mobile = new_mobile();
    assert_eq!(goodcity(stack).sign_up(&mobile).await.status, 200);
    let line = lines(stack, "goodcity-signup", 1).await.remove(0);
    for hash in ["source", "identifiers", "trace_key"] {
        assert_eq!(line[hash], Value::Null, "{line}");
    }
    assert!(line["gateway_request_id"].is_string(), "{line}");
    stack.clear_faults().await;
    assert_eq!(goodcity(stack).send_pin(&mobile).await.status, 200);
    let line = lines(stack, "goodcity-send-pin", 1).await.remove(0);
    assert!(line["source"].is_string() && line["identifiers"].is_string(), "{line}");
}

#[tokio::test]
async fn a_key_that_takes_long_to_read_again_delays_no_request() {
    let env = without_limits(&[("OTP_KEY_RING", KNOWN_RING), ("KEY_RING_SECONDS", "0")]);
    let stack = &TestStack::with(&env).await;
    let mobile = new_mobile();
    assert_eq!(goodcity(stack).sign_up(&mobile).await.status, 200);
    // A call without an answer is given up after four and a half seconds.
    stack.fault(&Fault::of("secrets", "timeout")).await;
    for _ in 0..3 {
        assert_eq!(goodcity(stack).sign_up(&mobile).await.status, 200);
    }
    stack.clear_faults().await;
    let lines = lines(stack, "goodcity-signup", 4).await;
    for line in &lines {
        assert!(line["duration_ms"].as_u64().unwrap() < 3000, "{line}");
        assert_eq!(line["source"], lines[0]["source"], "{line}");
    }
    assert!(lines[0]["source"].is_string(), "{lines:?}");
}
