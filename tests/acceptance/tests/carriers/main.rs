//! The senders and the carriers of texts: what each carrier gets, and what happens if it fails. The emulated account has SNS
//! only, so these tests run in the local stack.

mod languages;

use acceptance::events::of_type;
use acceptance::faults::Fault;
use acceptance::{TestStack, gotu, new_email, new_phone, without_limits};
use data_encoding::BASE64;
use ring::hmac;
use serde_json::{Value, json};

/// The key of the webhook in the local stack.
const WEBHOOK_KEY: &[u8] = b"a key of the local stack, 32 bytes";

/// A stack with these senders of texts.
async fn stack(senders: &Value) -> TestStack {
    TestStack::with(&without_limits(&[("TEXT_SENDERS", &senders.to_string())])).await
}

/// Asks for a code for a phone number, and returns its text as the carrier got it.
async fn text(stack: &TestStack, phone: &str) -> Value {
    gotu(stack).ask_for_code(phone, "sign_up").await.expect_text(204, "");
    stack.message(phone, 1).await
}

#[tokio::test]
async fn each_country_has_its_sender_and_the_ids_of_its_register() {
    let indian = new_indian_phone();
    let stack = &stack(&json!([
        {"contract": "gotu", "dialCode": "+91", "senderId": "GOTUIN", "entityId": "1101",
         "templateIds": {"gotu.sign_up": "1107"}, "region": "ap-south-1"},
        {"dialCode": "+852", "senderId": "GotuHK", "originationNumber": "+85212345"},
    ]))
    .await;
    let transactional = ("AWS.SNS.SMS.SMSType", json!("Transactional"));
    for (phone, attributes) in [
        (
            indian,
            vec![
                ("AWS.SNS.SMS.SenderID", json!("GOTUIN")),
                ("AWS.MM.SMS.EntityId", json!("1101")),
                ("AWS.MM.SMS.TemplateId", json!("1107")),
            ],
        ),
        (
            format!("+852{}", &new_phone()[4..12]),
            vec![
                ("AWS.SNS.SMS.SenderID", json!("GotuHK")),
                ("AWS.MM.SMS.OriginationNumber", json!("+85212345")),
            ],
        ),
        (new_phone(), vec![]),
    ] {
        let sent = text(stack, &phone).await;
        let expected: serde_json::Map<_, _> = attributes
            .into_iter()
            .chain([transactional.clone()])
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        assert_eq!(sent["attributes"], Value::Object(expected), "{phone}");
    }
}

/// A number of India that no other test uses.
fn new_indian_phone() -> String {
    format!("+9198{}", &new_phone().chars().rev().take(8).collect::<String>())
}

#[tokio::test]
async fn a_text_that_is_not_registered_waits_and_the_alarm_of_the_sender_counts() {
    let stack = &stack(&json!([
        {"dialCode": "+91", "senderId": "GOTUIN", "entityId": "1101", "templateIds": {"gotu.sign_in": "1"}},
    ]))
    .await;
    let phone = new_indian_phone();
    gotu(stack).ask_for_code(&phone, "sign_up").await.expect_text(204, "");
    assert!(stack.wait_for_sum("SendersRefused", 1.0).await >= 1.0);
    let entry = &stack.items_with("Outbox", &phone).await[0];
    let error = entry["last_error"].as_str().unwrap();
    assert!(error.contains("the text gotu.sign_up has no template id"), "{error}");
    assert!(stack.messages(&phone).await.is_empty());
}

