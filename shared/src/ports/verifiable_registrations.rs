//! The port that creates accounts whose identifiers are verified later.

use super::PortError;
use crate::domain::budget::Budget;
use crate::domain::challenge::{ChallengeKey, KeyId, Nonce};
use crate::domain::identifier::Identifier;
use crate::domain::outbox::OutboxEntry;
use crate::domain::sends::SendRecord;
use crate::domain::time::Timestamp;
use crate::domain::user::NewUser;
use async_trait::async_trait;

/// A challenge to be opened with an account.
#[derive(Clone, Debug)]
pub struct NewChallenge {
    pub key: ChallengeKey,
    /// The nonce that the code or link is derived from.
    pub nonce: Nonce,
    /// The id of the key that the code or link is derived with.
    pub key_id: KeyId,
    /// The time at which the code or link expires.
    pub expires_at: Timestamp,
    /// Whether the code or link is sent. One that is not sent is never accepted.
    pub sent: bool,
    /// The send record to write.
    pub sends: SendRecord,
    /// The revision that the stored record must have. `None` when the recipient has no limits; then
    /// the record may be overwritten.
    pub expected_revision: Option<u64>,
}

/// An account without a verified identifier, and the challenges to verify them.
#[derive(Debug)]
pub struct VerifiableRegistration {
    /// The budget of the client; one use is taken.
    pub budget: Option<Budget>,
    pub user: NewUser,
    /// One challenge for each identifier that can be verified.
    pub challenges: Vec<NewChallenge>,
    /// The effects to deliver.
    pub entry: OutboxEntry,
}

/// The outcome of [`VerifiableRegistrations::register`]. If several conditions failed, the first
/// one in this order is reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegisterVerifiableOutcome {
    /// The account was created and its challenges are open.
    Registered,
    /// The budget is spent. Nothing was written.
    BudgetSpent,
    /// These identifiers belong to other users. Nothing was written.
    Taken(Vec<Identifier>),
    /// Other messages were sent to these recipients. Contains their send records now. Nothing was
    /// written.
    SendsChanged(Vec<(Identifier, SendRecord)>),
}

/// The creation of accounts whose identifiers are verified later.
#[async_trait]
pub trait VerifiableRegistrations: Send + Sync {
    /// Takes one use from the budget, writes identifiers and user, opens the challenges and writes
    /// the effects, all or nothing, in one round trip. If the reply is lost, the repeated request
    /// returns the same outcome.
    async fn register(
        &self,
        registration: &VerifiableRegistration,
    ) -> Result<RegisterVerifiableOutcome, PortError>;
}
