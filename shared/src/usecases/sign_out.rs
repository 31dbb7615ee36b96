//! Ends one session of a user, or all of them.

use super::announce::announce;
use crate::domain::event::Fact;
use crate::domain::id::{DeviceId, UserId};
use crate::domain::session::SessionEndReason;
use crate::domain::time::Timestamp;
use crate::ports::{Clock, EndSession, EndToken, Entropy, EventMapper, PortError, Sessions};
use secrecy::SecretString;
use std::sync::Arc;

/// Ends sessions.
pub struct SignOut {
    pub sessions: Arc<dyn Sessions>,
    pub event_mapper: Arc<dyn EventMapper>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
}

impl SignOut {
    /// Ends the session of a device, or all sessions of the user. Does nothing and publishes
    /// nothing for a session that is already over.
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
    pub token: SecretString,
    pub user: UserId,
    /// The expiry of the token.
    pub expires_at: Timestamp,
}

impl SignOut {
    /// Ends a session that is a signed token. The token is refused from now on.
    pub async fn of_token(&self, session: SignedToken) -> Result<(), PortError> {
        let SignedToken { token, user, expires_at } = session;
        let at = self.clock.now();
        let (user_id, reason) = (user.clone(), SessionEndReason::SignedOut);
        let fact = Fact::SessionEnded { user: user_id, device: None, reason, at };
        let entry = announce(&*self.event_mapper, &*self.entropy, &fact, at)?;
        self.sessions.end_token(&EndToken { token, user, expires_at, at, entry }).await?;
        Ok(())
    }
}

/// Ends sessions and writes the event in one transaction.
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
    sessions.end(&EndSession { user, device, at, entry }).await?;
    Ok(())
}
