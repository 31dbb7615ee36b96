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
    #[serde(flatten)]
    fields: T,
}

/// A time as RFC 3339 text with milliseconds and `Z`.
pub(super) fn date_time(at: Timestamp) -> String {
    let instant = Instant::from_millisecond(at.as_millis()).unwrap_or(Instant::UNIX_EPOCH);
    format!("{instant:.3}")
}

/// The event with this number in its transaction; the first has the number 1.
pub(super) fn message(
    (source, detail_type): (&str, &str),
    sequence: u8,
    fields: impl Serialize,
    ids: &EventIds,
    at: Timestamp,
) -> Result<EventMessage, PortError> {
    let envelope = Envelope {
        schema_version: SCHEMA_VERSION,
        event_id: ids.event_id(sequence),
        correlation_id: ids.correlation_id(),
        sequence,
        fields,
    };
    let detail = serde_json::to_string(&envelope)
        .map_err(|error| PortError::new("write an event", error))?;
    let (source, detail_type) = (source.to_owned(), detail_type.to_owned());
    Ok(EventMessage { source, detail_type, detail, occurred_at: at })
}

/// The fields of an event as a JSON value.
///
/// # Errors
/// The fields cannot be written as JSON.
pub(super) fn value(fields: &impl Serialize) -> Result<serde_json::Value, PortError> {
    serde_json::to_value(fields).map_err(|error| PortError::new("write an event", error))
}
