//! What other services are told.

use super::device::NewDevice;
use super::id::{DeviceId, UserId};
use super::identifier::Identifier;
use super::realm::Realm;
use super::session::SessionEndReason;
use super::time::Timestamp;
use super::user::{NewUser, User};
use super::wallet::Credit;

/// Something happened that other services may want to know.
#[derive(Clone, Debug)]
pub enum Fact {
    /// Somebody signed up.
    UserSignedUp {
        /// Who.
        user: NewUser,
        /// On which device, where the contract asks for it.
        device: Option<NewDevice>,
        /// What their wallet starts with, where they get one.
        credit: Option<Credit>,
    },
    /// Somebody signed up who is to prove their identifiers later.
    UserSignedUpToVerify {
        /// Who.
        user: NewUser,
        /// What they were sent to prove them with.
        asked: Vec<VerificationAsked>,
    },
    /// Somebody proved one of the identifiers that they signed up with.
    IdentifierVerified {
        /// Who.
        user: UserId,
        /// Their name space.
        realm: Realm,
        /// Which.
        identifier: Identifier,
        /// When.
        at: Timestamp,
    },
    /// Somebody proved that an identifier is theirs.
    UserVerified {
        /// Who, as they were before.
        user: User,
        /// When.
        at: Timestamp,
    },
    /// Somebody who was known before opened a session.
    SignedIn {
        /// Who.
        user: UserId,
        /// Where.
        realm: Realm,
        /// With a code, or else with a password.
        by_code: bool,
        /// On which device, where the contract asks for it.
        device: Option<NewDevice>,
        /// When.
        at: Timestamp,
    },
    /// A session, or every one of a user, is over.
    SessionEnded {
        /// Whose.
        user: UserId,
        /// On which device; `None` for all of them.
        device: Option<DeviceId>,
        /// Why.
        reason: SessionEndReason,
        /// When.
        at: Timestamp,
    },
    /// Somebody set a new password; every session of theirs is over.
    PasswordChanged {
        /// Who.
        user: UserId,
        /// When.
        at: Timestamp,
    },
    /// Somebody's device can be sent push messages.
    DeviceRegistered {
        /// Who.
        user: UserId,
        /// Which.
        device: NewDevice,
        /// Whose it was before, if somebody else's.
        taken_from: Option<UserId>,
        /// When.
        at: Timestamp,
    },
}

/// Something was sent to an identifier, to prove whose it is.
#[derive(Clone, Debug)]
pub struct VerificationAsked {
    /// Where it went.
    pub identifier: Identifier,
    /// Until when it proves anything.
    pub expires_at: Timestamp,
}

/// The ids of the events of one transaction: made of one random value, so that a transaction
/// that is sent again carries the same ids.
#[derive(Clone, Copy, Debug)]
pub struct EventIds([u8; 16]);

impl EventIds {
    /// The ids made of these random bytes.
    #[must_use]
    pub const fn new(random: [u8; 16]) -> Self {
        Self(random)
    }

    /// The id that the events of the transaction share: a UUID.
    #[must_use]
    pub fn correlation_id(&self) -> String {
        self.event_id(0)
    }

    /// The id of the event number `sequence`, counted from 1: a UUID.
    #[must_use]
    pub fn event_id(&self, sequence: u8) -> String {
        let mut bytes = self.0;
        if let Some(last) = bytes.last_mut() {
            *last = last.wrapping_add(sequence);
        }
        uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
    }
}

/// An event as the bus gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventMessage {
    /// Who says it.
    pub source: String,
    /// What happened.
    pub detail_type: String,
    /// The facts: a JSON object, spelled by the contract.
    pub detail: String,
    /// When it happened.
    pub occurred_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ids_of_a_transaction_are_distinct_uuids_and_repeat() {
        let ids = EventIds::new([0xfe; 16]);
        let all = [ids.correlation_id(), ids.event_id(1), ids.event_id(2)];
        assert!(all.iter().all(|id| id.len() == 36 && id.as_bytes()[14] == b'4'));
        assert!(all[0] != all[1] && all[1] != all[2] && all[0] != all[2]);
        assert_eq!(ids.event_id(2), EventIds::new([0xfe; 16]).event_id(2));
    }
}
