//! The parts that the events of every contract share.

use crate::domain::event::{EventIds, EventMessage};
use crate::domain::time::Timestamp;
use crate::ports::PortError;
use jiff::Timestamp as Instant;
use serde::Serialize;

/// The version of the schemas of the details.
const SCHEMA_VERSION: u8 = 1;

/// The fields that every detail begins with.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<T> {
    schema_version: u8,
    event_id: String,
    correlation_id: String,
    sequence: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    caused_by: Option<String>,
    /// The transaction writes the version in the place of this zero.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_version: Option<u8>,
    /// Only written if it is true.
    #[serde(skip_serializing_if = "Option::is_none")]
    test_number: Option<bool>,
    #[serde(flatten)]
    fields: T,
}

/// What stands before the version of the user. Of the fields before it, none has a text of a caller.
const VERSION: &str = r#""userVersion":"#;

/// A time as RFC 3339 text with milliseconds and `Z`.
pub(super) fn date_time(at: Timestamp) -> String {
    let instant = Instant::from_millisecond(at.as_millis()).unwrap_or(Instant::UNIX_EPOCH);
    format!("{instant:.3}")
}

/// An event about a user, with this number among those of its fact; the first has the number 1.
pub(super) fn message(
    name: (&str, &str),
    number: u8,
    fields: impl Serialize,
    ids: &EventIds,
    at: Timestamp,
) -> Result<EventMessage, PortError> {
    let event = write(name, (number, Some(0)), fields, ids, at)?;
    let place = event.detail.find(VERSION).map(|start| start.saturating_add(VERSION.len()));
    Ok(EventMessage { version_place: place, ..event })
}

/// The only event of a transaction that is about no user.
pub(super) fn message_without_user(
    name: (&str, &str),
    fields: impl Serialize,
    ids: &EventIds,
    at: Timestamp,
) -> Result<EventMessage, PortError> {
    write(name, (1, None), fields, ids, at)
}

fn write(
    (source, detail_type): (&str, &str),
    (number, user_version): (u8, Option<u8>),
    fields: impl Serialize,
    ids: &EventIds,
    at: Timestamp,
) -> Result<EventMessage, PortError> {
    let envelope = Envelope {
        schema_version: SCHEMA_VERSION,
        event_id: ids.event_id(number),
        correlation_id: ids.correlation_id(),
        sequence: ids.sequence(number),
        caused_by: ids.cause_of(number),
        user_version,
        test_number: ids.of_test_number().then_some(true),
        fields,
    };
    let detail = serde_json::to_string(&envelope)
        .map_err(|error| PortError::new("write an event", error))?;
    let (source, detail_type) = (source.to_owned(), detail_type.to_owned());
    let (user, version_place) = (None, None);
    Ok(EventMessage { source, detail_type, detail, occurred_at: at, user, version_place })
}

/// The fields of an event as a JSON value.
///
/// # Errors
/// The fields cannot be written as JSON.
pub(super) fn value(fields: &impl Serialize) -> Result<serde_json::Value, PortError> {
    serde_json::to_value(fields).map_err(|error| PortError::new("write an event", error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::UserVersion;

    #[derive(Serialize)]
    struct Fields {
        note: &'static str,
    }

    #[test]
    fn an_event_about_a_user_names_its_cause_and_gets_the_version_of_the_user() {
        let (ids, at) = (EventIds::new([7; 16]).after(1), Timestamp::from_millis(1000));
        let fields = Fields { note: r#""userVersion":0"# };
        let event = message(("a", "b"), 1, fields, &ids, at).unwrap();
        let written = event.with_version(UserVersion::at(at));
        let detail: serde_json::Value = serde_json::from_str(&written.detail).unwrap();
        assert_eq!(detail.get("userVersion").unwrap(), 1_000_000);
        assert_eq!(detail.get("note").unwrap(), r#""userVersion":0"#);
        assert_eq!(detail.get("sequence").unwrap(), 2);
        let first = EventIds::new([7; 16]);
        assert_eq!(detail.get("causedBy").unwrap(), &first.event_id(1));
        let event = message(("a", "b"), 1, Fields { note: "" }, &first, at).unwrap();
        assert!(!event.detail.contains("causedBy"), "{event:?}");
    }

    #[test]
    fn an_event_about_the_user_of_a_test_number_says_so() {
        let (ids, at) = (EventIds::new([7; 16]), Timestamp::from_millis(1000));
        let detail = |ids: EventIds| {
            let event = message(("a", "b"), 1, Fields { note: "" }, &ids.after(1), at).unwrap();
            event.with_version(UserVersion::at(at)).detail
        };
        let marked: serde_json::Value = serde_json::from_str(&detail(ids.marked(true))).unwrap();
        assert_eq!(marked.get("testNumber").unwrap(), true);
        assert_eq!(marked.get("userVersion").unwrap(), 1_000_000);
        assert!(!detail(ids.marked(false)).contains("testNumber"));
    }

    #[test]
    fn an_event_about_no_user_has_neither() {
        let ids = EventIds::new([7; 16]);
        let event =
            message_without_user(("a", "b"), Fields { note: "" }, &ids, Timestamp::from_millis(0));
        let event = event.unwrap();
        assert_eq!(event.version_place, None);
        assert!(!event.detail.contains("userVersion") && !event.detail.contains("causedBy"));
    }
}
