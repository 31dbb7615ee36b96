//! Exchanges a refresh token for its successor. The exchange may be repeated if the answer was
//! lost.

use super::open_session::{AccessGrant, OpenSession};
use super::sign_out::{Ended, end};
use super::{Basics, Failure};
use crate::domain::challenge::KeyId;
use crate::domain::session::{
    ClientDevice, RefreshLimits, RefreshToken, SessionEndReason, SessionsToEnd, StoredToken,
    SuccessorSeed, TokenUse,
};
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::ports::{
    PortError, Recorder, RefreshKeys, RefreshTokens, Sessions, TokenRotation, TokenRotationOutcome,
    Users, trace_user,
};
use futures_util::future::join;
use std::sync::Arc;

/// Refreshes sessions.
pub struct Refresh {
    pub tokens: Arc<dyn RefreshTokens>,
    pub sessions: Arc<dyn Sessions>,
    pub keys: Arc<dyn RefreshKeys>,
    /// The users, for a contract whose answer carries the user. That costs one more read, at the
    /// same time as the exchange.
    pub users: Option<Arc<dyn Users>>,
    pub limits: RefreshLimits,
    pub basics: Basics,
}

/// A session whose refresh token is the successor of the one that was presented.
#[derive(Debug)]
pub struct Renewal {
    pub session: OpenSession,
    /// The key that the successor was derived with.
    pub key_id: KeyId,
}

/// A refreshed session.
#[derive(Debug)]
pub struct Refreshed {
    pub session: OpenSession,
    /// The user, for a contract whose answer carries the user.
    pub user: Option<User>,
}

/// The reason why a session was not refreshed: the token does not exist or is a copy, or the session
/// is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the refresh token is not valid")]
pub struct RefreshRefused;

impl Refresh {
    /// Refreshes a session in two round trips: one reads the token, one exchanges it.
    ///
    /// For [`RefreshLimits::repeat`] after its use, a token whose successor was not used gives the
    /// same successor again: the answer was lost, or two tabs asked concurrently. A token that is
    /// presented later, or after its successor was used, is a copy. It ends the session (RFC 9700,
    /// section 4.14.2), and the user has to sign in again. So is one that another device presents:
    /// `client_device` is the id that the client gives its device, if it sends one.
    pub async fn run(
        &self,
        token: &str,
        client_device: Option<&str>,
        recorder: &Recorder<'_, Renewal>,
    ) -> Result<Refreshed, Failure<RefreshRefused>> {
        let token = RefreshToken::parse(token).ok_or(Failure::Refused(RefreshRefused))?;
        let now = self.basics.now();
        let stored = self.tokens.find_token(&token, now).await?;
        let stored = stored.ok_or(Failure::Refused(RefreshRefused))?;
        trace_user(&stored.session.user);
        if self.limits.have_ended(stored.session.opened_at, now) {
            return Err(Failure::Refused(RefreshRefused));
        }
        let bound = stored.session.client_device.as_ref();
        let is_elsewhere = bound
            .zip(client_device)
            .is_some_and(|(bound, presented)| *bound != ClientDevice::of(presented));
        let user = async {
            let Some(users) = &self.users else { return Ok(None) };
            users.find(&stored.session.user, now).await
        };
        let (id, session) = (self.basics.random()?, stored.session.clone());
        let grant = AccessGrant { id, session, issued_at: now };
        let (session, user) =
            join(self.exchange(&token, &stored, (grant, recorder), is_elsewhere, now), user).await;
        Ok(Refreshed { session: session?, user: user? })
    }

    /// Returns the session with the successor of a token, unless another device presents it
    /// (`is_elsewhere`).
    async fn exchange(
        &self,
        token: &RefreshToken,
        stored: &StoredToken,
        (grant, recorder): (AccessGrant, &Recorder<'_, Renewal>),
        is_elsewhere: bool,
        now: Timestamp,
    ) -> Result<OpenSession, Failure<RefreshRefused>> {
        let session = &stored.session;
        let usage = if is_elsewhere { &TokenUse::Spent } else { &stored.usage };
        match usage {
            TokenUse::Unused => self.rotate(token, stored, (grant, recorder), now).await,
            TokenUse::Used { key_id, at } if self.limits.allow_repeat(*at, now) => {
                if !self.sessions.is_open(&session.user, &session.device, now).await? {
                    return Err(Failure::Refused(RefreshRefused));
                }
                let refresh_token = self.successor(token, stored, key_id).await?;
                Ok(OpenSession { grant, refresh_token })
            }
            TokenUse::Used { .. } | TokenUse::Spent => {
                let (user, which) = (&session.user, SessionsToEnd::One(session.device.clone()));
                let reason = SessionEndReason::TokenReused;
                let ended = Ended { user, which, reason, silenced: Vec::new() };
                end(&*self.sessions, &self.basics, ended, None, now).await?;
                Err(Failure::Refused(RefreshRefused))
            }
        }
    }

    async fn rotate(
        &self,
        token: &RefreshToken,
        stored: &StoredToken,
        (grant, recorder): (AccessGrant, &Recorder<'_, Renewal>),
        now: Timestamp,
    ) -> Result<OpenSession, Failure<RefreshRefused>> {
        let key_id = self.keys.current().await?;
        let refresh_token = self.successor(token, stored, &key_id).await?;
        let renewal = Renewal { session: OpenSession { grant, refresh_token }, key_id };
        let answer = recorder.record(&renewal)?;
        let Renewal { session, key_id } = renewal;
        let rotation = TokenRotation {
            token,
            stored,
            successor: &session.refresh_token,
            key_id: &key_id,
            at: now,
            answer: answer.as_ref(),
        };
        match self.tokens.rotate(&rotation).await? {
            TokenRotationOutcome::Rotated => Ok(session),
            TokenRotationOutcome::Used(other) => {
                let refresh_token = self.successor(token, stored, &other).await?;
                Ok(OpenSession { refresh_token, ..session })
            }
            TokenRotationOutcome::Over => Err(Failure::Refused(RefreshRefused)),
        }
    }

    async fn successor(
        &self,
        token: &RefreshToken,
        stored: &StoredToken,
        key_id: &KeyId,
    ) -> Result<RefreshToken, PortError> {
        self.keys.successor(&SuccessorSeed { family: &stored.session.family, token, key_id }).await
    }
}
