//! Exchanges a refresh token for its successor. The exchange may be repeated if the answer was
//! lost.

use super::sign_out::end;
use super::sign_up::{AccessGrant, OpenSession};
use crate::domain::challenge::KeyId;
use crate::domain::session::{
    RefreshToken, SessionEndReason, StoredToken, SuccessorSeed, TokenUse,
};
use crate::domain::time::Timestamp;
use crate::domain::user::Attributes;
use crate::ports::{
    Clock, Entropy, EventMapper, PortError, RefreshKeys, Sessions, TokenRotation,
    TokenRotationOutcome, random,
};
use std::sync::Arc;

/// Refreshes sessions.
pub struct Refresh {
    pub sessions: Arc<dyn Sessions>,
    pub keys: Arc<dyn RefreshKeys>,
    pub event_mapper: Arc<dyn EventMapper>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
}

/// A refreshed session.
#[derive(Debug)]
pub struct Refreshed {
    pub session: OpenSession,
    /// The attributes of the user that access tokens contain.
    pub token_claims: Attributes,
}

/// The reason why a session was not refreshed.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// The token does not exist, its successor was used, or the session is over.
    #[error("the refresh token is not valid")]
    Refused,
    #[error(transparent)]
    Internal(#[from] PortError),
}

impl Refresh {
    /// Refreshes a session in two round trips: one reads the token, one exchanges it.
    ///
    /// A used token whose successor was not used gives the same successor again: the answer was
    /// lost, or two tabs asked concurrently. A token whose successor was used is a copy. It ends
    /// the session (RFC 9700, section 4.14.2), and the user has to sign in again.
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
        let rotation =
            TokenRotation { token, stored, successor: &successor, key_id: &key_id, at: now };
        match self.sessions.rotate(&rotation).await? {
            TokenRotationOutcome::Rotated => Ok(successor),
            TokenRotationOutcome::Used(other) if other == key_id => Ok(successor),
            TokenRotationOutcome::Used(other) => Ok(self.successor(token, stored, &other).await?),
            TokenRotationOutcome::Over => Err(RefreshError::Refused),
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
