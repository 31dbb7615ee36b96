//! Ends sessions of a user: one, the others, or all. Lists the sessions that are open.

use super::Basics;
use crate::domain::event::Fact;
use crate::domain::id::UserId;
use crate::domain::session::{ListedSession, SessionEndReason, SessionsToEnd};
use crate::domain::time::Timestamp;
use crate::ports::{EndSessions, EndToken, NewAnswer, PortError, Recorder, Sessions};
use secrecy::SecretString;
use std::sync::Arc;

/// Ends sessions.
pub struct SignOut {
    pub sessions: Arc<dyn Sessions>,
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
    ) -> Result<(), PortError> {
        let (reason, now) = (which.reason(), self.basics.now());
        let answer = recorder.record(&())?;
        end(&*self.sessions, &self.basics, (user, which, reason), answer, now).await
    }

    /// Ends a session that is a signed token. The token is refused from now on.
    pub async fn of_token(
        &self,
        session: SignedToken,
        recorder: &Recorder<'_, ()>,
    ) -> Result<(), PortError> {
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
    ) -> Result<(), PortError> {
        let (which, now) = (SessionsToEnd::All, self.basics.now().max(session.issued_at));
        let reason = which.reason();
        let (user, answer) = (&session.user, recorder.record(&())?);
        end(&*self.sessions, &self.basics, (user, which, reason), answer, now).await
    }

    /// Returns the open sessions of a user, the newest first.
    pub async fn list(&self, user: &UserId) -> Result<Vec<ListedSession>, PortError> {
        self.sessions.list(user, self.basics.now()).await
    }
}

/// Ends sessions and writes the event in one transaction.
pub(super) async fn end(
    sessions: &dyn Sessions,
    basics: &Basics,
    (user, which, reason): (&UserId, SessionsToEnd, SessionEndReason),
    answer: Option<NewAnswer>,
    at: Timestamp,
) -> Result<(), PortError> {
    let (user, device) = (user.clone(), which.device().cloned());
    let fact = Fact::SessionEnded { user: user.clone(), device, reason, at };
    let entry = basics.announce(&[fact], at)?;
    sessions.end(&EndSessions { user, which, at, entry, answer }).await?;
    Ok(())
}
