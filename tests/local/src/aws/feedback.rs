//! What carriers report of messages that they accepted: the delivery log of SNS, as CloudWatch Logs sends it, and
//! the events of SES and End User Messaging, as EventBridge sends them.

use super::{Reply, Service};
use crate::clock::Clock;
use crate::lambda::{Lambda, Outcome};
use crate::{clock, random};
use axum::body::Bytes;
use data_encoding::BASE64;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value as Json, json};
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;
use template::arn::{ACCOUNT, REGION};

/// The function that the template's subscriptions and rules invoke.
const FUNCTION: &str = "delivery-reports";
/// The number of tries of a report. Lambda makes three of an asynchronous invocation. Here, a report comes again also if the
/// message is not known yet: these carriers are faster than real ones.
const TRIES: u32 = 10;
/// The pause between two tries. Lambda waits for minutes.
const PAUSE: Duration = Duration::from_millis(500);

/// What becomes of a message after its carrier accepted it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Delivered,
    /// It does not arrive this time.
    Undelivered,
    /// It cannot arrive: the number opted out, or the address does not exist.
    Bounced,
    /// It arrives, and its recipient marks it as unwanted.
    Complained,
    /// The account may not spend more.
    Spent,
}

/// Sends the reports of the carriers to the function that takes them.
#[derive(Debug)]
pub(crate) struct Feedback {
    pub(crate) lambda: Arc<Lambda>,
    pub(crate) clock: Clock,
}

impl Feedback {
    /// Reports what becomes of a message that a carrier accepted with `reply`.
    pub(crate) fn report(&self, service: Service, fate: Fate, request: &[u8], reply: &Reply) {
        for payload in payloads(service, fate, request, &reply.body, self.clock.millis()) {
            let lambda = Arc::clone(&self.lambda);
            tokio::spawn(async move {
                let payload = Bytes::from(payload.to_string());
                for _ in 0..TRIES {
                    if is_taken(&lambda.invoke(FUNCTION, payload.clone()).await) {
                        break;
                    }
                    tokio::time::sleep(PAUSE).await;
                }
            });
        }
    }
}

/// Returns whether the function knew the message of a report.
fn is_taken(outcome: &Outcome) -> bool {
    let Outcome::Answered(answer) = outcome else { return false };
    let answer: Json = serde_json::from_slice(answer).unwrap_or_default();
    answer.get("unknown") == Some(&Json::from(0))
}

/// Returns the payloads of the function, in their order.
fn payloads(service: Service, fate: Fate, request: &[u8], reply: &[u8], now: i64) -> Vec<Json> {
    match service {
        Service::Sns => vec![sns(fate, request, &sns_id(reply), now)],
        Service::Ses => ses(fate, request, &json_id(reply), now),
        Service::SmsVoice => vec![end_user_messaging(fate, request, &json_id(reply), now)],
        Service::DynamoDb
        | Service::Events
        | Service::Secrets
        | Service::Webhook
        | Service::OldSystem => Vec::new(),
    }
}

fn json_id(reply: &[u8]) -> String {
    let reply: Json = serde_json::from_slice(reply).unwrap_or_default();
    reply.get("MessageId").and_then(Json::as_str).unwrap_or_default().to_owned()
}

fn sns_id(reply: &[u8]) -> String {
    let reply = String::from_utf8_lossy(reply);
    let id = reply.split_once("<MessageId>").and_then(|(_, rest)| rest.split_once("</MessageId>"));
    id.map_or("", |(id, _)| id).to_owned()
}

/// A line of the delivery log of SNS, packed as CloudWatch Logs packs it.
fn sns(fate: Fate, request: &[u8], id: &str, now: i64) -> Json {
    let phone = form_urlencoded::parse(request).find(|(name, _)| name == "PhoneNumber");
    let phone = phone.map(|(_, phone)| phone.into_owned()).unwrap_or_default();
    let (status, answer) = match fate {
        Fate::Delivered | Fate::Complained => {
            ("SUCCESS", "Message has been accepted by phone carrier")
        }
        Fate::Undelivered => ("FAILURE", "Phone carrier is currently unreachable/unavailable"),
        Fate::Bounced => ("FAILURE", "Phone number is opted out"),
        Fate::Spent => ("FAILURE", "No quota left for account"),
    };
    let line = json!({
        "notification": { "messageId": id, "timestamp": clock::iso_millis(now) },
        "delivery": { "destination": phone, "smsType": "Transactional", "providerResponse": answer,
            "numberOfMessageParts": 1, "priceInUSD": 0.05, "dwellTimeMs": 100 },
        "status": status,
    });
    let group = if status == "SUCCESS" { "" } else { "/Failure" };
    let batch = json!({
        "messageType": "DATA_MESSAGE",
        "owner": ACCOUNT,
        "logGroup": format!("sns/{REGION}/{ACCOUNT}/DirectPublishToPhoneNumber{group}"),
        "logStream": random::uuid(),
        "subscriptionFilters": ["local"],
        "logEvents": [{ "id": random::uuid(), "timestamp": now, "message": line.to_string() }],
    });
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    // Writing to memory does not fail.
    drop(gzip.write_all(batch.to_string().as_bytes()));
    let packed = gzip.finish().unwrap_or_default();
    json!({ "awslogs": { "data": BASE64.encode(&packed) } })
}

