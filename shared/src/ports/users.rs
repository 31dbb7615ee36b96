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

/// A code that was typed and now proves whose an identifier is.
#[derive(Debug)]
pub struct Verification {
    /// Names the challenge.
    pub key: ChallengeKey,
    /// What the client held, where the contract has handles; it is spent with the code.
    pub handle: Option<ChallengeHandle>,
    /// The nonce whose code was typed: a newer send makes it worthless.
    pub nonce: Nonce,
    /// The source's budget of wrong guesses, which must not be spent.
    pub guesses: Option<Budget>,
    /// Who verifies.
    pub user: UserId,
    /// When.
    pub at: Timestamp,
    /// The effects.
    pub entry: OutboxEntry,
}

/// What became of a [`Verification`]. If several things stood against it, the first in this order
/// is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verified {
    /// The user's identifier is verified, for good.
    Verified,
    /// The challenge was consumed, replaced or has ended. Nothing was written.
    ChallengeLost,
    /// The source's budget is spent. Nothing was written.
    BudgetSpent,
    /// The user is gone. Nothing was written.
    UserGone,
}

/// A new password about to be set.
#[derive(Debug)]
pub struct PasswordChange {
    /// Whose.
    pub user: UserId,
    /// The hash.
    pub hash: PasswordHash,
    /// When they proved who they are: one proof is good for one change.
    pub proved_at: Timestamp,
    /// When.
    pub at: Timestamp,
    /// The effects.
    pub entry: OutboxEntry,
}

/// The users.
#[async_trait]
pub trait Users: Send + Sync {
    /// The user of this id; `None` when there is none, or they have expired.
    ///
    /// # Errors
    /// The store did not answer.
    async fn find(&self, id: &UserId, now: Timestamp) -> Result<Option<User>, PortError>;

    /// Who is known by an identifier; the same read whether somebody is or not.
    ///
    /// # Errors
    /// The store did not answer.
    async fn known_by(
        &self,
        realm: &Realm,
        identifier: &Identifier,
        now: Timestamp,
    ) -> Result<Option<UserId>, PortError>;

    /// Sets a new password, ends every session of the user and writes the effects, all or nothing;
    /// `false` when the user is gone, or changed their password since the proof.
    ///
    /// # Errors
    /// The store did not answer.
    async fn set_password(&self, change: &PasswordChange) -> Result<bool, PortError>;

    /// Consumes the code and its handle, marks the identifier verified, takes the end off user and
    /// identifier and writes the effects: all or nothing, in one round trip.
    ///
    /// # Errors
    /// The store did not answer.
    async fn verify(&self, verification: &Verification) -> Result<Verified, PortError>;
}
