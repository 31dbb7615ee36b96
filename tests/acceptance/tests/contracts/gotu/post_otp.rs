//! `POST /otp`.

use acceptance::gotu::{error, user_id};
use acceptance::{
    NO_LIMITS, Reply, TestStack, all, code_in, count, gotu, new_email, new_phone, without_limits,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

const TYPES: [&str; 5] = ["login", "change_phone", "reset_password", "sign_up", "delete_account"];

#[tokio::test]
async fn a_code_goes_to_a_phone_by_sms() {
    let stack = TestStack::shared().await;
    let phone = new_phone();
    let reply = gotu(stack).ask_for_code(&phone, "sign_up").await;
    reply.expect_text(204, "");
    assert_eq!(reply.header("cache-control"), "no-store");
    let message = stack.message(&phone, 1).await;
    assert_eq!((&message["channel"], &message["to"]), (&json!("sms"), &json!(phone)));
    assert_eq!((&message["subject"], &message["html"]), (&Value::Null, &Value::Null));
    let body = message["body"].as_str().unwrap();
    let code = code_in(body);
    assert!(code.len() == 5 && body.starts_with(&code), "{body}");
    assert_eq!(
        body.replace(&code, "#####"),
        "##### is your Gotu code to sign up. It works for 5 minutes. Not you? Ignore this message."
    );
}

#[tokio::test]
async fn a_code_goes_to_an_address_by_mail_in_lower_case() {
    let stack = TestStack::shared().await;
    let email = new_email();
    assert_eq!(gotu(stack).ask_for_code(&email.to_uppercase(), "sign_up").await.status, 204);
    let message = stack.message(&email, 1).await;
    assert_eq!((&message["channel"], &message["to"]), (&json!("email"), &json!(email)));
    assert_eq!(message["subject"], "Your Gotu code to sign up");
    let code = code_in(message["body"].as_str().unwrap());
    assert!(message["html"].as_str().unwrap().contains(&code));
}

#[tokio::test]
async fn each_type_serves_registered_or_unregistered_identifiers_only() {
    let stack = TestStack::shared().await;
    let (unregistered, known) = (new_phone(), new_phone());
    gotu(stack).registered(&known).await;
    for otp_type in TYPES {
        for phone in [&unregistered, &known] {
            let reply = gotu(stack).ask_for_code(phone, otp_type).await;
            assert_eq!((reply.status, reply.body.as_str()), (204, ""), "{otp_type} {phone}");
        }
    }
    for phone in [&unregistered, &known] {
        stack.wait_until_delivered(phone).await;
    }
    // The aims that the texts to a phone name.
    let aims = async |phone| -> BTreeSet<String> {
        let aim = |message: &Value| {
            let text = message["body"].as_str().unwrap();
            let (_, rest) = text.split_once(" is your Gotu code to ").unwrap_or(("", text));
            rest.split('.').next().unwrap().to_owned()
        };
        stack.messages(phone).await.iter().map(aim).collect()
    };
    let texts = |aims: &[&str]| aims.iter().map(|aim| (*aim).to_owned()).collect();
    let expected: BTreeSet<_> = texts(&["confirm your phone number", "sign up"]);
    assert_eq!(aims(&unregistered).await, expected);
    let notice = "You already have a Gotu account";
    let expected: BTreeSet<_> =
        texts(&["delete your account", "set a new password", "sign in", "sign up", notice]);
    assert_eq!(aims(&known).await, expected);
    let count = async |phone| stack.messages(phone).await.len();
    assert_eq!((count(&unregistered).await, count(&known).await), (2, 5));
}

#[tokio::test]
async fn registered_and_unregistered_cost_the_same() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let (unregistered, known) = (new_phone(), new_phone());
    gotu(stack).registered(&known).await;
    stack.wait_until_delivered(&known).await;
    let mut costs = Vec::new();
    // Twice each, so that both are sent to an existing and to a new challenge.
    for phone in [&known, &unregistered, &known, &unregistered] {
        let (reply, calls) =
            stack.calls_during("gotu-post-otp", gotu(stack).ask_for_code(phone, "login")).await;
        let cost: Vec<Value> = calls
            .iter()
            .map(|call| {
                json!([call["operation"], call["resources"], call["status"], call["units"]])
            })
            .collect();
        costs.push((reply.status, reply.body, cost));
    }
    assert_eq!(costs[0].2.len(), 2, "one read, one transaction: {:?}", costs[0]);
    assert_eq!((&costs[0], &costs[2]), (&costs[1], &costs[3]));
    stack.wait_until_delivered(&unregistered).await;
    assert!(stack.messages(&unregistered).await.is_empty());
}

