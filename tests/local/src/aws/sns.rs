//! A stand-in for SNS, which records text messages to phones.

use super::reply::Reply;
use super::rights::Right;
use crate::random;
use crate::records::{Message, Records};
use axum::http::StatusCode;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// The largest number of characters of a message.
const MESSAGE_LIMIT: usize = 1600;

/// Returns the action of a request in the query protocol.
pub(super) fn action(body: &[u8]) -> String {
    fields(body).remove("Action").unwrap_or_default()
}

/// Returns the rights that a request needs.
pub(super) fn rights(action: &str, body: &[u8]) -> Vec<Right> {
    vec![Right::publish(action, fields(body).get("TopicArn").map(String::as_str))]
}

pub(crate) fn call(action: &str, body: &[u8], records: &Records) -> Reply {
    match action {
        "Publish" => publish(&fields(body), records),
        other => {
            invalid("InvalidAction", &format!("The action {} is not valid here.", plain(other)))
        }
    }
}

fn publish(fields: &BTreeMap<String, String>, records: &Records) -> Reply {
    let Some(phone) = fields.get("PhoneNumber") else {
        return invalid(
            "InvalidParameter",
            "Invalid parameter: the local stack supports PhoneNumber only",
        );
    };
    if !is_e164(phone) {
        return invalid(
            "InvalidParameter",
            "Invalid parameter: PhoneNumber Reason: not valid to publish to",
        );
    }
    let Some(text) = fields.get("Message").filter(|text| !text.is_empty()) else {
        return invalid("InvalidParameter", "Invalid parameter: Empty message");
    };
    if text.chars().count() > MESSAGE_LIMIT {
        return invalid("InvalidParameter", "Invalid parameter: Message too long");
    }
    let id = records.message(Message {
        channel: "sms".to_owned(),
        to: phone.clone(),
        body: text.clone(),
        from: sender(&attributes(fields)),
        attributes: Some(attributes(fields)),
        ..Message::default()
    });
    let body = format!(
        "<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishResult>\
         <MessageId>{id}</MessageId></PublishResult><ResponseMetadata><RequestId>{}</RequestId>\
         </ResponseMetadata></PublishResponse>",
        random::uuid()
    );
    Reply::new(StatusCode::OK, "text/xml", body)
}

/// Returns the attributes of a message, by name.
fn attributes(fields: &BTreeMap<String, String>) -> Json {
    let named = (1..).map_while(|number| {
        let of = |part: &str| fields.get(&format!("MessageAttributes.entry.{number}.{part}"));
        Some((of("Name")?.clone(), of("Value.StringValue").cloned().unwrap_or_default().into()))
    });
    Json::Object(named.collect())
}

/// Returns the sender id or the number that a text comes from.
fn sender(attributes: &Json) -> Option<String> {
    let named = |name: &str| attributes.get(name)?.as_str().map(str::to_owned);
    named("AWS.SNS.SMS.SenderID").or_else(|| named("AWS.MM.SMS.OriginationNumber"))
}

/// Returns the reply of the fault mode `misconfigured`: SNS does not take what the account sends.
pub(super) fn misconfigured() -> Reply {
    invalid("InvalidParameter", "Invalid parameter: SenderID")
}

/// Returns the reply of the fault mode `refuse`: SNS does not send to this phone.
pub(super) fn refused() -> Reply {
    invalid("InvalidParameter", "Invalid parameter: PhoneNumber")
}

fn fields(body: &[u8]) -> BTreeMap<String, String> {
    form_urlencoded::parse(body).into_owned().collect()
}

pub(super) fn is_e164(phone: &str) -> bool {
    let Some(digits) = phone.strip_prefix('+') else { return false };
    (1..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
}

fn invalid(code: &str, message: &str) -> Reply {
    Reply::xml_error(StatusCode::BAD_REQUEST, code, message)
}

/// Keeps the characters that need no escape in XML.
fn plain(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_a_fault_of_the_sender() {
        let reply = refused();
        assert_eq!(reply.status, StatusCode::BAD_REQUEST);
        let body = String::from_utf8_lossy(&reply.body);
        for part in [
            "<Type>Sender</Type>",
            "<Code>InvalidParameter</Code>",
            "<Message>Invalid parameter: PhoneNumber</Message>",
        ] {
            assert!(body.contains(part), "{body}");
        }
    }
}
