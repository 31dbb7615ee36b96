//! What the line of a request says about the people whom it concerns.
//!
//! Like a metric, a fact is a `tracing` event and not a call of a trait. The runtime collects the
//! events of the target [`TRACE_EVENTS`], and writes a keyed hash of each identifier into the line.
//! An event itself is never written.

use crate::domain::id::UserId;
use crate::domain::identifier::Identifier;

/// The target of the events that are facts about a request and not log lines.
pub const TRACE_EVENTS: &str = "trace";

/// Notes that the request is about this identifier, whether it is known or not.
pub fn trace_identifier(identifier: &Identifier) {
    let (kind, value) = (identifier.kind().as_str(), identifier.as_str());
    tracing::info!(target: TRACE_EVENTS, kind, value);
}

/// Notes that the request is about this user.
pub fn trace_user(user: &UserId) {
    tracing::info!(target: TRACE_EVENTS, user = user.as_str());
}