/// The events of SES about a mail.
fn ses(fate: Fate, request: &[u8], id: &str, millis: i64) -> Vec<Json> {
    let request: Json = serde_json::from_slice(request).unwrap_or_default();
    let to = request.pointer("/Destination/ToAddresses").cloned().unwrap_or_default();
    let now = clock::iso_millis(millis);
    let mail = json!({ "messageId": id, "timestamp": now, "destination": to });
    let delivered = json!({ "eventType": "Delivery", "mail": mail,
        "delivery": { "timestamp": now, "recipients": to } });
    let bounce = |kind: &str, part: &str, status: &str| {
        let address = to.get(0).cloned().unwrap_or_default();
        json!({ "eventType": "Bounce", "mail": mail,
            "bounce": { "bounceType": kind, "bounceSubType": part, "timestamp": now,
                "bouncedRecipients": [{ "emailAddress": address, "status": status }] } })
    };
    let details = match fate {
        Fate::Delivered | Fate::Spent => vec![("Email Delivered", delivered)],
        Fate::Undelivered => {
            vec![("Email Bounced", bounce("Transient", "MailboxFull", "4.2.2"))]
        }
        Fate::Bounced => vec![("Email Bounced", bounce("Permanent", "General", "5.1.1"))],
        Fate::Complained => {
            let complaint = json!({ "eventType": "Complaint", "mail": mail,
                "complaint": { "complaintFeedbackType": "abuse", "timestamp": now } });
            vec![("Email Delivered", delivered), ("Email Complaint Received", complaint)]
        }
    };
    details.into_iter().map(|(kind, detail)| event("aws.ses", kind, &detail, millis)).collect()
}

/// The event of End User Messaging about a text.
fn end_user_messaging(fate: Fate, request: &[u8], id: &str, now: i64) -> Json {
    let request: Json = serde_json::from_slice(request).unwrap_or_default();
    let status = match fate {
        Fate::Delivered | Fate::Complained => "DELIVERED",
        Fate::Undelivered | Fate::Spent => "CARRIER_UNREACHABLE",
        Fate::Bounced => "INVALID",
    };
    let detail = json!({
        "eventType": format!("TEXT_{status}"),
        "eventTimestamp": now,
        "isFinal": true,
        "messageId": id,
        "messageStatus": status,
        "originationPhoneNumber": request.get("OriginationIdentity"),
    });
    event("aws.sms-voice", "Text Message Delivery Status Updated", &detail, now)
}

fn event(source: &str, kind: &str, detail: &Json, now: i64) -> Json {
    json!({ "version": "0", "id": random::uuid(), "source": source, "detail-type": kind,
        "account": ACCOUNT, "region": REGION, "time": clock::iso_seconds(now),
        "resources": [], "detail": detail })
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::read::GzDecoder;
    use std::io::Read;

    fn log_line(payload: &Json) -> Json {
        let packed = payload.pointer("/awslogs/data").and_then(Json::as_str).unwrap();
        let packed = BASE64.decode(packed.as_bytes()).unwrap();
        let mut text = String::new();
        GzDecoder::new(packed.as_slice()).read_to_string(&mut text).unwrap();
        let batch: Json = serde_json::from_str(&text).unwrap();
        let line = batch.pointer("/logEvents/0/message").and_then(Json::as_str).unwrap();
        serde_json::from_str(line).unwrap()
    }

    #[test]
    fn the_log_of_sns_has_the_id_of_the_reply_and_the_number_of_the_request() {
        let reply = b"<A><MessageId>m</MessageId></A>";
        let request = b"Action=Publish&PhoneNumber=%2B85291234567";
        let payloads = payloads(Service::Sns, Fate::Spent, request, reply, 0);
        let line = log_line(payloads.first().unwrap());
        for (pointer, expected) in [
            ("/notification/messageId", "m"),
            ("/delivery/destination", "+85291234567"),
            ("/delivery/providerResponse", "No quota left for account"),
            ("/status", "FAILURE"),
        ] {
            assert_eq!(line.pointer(pointer).unwrap(), expected);
        }
    }

    #[test]
    fn a_complaint_follows_a_delivery() {
        let request = br#"{"Destination":{"ToAddresses":["a@b.example"]}}"#;
        let reply = br#"{"MessageId":"m"}"#;
        let payloads = payloads(Service::Ses, Fate::Complained, request, reply, 0);
        let kinds: Vec<_> =
            payloads.iter().filter_map(|event| event.pointer("/detail/eventType")).collect();
        assert_eq!(kinds, ["Delivery", "Complaint"]);
        assert!(
            payloads.iter().all(|event| event.pointer("/detail/mail/messageId").unwrap() == "m")
        );
    }
}
