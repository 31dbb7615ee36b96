//! Ends sessions of a user: one, the others, or all. Lists the sessions that are open.

use super::{Basics, Failure, NoRefusal};
use crate::domain::device::devices_to_silence;
use crate::domain::event::Fact;
use crate::domain::id::{DeviceId, UserId};
use crate::domain::session::{ListedSession, RefreshLimits, SessionEndReason, SessionsToEnd};
use crate::domain::time::Timestamp;
use crate::ports::{
    Devices, EndOutcome, EndSessions, EndToken, NewAnswer, PortError, Recorder, Sessions,
};
use secrecy::SecretString;
use std::sync::Arc;

/// The number of tries. A try fails if a device is deleted after it was read.
const MAX_TRIES: usize = 4;

/// Ends sessions.
pub struct SignOut {
    pub sessions: Arc<dyn Sessions>,
    /// The devices of users; `None` for a contract whose sessions are signed tokens.
    pub devices: Option<Arc<dyn Devices>>,
    pub basics: Basics,
}

/// A session that is a signed token.
#[derive(Clone, Debug)]
pub struct SignedToken {
    pub token: SecretString,
    pub user: UserId,
    /// The time of issue in the token, in whole seconds. It can be later than the current time, see
    /// [`User::token_opening`](crate::domain::user::User::token_opening).
    pub issued_at: Timestamp,
    /// The expiry of the token.
    pub expires_at: Timestamp,
}

impl SignOut {
    /// Ends sessions of a user. Does nothing and publishes nothing for a session that was signed out
    /// by itself before, or that does not exist.
    pub async fn run(
        &self,
        user: &UserId,
        which: SessionsToEnd,
        recorder: &Recorder<'_, ()>,
    ) -> Result<(), Failure<NoRefusal>> {
        for _ in 0..MAX_TRIES {
            let (reason, now) = (which.reason(), self.basics.now());
            let silenced = match (&which, &self.devices) {
                (SessionsToEnd::All | SessionsToEnd::Others(_), Some(devices)) => {
                    devices_to_silence(devices.of_user(user).await?, which.kept())
                }
                (SessionsToEnd::One(_), _) | (_, None) => Vec::new(),
            };
            let answer = recorder.record(&())?;
            let ended = Ended { user, which: which.clone(), reason, silenced };
            match end(&*self.sessions, &self.basics, ended, answer, now).await? {
                EndOutcome::Ended | EndOutcome::AlreadyOver => return Ok(()),
                EndOutcome::DevicesChanged => {}
            }
        }
        Err(Failure::overtaken())
    }

    /// Ends a session that is a signed token. The token is refused from now on.
    pub async fn of_token(
        &self,
        session: SignedToken,
        recorder: &Recorder<'_, ()>,
    ) -> Result<(), Failure<NoRefusal>> {
        let SignedToken { token, user, expires_at, .. } = session;
        let (at, reason) = (self.basics.now(), SessionEndReason::SignedOut);
        let fact = Fact::SessionEnded { user: user.clone(), device: None, reason, at };
        let entry = self.basics.announce(&[fact], at)?;
        let answer = recorder.record(&())?;
        self.sessions.end_token(&EndToken { token, user, expires_at, at, entry, answer }).await?;
        Ok(())
    }

    /// Ends all sessions of a user at the request of one of them, which is a signed token. This token
    /// and all that have the same time of issue end with them.
    pub async fn everywhere(
        &self,
        session: &SignedToken,
        recorder: &Recorder<'_, ()>,
    ) -> Result<(), Failure<NoRefusal>> {
        let (which, now) = (SessionsToEnd::All, self.basics.now().max(session.issued_at));
        let reason = which.reason();
        let (user, answer) = (&session.user, recorder.record(&())?);
        let ended = Ended { user, which, reason, silenced: Vec::new() };
        end(&*self.sessions, &self.basics, ended, answer, now).await?;
        Ok(())
    }

    /// Returns the open sessions of a user, the newest first.
    pub async fn list(
        &self,
        user: &UserId,
        limits: &RefreshLimits,
    ) -> Result<Vec<ListedSession>, PortError> {
        let now = self.basics.now();
        let mut sessions = self.sessions.list(user, now).await?;
        sessions.retain(|session| !limits.have_ended(session.opened_at, now));
        Ok(sessions)
    }
}

/// The sessions that end, and why.
pub(super) struct Ended<'a> {
    pub(super) user: &'a UserId,
    pub(super) which: SessionsToEnd,
    pub(super) reason: SessionEndReason,
    /// The devices whose push tokens are removed.
    pub(super) silenced: Vec<DeviceId>,
}

/// Ends sessions and writes the event in one transaction.
pub(super) async fn end(
    sessions: &dyn Sessions,
    basics: &Basics,
    ended: Ended<'_>,
    answer: Option<NewAnswer>,
    at: Timestamp,
) -> Result<EndOutcome, PortError> {
    let Ended { user, which, reason, silenced } = ended;
    let (user, device) = (user.clone(), which.device().cloned());
    let fact = Fact::SessionEnded { user: user.clone(), device, reason, at };
    let entry = basics.announce(&[fact], at)?;
    sessions.end(&EndSessions { user, which, silenced, at, entry, answer }).await
}