#[tokio::test]
async fn a_person_with_an_account_is_told_how_to_come_in() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let (phone, email) = (new_phone(), new_email());
    gotu(stack).registered(&phone).await;
    assert_eq!(gotu(stack).sign_up_by_email(&email).await.status, 200);
    let mut costs = Vec::new();
    for (identifier, number) in [(&phone, 2), (&new_phone(), 1), (&email, 1), (&new_email(), 1)] {
        let asked = gotu(stack).ask_for_code(identifier, "sign_up");
        let (reply, calls) = stack.calls_during("gotu-post-otp", asked).await;
        let calls: Vec<_> =
            calls.iter().map(|call| json!([call["operation"], call["units"]])).collect();
        costs.push((reply.visible(), calls));
        stack.text(identifier, number).await;
    }
    // The caller cannot tell who has an account, and neither costs more.
    assert!(costs.iter().all(|cost| *cost == costs[0]), "{costs:?}");
    let text = stack.text(&phone, 2).await;
    assert!(text.starts_with("You already have a Gotu account. Choose \"log in\""), "{text}");
    let mail = stack.message(&email, 1).await;
    assert_eq!(mail["subject"], "You already have a Gotu account");
    // The notice says the truth.
    let code = gotu(stack).code(&phone, "login", 3).await;
    assert_eq!(gotu(stack).sign_in_by_phone(&phone, &code).await.status, 200);
    // A setting switches it off.
    let env = without_limits(&[("ACCOUNT_NOTICE_GOTU", "false")]);
    let stack = &TestStack::with(&env).await;
    gotu(stack).registered(&phone).await;
    gotu(stack).ask_for_code(&phone, "sign_up").await.expect_text(204, "");
    stack.wait_until_delivered(&phone).await;
    assert_eq!(stack.messages(&phone).await.len(), 1);
}

#[tokio::test]
async fn bad_requests_are_named_and_store_nothing() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let identifier = "identifier must be an email address or a phone number in E.164 format";
    let types =
        "otpType must be one of login, change_phone, reset_password, sign_up, delete_account";
    let phone = "+6282243350992";
    let cases = [
        (json!({}), "identifier is required"),
        (json!({"identifier": null, "otpType": "login"}), "identifier is required"),
        (json!({"identifier": "", "otpType": "login"}), "identifier is required"),
        (json!({"identifier": 628_224, "otpType": "login"}), "identifier must be a string"),
        (json!({"identifier": "6282243350992", "otpType": "login"}), identifier),
        (json!({"identifier": "+0282243350992", "otpType": "login"}), identifier),
        (json!({"identifier": "+62 82243350992", "otpType": "login"}), identifier),
        (json!({"identifier": "+1234567890123456", "otpType": "login"}), identifier),
        (
            json!({"identifier": "a@b", "otpType": "login"}),
            "identifier must be a valid email address",
        ),
        (json!({"identifier": phone}), "otpType is required"),
        (json!({"identifier": phone, "otpType": 1}), "otpType must be a string"),
        (json!({"identifier": phone, "otpType": "other"}), types),
        (json!({"identifier": phone, "otpType": "SIGN_UP"}), types),
        (json!({"identifier": phone, "otpType": "payment_method_add"}), types),
    ];
    for (body, text) in cases {
        let reply = stack.call("gotu-post-otp").json(&body).await;
        reply.expect(400, &error(text));
        assert_eq!(reply.header("content-type"), "application/json");
    }
    for body in ["", "null", "[]", "7", "{", r#"{"identifier":"+6282243350992""#, "\u{1}"] {
        let reply = stack.call("gotu-post-otp").body(body).await;
        reply.expect(400, &error("invalid request body"));
    }
    let large = json!({"identifier": phone, "otpType": "login", "x": "x".repeat(16 * 1024)});
    stack.call("gotu-post-otp").json(&large).await.expect(413, &error("request body too large"));
    for table in ["Challenges", "Budgets", "Outbox"] {
        assert!(stack.items(table).await.is_empty(), "{table}");
    }
}

#[tokio::test]
async fn a_body_is_read_whatever_its_content_type() {
    let stack = TestStack::shared().await;
    let body = json!({"identifier": new_phone(), "otpType": "sign_up"}).to_string();
    for kind in
        ["application/json; charset=utf-8", "text/plain", "application/x-www-form-urlencoded"]
    {
        let reply =
            stack.call("gotu-post-otp").header("content-type", kind).body(body.clone()).await;
        assert_eq!(reply.status, 204, "{kind}: {reply:?}");
    }
}

fn assert_throttled(reply: &Reply, most_seconds: u32) {
    reply.expect(429, &error("too many requests"));
    reply.expect_wait(most_seconds);
}

#[tokio::test]
async fn a_second_code_waits_for_the_pause_of_registered_and_unregistered_phones() {
    let stack = &TestStack::with(&[]).await;
    let (unregistered, known) = (new_phone(), new_phone());
    gotu(stack).registered(&known).await;
    for phone in [&unregistered, &known] {
        assert_eq!(gotu(stack).ask_for_code(phone, "login").await.status, 204);
        assert_throttled(&gotu(stack).ask_for_code(phone, "login").await, 60);
    }
    // Another purpose is another code.
    assert_eq!(gotu(stack).ask_for_code(&unregistered, "sign_up").await.status, 204);
}

