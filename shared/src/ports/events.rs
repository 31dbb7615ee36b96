//! The port that publishes events.

use super::PortError;
use crate::domain::event::EventMessage;
use async_trait::async_trait;

/// The most events that a bus takes in one call (EventBridge, `PutEvents`).
pub const MOST_EVENTS: usize = 10;

/// An event that the bus did not accept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectedEvent {
    /// The place of the event in the call, counted from 0.
    pub place: usize,
    /// The error code of the bus.
    pub reason: String,
}

/// The event bus.
#[async_trait]
pub trait Events: Send + Sync {
    /// Publishes at most [`MOST_EVENTS`] events in one call and in this order. Returns those that the
    /// bus did not accept.
    ///
    /// # Errors
    /// The call failed. The bus may have accepted any of the events.
    async fn publish(&self, events: &[&EventMessage]) -> Result<Vec<RejectedEvent>, PortError>;
}
