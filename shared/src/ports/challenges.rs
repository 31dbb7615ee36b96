//! The port for challenges, their codes and the handles to them.

use super::PortError;
use crate::domain::budget::Budget;
use crate::domain::challenge::{ChallengeHandle, ChallengeKey, KeyId, Nonce};
use crate::domain::id::UserId;
use crate::domain::identifier::Identifier;
use crate::domain::outbox::OutboxEntry;
use crate::domain::sends::SendRecord;
use crate::domain::time::Timestamp;
use crate::domain::user::{NewUser, PendingSignUp};
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

/// A handle to be given to a client.
#[derive(Debug)]
pub struct NewHandle {
    pub handle: ChallengeHandle,
    /// The user to be verified. `None` for a decoy, whose item is padded to the same size.
    pub holder: Option<UserId>,
}

/// A challenge to be opened, with everything that is written in the same transaction.
#[derive(Debug)]
pub struct Opening {
    pub key: ChallengeKey,
    /// The nonce that the code is derived from.
    pub nonce: Nonce,
    /// The id of the key that the code is derived with.
    pub key_id: KeyId,
    /// The time at which the code expires.
    pub expires_at: Timestamp,
    /// Whether the code is sent. A code that is not sent is never accepted.
    pub sent: bool,
    /// The send record to write.
    pub sends: SendRecord,
    /// The revision that the stored record must have. `None` when the recipient has no limits; then
    /// the record may be overwritten.
    pub expected_revision: Option<u64>,
    /// The budget of the source; one use is taken.
    pub budget: Option<Budget>,
    /// The handle for the client. It makes the handle before it useless.
    pub handle: Option<NewHandle>,
    /// The unverified user to be created.
    pub newcomer: Option<NewUser>,
    /// The sign-up that waits for the code; it is stored with the handle. The challenge is not
    /// opened while an earlier sign-up waits.
    pub pending: Option<PendingSignUp>,
    /// The time of the request.
    pub at: Timestamp,
    /// The effects to deliver.
    pub entry: OutboxEntry,
}

/// The outcome of [`Challenges::open`].
#[derive(Clone, Debug)]
pub enum OpenOutcome {
    /// The challenge is open, the code before it is invalid and the effects will be delivered.
    Opened,
    /// Another request opened the challenge first. Contains its state now. Nothing was written.
    Changed(ChallengeState),
    /// The budget of the source is spent. Nothing was written.
    BudgetSpent,
    /// The identifier of the new user belongs to another user by now. Nothing was written.
    Taken,
}

/// The code of a challenge.
#[derive(Clone, Debug)]
pub struct LiveCode {
    /// Whether the code was sent. A guess at a code that was not sent never counts as right.
    pub sent: bool,
    /// The nonce that the code is derived from.
    pub nonce: Nonce,
    /// The id of the key that the code is derived with.
    pub key_id: KeyId,
}

/// The code that belongs to a handle.
#[derive(Clone, Debug)]
pub struct HeldCode {
    pub key: ChallengeKey,
    pub code: LiveCode,
    /// The user to be verified; `None` for a decoy.
    pub holder: Option<UserId>,
    /// The sign-up that waits for the code.
    pub pending: Option<PendingSignUp>,
    /// Whether this was the last guess that the code allows.
    pub last_guess: bool,
}

/// A right code that is used up without a write of its own. The caller gets a proof to be used
/// later.
#[derive(Debug)]
pub struct Redemption {
    pub key: ChallengeKey,
    /// The nonce of the code. The code is invalid if a newer one was sent.
    pub nonce: Nonce,
    /// The budget of wrong guesses of the source; it must not be spent.
    pub guesses: Option<Budget>,
    pub at: Timestamp,
}

/// The outcome of [`Challenges::redeem`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedeemOutcome {
    /// The code is used up.
    Redeemed,
    /// The code was used, was replaced or has expired. Nothing was written.
    ChallengeLost,
    /// The budget of the source is spent. Nothing was written.
    BudgetSpent,
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

    /// Opens a challenge with its handle, takes one use from the budget, creates the new user and
    /// writes the effects, all or nothing.
    async fn open(&self, opening: &Opening) -> Result<OpenOutcome, PortError>;

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
        handle: &ChallengeHandle,
        most: u32,
        now: Timestamp,
    ) -> Result<Option<HeldCode>, PortError>;

    /// Uses a code up and changes nothing else.
    async fn redeem(&self, redemption: &Redemption) -> Result<RedeemOutcome, PortError>;

    /// Makes the code with this nonce invalid, if the challenge still has it. The send counters do
    /// not change.
    async fn close(&self, key: &ChallengeKey, nonce: &Nonce) -> Result<(), PortError>;

    /// Returns the code of the challenge, valid or expired.
    async fn current(&self, key: &ChallengeKey) -> Result<Option<LiveCode>, PortError>;
}
