//! Reads what carriers report of messages: the delivery log of SNS, which CloudWatch Logs sends, and the
//! events of SES and End User Messaging, which EventBridge sends.

use crate::domain::delivery::{Blame, DeliveryReport, DeliveryStatus, MessageId};
use crate::domain::sender::TextCarrier;
use crate::domain::time::Timestamp;
use crate::ports::MAIL_CARRIER;
use data_encoding::BASE64;
use flate2::read::GzDecoder;
use jiff::Timestamp as Instant;
use serde_json::Value;
use std::io::Read as _;

/// The largest unpacked batch of a log. CloudWatch Logs sends a megabyte at most.
const MOST_BYTES: u64 = 16 * 1024 * 1024;
/// The most characters of a cause.
const MOST_OF_CAUSE: usize = 200;
/// The shortest run of digits that may be a part of a phone number.
const PHONE_DIGITS: usize = 5;
/// The answers of phone networks that SNS passes on, and whose matter they are (SNS developer guide, "SMS delivery
/// failure reasons"). Every other answer may be another one the next time, or for another number.
const ANSWERS_OF_SNS: [(&str, Blame); 3] = [
    ("Phone number is opted out", Blame::Recipient),
    ("Invalid phone number", Blame::Recipient),
    ("No quota left for account", Blame::Account),
];

/// The status codes of mail servers that say that an address does not exist (RFC 3463, section 3.2; RFC 7505).
const NO_SUCH_ADDRESS: [&str; 5] = ["5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10"];
/// The sub-types of bounces that say so, or that SES knew it before (SES developer guide, "Bounce types").
const NO_SUCH_MAILBOX: [&str; 3] = ["NoEmail", "OnAccountSuppressionList", "Suppressed"];
/// The sub-types of complaints that are none: the mail was taken out of the spam, or is about its technique (RFC 5965).
const NO_COMPLAINT: [&str; 3] = ["auth-failure", "not-spam", "virus"];