#[tokio::test]
async fn what_the_account_may_not_send_is_kept_and_what_a_recipient_refuses_is_not() {
    let stack = &TestStack::with(&without_limits(&[])).await;
    for (service, recipient) in [("sns", new_phone()), ("ses", new_email())] {
        stack.fault(&Fault::of(service, "misconfigured")).await;
        gotu(stack).ask_for_code(&recipient, "sign_up").await.expect_text(204, "");
        let failed = async || {
            let entries = stack.items_with("Outbox", &recipient).await;
            entries.into_iter().find(|entry| entry.get("last_error").is_some())
        };
        let entry = stack.wait_for("a try", failed).await;
        let error = entry["last_error"].as_str().unwrap();
        assert!(error.contains("answered"), "{error}");
        stack.clear_faults().await;
        stack.message(&recipient, 1).await;
    }
    assert!(stack.wait_for_sum("SendersRefused", 2.0).await >= 2.0);
    stack.fault(&Fault::of("sns", "refuse")).await;
    let phone = new_phone();
    gotu(stack).ask_for_code(&phone, "sign_up").await.expect_text(204, "");
    assert!((stack.wait_for_sum("RecipientsRefused", 1.0).await - 1.0).abs() < f64::EPSILON);
    stack.wait_until_delivered(&phone).await;
    assert!(stack.messages(&phone).await.is_empty());
}

#[tokio::test]
async fn end_user_messaging_gets_the_same_as_sns() {
    let stack = &stack(&json!([
        {"dialCode": "+91", "carriers": ["end-user-messaging"], "senderId": "GOTUIN",
         "entityId": "1101", "templateIds": {"gotu.sign_up": "1107"}},
        {"carriers": ["end-user-messaging"], "originationNumber": "+15550100", "senderId": "Gotu"},
    ]))
    .await;
    let sent = text(stack, &new_indian_phone()).await;
    assert_eq!(sent["carrier"], "end-user-messaging");
    let attributes =
        json!({"IN_ENTITY_ID": "1101", "IN_TEMPLATE_ID": "1107", "OriginationIdentity": "GOTUIN"});
    assert_eq!(sent["attributes"], attributes);
    let sent = text(stack, &new_phone()).await;
    assert_eq!(sent["attributes"], json!({"OriginationIdentity": "+15550100"}));
    stack.fault(&Fault::of("sms-voice", "refuse")).await;
    let phone = new_phone();
    gotu(stack).ask_for_code(&phone, "sign_up").await.expect_text(204, "");
    stack.wait_for_sum("RecipientsRefused", 1.0).await;
    stack.wait_until_delivered(&phone).await;
    assert!(stack.messages(&phone).await.is_empty());
}

#[tokio::test]
async fn a_webhook_gets_a_signed_request() {
    let stack = &stack(&json!([{"carriers": ["webhook"], "senderId": "Gotu"}])).await;
    let phone = new_phone();
    let sent = text(stack, &phone).await;
    assert_eq!(sent["carrier"], "webhook");
    let header = |name: &str| sent["attributes"][name].as_str().unwrap();
    let body = header("body");
    let request: Value = serde_json::from_str(body).unwrap();
    let expected =
        json!({"to": phone, "text": sent["body"], "name": "gotu.sign_up", "senderId": "Gotu"});
    assert_eq!(request, expected);
    let signed = format!("{}.{}.{body}", header("webhook-id"), header("webhook-timestamp"));
    let signature = header("webhook-signature").strip_prefix("v1,").unwrap();
    let signature = BASE64.decode(signature.as_bytes()).unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, WEBHOOK_KEY);
    hmac::verify(&key, signed.as_bytes(), &signature).unwrap();
}

#[tokio::test]
async fn a_webhook_that_is_tried_again_gets_the_same_id() {
    let stack = &stack(&json!([{"carriers": ["webhook"]}])).await;
    stack.fault(&Fault::of("webhook", "lost-reply").times(1)).await;
    let phone = new_phone();
    let first = text(stack, &phone).await;
    let second = stack.message(&phone, 2).await;
    assert_eq!(first["attributes"]["webhook-id"], second["attributes"]["webhook-id"]);
}

#[tokio::test]
async fn a_text_goes_by_the_next_carrier_if_one_fails() {
    let carriers = ["webhook", "end-user-messaging", "sns"];
    let stack = &stack(&json!([{"carriers": carriers, "senderId": "Gotu"}])).await;
    assert_eq!(text(stack, &new_phone()).await["carrier"], "webhook");
    stack.fault(&Fault::of("webhook", "throttle")).await;
    assert_eq!(text(stack, &new_phone()).await["carrier"], "end-user-messaging");
    stack.fault(&Fault::of("sms-voice", "misconfigured")).await;
    let sent = text(stack, &new_phone()).await;
    assert!(sent.get("carrier").is_none(), "SNS: {sent}");
}

