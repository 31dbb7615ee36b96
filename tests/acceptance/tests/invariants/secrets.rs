//! No table and no log line reveals a code, a password, a token, a key, or who a user is.

use acceptance::drivers::for_every_contract;
use acceptance::faults::{Fault, of_store};
use acceptance::tokens::key_in;
use acceptance::{TABLES, TestStack, gotu, new_email, new_phone, without_limits};
use serde_json::json;
use std::sync::Mutex;

#[tokio::test]
async fn tables_and_logs_hold_no_secret() {
    let stack = &TestStack::with(&without_limits(&[("DELIVERY_REPORTS", "on")])).await;
    let all = Mutex::new(Vec::new());
    for_every_contract(stack, async |driver| {
        let traces = driver.journey().await;
        assert!(!traces.secrets.is_empty() && !traces.codes.is_empty() && !traces.names.is_empty());
        all.lock().unwrap().push(traces);
    })
    .await;
    fail_requests_and_deliveries(stack).await;
    let traces = all.into_inner().unwrap();
    let keys = stack.secrets().await;
    let keys = keys.iter().flat_map(|secret| secret.versions.values());
    let keys: Vec<_> = keys.map(|value| key_in(value)).collect();
    assert!(keys.len() >= 2, "the stack has keys");
    let secrets: Vec<_> = traces.iter().flat_map(|it| &it.secrets).chain(&keys).collect();
    let codes: Vec<_> = traces.iter().flat_map(|it| &it.codes).collect();
    for table in TABLES {
        let text = json!(stack.items(table).await).to_string();
        for secret in &secrets {
            assert!(!text.contains(secret.as_str()), "{table} holds a secret: {secret}");
        }
        for code in &codes {
            assert!(!text.contains(&json!(code).to_string()), "{table} holds a code");
        }
    }
    let names: Vec<_> = traces.iter().flat_map(|it| &it.names).collect();
    for line in &stack.logs() {
        for secret in secrets.iter().chain(&names) {
            assert!(!line.contains(secret.as_str()), "a log line holds {secret}: {line}");
        }
        // Four digits can be a duration.
        for code in codes.iter().filter(|code| code.len() > 4) {
            let mut words = line.split(|c: char| !c.is_ascii_alphanumeric());
            assert!(!words.any(|word| word == code.as_str()), "a log line holds a code: {line}");
        }
    }
}

/// Makes error lines, so that they are among the lines that are searched.
async fn fail_requests_and_deliveries(stack: &TestStack) {
    stack.fault(&of_store("error").times(100)).await;
    assert_eq!(gotu(stack).sign_up_by_email(&new_email()).await.status, 500);
    stack.clear_faults().await;
    for service in ["sns", "ses", "events"] {
        stack.fault(&Fault::of(service, "error").times(1)).await;
    }
    for identifier in [new_phone(), new_email()] {
        gotu(stack).ask_for_code(&identifier, "sign_up").await.expect_text(204, "");
        stack.wait_until_delivered(&identifier).await;
    }
    assert!(!stack.lines("request").is_empty(), "logs are captured");
    let lines = stack.json_lines();
    for function in ["gotu-post-users", "relay"] {
        let failed = lines.iter().any(|(it, line)| it == function && line["level"] == "ERROR");
        assert!(failed, "{function} wrote an error line");
    }
}
