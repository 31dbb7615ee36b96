//! Effects to deliver. They are written to the outbox in the transaction that causes them.

use super::code::CodeSeed;
use super::event::{EventIds, EventMessage, UserVersion};
use super::history::Withheld;
use super::id::UserId;
use super::time::Timestamp;
use std::time::Duration;

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
    /// Why no code is sent. `None` for a code that is sent, and for an entry of an older version.
    pub withheld: Option<Withheld>,
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

/// What the id of a stored entry with messages begins with.
const MESSAGES: &str = "m#";
/// What the id of a stored entry with events begins with.
const EVENTS: &str = "e#";
/// The hex digits, one of which ends each id: the shards of each kind.
const DIGITS: &str = "0123456789abcdef";
/// The time after which a sweep delivers an entry, because the stream must have missed it.
const FIRST_SWEEP: Duration = Duration::from_mins(1);
/// The pause after the first failed try. It doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
/// The pauses of a message are not longer than this part of its life, so that one that waited for its
/// carrier can still be used.
const PART_OF_LIFE: u32 = 10;
/// The number of failed tries after which an entry waits for an operator: with pauses of ten minutes,
/// a day.
pub const MAX_TRIES: u32 = 150;

/// Returns the id of the transaction that a stored entry belongs to.
#[must_use]
pub fn transaction_of(entry_id: &str) -> &str {
    let id = entry_id.strip_prefix(MESSAGES).or_else(|| entry_id.strip_prefix(EVENTS));
    id.unwrap_or(entry_id)
}

/// What an entry delivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// Messages. An entry of an older version may have events, too.
    Messages,
    Events,
}

impl EntryKind {
    /// What the ids of entries with events begin with, and of no other entries.
    pub const EVENT_IDS: &str = EVENTS;
}

/// A part of the entries of one kind that wait again after a try. A sweep finds the due ones shard by
/// shard, so that several sweeps at once need not meet, and one partition of the index takes a sixteenth
/// of the writes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shard(String);

impl Shard {
    /// Returns the shard of the entry with this id.
    #[must_use]
    pub fn of(id: &str) -> Self {
        let kind = if id.starts_with(EVENTS) { EVENTS } else { MESSAGES };
        let digit = id.chars().next_back().filter(|digit| DIGITS.contains(*digit)).unwrap_or('0');
        Self(format!("{kind}{digit}"))
    }

    /// Returns all shards of a kind.
    #[must_use]
    pub fn all(kind: EntryKind) -> Vec<Self> {
        let prefix = match kind {
            EntryKind::Messages => MESSAGES,
            EntryKind::Events => EVENTS,
        };
        DIGITS.chars().map(|digit| Self(format!("{prefix}{digit}"))).collect()
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A part of the table of entries. Scans of several parts at once do not meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment(i32);

impl Segment {
    /// The number of segments.
    pub const COUNT: i32 = 16;

    /// Returns all segments.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..Self::COUNT).map(Self)
    }

    /// The number of the segment, from 0.
    #[must_use]
    pub const fn number(self) -> i32 {
        self.0
    }
}

/// The effects of one transaction, in the order in which they are delivered.
#[derive(Clone, Debug)]
pub struct OutboxEntry {
    pub id: String,
    pub written_at: Timestamp,
    /// The effects that are not delivered yet.
    pub effects: Vec<Effect>,
    /// The number of tries that failed.
    pub tries: u32,
    /// The time from which on a sweep delivers the entry.
    pub due_at: Timestamp,
}

impl OutboxEntry {
    /// Returns the outbox entry of the transaction that these event ids belong to.
    #[must_use]
    pub fn new(ids: &EventIds, written_at: Timestamp, effects: Vec<Effect>) -> Self {
        Self::with_id(ids.correlation_id(), written_at, effects)
    }

    /// Returns the user that all events of the entry are about which are about a user.
    #[must_use]
    pub fn user(&self) -> Option<&UserId> {
        let events = self.effects.iter().filter_map(Effect::as_event);
        let mut users = events.filter_map(|event| event.user.as_ref());
        let first = users.next()?;
        users.all(|user| user == first).then_some(first)
    }

