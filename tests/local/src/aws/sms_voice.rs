//! A stand-in for AWS End User Messaging SMS, which records text messages to phones.

use super::reply::Reply;
use super::rights::Right;
use super::sns::is_e164;
use crate::records::{Message, Records};
use axum::http::StatusCode;
use serde_json::{Value as Json, json};
use template::arn;

/// Returns the rights that a request needs: to send as its origin.
pub(super) fn rights(operation: &str, request: &Json) -> Vec<Right> {
    let origin = request.get("OriginationIdentity").and_then(Json::as_str).unwrap_or_default();
    vec![Right::new("sms-voice", operation, &arn::sms_identity(origin))]
}

pub(crate) fn call(operation: &str, body: &[u8], records: &Records) -> Reply {
    if operation != "SendTextMessage" {
        return Reply::unknown_operation(operation);
    }
    let request: Json = serde_json::from_slice(body).unwrap_or_default();
    let text = |name: &str| request.get(name).and_then(Json::as_str).unwrap_or_default();
    let phone = text("DestinationPhoneNumber");
    if !is_e164(phone) {
        return refused();
    }
    let mut attributes = request.get("DestinationCountryParameters").cloned().unwrap_or(json!({}));
    if let (Some(all), Some(origin)) =
        (attributes.as_object_mut(), request.get("OriginationIdentity"))
    {
        all.insert("OriginationIdentity".to_owned(), origin.clone());
    }
    let id = records.message(Message {
        channel: "sms".to_owned(),
        to: phone.to_owned(),
        body: text("MessageBody").to_owned(),
        carrier: Some("end-user-messaging".to_owned()),
        from: request.get("OriginationIdentity").and_then(Json::as_str).map(str::to_owned),
        attributes: Some(attributes),
        ..Message::default()
    });
    Reply::new(StatusCode::OK, "application/x-amz-json-1.0", json!({ "MessageId": id }).to_string())
}

/// Returns the reply of the fault mode `refuse`: this number is never sent to.
pub(super) fn refused() -> Reply {
    invalid("INVALID_PARAMETER", "DestinationPhoneNumber")
}

/// Returns the reply of the fault mode `misconfigured`.
pub(super) fn misconfigured() -> Reply {
    invalid("SENDER_ID_NOT_REGISTERED", "OriginationIdentity")
}

fn invalid(reason: &str, field: &str) -> Reply {
    let body = json!({
        "__type": "com.amazonaws.pinpointsmsvoicev2#ValidationException",
        "Message": "a parameter is not valid",
        "Reason": reason,
        "Fields": [{ "Name": field, "Message": "not valid" }],
    });
    Reply::new(StatusCode::BAD_REQUEST, "application/x-amz-json-1.0", body.to_string())
}