/// A stack whose carriers report what becomes of messages. End User Messaging sends to India.
async fn reporting_stack() -> TestStack {
    let senders =
        json!([{"dialCode": "+91", "carriers": ["end-user-messaging"], "senderId": "GOTUIN"}]);
    let senders = senders.to_string();
    let env = [
        ("DELIVERY_REPORTS", "on"),
        ("SES_CONFIGURATION_SET", "latchkey-mails"),
        ("TEXT_SENDERS", senders.as_str()),
    ];
    TestStack::with(&without_limits(&env)).await
}

/// Waits for an event about the message to a recipient, and returns its detail.
async fn told(stack: &TestStack, recipient: &str, detail_type: &str) -> Value {
    let about = async || {
        let items = stack.items("Deliveries").await;
        let sent = items.into_iter().find(|item| item["recipient"] == recipient)?;
        let id = sent.get("message_id").cloned();
        let events = stack.all_events().await;
        let mut details =
            of_type(&events, detail_type).into_iter().filter_map(|it| it.get("detail"));
        details.find(|detail| detail.get("messageId") == id.as_ref()).cloned()
    };
    stack.wait_for(detail_type, about).await
}

#[tokio::test]
async fn carriers_tell_what_became_of_messages() {
    let stack = &reporting_stack().await;
    for service in ["sns", "ses", "sms-voice"] {
        let returned = if service == "ses" { "MESSAGE_BOUNCED" } else { "MESSAGE_FAILED" };
        for (mode, detail_type, blame) in [
            (None, "MESSAGE_DELIVERED", Value::Null),
            (Some("undelivered"), returned, json!("open")),
            (Some("bounced"), returned, json!("recipient")),
        ] {
            if let Some(mode) = mode {
                stack.fault(&Fault::of(service, mode).times(1)).await;
            }
            let recipient = match service {
                "sns" => new_phone(),
                "ses" => new_email(),
                _ => new_indian_phone(),
            };
            gotu(stack).ask_for_code(&recipient, "sign_up").await.expect_text(204, "");
            let detail = told(stack, &recipient, detail_type).await;
            assert_eq!(detail["blame"], blame, "{service} {mode:?}");
            told(stack, &recipient, "MESSAGE_SENT").await;
            let arrived = stack.messages(&recipient).await;
            assert_eq!(arrived.is_empty(), mode.is_some(), "{service} {mode:?}");
        }
    }
}

#[tokio::test]
async fn a_mail_has_its_configuration_set_and_a_complaint_ends_further_mails() {
    let stack = &reporting_stack().await;
    stack.fault(&Fault::of("ses", "complained").times(1)).await;
    let address = new_email();
    gotu(stack).ask_for_code(&address, "sign_up").await.expect_text(204, "");
    told(stack, &address, "MESSAGE_DELIVERED").await;
    assert_eq!(told(stack, &address, "MESSAGE_COMPLAINED").await["blame"], "recipient");
    let set = json!({"ConfigurationSetName": "latchkey-mails"});
    assert_eq!(stack.message(&address, 1).await["attributes"], set);
    gotu(stack).ask_for_code(&address, "sign_up").await.expect_text(204, "");
    stack.wait_for_sum("RecipientsRefused", 1.0).await;
    assert_eq!(stack.messages(&address).await.len(), 1);
}

#[tokio::test]
async fn texts_that_the_account_cannot_pay_for_ring() {
    let stack = &reporting_stack().await;
    stack.fault(&Fault::of("sns", "spent").times(1)).await;
    let phone = new_phone();
    gotu(stack).ask_for_code(&phone, "sign_up").await.expect_text(204, "");
    let detail = told(stack, &phone, "MESSAGE_FAILED").await;
    assert_eq!(
        (&detail["cause"], &detail["blame"]),
        (&json!("No quota left for account"), &json!("account"))
    );
    stack.wait_for_sum("SendersRefused", 1.0).await;
    assert_eq!(stack.lines("a carrier does not deliver what the account sends").len(), 1);
}
