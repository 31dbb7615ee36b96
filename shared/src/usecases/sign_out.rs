//! Sign out: end a session, or every one of a user.

use super::announce::announce;
use crate::domain::event::Fact;
use crate::domain::id::{DeviceId, UserId};
use crate::domain::session::SessionEndReason;
use crate::domain::time::Timestamp;
use crate::ports::{Clock, Ending, Entropy, EventMapper, PortError, Sessions, TokenEnding};
use secrecy::SecretString;
use std::sync::Arc;

/// Ends sessions.
pub struct SignOut {
    /// The sessions.
    pub sessions: Arc<dyn Sessions>,
    /// How the contract spells its events.
    pub event_mapper: Arc<dyn EventMapper>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Random bytes.
    pub entropy: Arc<dyn Entropy>,
}

impl SignOut {
    /// Ends the session on a device, or every session of the user. One that is over already stays
    /// so, and nobody is told twice.
    ///
    /// # Errors
    /// The store did not answer.
    pub async fn run(&self, user: UserId, device: Option<DeviceId>) -> Result<(), PortError> {
        let reason = match device {
            Some(_) => SessionEndReason::SignedOut,
            None => SessionEndReason::SignedOutEverywhere,
        };
        let now = self.clock.now();
        let whose = (user, device);
        end(&*self.sessions, &*self.event_mapper, &*self.entropy, whose, reason, now).await
    }
}

/// A session that is a signed token.
#[derive(Clone, Debug)]
pub struct SignedToken {
    /// The token.
    pub token: SecretString,
    /// Whose it is.
    pub user: UserId,
    /// When it ends by itself.
    pub expires_at: Timestamp,
}

impl SignOut {
    /// Ends a session that is a signed token, which its holder may keep: it is refused from now on.
    ///
    /// # Errors
    /// The store did not answer.
    pub async fn of_token(&self, session: SignedToken) -> Result<(), PortError> {
        let SignedToken { token, user, expires_at } = session;
        let at = self.clock.now();
        let (user_id, reason) = (user.clone(), SessionEndReason::SignedOut);
        let fact = Fact::SessionEnded { user: user_id, device: None, reason, at };
        let entry = announce(&*self.event_mapper, &*self.entropy, &fact, at)?;
        self.sessions.end_token(&TokenEnding { token, user, expires_at, at, entry }).await?;
        Ok(())
    }
}

/// Ends what is to be ended and announces it, in one write.
pub(super) async fn end(
    sessions: &dyn Sessions,
    event_mapper: &dyn EventMapper,
    entropy: &dyn Entropy,
    (user, device): (UserId, Option<DeviceId>),
    reason: SessionEndReason,
    at: Timestamp,
) -> Result<(), PortError> {
    let fact = Fact::SessionEnded { user: user.clone(), device: device.clone(), reason, at };
    let entry = announce(event_mapper, entropy, &fact, at)?;
    sessions.end(&Ending { user, device, at, entry }).await?;
    Ok(())
}
