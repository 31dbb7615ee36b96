//! Events: facts that other services are informed about.

use super::device::NewDevice;
use super::id::{DeviceId, UserId};
use super::identifier::Identifier;
use super::realm::Realm;
use super::session::{SessionEndReason, SignInMethod};
use super::time::Timestamp;
use super::user::User;
use super::wallet::Credit;

/// A fact that the contracts map to their events.
#[derive(Clone, Debug)]
pub enum Fact {
    /// A user signed up.
    UserSignedUp {
        user: User,
        /// The device of the sign-up, for contracts with devices.
        device: Option<NewDevice>,
        /// The first credit in the user's wallet, for contracts with wallets.
        credit: Option<Credit>,
        /// The messages that were sent to verify the identifiers.
        asked: Vec<VerificationAsked>,
    },
    /// A user verified an identifier without signing in.
    IdentifierVerified { user: UserId, realm: Realm, identifier: Identifier, at: Timestamp },
    /// A known user was sent new messages to verify identifiers.
    VerificationAsked { user: User, asked: Vec<VerificationAsked>, at: Timestamp },
    /// An existing user signed in.
    SignedIn {
        /// The user before the sign-in.
        user: User,
        method: SignInMethod,
        /// The recipient that the user proved control of, at a sign-in by code.
        proved: Option<Identifier>,
        /// The device of the session, for contracts with devices.
        device: Option<NewDevice>,
        at: Timestamp,
    },
    /// One session of a user ended, or several.
    SessionEnded {
        user: UserId,
        /// The device of the session; `None` for all sessions, or all but one.
        device: Option<DeviceId>,
        reason: SessionEndReason,
        at: Timestamp,
    },
    /// A user set a new password. All sessions of the user are over.
    PasswordChanged { user: UserId, realm: Realm, at: Timestamp },
    /// A user replaced the phone number by another one, or got the first one. All sessions of the user
    /// but the one of the device are over.
    PhoneChanged { user: UserId, realm: Realm, phone: Identifier, at: Timestamp },
    /// A user deleted the account. All sessions are over, and the identifiers are free.
    UserDeleted { user: UserId, realm: Realm, at: Timestamp },
    /// A device was registered for push messages.
    DeviceRegistered {
        user: UserId,
        device: NewDevice,
        /// The user that the push token belonged to before, if it was another one.
        taken_from: Option<UserId>,
        at: Timestamp,
    },
}

impl Fact {
    /// The user that the fact is about.
    #[must_use]
    pub const fn user(&self) -> &UserId {
        match self {
            Self::UserSignedUp { user, .. }
            | Self::VerificationAsked { user, .. }
            | Self::SignedIn { user, .. } => &user.id,
            Self::IdentifierVerified { user, .. }
            | Self::SessionEnded { user, .. }
            | Self::PasswordChanged { user, .. }
            | Self::PhoneChanged { user, .. }
            | Self::UserDeleted { user, .. }
            | Self::DeviceRegistered { user, .. } => user,
        }
    }

    /// The phone number of the user with its realm, if the fact contains it.
    #[must_use]
    pub fn phone(&self) -> Option<(&Realm, &Identifier)> {
        match self {
            Self::UserSignedUp { user, .. }
            | Self::VerificationAsked { user, .. }
            | Self::SignedIn { user, .. } => {
                user.identifiers.phone().map(|known| (&user.realm, &known.identifier))
            }
            Self::IdentifierVerified { realm, identifier, .. } => Some((realm, identifier)),
            Self::PhoneChanged { realm, phone, .. } => Some((realm, phone)),
            Self::SessionEnded { .. }
            | Self::PasswordChanged { .. }
            | Self::UserDeleted { .. }
            | Self::DeviceRegistered { .. } => None,
        }
    }
}

/// A message that was sent to verify an identifier.
#[derive(Clone, Debug)]
pub struct VerificationAsked {
    pub identifier: Identifier,
    /// The time at which the code or link expires.
    pub expires_at: Timestamp,
}

/// The ids of the events of one transaction. They follow from one random value, so that a
/// transaction that is sent again contains the same ids.
#[derive(Clone, Copy, Debug)]
pub struct EventIds {
    random: [u8; 16],
    /// The number of events that have ids already.
    used: u8,
    /// Whether the events are about the user of a test number.
    of_test_number: bool,
}

impl EventIds {
    #[must_use]
    pub const fn new(random: [u8; 16]) -> Self {
        Self { random, used: 0, of_test_number: false }
    }

    /// Returns the ids of the same transaction after `events` others.
    #[must_use]
    pub fn after(&self, events: usize) -> Self {
        let events = u8::try_from(events).unwrap_or(u8::MAX);
        Self { used: self.used.wrapping_add(events), ..*self }
    }

    /// Returns the same ids, for events that say whether they are about the user of a test number.
    #[must_use]
    pub const fn marked(self, of_test_number: bool) -> Self {
        Self { of_test_number, ..self }
    }

