//! What carriers report of messages that they accepted. The local stack and the emulated account deliver all messages; these
//! tests report what became of them.

use acceptance::events::{of_type, types};
use acceptance::{TestStack, gotu, new_email, new_phone, without_limits};
use serde_json::{Value, json};

/// A stack whose carriers report what became of messages.
async fn stack() -> TestStack {
    TestStack::with(&without_limits(&[("DELIVERY_REPORTS", "on")])).await
}

/// Waits until the stack remembers a message to a recipient, and returns the item.
async fn sent(stack: &TestStack, recipient: &str) -> Value {
    let of_recipient = async || {
        let items = stack.items("Deliveries").await;
        items.into_iter().find(|item| item["recipient"] == recipient)
    };
    stack.wait_for("the record of a message", of_recipient).await
}

/// Invokes the function that takes reports, and returns its answer.
async fn report(stack: &TestStack, payload: &Value) -> Value {
    let reply = stack.invoke("delivery-reports", payload).await;
    reply.expect_invoked();
    reply.json()
}

/// Reports what became of the text to a number, whichever carrier sent it, as End User Messaging does.
pub(crate) async fn report_text(stack: &TestStack, phone: &str, status: &str) {
    let mut item = sent(stack, phone).await;
    let id = format!("{status} {}", item["message_id"].as_str().unwrap());
    item["delivery_id"] = format!("end-user-messaging#{id}").into();
    item["message_id"] = id.into();
    item["carrier"] = "end-user-messaging".into();
    // The local stack reports that it delivered the text.
    item.as_object_mut().unwrap().remove("delivered_at");
    let attribute = |value: &Value| match value {
        Value::Number(number) => json!({"N": number.to_string()}),
        other => json!({"S": other}),
    };
    let members = item.as_object().unwrap();
    let attributes: serde_json::Map<_, _> =
        members.iter().map(|(name, value)| (name.clone(), attribute(value))).collect();
    stack.put("Deliveries", &attributes.into()).await;
    let detail = json!({"messageId": item["message_id"], "messageStatus": status,
        "eventTimestamp": 1_700_000_000_000_i64});
    let answer = report(stack, &json!({"source": "aws.sms-voice", "detail": detail})).await;
    assert_eq!(answer, json!({"new": 1, "repeated": 0, "unknown": 0}));
}

/// The event of SES about a mail.
fn of_ses(message: &Value, kind: &str, about: &Value) -> Value {
    let mail = json!({"messageId": message["message_id"], "timestamp": "2026-11-27T10:00:00.000Z"});
    json!({"source": "aws.ses", "detail-type": "x",
        "detail": {"eventType": kind, kind.to_lowercase(): about, "mail": mail}})
}

/// The event of SES about a mail whose mailbox does not exist. Its time is after all times of the test.
fn bounce(message: &Value) -> Value {
    let about = json!({"bounceType": "Permanent", "bounceSubType": "General",
        "bouncedRecipients": [{"status": "5.1.1"}], "timestamp": "2099-01-01T00:00:00.000Z"});
    of_ses(message, "Bounce", &about)
}

#[tokio::test]
async fn a_mailbox_that_does_not_exist_gets_no_more_mails_until_an_operator_says_so() {
    let stack = &stack().await;
    let address = new_email();
    gotu(stack).ask_for_code(&address, "sign_up").await.expect_text(204, "");
    let message = sent(stack, &address).await;
    assert_eq!((&message["carrier"], &message["dial_code"]), (&json!("mail"), &json!("mail")));
    let one = json!({"new": 1, "repeated": 0, "unknown": 0});
    assert_eq!(report(stack, &bounce(&message)).await, one);
    let again = json!({"new": 0, "repeated": 1, "unknown": 0});
    assert_eq!(report(stack, &bounce(&message)).await, again);
    let bounced = async || {
        let events = stack.all_events().await;
        of_type(&events, "MESSAGE_BOUNCED").first().map(|event| event["detail"].clone())
    };
    let detail = stack.wait_for("the event", bounced).await;
    let told = ["contract", "message", "channel", "dialCode", "carrier", "cause", "blame"];
    let expected = json!([
        "gotu",
        "gotu.sign_up",
        "email",
        null,
        "mail",
        "Permanent General 5.1.1",
        "recipient"
    ]);
    assert_eq!(Value::from(told.map(|name| detail[name].clone()).to_vec()), expected);
    assert_eq!(detail["messageId"], message["message_id"]);
    let events = stack.all_events().await;
    assert_eq!(types(&events).iter().filter(|kind| **kind == "MESSAGE_BOUNCED").count(), 1);
    assert!(!json!(events).to_string().contains(&address), "{events:?}");
    stack.wait_for_sum("MessagesUndelivered", 1.0).await;
    let of_mail = [("Contract", "gotu"), ("DialCode", "mail")];
    assert!((stack.sum("MessagesUndelivered", &of_mail) - 1.0).abs() < f64::EPSILON);

    gotu(stack).ask_for_code(&address, "sign_up").await.expect_text(204, "");
    stack.wait_for_sum("RecipientsRefused", 1.0).await;
    assert_eq!(stack.messages(&address).await.len(), 1);
    assert_eq!(report(stack, &json!({"lift": address})).await, json!({"lifted": true}));
    assert_eq!(report(stack, &json!({"lift": address})).await, json!({"lifted": false}));
    gotu(stack).ask_for_code(&address, "sign_up").await.expect_text(204, "");
    stack.message(&address, 2).await;
}

#[tokio::test]
async fn a_text_is_told_by_an_event_of_its_request() {
    let stack = &stack().await;
    let phone = new_phone();
    gotu(stack).registered(&phone).await;
    let message = sent(stack, &phone).await;
    let told = async || {
        let events = stack.all_events().await;
        of_type(&events, "MESSAGE_SENT").first().map(|event| event["detail"].clone())
    };
    let detail = stack.wait_for("the event", told).await;
    assert_eq!(detail["requestCorrelationId"], message["request"]);
    assert_eq!((&detail["channel"], &detail["carrier"]), (&json!("sms"), &json!("sns")));
    let unknown =
        json!({"messageId": "of another stack", "messageStatus": "DELIVERED", "eventTimestamp": 1});
    let answer = report(stack, &json!({"source": "aws.sms-voice", "detail": unknown})).await;
    assert_eq!(answer, json!({"new": 0, "repeated": 0, "unknown": 1}));
}

#[tokio::test]
async fn a_payload_of_no_carrier_is_refused() {
    let stack = &stack().await;
    for payload in [json!({}), json!({"lift": "nowhere"}), json!({"awslogs": {"data": "%"}})] {
        let reply = stack.invoke("delivery-reports", &payload).await;
        assert!(reply.json()["errorMessage"].is_string(), "{payload}: {}", reply.json());
    }
}
