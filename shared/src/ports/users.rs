//! The port for users.

use super::PortError;
use crate::domain::budget::Budget;
use crate::domain::challenge::{ChallengeHandle, ChallengeKey, Nonce};
use crate::domain::id::UserId;
use crate::domain::identifier::Identifier;
use crate::domain::outbox::OutboxEntry;
use crate::domain::password::PasswordHash;
use crate::domain::realm::Realm;
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use async_trait::async_trait;

/// A right code that verifies an identifier of a user.
#[derive(Debug)]
pub struct Verification {
    pub key: ChallengeKey,
    /// The handle of the client, for contracts with handles. It is used up with the code.
    pub handle: Option<ChallengeHandle>,
    /// The nonce of the code. The code is invalid if a newer one was sent.
    pub nonce: Nonce,
    /// The budget of wrong guesses of the source; it must not be spent.
    pub guesses: Option<Budget>,
    pub user: UserId,
    pub at: Timestamp,
    /// The effects to deliver.
    pub entry: OutboxEntry,
}

/// The outcome of [`Users::verify`]. If several conditions failed, the first one in this order is
/// reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerifyOutcome {
    /// The identifier is verified.
    Verified,
    /// The code was used, was replaced or has expired. Nothing was written.
    ChallengeLost,
    /// The budget of the source is spent. Nothing was written.
    BudgetSpent,
    /// The user does not exist any more. Nothing was written.
    UserGone,
}

/// A new password to be stored.
#[derive(Debug)]
pub struct PasswordChange {
    pub user: UserId,
    pub hash: PasswordHash,
    /// The time at which the user proved control of a recipient. One proof allows one change.
    pub proved_at: Timestamp,
    /// The time of the change.
    pub at: Timestamp,
    /// The effects to deliver.
    pub entry: OutboxEntry,
}

/// The outcome of [`Users::set_password`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetPasswordOutcome {
    /// The user has the new password.
    Changed,
    /// The user does not exist, or the password was changed after the proof. Nothing was written.
    ProofUsedUp,
}

/// The users of all contracts.
#[async_trait]
pub trait Users: Send + Sync {
    /// Returns the user with this id; `None` if the user does not exist or has expired.
    async fn find(&self, id: &UserId, now: Timestamp) -> Result<Option<User>, PortError>;

    /// Returns the user that an identifier belongs to. The read is the same for known and unknown
    /// identifiers.
    async fn known_by(
        &self,
        realm: &Realm,
        identifier: &Identifier,
        now: Timestamp,
    ) -> Result<Option<UserId>, PortError>;

    /// Sets a new password, ends every session of the user and writes the effects, all or nothing.
    async fn set_password(&self, change: &PasswordChange) -> Result<SetPasswordOutcome, PortError>;

    /// Uses up the code and its handle, marks the identifier as verified, removes the expiry of the
    /// user and the identifier and writes the effects, all or nothing, in one round trip.
    async fn verify(&self, verification: &Verification) -> Result<VerifyOutcome, PortError>;
}
