//! The port that remembers sent messages, what carriers say of them, and recipients that are left alone.

use super::PortError;
use crate::domain::delivery::{DeliveryReport, MessageId, Receipt, SentMessage};
use crate::domain::event::EventMessage;
use crate::domain::identifier::Identifier;
use crate::domain::time::Timestamp;
use async_trait::async_trait;

/// An event about a message, with the id of the outbox entry that delivers it.
#[derive(Clone, Debug)]
pub struct DeliveryEvent {
    pub entry: String,
    pub event: EventMessage,
}

/// A recipient that cannot be reached, and until when it is left alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suppression {
    pub cause: String,
    pub until: Timestamp,
}

/// Sent messages, and recipients that no message is sent to.
#[async_trait]
pub trait Deliveries: Send + Sync {
    /// Remembers a message that a carrier accepted, and puts its event into the outbox, in one transaction. Does
    /// nothing if the message is known.
    async fn sent(&self, message: &SentMessage, event: &DeliveryEvent) -> Result<(), PortError>;

    /// Returns the messages with these ids that are known, in any order. Waits a moment for those that are
    /// not: a fast carrier reports before its message is remembered.
    async fn find(&self, ids: &[MessageId]) -> Result<Vec<SentMessage>, PortError>;

    /// Remembers a report about a message, puts its event into the outbox at `at`, and leaves the recipient
    /// alone if the report says so, in one transaction. Returns whether it was new: a report with the status of an
    /// earlier one changes nothing.
    async fn reported(
        &self,
        message: &SentMessage,
        report: &DeliveryReport,
        event: &DeliveryEvent,
        suppression: Option<&Suppression>,
        at: Timestamp,
    ) -> Result<bool, PortError>;

    /// Returns whether a recipient is left alone at `now`.
    async fn is_suppressed(
        &self,
        recipient: &Identifier,
        now: Timestamp,
    ) -> Result<bool, PortError>;

    /// Returns why and until when a recipient is left alone, if it is at `now`.
    async fn suppression(
        &self,
        recipient: &Identifier,
        now: Timestamp,
    ) -> Result<Option<Suppression>, PortError>;

    /// Returns what carriers reported of those messages that are known, in any order.
    async fn receipts(&self, ids: &[MessageId]) -> Result<Vec<Receipt>, PortError>;

    /// Forgets messages. Returns how many were known.
    async fn forget(&self, ids: &[MessageId]) -> Result<usize, PortError>;

    /// Ends that for a recipient. Returns whether it was left alone.
    async fn lift(&self, recipient: &Identifier) -> Result<bool, PortError>;
}

/// Writes the events about messages.
pub trait DeliveryEvents: Send + Sync {
    /// Returns the event with a report about a message.
    ///
    /// # Errors
    /// The event could not be serialized, which is a defect.
    fn event(
        &self,
        message: &SentMessage,
        report: &DeliveryReport,
    ) -> Result<DeliveryEvent, PortError>;
}
