//! The port for the sessions of users.

use super::{NewAnswer, PortError};
use crate::domain::id::{DeviceId, UserId};
use crate::domain::outbox::OutboxEntry;
use crate::domain::session::{ListedSession, SessionsToEnd};
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use async_trait::async_trait;
use secrecy::SecretString;

/// A request to end sessions of a user.
#[derive(Debug)]
pub struct EndSessions {
    pub user: UserId,
    pub which: SessionsToEnd,
    /// The devices whose sessions end, and whose push tokens are removed with them. The device of
    /// [`SessionsToEnd::One`] need not be among them.
    pub silenced: Vec<DeviceId>,
    pub at: Timestamp,
    /// The effects to deliver.
    pub entry: OutboxEntry,
    /// The answer to keep.
    pub answer: Option<NewAnswer>,
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
    /// The answer to keep.
    pub answer: Option<NewAnswer>,
}

/// The outcome of [`Sessions::end`] and [`Sessions::end_token`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndOutcome {
    /// The sessions are over now.
    Ended,
    /// The session was over before or never existed. Nothing was written.
    AlreadyOver,
    /// One of the devices whose push tokens should be removed does not exist any more. Nothing was
    /// written.
    DevicesChanged,
}

/// The sessions. A device has one session. It is open until the user ends it or all sessions, or
/// until its newest refresh token has not been used for too long.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// Returns the user of a device whose session is open. `None` if the session is not open or the
    /// user does not exist. The caller checks the contract of the user.
    async fn device_holder(
        &self,
        user: &UserId,
        device: &DeviceId,
        now: Timestamp,
    ) -> Result<Option<User>, PortError>;

    /// Returns whether the session of a device is open and its user exists.
    async fn is_open(
        &self,
        user: &UserId,
        device: &DeviceId,
        now: Timestamp,
    ) -> Result<bool, PortError> {
        Ok(self.device_holder(user, device, now).await?.is_some())
    }

    /// Returns the open sessions of a user, the newest first. The cost grows with the sessions of
    /// this user only. The caller checks the longest life of a session.
    async fn list(&self, user: &UserId, now: Timestamp) -> Result<Vec<ListedSession>, PortError>;

    /// Returns the user of a signed token that was issued at `issued_at`, in whole seconds. `None`
    /// if the user does not exist, or if the token or all sessions of the user were ended. The
    /// caller checks the contract of the user. One round trip.
    async fn holder(
        &self,
        user: &UserId,
        token: &SecretString,
        issued_at: Timestamp,
        now: Timestamp,
    ) -> Result<Option<User>, PortError>;

    /// Ends a signed token and writes the effects, all or nothing.
    async fn end_token(&self, command: &EndToken) -> Result<EndOutcome, PortError>;

    /// Ends sessions of a user and writes the effects, all or nothing.
    async fn end(&self, command: &EndSessions) -> Result<EndOutcome, PortError>;
}
