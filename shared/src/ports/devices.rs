use super::PortError;
use crate::domain::device::{DeviceInfo, NewDevice};
use crate::domain::id::{DeviceId, UserId};
use crate::domain::outbox::OutboxEntry;
use crate::domain::realm::Realm;
use crate::domain::time::Timestamp;
use async_trait::async_trait;

/// Whose a push handle is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandleOwner {
    /// The user.
    pub user: UserId,
    /// The device it is the handle of.
    pub device: DeviceId,
}

/// A push handle about to be a user's.
#[derive(Debug)]
pub struct DeviceRegistration {
    /// The name space.
    pub realm: Realm,
    /// Whose it becomes.
    pub user: UserId,
    /// The device, with its handle.
    pub device: NewDevice,
    /// Whose it is now; it moves.
    pub owner: Option<HandleOwner>,
    /// When.
    pub at: Timestamp,
    /// The effects.
    pub entry: OutboxEntry,
}

/// What became of a [`DeviceRegistration`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceRegistered {
    /// The handle is the user's, and nobody else's.
    Registered,
    /// The handle's owner is another one by now. Nothing was written.
    OwnerChanged,
}

/// The devices and their push handles: a handle belongs to one user at a time.
#[async_trait]
pub trait Devices: Send + Sync {
    /// Whose the push handle is, on that platform and in that app.
    ///
    /// # Errors
    /// The store did not answer.
    async fn owner(
        &self,
        realm: &Realm,
        info: &DeviceInfo,
    ) -> Result<Option<HandleOwner>, PortError>;

    /// Moves the handle: takes the device from its owner, stores it with the user and writes the
    /// effects, all or nothing.
    ///
    /// # Errors
    /// The store did not answer.
    async fn register(
        &self,
        registration: &DeviceRegistration,
    ) -> Result<DeviceRegistered, PortError>;
}