    /// Whether the events are about the user of a test number.
    #[must_use]
    pub const fn of_test_number(&self) -> bool {
        self.of_test_number
    }

    /// The id that all events of the transaction share: a UUID.
    #[must_use]
    pub fn correlation_id(&self) -> String {
        self.id(0)
    }

    /// The id of the event with this number, counted from 1: a UUID.
    #[must_use]
    pub fn event_id(&self, number: u8) -> String {
        self.id(self.sequence(number))
    }

    /// The place in the whole transaction of the event with this number, counted from 1.
    #[must_use]
    pub const fn sequence(&self, number: u8) -> u8 {
        self.used.wrapping_add(number)
    }

    /// The id of the event before the one with this number; `None` for the first of the transaction.
    #[must_use]
    pub fn cause_of(&self, number: u8) -> Option<String> {
        self.sequence(number)
            .checked_sub(1)
            .filter(|before| *before > 0)
            .map(|before| self.id(before))
    }

    fn id(&self, number: u8) -> String {
        let mut bytes = self.random;
        if let Some(last) = bytes.last_mut() {
            *last = last.wrapping_add(number);
        }
        uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
    }
}

/// An event as the event bus receives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventMessage {
    /// The service that the event comes from.
    pub source: String,
    /// The name of the event.
    pub detail_type: String,
    /// The facts: a JSON object in the format of the contract.
    pub detail: String,
    pub occurred_at: Timestamp,
    /// The user that the event is about. Of a stored event, that of its entry; an older version stored none.
    pub user: Option<UserId>,
    /// The place in the detail, in bytes, where the digit 0 stands until the transaction that stores the event
    /// writes the version of the user there. `None` for an event that is about no user, and for a stored one.
    pub version_place: Option<usize>,
}

/// The version of a user: it grows with each event about the user, in the order in which the transactions
/// of the events commit.
///
/// It is the time of the transaction in microseconds, or the number after the version before if that is
/// not smaller: a hybrid logical clock for each user. So no two events of a user have the same version,
/// also if clocks differ or time goes back. It fits into the 53 bits of a JavaScript number until 2255.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UserVersion(u64);

impl UserVersion {
    /// Returns the version of an event at this time.
    #[must_use]
    pub fn at(time: Timestamp) -> Self {
        Self(u64::try_from(time.as_millis()).unwrap_or_default().saturating_mul(1000))
    }

    /// Returns the version with this number from a table.
    #[must_use]
    pub const fn from_stored(number: u64) -> Self {
        Self(number)
    }

    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }

    /// Returns the version this many events later.
    #[must_use]
    pub const fn after(self, events: u64) -> Self {
        Self(self.0.saturating_add(events))
    }
}

impl EventMessage {
    /// Returns the event with the version of its user in the detail.
    #[must_use]
    pub fn with_version(&self, version: UserVersion) -> Self {
        let mut detail = self.detail.clone();
        if let Some(place) = self.version_place {
            let zero = place..place.saturating_add(1);
            if detail.get(zero.clone()) == Some("0") {
                detail.replace_range(zero, &version.number().to_string());
            }
        }
        Self { detail, version_place: None, ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_event_ids_of_a_transaction_are_distinct_uuids_and_can_be_repeated() {
        let ids = EventIds::new([0xfe; 16]);
        let all = [ids.correlation_id(), ids.event_id(1), ids.event_id(2)];
        assert!(all.iter().all(|id| id.len() == 36 && id.as_bytes()[14] == b'4'));
        assert!(all[0] != all[1] && all[1] != all[2] && all[0] != all[2]);
        assert_eq!(ids.event_id(2), EventIds::new([0xfe; 16]).event_id(2));
        assert_eq!(ids.after(1).event_id(1), ids.event_id(2));
        assert_eq!(ids.after(1).correlation_id(), ids.correlation_id());
    }

    #[test]
    fn the_events_of_several_facts_follow_each_other() {
        let ids = EventIds::new([7; 16]);
        assert_eq!((ids.sequence(1), ids.cause_of(1)), (1, None));
        assert_eq!((ids.sequence(2), ids.cause_of(2)), (2, Some(ids.event_id(1))));
        let second = ids.after(2);
        assert_eq!((second.sequence(1), second.cause_of(1)), (3, Some(ids.event_id(2))));
    }

    #[test]
    fn a_version_is_written_into_its_place() {
        let detail = r#"{"a":0,"v":0,"b":0}"#.to_owned();
        let at = Timestamp::from_millis(1_763_782_954_120);
        let text = String::new;
        let event = EventMessage {
            source: text(),
            detail_type: text(),
            detail,
            occurred_at: at,
            user: Some(UserId::number(1)),
            version_place: Some(11),
        };
        let written = event.with_version(UserVersion::at(at).after(2));
        assert_eq!(written.detail, r#"{"a":0,"v":1763782954120002,"b":0}"#);
        assert_eq!(written.with_version(UserVersion::at(at)), written, "it is written once");
    }
}
