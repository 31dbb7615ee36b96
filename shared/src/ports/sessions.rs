use super::{PortError, Proof};
use crate::domain::budget::Budget;
use crate::domain::challenge::KeyId;
use crate::domain::device::NewDevice;
use crate::domain::id::{DeviceId, UserId};
use crate::domain::outbox::OutboxEntry;
use crate::domain::password::PasswordHash;
use crate::domain::password_attempts::{AttemptRecord, AttemptsAt};
use crate::domain::session::{NewSession, RefreshToken, StoredToken, SuccessorSeed};
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use async_trait::async_trait;
use secrecy::SecretString;

/// What somebody signs in with.
#[derive(Debug)]
pub enum Credential {
    /// A code that was sent to them.
    Code(Proof),
    /// Their password.
    Password {
        /// The hash it was compared with: a password that was changed meanwhile is worth nothing.
        seen: PasswordHash,
        /// A hash of today's cost, if that one is outdated.
        renewed: Option<PasswordHash>,
        /// The source's budget of wrong guesses, which must not be spent.
        guesses: Option<Budget>,
    },
}

/// A session about to be opened for somebody who is known.
#[derive(Debug)]
pub struct SignIn {
    /// Who.
    pub user: UserId,
    /// With what.
    pub credential: Credential,
    /// On which device, where the contract asks for it.
    pub device: Option<NewDevice>,
    /// With which refresh token, where the contract has them.
    pub session: Option<NewSession>,
    /// When.
    pub at: Timestamp,
    /// The effects.
    pub entry: OutboxEntry,
}

/// What became of a [`SignIn`]. If several things stood against it, the first in this order is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInOutcome {
    /// The session is open.
    SignedIn,
    /// The code was consumed, replaced or has ended. Nothing was written.
    ChallengeLost,
    /// The source's budget is spent. Nothing was written.
    BudgetSpent,
    /// The user is gone, or has another password by now. Nothing was written.
    UserChanged,
}

/// A refresh token about to be exchanged for its successor.
#[derive(Debug)]
pub struct Rotation<'a> {
    /// The token.
    pub token: &'a RefreshToken,
    /// What is known of it.
    pub stored: &'a StoredToken,
    /// Its successor.
    pub successor: &'a RefreshToken,
    /// The key that the successor is derived with.
    pub key_id: &'a KeyId,
    /// When.
    pub at: Timestamp,
}

/// What became of a [`Rotation`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rotated {
    /// The successor is the session's token now.
    Rotated,
    /// Somebody used the token meanwhile; its successor was derived with this key and is unused.
    Used(KeyId),
    /// The session is over. Nothing was written.
    Over,
}

/// Whose session is to be ended.
#[derive(Debug)]
pub struct Ending {
    /// The user.
    pub user: UserId,
    /// The device whose session ends; `None` for every session.
    pub device: Option<DeviceId>,
    /// When.
    pub at: Timestamp,
    /// The effects.
    pub entry: OutboxEntry,
}

/// A session that is a signed token about to be ended before its time.
#[derive(Debug)]
pub struct TokenEnding {
    /// The token.
    pub token: SecretString,
    /// Whose.
    pub user: UserId,
    /// When it would have ended.
    pub expires_at: Timestamp,
    /// When.
    pub at: Timestamp,
    /// The effects.
    pub entry: OutboxEntry,
}

/// The sessions. There is one for each device, and it lives until the device's or the user's sessions
/// are ended, or its newest token has been idle for too long.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// Writes a newer record of the attempts, if `seen` is the one that is kept; else returns the one
    /// that is.
    ///
    /// # Errors
    /// The store did not answer.
    async fn count_attempt(
        &self,
        at: &AttemptsAt,
        seen: AttemptRecord,
        newer: AttemptRecord,
    ) -> Result<Option<AttemptRecord>, PortError>;

    /// Opens a session: consumes the code, or requires that the password is still the one, renews
    /// its hash and forgets the attempts; stores device and token; writes the effects. All or
    /// nothing.
    ///
    /// # Errors
    /// The store did not answer.
    async fn sign_in(&self, sign_in: &SignIn) -> Result<SignInOutcome, PortError>;

    /// What is known of a refresh token; `None` when there is no such token, or it has ended.
    ///
    /// # Errors
    /// The store did not answer.
    async fn find(
        &self,
        token: &RefreshToken,
        now: Timestamp,
    ) -> Result<Option<StoredToken>, PortError>;

    /// Exchanges an unused token for its successor, and marks the one before as spent; all or
    /// nothing. Of many at once one does it, and the others are told.
    ///
    /// # Errors
    /// The store did not answer.
    async fn rotate(&self, rotation: &Rotation<'_>) -> Result<Rotated, PortError>;

    /// Whether the session on a device is neither ended nor its user gone.
    ///
    /// # Errors
    /// The store did not answer.
    async fn is_open(
        &self,
        user: &UserId,
        device: &DeviceId,
        now: Timestamp,
    ) -> Result<bool, PortError>;

    /// The user of a signed token that was issued at `issued_at`, to the second; `None` when they are
    /// gone, or the token or every session of theirs was ended since. One round trip.
    ///
    /// # Errors
    /// The store did not answer.
    async fn holder(
        &self,
        user: &UserId,
        token: &SecretString,
        issued_at: Timestamp,
        now: Timestamp,
    ) -> Result<Option<User>, PortError>;

    /// Ends a signed token and writes the effects; `false` when it was ended before.
    ///
    /// # Errors
    /// The store did not answer.
    async fn end_token(&self, ending: &TokenEnding) -> Result<bool, PortError>;

    /// Ends one session or all, and writes the effects; `false` when there was nothing to end.
    ///
    /// # Errors
    /// The store did not answer.
    async fn end(&self, ending: &Ending) -> Result<bool, PortError>;
}

/// The keys that refresh tokens' successors are derived with.
#[async_trait]
pub trait RefreshKeys: Send + Sync {
    /// The key that new successors are derived with.
    ///
    /// # Errors
    /// The key ring could not be read.
    async fn current(&self) -> Result<KeyId, PortError>;

    /// The successor of a token.
    ///
    /// # Errors
    /// The key ring could not be read, or does not have the seed's key.
    async fn successor(&self, seed: &SuccessorSeed<'_>) -> Result<RefreshToken, PortError>;
}
