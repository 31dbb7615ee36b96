//! Why a person gets no message: the verbs `history` and `explain` of the function `people`, a test for each cause.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use acceptance::faults::Fault;
use acceptance::{TestStack, gotu, new_email, new_phone, without_limits};
use serde_json::{Value, json};

/// A stack whose carriers report what became of messages.
async fn reporting() -> TestStack {
    TestStack::with(&without_limits(&[("DELIVERY_REPORTS", "on")])).await
}

/// Sets what SNS and SES say of the account and of recipients.
async fn set_carriers(stack: &TestStack, state: &Value) {
    let reply = stack.request("POST", "/_local/carriers").json(state).await;
    assert_eq!(reply.status, 204, "{reply:?}");
}

async fn ask(stack: &TestStack, verb: &str, person: &str) -> Value {
    let payload = json!({"verb": verb, "who": "a test", "why": "to see it", "person": person,
        "contract": "gotu"});
    let reply = stack.invoke("people", &payload).await;
    reply.expect_invoked();
    reply.json()
}

/// Returns the findings about a recipient, what stops messages first.
async fn findings(stack: &TestStack, recipient: &str) -> Vec<Value> {
    let answer = ask(stack, "explain", recipient).await;
    let of_recipient = |explained: &&Value| explained["recipient"] == recipient;
    let explained = answer["explained"].as_array().unwrap_or_else(|| panic!("{answer}"));
    let explained = explained.iter().find(of_recipient);
    explained.unwrap()["findings"].as_array().unwrap().clone()
}

/// Waits for a finding with this cause, and returns it.
async fn finding(stack: &TestStack, recipient: &str, cause: &str) -> Value {
    let found = async || {
        let findings = findings(stack, recipient).await;
        findings.into_iter().find(|finding| finding["cause"] == cause)
    };
    let finding = stack.wait_for(cause, found).await;
    for text in ["sentence", "next"] {
        assert!(finding[text].as_str().is_some_and(|text| text.len() > 10), "{finding}");
    }
    finding
}

/// Returns the entries of a history of messages, once there are so many.
async fn messages(stack: &TestStack, recipient: &str, count: usize) -> Vec<Value> {
    let found = async || {
        let answer = ask(stack, "history", recipient).await;
        let entries = answer["history"].as_array().unwrap_or_else(|| panic!("{answer}")).clone();
        let messages: Vec<_> =
            entries.into_iter().filter(|entry| entry["outcome"].is_string()).collect();
        (messages.len() == count).then_some(messages)
    };
    stack.wait_for("a history", found).await
}

#[tokio::test]
async fn a_registered_recipient_gets_no_code_to_sign_up() {
    let stack = &TestStack::with(&without_limits(&[("ACCOUNT_NOTICE_GOTU", "false")])).await;
    let phone = new_phone();
    gotu(stack).registered(&phone).await;
    gotu(stack).ask_for_code(&phone, "sign_up").await.expect_text(204, "");
    let entries = messages(stack, &phone, 2).await;
    let [newest, _] = entries.as_slice() else { panic!("{entries:?}") };
    assert_eq!((&newest["outcome"], &newest["reason"]), (&json!("withheld"), &json!("registered")));
    assert_eq!(finding(stack, &phone, "registered").await["stops"], false);
    let withheld = finding(stack, &phone, "withheld").await;
    assert!(withheld["sentence"].as_str().unwrap().contains("has an account"), "{withheld}");
}

#[tokio::test]
async fn an_unregistered_recipient_gets_no_code_to_sign_in() {
    let stack = TestStack::shared().await;
    let phone = new_phone();
    gotu(stack).ask_for_code(&phone, "login").await.expect_text(204, "");
    let withheld = finding(stack, &phone, "withheld").await;
    assert!(withheld["sentence"].as_str().unwrap().contains("has no account"), "{withheld}");
    assert_eq!(finding(stack, &phone, "unregistered").await["stops"], false);
}