/// What is wrong with a payload.
#[derive(Debug, thiserror::Error)]
pub enum CarrierReportError {
    #[error("the payload is neither a part of a log nor an event of SES or End User Messaging")]
    Unknown,
    #[error("the part of a log is not base64")]
    Base64(#[from] data_encoding::DecodeError),
    #[error("the part of a log cannot be unpacked")]
    Gzip(#[from] std::io::Error),
    #[error("the part of a log is not JSON")]
    Json(#[from] serde_json::Error),
}

/// Reads the reports of a payload. A line or an event that says nothing of an end, such as "queued", is left out.
///
/// # Errors
/// The payload comes from no carrier.
pub fn read_reports(payload: &Value) -> Result<Vec<DeliveryReport>, CarrierReportError> {
    if let Some(packed) = payload.pointer("/awslogs/data").and_then(Value::as_str) {
        let packed = BASE64.decode(packed.as_bytes())?;
        let mut text = String::new();
        GzDecoder::new(packed.as_slice()).take(MOST_BYTES).read_to_string(&mut text)?;
        let log: Value = serde_json::from_str(&text)?;
        let lines = log.get("logEvents").and_then(Value::as_array);
        return Ok(lines.into_iter().flatten().filter_map(of_sns).collect());
    }
    let detail = payload.get("detail").ok_or(CarrierReportError::Unknown)?;
    match payload.get("source").and_then(Value::as_str) {
        Some("aws.ses") => Ok(of_ses(detail).into_iter().collect()),
        Some("aws.sms-voice") => Ok(of_end_user_messaging(detail).into_iter().collect()),
        _ => Err(CarrierReportError::Unknown),
    }
}

/// Reads a line of the delivery log of SNS.
fn of_sns(event: &Value) -> Option<DeliveryReport> {
    let at = Timestamp::from_millis(event.get("timestamp")?.as_i64()?);
    let line: Value = serde_json::from_str(event.get("message")?.as_str()?).ok()?;
    let text = |pointer: &str| line.pointer(pointer).and_then(Value::as_str);
    let id = message_id(TextCarrier::Sns.name(), text("/notification/messageId")?);
    if text("/status")? == "SUCCESS" {
        return Some(delivered(id, at));
    }
    let answer = text("/delivery/providerResponse").unwrap_or("no answer");
    let known = ANSWERS_OF_SNS.iter().find(|(known, _)| answer.starts_with(known));
    let blame = known.map_or(Blame::Open, |(_, blame)| *blame);
    let cause = Some(without_recipient(answer));
    Some(DeliveryReport { id, status: DeliveryStatus::Failed, cause, blame, at })
}

/// Reads an event of SES (SES developer guide, "Event data that SES publishes").
fn of_ses(detail: &Value) -> Option<DeliveryReport> {
    let text = |pointer: &str| detail.pointer(pointer).and_then(Value::as_str);
    let id = message_id(MAIL_CARRIER, text("/mail/messageId")?);
    let time = |pointer: &str| text(pointer).or_else(|| text("/mail/timestamp")).and_then(instant);
    let joined = |pointers: &[&str]| {
        let parts: Vec<_> = pointers.iter().filter_map(|pointer| text(pointer)).collect();
        without_recipient(&parts.join(" "))
    };
    let (status, cause, blame, at) = match text("/eventType")? {
        "Delivery" => return Some(delivered(id, time("/delivery/timestamp")?)),
        "Bounce" => {
            // A server that refuses the sender, for example, bounces for good as well.
            let is_final = text("/bounce/bounceType") == Some("Permanent");
            let is =
                |pointer: &str, known: &[&str]| text(pointer).is_some_and(|it| known.contains(&it));
            let is_absent = is("/bounce/bouncedRecipients/0/status", &NO_SUCH_ADDRESS)
                || is("/bounce/bounceSubType", &NO_SUCH_MAILBOX);
            let blame = if is_final && is_absent { Blame::Recipient } else { Blame::Open };
            let cause = joined(&[
                "/bounce/bounceType",
                "/bounce/bounceSubType",
                "/bounce/bouncedRecipients/0/status",
            ]);
            (DeliveryStatus::Bounced, cause, blame, time("/bounce/timestamp")?)
        }
        "Complaint" => {
            let kind = text("/complaint/complaintFeedbackType").unwrap_or_default();
            if NO_COMPLAINT.contains(&kind) {
                return None;
            }
            let cause = joined(&["/complaint/complaintFeedbackType"]);
            (DeliveryStatus::Complained, cause, Blame::Recipient, time("/complaint/timestamp")?)
        }
        // SES found something in the mail that it does not send.
        "Reject" => {
            let cause = joined(&["/reject/reason"]);
            (DeliveryStatus::Failed, cause, Blame::Account, time("/mail/timestamp")?)
        }
        _ => return None,
    };
    let cause = (!cause.is_empty()).then_some(cause);
    Some(DeliveryReport { id, status, cause, blame, at })
}

/// Reads an event of End User Messaging (its user guide, "Event types for SMS").
fn of_end_user_messaging(detail: &Value) -> Option<DeliveryReport> {
    let text = |name: &str| detail.get(name).and_then(Value::as_str);
    let id = message_id(TextCarrier::EndUserMessaging.name(), text("messageId")?);
    let at = Timestamp::from_millis(detail.get("eventTimestamp")?.as_i64()?);
    if detail.get("isFinal") == Some(&Value::Bool(false)) {
        return None;
    }
    let blame = match text("messageStatus")? {
        "DELIVERED" | "SUCCESSFUL" => return Some(delivered(id, at)),
        // "UNKNOWN" comes after 72 hours in which the phone network said nothing.
        "PENDING" | "QUEUED" | "SENT" | "UNKNOWN" => return None,
        "INVALID" | "OPTED_OUT" => Blame::Recipient,
        _ => Blame::Open,
    };
    let cause = text("messageStatus").map(without_recipient);
    Some(DeliveryReport { id, status: DeliveryStatus::Failed, cause, blame, at })
}

fn message_id(carrier: &str, id: &str) -> MessageId {
    MessageId { carrier: carrier.to_owned(), id: id.to_owned() }
}

const fn delivered(id: MessageId, at: Timestamp) -> DeliveryReport {
    let status = DeliveryStatus::Delivered;
    DeliveryReport { id, status, cause: None, blame: Blame::Open, at }
}

fn instant(text: &str) -> Option<Timestamp> {
    let instant: Instant = text.parse().ok()?;
    Some(Timestamp::from_millis(instant.as_millisecond()))
}

/// Returns the words of a carrier without those that may be an address or a number, and not too many.
fn without_recipient(words: &str) -> String {
    let is_recipient = |word: &&str| {
        word.contains('@') || word.chars().filter(char::is_ascii_digit).count() >= PHONE_DIGITS
    };
    let words: Vec<_> = words.split_whitespace().filter(|word| !is_recipient(word)).collect();
    words.join(" ").chars().take(MOST_OF_CAUSE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use serde_json::json;
    use std::io::Write as _;

    fn log(lines: &[Value]) -> Value {
        let events: Vec<_> = lines
            .iter()
            .map(|line| json!({"id": "1", "timestamp": 1_700_000_000_123_i64, "message": line.to_string()}))
            .collect();
        let text = json!({"messageType": "DATA_MESSAGE", "logEvents": events}).to_string();
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(text.as_bytes()).unwrap();
        json!({"awslogs": {"data": BASE64.encode(&gzip.finish().unwrap())}})
    }

    fn line(status: &str, answer: &str) -> Value {
        json!({"notification": {"messageId": "m-1", "timestamp": "2026-11-27 00:40:34.558"},
            "delivery": {"destination": "+85291234567", "providerResponse": answer}, "status": status})
    }

    fn shown(report: &DeliveryReport) -> (&str, &str, Option<&str>, Blame) {
        let DeliveryReport { id, status, cause, blame, .. } = report;
        (&id.carrier, status.as_str(), cause.as_deref(), *blame)
    }

    #[test]
    fn the_delivery_log_of_sns_names_the_cause_and_whose_matter_it_is() {
        let lines = [
            line("SUCCESS", "Message has been accepted by phone carrier"),
            line("FAILURE", "Phone number is opted out"),
            line("FAILURE", "No quota left for account"),
            line("FAILURE", "Phone carrier +85291234567 is currently unreachable/unavailable"),
            json!({"status": "SUCCESS"}),
        ];
        let reports = read_reports(&log(&lines)).unwrap();
        let all: Vec<_> = reports.iter().map(shown).collect();
        let unreachable = "Phone carrier is currently unreachable/unavailable";
        assert_eq!(
            all,
            [
                ("sns", "delivered", None, Blame::Open),
                ("sns", "failed", Some("Phone number is opted out"), Blame::Recipient),
                ("sns", "failed", Some("No quota left for account"), Blame::Account),
                ("sns", "failed", Some(unreachable), Blame::Open),
            ]
        );
        assert_eq!(reports[0].at.as_millis(), 1_700_000_000_123);
        assert_eq!(reports[0].id.key(), "sns#m-1");
    }

    #[test]
    fn the_events_of_ses_tell_a_bounce_from_a_mailbox_that_is_full() {
        let mail = json!({"messageId": "m-2", "timestamp": "2026-11-27T10:00:00.000Z"});
        let bounce = |kind: &str, part: &str| {
            json!({"bounceType": kind, "bounceSubType": part, "timestamp": "2026-11-27T10:00:01.500Z",
                "bouncedRecipients": [{"emailAddress": "a@b.example", "status": "5.1.1"}]})
        };
        let mut refused = bounce("Permanent", "General");
        refused["bouncedRecipients"][0]["status"] = "5.7.1".into();
        for (detail, expected) in [
            (
                json!({"eventType": "Bounce", "bounce": bounce("Permanent", "General"), "mail": mail}),
                Some(("mail", "bounced", Some("Permanent General 5.1.1"), Blame::Recipient)),
            ),
            (
                json!({"eventType": "Bounce", "bounce": bounce("Transient", "MailboxFull"), "mail": mail}),
                Some(("mail", "bounced", Some("Transient MailboxFull 5.1.1"), Blame::Open)),
            ),
            (
                json!({"eventType": "Bounce", "bounce": refused, "mail": mail}),
                Some(("mail", "bounced", Some("Permanent General 5.7.1"), Blame::Open)),
            ),
            (
                json!({"eventType": "Complaint", "complaint": {"complaintFeedbackType": "not-spam"}, "mail": mail}),
                None,
            ),
            (
                json!({"eventType": "Complaint", "complaint": {"complaintFeedbackType": "abuse"}, "mail": mail}),
                Some(("mail", "complained", Some("abuse"), Blame::Recipient)),
            ),
            (
                json!({"eventType": "Reject", "reject": {"reason": "Bad content"}, "mail": mail}),
                Some(("mail", "failed", Some("Bad content"), Blame::Account)),
            ),
            (
                json!({"eventType": "Delivery", "delivery": {}, "mail": mail}),
                Some(("mail", "delivered", None, Blame::Open)),
            ),
            (json!({"eventType": "Send", "send": {}, "mail": mail}), None),
        ] {
            let payload = json!({"source": "aws.ses", "detail-type": "x", "detail": detail});
            let reports = read_reports(&payload).unwrap();
            assert_eq!(reports.first().map(shown), expected, "{payload}");
        }
    }

    #[test]
    fn the_events_of_end_user_messaging_are_read_at_their_end() {
        let carrier = "end-user-messaging";
        for (status, is_final, expected) in [
            ("DELIVERED", true, Some((carrier, "delivered", None, Blame::Open))),
            ("QUEUED", true, None),
            ("UNKNOWN", true, None),
            ("INVALID", true, Some((carrier, "failed", Some("INVALID"), Blame::Recipient))),
            ("SPAM", true, Some((carrier, "failed", Some("SPAM"), Blame::Open))),
            ("CARRIER_UNREACHABLE", false, None),
        ] {
            let detail = json!({"messageId": "m-3", "messageStatus": status, "eventTimestamp": 1000,
                "isFinal": is_final});
            let reports =
                read_reports(&json!({"source": "aws.sms-voice", "detail": detail})).unwrap();
            assert_eq!(reports.first().map(shown), expected, "{status}");
        }
    }

    #[test]
    fn a_payload_of_no_carrier_is_refused() {
        for payload in [
            json!({}),
            json!({"source": "aws.s3", "detail": {}}),
            json!({"awslogs": {"data": "%"}}),
            json!({"awslogs": {"data": "AAAA"}}),
        ] {
            assert!(read_reports(&payload).is_err(), "{payload}");
        }
    }

    #[test]
    fn a_cause_holds_no_recipient_and_is_short() {
        assert_eq!(without_recipient("550 <a@b.example> unknown +852-9123-4567"), "550 unknown");
        assert_eq!(without_recipient(&"x".repeat(900)).len(), MOST_OF_CAUSE);
    }
}
