//! A stand-in for the operator's webhook for texts, which records them with their signatures.

use super::reply::Reply;
use crate::records::{Message, Records};
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value as Json, json};

/// The headers of Standard Webhooks.
const HEADERS: [&str; 3] = ["webhook-id", "webhook-timestamp", "webhook-signature"];

pub(crate) fn call(headers: &HeaderMap, body: &[u8], records: &Records) -> Reply {
    let request: Json = serde_json::from_slice(body).unwrap_or_default();
    let text = |name: &str| request.get(name).and_then(Json::as_str).unwrap_or_default();
    records.message(Message {
        channel: "sms".to_owned(),
        to: text("to").to_owned(),
        body: text("text").to_owned(),
        carrier: Some("webhook".to_owned()),
        attributes: Some(signed(headers, body)),
        ..Message::default()
    });
    Reply::new(StatusCode::NO_CONTENT, "application/json", String::new())
}

/// Returns the body of a request with the headers that sign it.
pub(super) fn signed(headers: &HeaderMap, body: &[u8]) -> Json {
    let mut parts: serde_json::Map<_, _> = HEADERS
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), headers.get(name)?.to_str().ok()?.into())))
        .collect();
    parts.insert("body".to_owned(), String::from_utf8_lossy(body).into());
    Json::Object(parts)
}

/// Returns the reply of a fault mode: this status.
pub(crate) fn status(status: StatusCode) -> Reply {
    Reply::new(status, "application/json", json!({ "error": "a requested fault" }).to_string())
}