#[tokio::test]
async fn a_recipient_gets_so_many_codes_an_hour() {
    let env = [("OTP_RESEND_SECONDS", "0"), ("OTP_SENDS_PER_HOUR", "2")];
    let stack = &TestStack::with(&env).await;
    let phone = new_phone();
    for _ in 0..2 {
        assert_eq!(gotu(stack).ask_for_code(&phone, "sign_up").await.status, 204);
    }
    assert_throttled(&gotu(stack).ask_for_code(&phone, "sign_up").await, 3600);
    assert_eq!(gotu(stack).ask_for_code(&new_phone(), "sign_up").await.status, 204);
}

#[tokio::test]
async fn a_recipient_gets_so_many_codes_a_day_and_success_starts_anew() {
    let env = [("OTP_RESEND_SECONDS", "0"), ("OTP_SENDS_PER_DAY", "2")];
    let stack = &TestStack::with(&env).await;
    let phone = new_phone();
    gotu(stack).code(&phone, "sign_up", 1).await;
    let code = gotu(stack).code(&phone, "sign_up", 2).await;
    assert_throttled(&gotu(stack).ask_for_code(&phone, "sign_up").await, 86_400);
    assert_eq!(gotu(stack).sign_up_by_phone(&phone, &code).await.status, 200);
    assert_eq!(gotu(stack).ask_for_code(&phone, "sign_up").await.status, 204);
}

#[tokio::test]
async fn a_source_gets_so_many_codes_an_hour() {
    let stack = &TestStack::with(&[("OTP_SENDS_PER_HOUR_PER_IP", "3")]).await;
    let here = Ipv4Addr::new(127, 0, 0, 2);
    let ask_from = async |source, forwarded| {
        let ask = gotu(stack).ask_for_code(&new_phone(), "sign_up");
        ask.header("x-forwarded-for", forwarded).from(source).await
    };
    for client in ["10.0.0.1", "10.0.0.2", "10.0.0.3"] {
        assert_eq!(ask_from(here, client).await.status, 204);
    }
    // A header does not make another source.
    assert_throttled(&ask_from(here, "10.0.0.4").await, 3600);
    assert_eq!(ask_from(Ipv4Addr::new(127, 0, 0, 3), "10.0.0.4").await.status, 204);
}

#[tokio::test]
async fn racing_requests_send_one_code_within_the_pause() {
    let stack = &TestStack::with(&[("OTP_SENDS_PER_HOUR_PER_IP", "0")]).await;
    let phone = new_phone();
    let replies = all((0..20).map(|_| gotu(stack).ask_for_code(&phone, "sign_up"))).await;
    assert_eq!((count(&replies, 204), count(&replies, 429)), (1, 19), "{replies:?}");
    stack.wait_until_delivered(&phone).await;
    assert_eq!(stack.messages(&phone).await.len(), 1);
}

#[tokio::test]
async fn a_country_that_is_not_allowed_gets_the_normal_answer_and_no_text() {
    let stack = &TestStack::with(&[("SMS_COUNTRIES", "+852")]).await;
    let phone = new_phone();
    let reply = gotu(stack).ask_for_code(&phone, "sign_up").await;
    reply.expect_text(204, "");
    stack.wait_until_delivered(&phone).await;
    assert!(stack.messages(&phone).await.is_empty());
    assert_throttled(&gotu(stack).ask_for_code(&phone, "sign_up").await, 60);
    let warned = || stack.logs().iter().any(|line| line.contains("country is not allowed"));
    stack.wait_for("the warning", || async { warned().then_some(()) }).await;
    assert_eq!(gotu(stack).ask_for_code("+85261234567", "sign_up").await.status, 204);
    stack.message("+85261234567", 1).await;
}

#[tokio::test]
async fn a_configured_host_binds_the_text_to_it() {
    let stack = &TestStack::with(&[("CODE_HOST", "app.joingotu.example")]).await;
    let phone = new_phone();
    gotu(stack).ask_for_code(&phone, "sign_up").await;
    let body = &stack.text(&phone, 1).await;
    let last = body.lines().last().unwrap();
    assert_eq!(last, format!("@app.joingotu.example #{}", code_in(body)));
    assert!(body.len() <= 160, "one segment: {}", body.len());
}

#[tokio::test]
async fn a_new_code_ends_the_old_one() {
    let stack = TestStack::shared().await;
    let phone = new_phone();
    let old = gotu(stack).code(&phone, "sign_up", 1).await;
    let new = gotu(stack).code(&phone, "sign_up", 2).await;
    if old != new {
        let reply = gotu(stack).sign_up_by_phone(&phone, &old).await;
        reply.expect(401, &error("invalid or expired otp code"));
    }
    let reply = gotu(stack).sign_up_by_phone(&phone, &new).await;
    assert!(!user_id(&reply).is_empty());
}
