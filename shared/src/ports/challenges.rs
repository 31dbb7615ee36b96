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

/// How a recipient stands before a send.
#[derive(Clone, Debug)]
pub struct Standing {
    /// Who in the realm is known by the recipient.
    pub user: Option<UserId>,
    /// Whether somebody is known by one of the other identifiers that were asked about.
    pub others_taken: bool,
    /// The challenge.
    pub challenge: ChallengeState,
}

/// How a challenge stands.
#[derive(Clone, Debug)]
pub struct ChallengeState {
    /// What was sent before.
    pub sends: SendRecord,
    /// When the live code ends, if there is one.
    pub live_until: Option<Timestamp>,
}

/// A handle about to be given to a client.
#[derive(Debug)]
pub struct NewHandle {
    /// The handle.
    pub handle: ChallengeHandle,
    /// Who will have verified with it. A decoy has nobody, and the same size.
    pub holder: Option<UserId>,
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
    /// Whether the code is sent; one that is not is good for nothing.
    pub sent: bool,
    /// The send record to write.
    pub sends: SendRecord,
    /// The revision that the stored record must still have; `None` when the recipient has no
    /// limits, so that nothing can be lost by overwriting.
    pub expected_revision: Option<u64>,
    /// The source's budget to take one from.
    pub budget: Option<Budget>,
    /// What the client gets to hold instead of the recipient; the old one is worthless.
    pub handle: Option<NewHandle>,
    /// Who is created with it, unverified.
    pub newcomer: Option<NewUser>,
    /// The sign-up that waits for the code, kept with the handle. It is not opened while an
    /// earlier one waits.
    pub pending: Option<PendingSignUp>,
    /// When it is opened.
    pub at: Timestamp,
    /// The effects.
    pub entry: OutboxEntry,
}

/// What became of an [`Opening`].
#[derive(Clone, Debug)]
pub enum Opened {
    /// The challenge is open, the old code is dead, the effects are on their way.
    Opened,
    /// Another send came between: this is how the challenge stands now. Nothing was written.
    Changed(ChallengeState),
    /// The source's budget is spent. Nothing was written.
    BudgetSpent,
    /// The newcomer's identifier is somebody's by now. Nothing was written.
    Taken,
}

/// The code that a challenge has now.
#[derive(Clone, Debug)]
pub struct LiveCode {
    /// Whether it was sent: to guess a code that nobody has proves nothing.
    pub sent: bool,
    /// Makes the code.
    pub nonce: Nonce,
    /// The key that the code is derived with.
    pub key_id: KeyId,
}

/// The code that a handle stands for.
#[derive(Clone, Debug)]
pub struct HeldCode {
    /// The challenge it belongs to.
    pub key: ChallengeKey,
    /// The code.
    pub code: LiveCode,
    /// Who verifies with it; nobody, for a decoy.
    pub holder: Option<UserId>,
    /// The sign-up that waits for the code.
    pub pending: Option<PendingSignUp>,
    /// Whether this guess was the code's last.
    pub last_guess: bool,
}

/// A right code that entitles to something later, outside the store.
#[derive(Debug)]
pub struct Redemption {
    /// Names the challenge.
    pub key: ChallengeKey,
    /// The nonce whose code was typed.
    pub nonce: Nonce,
    /// The source's budget of wrong guesses, which must not be spent.
    pub guesses: Option<Budget>,
    /// When.
    pub at: Timestamp,
}

/// What became of a [`Redemption`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redeemed {
    /// The code is used up.
    Redeemed,
    /// The challenge was consumed, replaced or has ended. Nothing was written.
    ChallengeLost,
    /// The source's budget is spent. Nothing was written.
    BudgetSpent,
}

/// The challenges, one for each [`ChallengeKey`].
#[async_trait]
pub trait Challenges: Send + Sync {
    /// How the recipient stands, and whether `others` are taken; the same reads whoever it is.
    ///
    /// # Errors
    /// The store did not answer.
    async fn standing(
        &self,
        key: &ChallengeKey,
        others: &[Identifier],
        now: Timestamp,
    ) -> Result<Standing, PortError>;

    /// Opens a challenge with its handle, takes one from the budget, creates the newcomer and
    /// writes the effects: all or nothing.
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

    /// The same for who holds a handle: counts one guess of the handle's own, if it has a live code
    /// with fewer than `most` guesses.
    ///
    /// # Errors
    /// The store did not answer.
    async fn count_held_guess(
        &self,
        handle: &ChallengeHandle,
        most: u32,
        now: Timestamp,
    ) -> Result<Option<HeldCode>, PortError>;

    /// Uses a code up, for nothing in the store.
    ///
    /// # Errors
    /// The store did not answer.
    async fn redeem(&self, redemption: &Redemption) -> Result<Redeemed, PortError>;

    /// Ends the code made of this nonce, if the challenge still has it; what was sent stays
    /// counted.
    ///
    /// # Errors
    /// The store did not answer.
    async fn close(&self, key: &ChallengeKey, nonce: &Nonce) -> Result<(), PortError>;

    /// The code that the challenge has now, live or not.
    ///
    /// # Errors
    /// The store did not answer.
    async fn current(&self, key: &ChallengeKey) -> Result<Option<LiveCode>, PortError>;
}
