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
    pub delivery: CodeDelivery,
}

/// What the recipient of a request for a code gets. Each writes an outbox entry of the same size, so
/// that the caller cannot tell them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeDelivery {
    /// The code.
    Code,
    /// A notice that there is an account already, and how to enter it. The code is never accepted.
    AccountNotice,
    /// Nothing. The code is never accepted.
    Nothing,
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
    /// Returns the outbox entry of the transaction that these event ids belong to.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::challenge::{ChallengeKey, KeyId, Nonce, Purpose};
    use crate::domain::identifier::Identifier;
    use crate::domain::realm::Realm;

    fn seed() -> CodeSeed {
        let realm = Realm::of_contract("a");
        let recipient = Identifier::from_parts("phone", "+85291234567").unwrap();
        CodeSeed {
            key: ChallengeKey::new(realm, Purpose::Verify, recipient),
            nonce: Nonce::new([0; 16]),
            key_id: KeyId::new("k"),
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    fn code(expires_at: Timestamp) -> Effect {
        let locale = "en".to_owned();
        Effect::Code(CodeMessage {
            seed: seed(),
            locale,
            sent_at: at(0),
            expires_at,
            delivery: CodeDelivery::Code,
        })
    }

    fn link(expires_at: Timestamp) -> Effect {
        let (user, locale) = (UserId::number(1), "en".to_owned());
        Effect::Link(LinkMessage { seed: seed(), user, locale, sent_at: at(0), expires_at })
    }

    fn event() -> EventMessage {
        let text = String::new;
        EventMessage { source: text(), detail_type: text(), detail: text(), occurred_at: at(0) }
    }

    fn end_of(effects: Vec<Effect>) -> Option<Timestamp> {
        OutboxEntry::new(&EventIds::new([0; 16]), at(0), effects).expires_at()
    }

    #[test]
    fn an_entry_ends_with_its_last_message() {
        assert_eq!(end_of(vec![code(at(5))]), Some(at(5)));
        assert_eq!(end_of(vec![code(at(5)), link(at(9))]), Some(at(9)));
        assert_eq!(end_of(vec![link(at(9)), code(at(5))]), Some(at(9)));
    }

    #[test]
    fn an_entry_with_an_event_does_not_end() {
        assert_eq!(end_of(vec![code(at(5)), Effect::Event(event())]), None);
    }

    #[test]
    fn an_event_is_told_apart_from_a_message() {
        assert_eq!(Effect::Event(event()).as_event(), Some(&event()));
        assert_eq!(code(at(5)).as_event(), None);
        assert_eq!(link(at(5)).as_event(), None);
    }
}