    /// Returns an entry with this id, which is that of its transaction.
    #[must_use]
    pub fn with_id(id: String, written_at: Timestamp, effects: Vec<Effect>) -> Self {
        Self { id, written_at, effects, tries: 0, due_at: written_at.plus(FIRST_SWEEP) }
    }

    /// Returns the entry in two, as it is stored: the messages and the events. So the stream tells them
    /// apart by their ids, and neither waits for the other.
    #[must_use]
    pub fn parts(&self) -> Vec<Self> {
        let part = |prefix: &str, is_event: bool| {
            let effects =
                self.effects.iter().filter(|effect| effect.as_event().is_some() == is_event);
            let effects: Vec<_> = effects.cloned().collect();
            let id = format!("{prefix}{}", self.id);
            (!effects.is_empty()).then(|| Self { id, effects, ..self.clone() })
        };
        [part(MESSAGES, false), part(EVENTS, true)].into_iter().flatten().collect()
    }

    /// Returns the user whose version the events lack, and the number of these events.
    #[must_use]
    pub fn lacks_versions(&self) -> Option<(&UserId, u64)> {
        let events = || {
            let events = self.effects.iter().filter_map(Effect::as_event);
            events.filter(|event| event.version_place.is_some())
        };
        let user = events().find_map(|event| event.user.as_ref())?;
        Some((user, events().map(|_| 1_u64).sum()))
    }

    /// Returns the entry with a version in each event that lacks one: `first` in the first, and one more
    /// in each further one.
    #[must_use]
    pub fn with_versions(&self, first: UserVersion) -> Self {
        let mut versions = (0..).map(|events| first.after(events));
        let effects = self.effects.iter().map(|effect| match effect {
            Effect::Event(event) if event.version_place.is_some() => {
                Effect::Event(event.with_version(versions.next().unwrap_or(first)))
            }
            effect => effect.clone(),
        });
        Self { effects: effects.collect(), ..self.clone() }
    }

    /// Returns whether the entry has a message. A message must not be sent twice, an event may be
    /// published twice.
    #[must_use]
    pub fn has_message(&self) -> bool {
        self.effects.iter().any(|effect| effect.as_event().is_none())
    }

