//! The port for challenges, their codes and the handles to them. [`Accounts`](super::Accounts) opens
//! challenges and uses codes up; [`Standings`](super::Standings) reads their states.

use super::PortError;
use crate::domain::challenge::{ChallengeHandle, ChallengeKey, Guesser, Nonce};
use crate::domain::code::CodeSeed;
use crate::domain::known_sources::SourceMarks;
use crate::domain::proof::LiveCode;
use crate::domain::sends::SendRecord;
use crate::domain::source::Source;
use crate::domain::time::Timestamp;
use async_trait::async_trait;

/// The state of a challenge.
#[derive(Clone, Debug, Default)]
pub struct ChallengeState {
    /// The record of the messages that were sent before.
    pub sends: SendRecord,
    /// Whether there is a valid code.
    pub is_live: bool,
    /// The nonce of the last code, valid or expired; `None` if it was used or guessed too often.
    pub nonce: Option<Nonce>,
    /// The marks of the source that asked for the last code.
    pub opened_by: SourceMarks,
    /// The SHA-256 of its last handles, the oldest first.
    pub handles: Vec<Vec<u8>>,
}

impl ChallengeState {
    /// Returns whether `source` asked for the last code of the challenge `key`.
    #[must_use]
    pub fn was_opened_by(&self, key: &ChallengeKey, source: &Source) -> bool {
        self.opened_by.are_of_opener(key, source)
    }
}

/// The links of a challenge.
#[derive(Debug, Default)]
pub struct StoredLinks {
    /// The link that was sent last, valid or expired.
    pub live: Option<LiveCode>,
    /// What the link was derived from that was used.
    pub used: Option<CodeSeed>,
}

/// The challenges. There is one for each [`ChallengeKey`].
#[async_trait]
pub trait Challenges: Send + Sync {
    /// Counts one guess and returns the code to compare it with, if the challenge has a valid code
    /// with fewer than `most` guesses of this guesser. At most `most` calls get the same code, even
    /// if they run concurrently.
    async fn count_guess(
        &self,
        key: &ChallengeKey,
        guesser: Guesser,
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

    /// Returns the links of the challenge.
    async fn links(&self, key: &ChallengeKey) -> Result<StoredLinks, PortError>;

    /// Returns the code of a handle, valid or expired, and counts nothing.
    async fn held(&self, handle: ChallengeHandle) -> Result<Option<LiveCode>, PortError>;
}
