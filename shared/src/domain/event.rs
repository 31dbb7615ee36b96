//! Events: facts that other services are informed about.

use super::device::NewDevice;
use super::id::{DeviceId, UserId};
use super::identifier::Identifier;
use super::realm::Realm;
use super::session::SessionEndReason;
use super::time::Timestamp;
use super::user::{NewUser, User};
use super::wallet::Credit;

/// A fact that the contracts map to their events.
#[derive(Clone, Debug)]
pub enum Fact {
    /// A user signed up.
    UserSignedUp {
        user: NewUser,
        /// The device of the sign-up, for contracts with devices.
        device: Option<NewDevice>,
        /// The first credit in the user's wallet, for contracts with wallets.
        credit: Option<Credit>,
    },
    /// A user signed up and will verify the identifiers later.
    UserSignedUpToVerify {
        user: NewUser,
        /// The messages that were sent to verify the identifiers.
        asked: Vec<VerificationAsked>,
    },
    /// A user verified one of the identifiers given at the sign-up.
    IdentifierVerified { user: UserId, realm: Realm, identifier: Identifier, at: Timestamp },
    /// A user verified an identifier with a challenge handle.
    UserVerified {
        /// The user before the change.
        user: User,
        at: Timestamp,
    },
    /// An existing user opened a session.
    SignedIn {
        user: UserId,
        realm: Realm,
        method: SignInMethod,
        /// The device of the session, for contracts with devices.
        device: Option<NewDevice>,
        at: Timestamp,
    },
    /// One session of a user ended, or all of them.
    SessionEnded {
        user: UserId,
        /// The device of the session; `None` for all sessions.
        device: Option<DeviceId>,
        reason: SessionEndReason,
        at: Timestamp,
    },
    /// A user set a new password. All sessions of the user are over.
    PasswordChanged { user: UserId, at: Timestamp },
    /// A device was registered for push messages.
    DeviceRegistered {
        user: UserId,
        device: NewDevice,
        /// The user that the push token belonged to before, if it was another one.
        taken_from: Option<UserId>,
        at: Timestamp,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInMethod {
    Code,
    Password,
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
pub struct EventIds([u8; 16]);

impl EventIds {
    #[must_use]
    pub const fn new(random: [u8; 16]) -> Self {
        Self(random)
    }

    /// The id that all events of the transaction share: a UUID.
    #[must_use]
    pub fn correlation_id(&self) -> String {
        self.event_id(0)
    }

    /// The id of the event with this number, counted from 1: a UUID.
    #[must_use]
    pub fn event_id(&self, sequence: u8) -> String {
        let mut bytes = self.0;
        if let Some(last) = bytes.last_mut() {
            *last = last.wrapping_add(sequence);
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
    }
}