#[tokio::test]
async fn a_country_that_is_not_served_gets_no_texts() {
    let stack = &TestStack::with(&without_limits(&[("SMS_COUNTRIES", "+62")])).await;
    let phone = "+85291234567";
    gotu(stack).ask_for_code(phone, "sign_up").await.expect_text(204, "");
    assert_eq!(finding(stack, phone, "country").await["stops"], true);
    let entries = messages(stack, phone, 1).await;
    assert_eq!(entries[0]["reason"], "country");
}

#[tokio::test]
async fn a_spent_budget_stops_messages_to_a_country() {
    let stack = &TestStack::with(&without_limits(&[("MESSAGES_PER_HOUR", "1")])).await;
    let (first, second) = (new_phone(), new_phone());
    gotu(stack).ask_for_code(&first, "sign_up").await.expect_text(204, "");
    assert_eq!(gotu(stack).ask_for_code(&second, "sign_up").await.status, 429);
    assert_eq!(finding(stack, &second, "budget").await["stops"], true);
    let history = ask(stack, "history", &second).await;
    let entry = &history["history"][0];
    let shown = ["what", "of", "times"].map(|name| entry[name].clone());
    assert_eq!(shown, [json!("refused"), json!("bill"), json!(1)], "{history}");
}

#[tokio::test]
async fn a_recipient_whose_limit_is_spent_waits() {
    let limits = [("OTP_RESEND_SECONDS", "0"), ("OTP_SENDS_PER_HOUR", "1")];
    let stack = &TestStack::with(&limits).await;
    let phone = new_phone();
    gotu(stack).ask_for_code(&phone, "sign_up").await.expect_text(204, "");
    assert_eq!(gotu(stack).ask_for_code(&phone, "sign_up").await.status, 429);
    assert_eq!(finding(stack, &phone, "spent").await["stops"], true);
    let history = ask(stack, "history", &phone).await;
    let entries = history["history"].as_array().unwrap();
    assert!(entries.iter().any(|entry| entry["of"] == "recipient"), "{history}");
}

#[tokio::test]
async fn a_number_that_opted_out_gets_no_texts() {
    let stack = &reporting().await;
    let phone = new_phone();
    set_carriers(stack, &json!({"sms": {"optedOut": [phone]}})).await;
    gotu(stack).ask_for_code(&phone, "sign_up").await.expect_text(204, "");
    assert_eq!(finding(stack, &phone, "opted_out").await["stops"], true);
    let undelivered = finding(stack, &phone, "undelivered").await;
    assert!(undelivered["sentence"].as_str().unwrap().contains("opted out"), "{undelivered}");
    assert!(stack.messages(&phone).await.is_empty());
    assert_eq!(finding(stack, &phone, "left_alone").await["stops"], true);
}

#[tokio::test]
async fn a_sandbox_sends_to_verified_numbers_alone() {
    let stack = &reporting().await;
    let (verified, other) = (new_phone(), new_phone());
    set_carriers(stack, &json!({"sms": {"sandbox": true, "verified": [verified]}})).await;
    for phone in [&verified, &other] {
        gotu(stack).ask_for_code(phone, "sign_up").await.expect_text(204, "");
    }
    assert_eq!(finding(stack, &other, "sandbox").await["stops"], true);
    finding(stack, &verified, "delivered").await;
    let of_verified = findings(stack, &verified).await;
    assert!(of_verified.iter().all(|finding| finding["cause"] != "sandbox"), "{of_verified:?}");
    assert!(stack.messages(&other).await.is_empty());
}

#[tokio::test]
async fn a_spent_monthly_limit_is_named_with_the_words_of_the_carrier() {
    let stack = &reporting().await;
    let phone = new_phone();
    set_carriers(stack, &json!({"sms": {"spent": true, "monthlySpendLimitUsd": 7}})).await;
    gotu(stack).ask_for_code(&phone, "sign_up").await.expect_text(204, "");
    let limit = finding(stack, &phone, "spend_limit").await;
    let sentence = limit["sentence"].as_str().unwrap();
    assert!(sentence.contains("No quota left for account"), "{sentence}");
    assert!(sentence.contains("7 USD"), "{sentence}");
    let entries = messages(stack, &phone, 1).await;
    assert_eq!(entries[0]["receipt"]["blame"], "account");
}

