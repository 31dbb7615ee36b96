use super::PortError;
use crate::domain::budget::Budget;
use crate::domain::challenge::{ChallengeKey, KeyId, Nonce};
use crate::domain::identifier::Identifier;
use crate::domain::outbox::OutboxEntry;
use crate::domain::sends::SendRecord;
use crate::domain::time::Timestamp;
use crate::domain::user::NewUser;
use async_trait::async_trait;

/// A challenge about to be opened with an account.
#[derive(Clone, Debug)]
pub struct NewChallenge {
    /// Names the challenge.
    pub key: ChallengeKey,
    /// Makes the secret.
    pub nonce: Nonce,
    /// The key that the secret is derived with.
    pub key_id: KeyId,
    /// When the secret ends.
    pub expires_at: Timestamp,
    /// Whether the secret is sent; one that is not is good for nothing.
    pub sent: bool,
    /// The send record to write.
    pub sends: SendRecord,
    /// The revision that the stored record must still have; `None` when the recipient has no
    /// limits, so that nothing can be lost by overwriting.
    pub expected_revision: Option<u64>,
}

/// An account whose owner has proved nothing yet, and how they will.
#[derive(Debug)]
pub struct VerifiableRegistration {
    /// The budget to take one from.
    pub budget: Option<Budget>,
    /// The user.
    pub user: NewUser,
    /// One challenge for each identifier that can be verified.
    pub challenges: Vec<NewChallenge>,
    /// The effects.
    pub entry: OutboxEntry,
}

/// What became of a [`VerifiableRegistration`]. If several things stood against it, the first in
/// this order is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VerifiableRegistered {
    /// The account exists, and its challenges are open.
    Registered,
    /// The budget is spent. Nothing was written.
    BudgetSpent,
    /// Somebody is known by these identifiers already: all of those that are taken. Nothing was
    /// written.
    Taken(Vec<Identifier>),
    /// These recipients were sent something before: their records now. Nothing was written.
    SendsChanged(Vec<(Identifier, SendRecord)>),
}

/// Makes accounts that are verified later.
#[async_trait]
pub trait VerifiableRegistrations: Send + Sync {
    /// Takes one from the budget, stores identifiers and user, opens the challenges and writes the
    /// effects: all or nothing, in one round trip. A reply that is lost after the commit is
    /// asked for again and answered as the success it was.
    ///
    /// # Errors
    /// The store did not answer.
    async fn register(
        &self,
        registration: &VerifiableRegistration,
    ) -> Result<VerifiableRegistered, PortError>;
}
