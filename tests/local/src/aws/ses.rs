//! A stand-in for SES v2, which records e-mail.

use super::reply::Reply;
use super::rights::Right;
use crate::random;
use crate::records::{Message, Records};
use axum::http::{Method, StatusCode};
use serde_json::{Value as Json, json};
use template::arn;

/// What the path of a question about the suppression list begins with.
const SUPPRESSED: &str = "/v2/email/suppression/addresses/";

/// Returns the address in the path of a question about the suppression list.
pub(super) fn suppressed_address(path: &str) -> String {
    let address = path.strip_prefix(SUPPRESSED).unwrap_or_default();
    percent_encoding::percent_decode_str(address).decode_utf8_lossy().into_owned()
}

/// Returns the name of the operation, or method and path of an unsupported one.
pub(super) fn operation(method: &Method, path: &str) -> String {
    if method == Method::POST && path == "/v2/email/outbound-emails" {
        "SendEmail".to_owned()
    } else if method == Method::GET && path == "/v2/email/account" {
        "GetAccount".to_owned()
    } else if method == Method::GET && path.starts_with(SUPPRESSED) {
        "GetSuppressedDestination".to_owned()
    } else {
        format!("{method} {path}")
    }
}

/// Returns the rights that a request needs: to send as its sender. A question has no resource.
pub(super) fn rights(operation: &str, request: &Json) -> Vec<Right> {
    if operation != "SendEmail" {
        return vec![Right::new("ses", operation, "*")];
    }
    let from = request.get("FromEmailAddress").and_then(Json::as_str).unwrap_or_default();
    let sender = address(from).unwrap_or_default();
    let right = Right::new("ses", operation, &arn::ses_identity(&sender));
    vec![right.with_context("ses:FromAddress", vec![sender])]
}

pub(crate) fn call(operation: &str, body: &[u8], records: &Records) -> Reply {
    if operation != "SendEmail" {
        return Reply::rest_error(
            StatusCode::NOT_FOUND,
            "NotFoundException",
            "the local stack supports SendEmail only",
        );
    }
    send(body, records).unwrap_or_else(|message| {
        Reply::rest_error(StatusCode::BAD_REQUEST, "BadRequestException", message)
    })
}

fn send(body: &[u8], records: &Records) -> Result<Reply, &'static str> {
    let request: Json = serde_json::from_slice(body).map_err(|_| "the body is not JSON")?;
    let text = |pointer: &str| request.pointer(pointer).and_then(Json::as_str);
    if text("/FromEmailAddress").is_none_or(str::is_empty) {
        return Err("FromEmailAddress is missing");
    }
    let recipients: Vec<_> = ["ToAddresses", "CcAddresses", "BccAddresses"]
        .iter()
        .filter_map(|kind| request.get("Destination")?.get(kind)?.as_array())
        .flatten()
        .map(|recipient| recipient.as_str().and_then(address).ok_or("an invalid address"))
        .collect::<Result<_, _>>()?;
    if recipients.is_empty() {
        return Err("Destination has no recipients");
    }
    let subject = text("/Content/Simple/Subject/Data")
        .ok_or("the local stack supports Simple content only")?;
    let plain = text("/Content/Simple/Body/Text/Data");
    let html = text("/Content/Simple/Body/Html/Data");
    if plain.is_none() && html.is_none() {
        return Err("the body has neither Text nor Html");
    }
    for to in recipients {
        records.message(Message {
            channel: "email".to_owned(),
            to,
            subject: Some(subject.to_owned()),
            body: plain.unwrap_or_default().to_owned(),
            html: html.map(str::to_owned),
            from: text("/FromEmailAddress").map(str::to_owned),
            attributes: attributes(&request),
            ..Message::default()
        });
    }
    let answer = json!({ "MessageId": random::uuid() });
    Ok(Reply::new(StatusCode::OK, "application/json", answer.to_string()))
}

/// What a mail has beside its content; `None` for nothing.
fn attributes(request: &Json) -> Option<Json> {
    let known = ["ConfigurationSetName", "ReplyToAddresses"].into_iter();
    let stated = known.filter_map(|name| Some((name.to_owned(), request.get(name)?.clone())));
    let stated: serde_json::Map<_, _> = stated.collect();
    (!stated.is_empty()).then_some(Json::Object(stated))
}

/// Returns the reply of the fault mode `misconfigured`: SES does not take what the account sends.
pub(super) fn misconfigured() -> Reply {
    Reply::rest_error(
        StatusCode::BAD_REQUEST,
        "MessageRejected",
        "Email address is not verified. The following identities failed the check",
    )
}

/// Returns the reply of the fault mode `refuse`: SES does not send to this address.
pub(super) fn refused() -> Reply {
    Reply::rest_error(StatusCode::BAD_REQUEST, "MessageRejected", "Address blacklisted.")
}

/// Returns the address of `Name <address>` or `address`, in lower case.
fn address(recipient: &str) -> Option<String> {
    let bare = match recipient.rsplit_once('<') {
        Some((_, rest)) => rest.strip_suffix('>')?,
        None => recipient,
    };
    let (local, domain) = bare.rsplit_once('@')?;
    let valid = !local.is_empty() && !domain.is_empty() && !bare.contains(char::is_whitespace);
    valid.then(|| bare.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_no_name_and_is_in_lower_case() {
        assert_eq!(address("Ann <Ann@Example.COM>").as_deref(), Some("ann@example.com"));
        assert_eq!(address("a@b.c").as_deref(), Some("a@b.c"));
        assert_eq!(address("a b@c"), None);
        assert_eq!(address("ann"), None);
    }

    #[test]
    fn a_valid_mail_is_recorded_and_an_invalid_one_refused() {
        let records = Records::default();
        let mail = json!({
            "FromEmailAddress": "no-reply@latchkey.example",
            "Destination": { "ToAddresses": ["A@b.c"] },
            "Content": { "Simple": { "Subject": { "Data": "Hi" }, "Body": { "Text": { "Data": "t" } } } },
        });
        let sent = call("SendEmail", mail.to_string().as_bytes(), &records);
        assert_eq!(sent.status, StatusCode::OK);
        let messages = records.messages(Some("a@b.c"));
        let message = messages.first().unwrap();
        assert_eq!(message.subject.as_deref(), Some("Hi"));
        assert!(message.html.is_none());
        let refused = call("SendEmail", b"{}", &records);
        assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    }

    #[test]
    fn a_refusal_names_its_kind_in_the_header() {
        let reply = refused();
        assert_eq!(reply.status, StatusCode::BAD_REQUEST);
        assert_eq!(reply.headers.get("x-amzn-errortype").unwrap(), "MessageRejected");
        assert_eq!(&*reply.body, br#"{"message":"Address blacklisted."}"#);
    }
}