    /// Returns the time of the next try after one that failed at `now`: after a pause that doubles up to
    /// `longest`, and that differs by half between entries, so that they do not come back together.
    #[must_use]
    pub fn next_try(&self, now: Timestamp, longest: Duration) -> Timestamp {
        let doubled = FIRST_PAUSE.saturating_mul(1_u32.checked_shl(self.tries).unwrap_or(u32::MAX));
        let life = self.expires_at().map(|end| end.since(self.written_at));
        let part = life.and_then(|life| life.checked_div(PART_OF_LIFE)).unwrap_or(longest);
        let pause = doubled.min(longest).min(part);
        let spread = self
            .id
            .bytes()
            .fold(self.tries, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)));
        // From half the pause to one and a half.
        let permille = spread.checked_rem(1000).unwrap_or_default().saturating_add(500);
        now.plus(pause.saturating_mul(permille).checked_div(1000).unwrap_or(pause))
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
            withheld: None,
        })
    }

    fn link(expires_at: Timestamp) -> Effect {
        let (user, locale) = (UserId::number(1), "en".to_owned());
        Effect::Link(LinkMessage { seed: seed(), user, locale, sent_at: at(0), expires_at })
    }

    fn event() -> EventMessage {
        let text = String::new;
        let (source, detail_type, detail) = (text(), text(), text());
        EventMessage {
            source,
            detail_type,
            detail,
            occurred_at: at(0),
            user: None,
            version_place: None,
        }
    }

    #[test]
    fn the_events_of_an_entry_get_versions_in_their_order() {
        let (detail, user, version_place) = ("0".to_owned(), Some(UserId::number(7)), Some(0));
        let about = Effect::Event(EventMessage { detail, user, version_place, ..event() });
        let effects = vec![about.clone(), code(at(5)), Effect::Event(event()), about];
        let entry = OutboxEntry::new(&EventIds::new([0; 16]), at(0), effects);
        assert_eq!(entry.lacks_versions(), Some((&UserId::number(7), 2)));
        let written = entry.with_versions(UserVersion::from_stored(41));
        let events = written.effects.iter().filter_map(Effect::as_event);
        let details: Vec<_> = events.map(|event| event.detail.as_str()).collect();
        assert_eq!(details, ["41", "", "42"]);
        assert_eq!(written.lacks_versions(), None);
    }

    fn end_of(effects: Vec<Effect>) -> Option<Timestamp> {
        OutboxEntry::new(&EventIds::new([0; 16]), at(0), effects).expires_at()
    }

    #[test]
    fn messages_and_events_are_stored_apart() {
        let ids = EventIds::new([0; 16]);
        let whole = vec![code(at(5)), Effect::Event(event()), link(at(9))];
        let parts = OutboxEntry::new(&ids, at(0), whole).parts();
        let shown: Vec<_> = parts
            .iter()
            .map(|part| (part.id.get(..2).unwrap(), part.effects.len(), part.expires_at()))
            .collect();
        assert_eq!(shown, [("m#", 2, Some(at(9))), ("e#", 1, None)]);
        assert!(parts.iter().all(|part| part.id.ends_with(&ids.correlation_id())));
        assert!(parts.iter().all(|part| transaction_of(&part.id) == ids.correlation_id()));
        let events = OutboxEntry::new(&ids, at(0), vec![Effect::Event(event())]).parts();
        assert_eq!(events.len(), 1);
        assert!(OutboxEntry::new(&ids, at(0), Vec::new()).parts().is_empty());
    }

    #[test]
    fn every_entry_is_in_one_of_the_shards_of_its_kind() {
        let mut met = std::collections::BTreeSet::new();
        for number in 0..=255 {
            let whole = vec![code(at(5)), Effect::Event(event())];
            for part in OutboxEntry::new(&EventIds::new([number; 16]), at(0), whole).parts() {
                let shard = Shard::of(&part.id);
                let kind = if part.has_message() { EntryKind::Messages } else { EntryKind::Events };
                assert!(Shard::all(kind).contains(&shard), "{part:?}");
                met.insert(shard);
            }
        }
        assert_eq!(met.len(), 32);
        // An id of an older version, and one of a newer version.
        for (id, shard) in [("5c", "m#c"), ("newer", "m#0"), ("", "m#0")] {
            assert_eq!(Shard::of(id).as_str(), shard);
            assert!(Shard::all(EntryKind::Messages).contains(&Shard::of(id)));
        }
    }

    #[test]
    fn an_entry_ends_with_its_last_message() {
        assert_eq!(end_of(vec![code(at(5))]), Some(at(5)));
        assert_eq!(end_of(vec![code(at(5)), link(at(9))]), Some(at(9)));
        assert_eq!(end_of(vec![link(at(9)), code(at(5))]), Some(at(9)));
    }

    #[test]
    fn the_pauses_between_tries_double_to_the_longest_and_differ() {
        let longest = Duration::from_mins(10);
        let entry = |id: u8, tries, effect: &Effect| {
            let ids = EventIds::new([id; 16]);
            OutboxEntry { tries, ..OutboxEntry::new(&ids, at(0), vec![effect.clone()]) }
        };
        // An event, a code of five minutes, and a link of a day.
        let (event, code, link) = (Effect::Event(event()), code(at(300)), link(at(86_400)));
        for (tries, effect, pause) in [
            (0, &event, 5_000),
            (1, &event, 10_000),
            (3, &event, 40_000),
            (10, &event, 600_000),
            (200, &event, 600_000),
            (1, &code, 10_000),
            (3, &code, 30_000),
            (3, &link, 40_000),
            (10, &link, 600_000),
        ] {
            let pauses: Vec<_> = (0..50)
                .map(|id| entry(id, tries, effect).next_try(at(0), longest).since(at(0)))
                .map(|pause| pause.as_millis())
                .collect();
            assert!(pauses.iter().all(|wait| (pause / 2..=pause * 3 / 2).contains(wait)));
            let distinct: std::collections::BTreeSet<_> = pauses.iter().collect();
            assert!(distinct.len() > 10, "{tries}: {pauses:?}");
        }
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
