//! The ports for sessions, their refresh tokens and password attempts.

use super::{PortError, Proof};
use crate::domain::budget::Budget;
use crate::domain::challenge::KeyId;
use crate::domain::device::NewDevice;
use crate::domain::id::{DeviceId, UserId};
use crate::domain::outbox::OutboxEntry;
use crate::domain::password::PasswordHash;
use crate::domain::password_attempts::{AttemptSubject, PasswordAttempts};
use crate::domain::session::{NewSession, RefreshToken, StoredToken, SuccessorSeed};
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use async_trait::async_trait;
use secrecy::SecretString;

/// The credential of a sign-in.
#[derive(Debug)]
pub enum Credential {
    /// A one-time code.
    Code(Proof),
    /// A password.
    Password {
        /// The hash that the password was compared with. It must still be the stored one.
        seen: PasswordHash,
        /// A hash with the current cost, if the stored one is outdated.
        renewed: Option<PasswordHash>,
        /// The budget of wrong guesses of the source; it must not be spent.
        guesses: Option<Budget>,
    },
}

/// A sign-in of an existing user, to be written.
#[derive(Debug)]
pub struct NewSignIn {
    pub user: UserId,
    pub credential: Credential,
    /// The device to be stored, for contracts with devices.
    pub device: Option<NewDevice>,
    /// The session to be stored, for contracts with refresh tokens.
    pub session: Option<NewSession>,
    pub at: Timestamp,
    /// The effects to deliver.
    pub entry: OutboxEntry,
}

/// The outcome of [`Sessions::sign_in`]. If several conditions failed, the first one in this order
/// is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInOutcome {
    /// The session is open.
    SignedIn,
    /// The code was used, was replaced or has expired. Nothing was written.
    ChallengeLost,
    /// The budget of the source is spent. Nothing was written.
    BudgetSpent,
    /// The user does not exist any more or has another password. Nothing was written.
    UserChanged,
}

/// A refresh token to be exchanged for its successor.
#[derive(Debug)]
pub struct TokenRotation<'a> {
    /// The token that the client presented.
    pub token: &'a RefreshToken,
    /// The stored token.
    pub stored: &'a StoredToken,
    pub successor: &'a RefreshToken,
    /// The id of the key that the successor was derived with.
    pub key_id: &'a KeyId,
    pub at: Timestamp,
}

/// The outcome of [`Sessions::rotate`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenRotationOutcome {
    /// The successor is the current token of the session.
    Rotated,
    /// Another request exchanged the token first. Its successor was derived with this key and is
    /// not used yet.
    Used(KeyId),
    /// The session is over. Nothing was written.
    Over,
}

/// A request to end one session of a user, or all of them.
#[derive(Debug)]
pub struct EndSession {
    pub user: UserId,
    /// The device whose session ends; `None` for all sessions.
    pub device: Option<DeviceId>,
    pub at: Timestamp,
    /// The effects to deliver.
    pub entry: OutboxEntry,
}

/// A request to end a session that is a signed token.
#[derive(Debug)]
pub struct EndToken {
    pub token: SecretString,
    pub user: UserId,
    /// The expiry of the token.
    pub expires_at: Timestamp,
    /// The time of the request.
    pub at: Timestamp,
    /// The effects to deliver.
    pub entry: OutboxEntry,
}

/// The outcome of [`Sessions::end`] and [`Sessions::end_token`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndOutcome {
    /// The session is over now.
    Ended,
    /// The session was over before or never existed. Nothing was written.
    AlreadyOver,
}

/// The sessions. A device has one session. It is open until the user ends it or all sessions, or
/// until its newest refresh token has not been used for too long.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// Replaces the record of password attempts by `newer`, if the stored record is `seen`. Returns
    /// `None` if it was replaced, and else the stored record.
    async fn count_password_attempt(
        &self,
        at: &AttemptSubject,
        seen: PasswordAttempts,
        newer: PasswordAttempts,
    ) -> Result<Option<PasswordAttempts>, PortError>;

    /// Opens a session, all or nothing. Uses up the code; or requires that the password has not
    /// changed, renews its hash and resets the record of attempts. Stores the device and the token
    /// and writes the effects.
    async fn sign_in(&self, sign_in: &NewSignIn) -> Result<SignInOutcome, PortError>;

    /// Returns a stored refresh token; `None` if it does not exist or has expired.
    async fn find(
        &self,
        token: &RefreshToken,
        now: Timestamp,
    ) -> Result<Option<StoredToken>, PortError>;

    /// Exchanges an unused token for its successor and marks the token before it as spent, all or
    /// nothing. If several calls run concurrently, one of them exchanges the token, and the others
    /// get its key.
    async fn rotate(&self, rotation: &TokenRotation<'_>)
    -> Result<TokenRotationOutcome, PortError>;

    /// Returns whether the session of a device is open and its user exists.
    async fn is_open(
        &self,
        user: &UserId,
        device: &DeviceId,
        now: Timestamp,
    ) -> Result<bool, PortError>;

    /// Returns the user of a signed token that was issued at `issued_at`, in whole seconds. `None`
    /// if the user does not exist, or if the token or all sessions of the user were ended. One
    /// round trip.
    async fn holder(
        &self,
        user: &UserId,
        token: &SecretString,
        issued_at: Timestamp,
        now: Timestamp,
    ) -> Result<Option<User>, PortError>;

    /// Ends a signed token and writes the effects, all or nothing.
    async fn end_token(&self, command: &EndToken) -> Result<EndOutcome, PortError>;

    /// Ends one session or every session of a user and writes the effects, all or nothing.
    async fn end(&self, command: &EndSession) -> Result<EndOutcome, PortError>;
}

/// The keys that the successors of refresh tokens are derived with.
#[async_trait]
pub trait RefreshKeys: Send + Sync {
    /// Returns the id of the key that new successors are derived with.
    ///
    /// # Errors
    /// The key ring could not be read.
    async fn current(&self) -> Result<KeyId, PortError>;

    /// Derives the successor of a token.
    ///
    /// # Errors
    /// The key ring could not be read or does not contain the key of `seed`.
    async fn successor(&self, seed: &SuccessorSeed<'_>) -> Result<RefreshToken, PortError>;
}
