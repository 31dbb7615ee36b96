//! What the events of every contract have in common.

use crate::domain::event::{EventIds, EventMessage};
use crate::domain::time::Timestamp;
use crate::ports::PortError;
use jiff::Timestamp as Instant;
use serde::Serialize;

/// The version of the details' schemas.
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
    facts: T,
}

/// RFC 3339 with milliseconds and `Z`.
pub(super) fn date_time(at: Timestamp) -> String {
    let instant = Instant::from_millisecond(at.as_millis()).unwrap_or(Instant::UNIX_EPOCH);
    format!("{instant:.3}")
}

/// The event number `sequence` of a transaction.
pub(super) fn message(
    (source, detail_type): (&str, &str),
    sequence: u8,
    facts: impl Serialize,
    ids: &EventIds,
    at: Timestamp,
) -> Result<EventMessage, PortError> {
    let envelope = Envelope {
        schema_version: SCHEMA_VERSION,
        event_id: ids.event_id(sequence),
        correlation_id: ids.correlation_id(),
        sequence,
        facts,
    };
    let detail = serde_json::to_string(&envelope)
        .map_err(|error| PortError::new("write an event", error))?;
    let (source, detail_type) = (source.to_owned(), detail_type.to_owned());
    Ok(EventMessage { source, detail_type, detail, occurred_at: at })
}
