//! Refresh: exchange a refresh token for its successor, however often the answer was lost.

use super::sign_out::end;
use super::sign_up::{AccessGrant, OpenSession};
use crate::domain::challenge::KeyId;
use crate::domain::session::{
    RefreshToken, SessionEndReason, StoredToken, SuccessorSeed, TokenUse,
};
use crate::domain::time::Timestamp;
use crate::domain::user::Attributes;
use crate::ports::{
    Clock, Entropy, EventMapper, PortError, RefreshKeys, Rotated, Rotation, Sessions, random,
};
use std::sync::Arc;

/// Refreshes sessions.
pub struct Refresh {
    /// The sessions.
    pub sessions: Arc<dyn Sessions>,
    /// The keys that successors are derived with.
    pub keys: Arc<dyn RefreshKeys>,
    /// How the contract spells its events.
    pub event_mapper: Arc<dyn EventMapper>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Random bytes.
    pub entropy: Arc<dyn Entropy>,
}

/// A session was refreshed.
#[derive(Debug)]
pub struct Refreshed {
    /// Its tokens.
    pub session: OpenSession,
    /// What its access token states of the user.
    pub token_claims: Attributes,
}

/// Why a session was not refreshed.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// There is no such token, it was used twice over, or its session is over.
    #[error("refresh token refused")]
    Refused,
    /// The world broke.
    #[error(transparent)]
    Internal(#[from] PortError),
}

impl Refresh {
    /// Two round trips: what the token is, and what becomes of it.
    ///
    /// A token that was used, but whose successor was not, gives that successor again: the answer
    /// was lost, or two tabs asked at once. A token whose successor was used too is a copy: its
    /// session is ended (RFC 9700 4.14.2), and who holds it has to sign in again.
    ///
    /// # Errors
    /// [`RefreshError`].
    pub async fn run(&self, token: &str) -> Result<Refreshed, RefreshError> {
        let token = RefreshToken::parse(token).ok_or(RefreshError::Refused)?;
        let now = self.clock.now();
        let stored = self.sessions.find(&token, now).await?.ok_or(RefreshError::Refused)?;
        let successor = match &stored.usage {
            TokenUse::Unused => self.rotate(&token, &stored, now).await?,
            TokenUse::Used(key_id) => {
                if !self.sessions.is_open(&stored.user, &stored.device, now).await? {
                    return Err(RefreshError::Refused);
                }
                self.successor(&token, &stored, key_id).await?
            }
            TokenUse::Spent => {
                let (user, device) = (stored.user, Some(stored.device));
                let reason = SessionEndReason::TokenReused;
                end(
                    &*self.sessions,
                    &*self.event_mapper,
                    &*self.entropy,
                    (user, device),
                    reason,
                    now,
                )
                .await?;
                return Err(RefreshError::Refused);
            }
        };
        let grant = AccessGrant {
            id: random(&*self.entropy)?,
            user: stored.user,
            device: stored.device,
            issued_at: now,
        };
        let session = OpenSession { grant, refresh_token: successor };
        Ok(Refreshed { session, token_claims: stored.token_claims })
    }

    async fn rotate(
        &self,
        token: &RefreshToken,
        stored: &StoredToken,
        now: Timestamp,
    ) -> Result<RefreshToken, RefreshError> {
        let key_id = self.keys.current().await?;
        let successor = self.successor(token, stored, &key_id).await?;
        let rotation = Rotation { token, stored, successor: &successor, key_id: &key_id, at: now };
        match self.sessions.rotate(&rotation).await? {
            Rotated::Rotated => Ok(successor),
            Rotated::Used(other) if other == key_id => Ok(successor),
            Rotated::Used(other) => Ok(self.successor(token, stored, &other).await?),
            Rotated::Over => Err(RefreshError::Refused),
        }
    }

    async fn successor(
        &self,
        token: &RefreshToken,
        stored: &StoredToken,
        key_id: &KeyId,
    ) -> Result<RefreshToken, PortError> {
        self.keys.successor(&SuccessorSeed { family: &stored.family, token, key_id }).await
    }
}