#[tokio::test]
async fn a_recipient_that_the_carrier_refuses_is_named_with_its_words() {
    let stack = &TestStack::with(&without_limits(&[])).await;
    let phone = new_phone();
    stack.fault(&Fault::of("sns", "refuse")).await;
    gotu(stack).ask_for_code(&phone, "sign_up").await.expect_text(204, "");
    let refused = finding(stack, &phone, "refused").await;
    assert_eq!(refused["stops"], true);
    assert!(refused["sentence"].as_str().unwrap().contains("InvalidParameter"), "{refused}");
}

#[tokio::test]
async fn a_delivered_message_is_named_with_its_time() {
    let stack = &reporting().await;
    let phone = new_phone();
    gotu(stack).ask_for_code(&phone, "sign_up").await.expect_text(204, "");
    assert_eq!(finding(stack, &phone, "delivered").await["stops"], false);
    let entries = messages(stack, &phone, 1).await;
    assert!(entries[0]["receipt"]["deliveredAt"].is_string(), "{entries:?}");
    let findings = findings(stack, &phone).await;
    assert!(findings.iter().all(|finding| finding["stops"] == false), "{findings:?}");
}

#[tokio::test]
async fn a_message_without_reports_is_one_without_a_receipt() {
    let stack = TestStack::shared().await;
    let phone = new_phone();
    gotu(stack).ask_for_code(&phone, "sign_up").await.expect_text(204, "");
    let accepted = finding(stack, &phone, "no_receipt").await;
    assert!(accepted["next"].as_str().unwrap().contains("DeliveryReports"), "{accepted}");
    finding(stack, &new_phone(), "never_asked").await;
}

#[tokio::test]
async fn a_mailbox_is_explained_by_what_ses_says() {
    let stack = &reporting().await;
    let (suppressed, other) = (new_email(), new_email());
    let state = json!({"mail": {"sandbox": true, "suppressed": {(suppressed.as_str()): "BOUNCE"}}});
    set_carriers(stack, &state).await;
    for address in [&suppressed, &other] {
        gotu(stack).ask_for_code(address, "sign_up").await.expect_text(204, "");
    }
    assert_eq!(finding(stack, &suppressed, "mail_suppressed").await["stops"], true);
    finding(stack, &other, "mail_sandbox").await;
    assert_eq!(finding(stack, &other, "waits").await["stops"], true);
}

#[tokio::test]
async fn a_history_has_guesses_and_events_and_names_no_person() {
    let stack = &TestStack::with(&without_limits(&[])).await;
    let phone = new_phone();
    gotu(stack).registered(&phone).await;
    gotu(stack).ask_for_code(&phone, "login").await.expect_text(204, "");
    let wrong = json!({"phoneNumber": phone, "otpCode": "00000"});
    let refused = stack.request("POST", "/sessions/phone").json(&wrong).await;
    assert!(refused.status >= 400, "{refused:?}");
    let whole = async || {
        let history = ask(stack, "history", &phone).await;
        let entries = history["history"].as_array()?.clone();
        let has = |what: &str| entries.iter().any(|entry| entry["what"] == what);
        (has("guess") && has("events") && has("code")).then_some(entries)
    };
    let entries = stack.wait_for("the history", whole).await;
    let types = entries.iter().filter_map(|entry| entry["events"].as_array()).flatten();
    assert!(types.into_iter().any(|kind| kind == "AUTH_USER_CREATED"), "{entries:?}");
    assert!(!json!(entries).to_string().contains(&phone), "{entries:?}");
    assert!(!json!(stack.items("Histories").await).to_string().contains(&phone));
    ask(stack, "erase", &phone).await;
    let left = ask(stack, "history", &phone).await;
    assert_eq!(left, json!({"history": []}));
}
