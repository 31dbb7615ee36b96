//! Effects to deliver. They are written to the outbox in the transaction that causes them.

use super::code::CodeSeed;
use super::event::{EventIds, EventMessage};
use super::id::UserId;
use super::time::Timestamp;

/// A code to send. It contains the input of the derivation, never the code itself.
#[derive(Clone, Debug)]
pub struct CodeMessage {
    /// The input of the derivation, with the recipient.
    pub seed: CodeSeed,
    /// The language of the message: a BCP 47 tag such as `en`.
    pub locale: String,
    /// The time of the request.
    pub sent_at: Timestamp,
    /// The time at which the code expires.
    pub expires_at: Timestamp,
    /// Whether the code is sent. A request that must not send anything writes the same entry, so
    /// that the caller cannot tell the two apart.
    pub deliver: bool,
}

/// A link to mail. It contains the input of the derivation, never the secret itself.
#[derive(Clone, Debug)]
pub struct LinkMessage {
    /// The input of the derivation, with the recipient.
    pub seed: CodeSeed,
    /// The user whose e-mail address the link verifies.
    pub user: UserId,
    /// The language of the mail: a BCP 47 tag such as `en`.
    pub locale: String,
    /// The time of the request.
    pub sent_at: Timestamp,
    /// The time at which the link expires.
    pub expires_at: Timestamp,
}

/// An effect to deliver.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Send a code.
    Code(CodeMessage),
    /// Mail a link.
    Link(LinkMessage),
    /// Publish an event.
    Event(EventMessage),
}

impl Effect {
    /// Returns the event, or `None` for a message.
    #[must_use]
    pub const fn as_event(&self) -> Option<&EventMessage> {
        match self {
            Self::Event(event) => Some(event),
            Self::Code(_) | Self::Link(_) => None,
        }
    }
}

/// The effects of one transaction, in the order in which they are delivered.
#[derive(Clone, Debug)]
pub struct OutboxEntry {
    pub id: String,
    pub written_at: Timestamp,
    /// The effects that are not delivered yet.
    pub effects: Vec<Effect>,
}

impl OutboxEntry {
    /// Returns the entry of the transaction that these event ids belong to.
    #[must_use]
    pub fn new(ids: &EventIds, written_at: Timestamp, effects: Vec<Effect>) -> Self {
        Self { id: ids.correlation_id(), written_at, effects }
    }

    /// The time at which the entry is useless: when its last code or link expires. `None` for an
    /// entry with an event, which is kept until it is delivered.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        let ends = self.effects.iter().map(|effect| match effect {
            Effect::Code(code) => Some(code.expires_at),
            Effect::Link(link) => Some(link.expires_at),
            Effect::Event(_) => None,
        });
        ends.collect::<Option<Vec<_>>>()?.into_iter().max()
    }
}
