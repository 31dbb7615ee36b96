//! The port for devices and their push tokens.

use super::{NewAnswer, PortError};
use crate::domain::device::{DeviceInfo, KnownDevice, NewDevice};
use crate::domain::id::{DeviceId, UserId};
use crate::domain::outbox::OutboxEntry;
use crate::domain::realm::Realm;
use crate::domain::time::Timestamp;
use async_trait::async_trait;

/// The owner of a push token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushTokenOwner {
    pub user: UserId,
    /// The device that the token belongs to.
    pub device: DeviceId,
}

/// A push token to be assigned to a user.
#[derive(Debug)]
pub struct DeviceRegistration {
    pub realm: Realm,
    /// The new owner.
    pub user: UserId,
    /// The device, with its push token.
    pub device: NewDevice,
    /// The owner that the caller read; `None` if the token had no owner.
    pub owner: Option<PushTokenOwner>,
    pub at: Timestamp,
    /// The effects to deliver.
    pub entry: OutboxEntry,
    /// The answer to keep.
    pub answer: Option<NewAnswer>,
}

/// The outcome of [`Devices::register`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegisterDeviceOutcome {
    /// The push token belongs to the user and to no other user.
    Registered,
    /// The push token has another owner than the caller read. Nothing was written.
    OwnerChanged,
    /// The user does not exist any more. Nothing was written.
    NoUser,
}

/// The devices and their push tokens. A push token belongs to one user at a time.
#[async_trait]
pub trait Devices: Send + Sync {
    /// Returns the owner of the push token for this platform and app.
    async fn owner(
        &self,
        realm: &Realm,
        info: &DeviceInfo,
    ) -> Result<Option<PushTokenOwner>, PortError>;

    /// Returns the devices of a user, with and without sessions. The cost grows with the devices of
    /// this user only.
    async fn of_user(&self, user: &UserId) -> Result<Vec<KnownDevice>, PortError>;

    /// Deletes devices of a user and their push tokens, all or nothing.
    ///
    /// # Errors
    /// A push token belongs to another user since the devices were read.
    async fn forget(
        &self,
        realm: &Realm,
        user: &UserId,
        devices: &[KnownDevice],
        now: Timestamp,
    ) -> Result<(), PortError>;

    /// Moves the push token: removes the device from its old owner, stores it with the new owner
    /// and writes the effects, all or nothing.
    async fn register(
        &self,
        registration: &DeviceRegistration,
    ) -> Result<RegisterDeviceOutcome, PortError>;
}
