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
    PhoneChanged { user: UserId, phone: Identifier, at: Timestamp },
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
}

impl EventIds {
    #[must_use]
    pub const fn new(random: [u8; 16]) -> Self {
        Self { random, used: 0 }
    }

    /// Returns the ids of the same transaction after `events` others.
    #[must_use]
    pub fn after(&self, events: usize) -> Self {
        let events = u8::try_from(events).unwrap_or(u8::MAX);
        Self { used: self.used.wrapping_add(events), ..*self }
    }

    /// The id that all events of the transaction share: a UUID.
    #[must_use]
    pub fn correlation_id(&self) -> String {
        self.id(0)
    }

    /// The id of the event with this number, counted from 1: a UUID.
    #[must_use]
    pub fn event_id(&self, sequence: u8) -> String {
        self.id(self.used.wrapping_add(sequence))
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
}
