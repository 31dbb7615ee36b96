//! Effects that leave the system, written in the transaction that causes them.

use super::code::CodeSeed;
use super::event::{EventIds, EventMessage};
use super::id::UserId;
use super::time::Timestamp;

/// A code to be sent: what it is derived from, never the code itself.
#[derive(Clone, Debug)]
pub struct CodeMessage {
    /// What the code is derived from; its recipient gets it.
    pub seed: CodeSeed,
    /// The language of the text: a BCP 47 tag such as `en`.
    pub locale: String,
    /// When it was asked for.
    pub sent_at: Timestamp,
    /// When the code ends.
    pub expires_at: Timestamp,
    /// Whether it is sent at all. A request that must not send anything writes the same entry, so
    /// that it cannot be told from one that does.
    pub deliver: bool,
}

/// A link to be mailed: what its secret is derived from, never the secret itself.
#[derive(Clone, Debug)]
pub struct LinkMessage {
    /// What the secret is derived from; its recipient gets it.
    pub seed: CodeSeed,
    /// Whose address the link verifies.
    pub user: UserId,
    /// The language of the mail: a BCP 47 tag such as `en`.
    pub locale: String,
    /// When it was asked for.
    pub sent_at: Timestamp,
    /// When the link ends.
    pub expires_at: Timestamp,
}

/// One effect.
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
    /// The event, if it is one.
    #[must_use]
    pub const fn as_event(&self) -> Option<&EventMessage> {
        match self {
            Self::Event(event) => Some(event),
            Self::Code(_) | Self::Link(_) => None,
        }
    }
}

/// The effects of one transaction, in the order in which they happen.
#[derive(Clone, Debug)]
pub struct OutboxEntry {
    /// The entry's id.
    pub id: String,
    /// When it was written.
    pub written_at: Timestamp,
    /// What is left to do.
    pub effects: Vec<Effect>,
}

impl OutboxEntry {
    /// The entry of the transaction that `ids` belong to.
    #[must_use]
    pub fn new(ids: &EventIds, written_at: Timestamp, effects: Vec<Effect>) -> Self {
        Self { id: ids.correlation_id(), written_at, effects }
    }

    /// When the entry is worthless: the end of its last code or link. `None` when it holds an event: that
    /// stays until it is delivered.
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
