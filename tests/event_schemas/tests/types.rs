//! The types of the events: that each language reads an event with them, and survives what a later version adds.

#[expect(unreachable_pub, reason = "a consumer copies the file")]
#[expect(clippy::doc_markdown, reason = "the schemas have the names")]
#[rustfmt::skip]
#[path = "../../../shared/docs/events/types/events.rs"]
mod events;

use events::{
    GoodcityEvent, GotuAuthSessionRevokedReason, GotuEvent, LatchkeyEvent, PosbytzEvent,
    UrbanfitsEvent,
};
use serde_json::{Value as Json, json};

/// An event as the bus delivers it, with a field that a later version added.
fn delivered(source: &str, kind: &str, detail: &Json) -> Json {
    json!({
        "version": "0", "id": "23a3", "source": source, "detail-type": kind, "account": "1", "time": "t", "region": "r",
        "resources": [], "detail": detail,
    })
}

fn revoked(reason: &str) -> Json {
    json!({
        "schemaVersion": 1, "eventId": "2", "correlationId": "0", "sequence": 2, "causedBy": "1", "userVersion": 7,
        "userId": "a", "reason": reason, "revokedAt": "t", "added": true,
    })
}

#[test]
fn rust_reads_events_and_survives_additions() {
    let read = |reason: &str| {
        let event = delivered("auth-service", "AUTH_SESSION_REVOKED", &revoked(reason));
        match serde_json::from_value(event).unwrap() {
            GotuEvent::AuthSessionRevoked(revoked) => revoked,
            other => panic!("{other:?}"),
        }
    };
    let event = read("signed_out");
    assert_eq!((event.caused_by.as_deref(), event.user_version), (Some("1"), Some(7)));
    assert_eq!((event.device_id, event.reason), (None, GotuAuthSessionRevokedReason::SignedOut));
    assert_eq!(read("later").reason, GotuAuthSessionRevokedReason::Other);

    let created = json!({
        "schemaVersion": 1, "eventId": "1", "correlationId": "0", "sequence": 1, "userId": "a", "store": "s", "email": null,
        "emailVerified": false, "mobile": {"code": "+62", "number": "82243350992", "added": 1}, "mobileVerified": false,
        "createdAt": "t",
    });
    let event = delivered("posbytz.ecommerce", "customer.created", &created);
    let PosbytzEvent::CustomerCreated(created) = serde_json::from_value(event).unwrap() else {
        panic!("another event");
    };
    assert_eq!((created.mobile.unwrap().code.as_str(), created.email), ("+62", None));
}

#[test]
fn each_contract_has_its_events() {
    let detail = json!({
        "schemaVersion": 1, "eventId": "1", "correlationId": "0", "sequence": 1, "userVersion": 7, "userId": 5, "deletedAt": "t",
    });
    let event = delivered("goodcity.auth", "user.deleted", &detail);
    let GoodcityEvent::UserDeleted(deleted) = serde_json::from_value(event).unwrap() else {
        panic!("another event");
    };
    assert_eq!((deleted.user_id, deleted.caused_by), (5, None));

    let mut text = detail;
    text["userId"] = json!("a");
    let event = delivered("urbanfits.auth", "user.deleted", &text);
    let UrbanfitsEvent::UserDeleted(deleted) = serde_json::from_value(event).unwrap() else {
        panic!("another event");
    };
    assert_eq!(deleted.user_id, "a");

    let sent = json!({
        "schemaVersion": 1, "eventId": "1", "correlationId": "0", "sequence": 1, "contract": "gotu", "message": "gotu.sign_up",
        "channel": "email", "dialCode": null, "carrier": "mail", "messageId": "m", "requestCorrelationId": "r", "occurredAt": "t",
    });
    let event = delivered("latchkey", "MESSAGE_SENT", &sent);
    let LatchkeyEvent::MessageSent(sent) = serde_json::from_value(event).unwrap() else {
        panic!("another event");
    };
    assert_eq!((sent.dial_code, sent.message_id.as_str()), (None, "m"));
}
