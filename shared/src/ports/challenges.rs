//! The port for challenges, their codes and the handles to them. [`Accounts`](super::Accounts) opens
//! challenges and uses codes up.

use super::PortError;
use crate::domain::challenge::{ChallengeHandle, ChallengeKey, Nonce};
use crate::domain::id::UserId;
use crate::domain::identifier::Identifier;
use crate::domain::proof::LiveCode;
use crate::domain::sends::SendRecord;
use crate::domain::time::Timestamp;
use async_trait::async_trait;

/// The state of a recipient before a message is sent to it.
#[derive(Clone, Debug)]
pub struct RecipientState {
    /// The user of the realm that the recipient belongs to.
    pub user: Option<UserId>,
    /// Whether one of the other identifiers that were asked about belongs to a user.
    pub others_taken: bool,
    pub challenge: ChallengeState,
}

/// The state of a challenge.
#[derive(Clone, Debug)]
pub struct ChallengeState {
    /// The record of the messages that were sent before.
    pub sends: SendRecord,
    /// The time at which the valid code expires; `None` if there is no valid code.
    pub live_until: Option<Timestamp>,
}

/// The challenges. There is one for each [`ChallengeKey`].
#[async_trait]
pub trait Challenges: Send + Sync {
    /// Returns the state of the recipient, and whether `others` belong to a user, in one read. The
    /// read is the same for known and unknown recipients.
    async fn recipient_state(
        &self,
        key: &ChallengeKey,
        others: &[Identifier],
        now: Timestamp,
    ) -> Result<RecipientState, PortError>;

    /// Counts one guess and returns the code to compare it with, if the challenge has a valid code
    /// with fewer than `most` guesses. At most `most` calls get the same code, even if they run
    /// concurrently.
    async fn count_guess(
        &self,
        key: &ChallengeKey,
        most: u32,
        now: Timestamp,
    ) -> Result<Option<LiveCode>, PortError>;

    /// Counts one guess at the code of a handle and returns the code to compare it with, if it is
    /// valid and has fewer than `most` guesses.
    async fn count_held_guess(
        &self,
        handle: ChallengeHandle,
        most: u32,
        now: Timestamp,
    ) -> Result<Option<LiveCode>, PortError>;

    /// Makes the code with this nonce invalid, if the challenge still has it. The send counters do
    /// not change.
    async fn close(&self, key: &ChallengeKey, nonce: &Nonce) -> Result<(), PortError>;

    /// Returns the code of the challenge, valid or expired.
    async fn current(&self, key: &ChallengeKey) -> Result<Option<LiveCode>, PortError>;
}
