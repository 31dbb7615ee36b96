use super::PortError;
use crate::domain::budget::Budget;
use crate::domain::challenge::{ChallengeKey, KeyId, Nonce};
use crate::domain::outbox::OutboxEntry;
use crate::domain::sends::SendRecord;
use crate::domain::time::Timestamp;
use async_trait::async_trait;

/// How a recipient stands before a send.
#[derive(Clone, Copy, Debug)]
pub struct Standing {
    /// Whether somebody in the realm is known by the recipient.
    pub registered: bool,
    /// What was sent before.
    pub sends: SendRecord,
}

/// A challenge about to be opened, and all that goes with it.
#[derive(Debug)]
pub struct Opening {
    /// Names the challenge.
    pub key: ChallengeKey,
    /// Makes the code.
    pub nonce: Nonce,
    /// The key that the code is derived with.
    pub key_id: KeyId,
    /// When the code ends.
    pub expires_at: Timestamp,
    /// The send record to write.
    pub sends: SendRecord,
    /// The revision that the stored record must still have; `None` when the recipient has no
    /// limits, so that nothing can be lost by overwriting.
    pub expected_revision: Option<u64>,
    /// The source's budget to take one from.
    pub budget: Option<Budget>,
    /// The effects.
    pub entry: OutboxEntry,
}

/// What became of an [`Opening`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opened {
    /// The challenge is open, the old code is dead, the effects are on their way.
    Opened,
    /// Another send came between: this is the record now. Nothing was written.
    SendsChanged(SendRecord),
    /// The source's budget is spent. Nothing was written.
    BudgetSpent,
}

/// The code that a challenge has now.
#[derive(Clone, Debug)]
pub struct LiveCode {
    /// Makes the code.
    pub nonce: Nonce,
    /// The key that the code is derived with.
    pub key_id: KeyId,
}

/// The challenges, one for each [`ChallengeKey`].
#[async_trait]
pub trait Challenges: Send + Sync {
    /// How the recipient stands; the same reads whoever it is.
    ///
    /// # Errors
    /// The store did not answer.
    async fn standing(&self, key: &ChallengeKey, now: Timestamp) -> Result<Standing, PortError>;

    /// Opens a challenge, takes one from the budget and writes the effects: all or nothing.
    ///
    /// # Errors
    /// The store did not answer.
    async fn open(&self, opening: &Opening) -> Result<Opened, PortError>;

    /// Counts one guess, if the challenge has a live code with fewer than `most` guesses, and
    /// returns that code's seed. At most `most` calls for one code are answered with it, however
    /// many run at once.
    ///
    /// # Errors
    /// The store did not answer.
    async fn count_guess(
        &self,
        key: &ChallengeKey,
        most: u32,
        now: Timestamp,
    ) -> Result<Option<LiveCode>, PortError>;

    /// The code that the challenge has now, live or not.
    ///
    /// # Errors
    /// The store did not answer.
    async fn current(&self, key: &ChallengeKey) -> Result<Option<LiveCode>, PortError>;
}
