//! The ports for refresh tokens and the keys that they are derived with.

use super::{NewAnswer, PortError};
use crate::domain::challenge::KeyId;
use crate::domain::session::{RefreshToken, StoredToken, SuccessorSeed};
use crate::domain::time::Timestamp;
use async_trait::async_trait;

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
    /// The answer to keep.
    pub answer: Option<&'a NewAnswer>,
}

/// The outcome of [`RefreshTokens::rotate`].
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

/// The refresh tokens of sessions.
#[async_trait]
pub trait RefreshTokens: Send + Sync {
    /// Returns a stored refresh token; `None` if it does not exist or has expired.
    async fn find_token(
        &self,
        token: &RefreshToken,
        now: Timestamp,
    ) -> Result<Option<StoredToken>, PortError>;

    /// Exchanges an unused token for its successor and marks the token before it as spent, all or
    /// nothing. If several calls run concurrently, one of them exchanges the token, and the others
    /// get its key.
    async fn rotate(&self, rotation: &TokenRotation<'_>)
    -> Result<TokenRotationOutcome, PortError>;
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
