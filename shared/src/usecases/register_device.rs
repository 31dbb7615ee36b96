//! Registers a device for push messages.

use super::{Basics, Failure};
use crate::domain::device::{DeviceInfo, NewDevice};
use crate::domain::event::Fact;
use crate::domain::id::{DeviceId, UserId};
use crate::domain::outbox::OutboxEntry;
use crate::domain::realm::Realm;
use crate::ports::{DeviceRegistration, Devices, Recorder, RegisterDeviceOutcome};
use std::sync::Arc;
use std::time::Duration;

/// How long a registration is kept without a renewal: 90 days.
const REGISTRATION_LIFETIME: Duration = Duration::from_hours(90 * 24);
/// The number of tries. A try fails if another request moves the push token between the read and
/// the write.
const MAX_TRIES: usize = 8;

/// Registers devices. A push token moves to the user that registered it last.
pub struct RegisterDevice {
    pub devices: Arc<dyn Devices>,
    pub basics: Basics,
}

/// A request to register a device for a user.
#[derive(Debug)]
pub struct RegisterDeviceCommand {
    pub realm: Realm,
    pub user: UserId,
    /// The device, with its push token.
    pub info: DeviceInfo,
}

/// The user was deleted meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the user does not exist any more")]
pub struct NoUser;

impl RegisterDevice {
    /// Assigns the push token to the user for 90 days.
    ///
    /// # Errors
    /// [`NoUser`];
    /// [`Failure::TooMany`] if other requests moved the push token in every try;
    /// [`Failure::Internal`].
    pub async fn run(
        &self,
        command: RegisterDeviceCommand,
        recorder: &Recorder<'_, ()>,
    ) -> Result<(), Failure<NoUser>> {
        let now = self.basics.now();
        let RegisterDeviceCommand { realm, user, info } = command;
        let ids = self.basics.event_ids()?;
        for _ in 0..MAX_TRIES {
            let owner = self.devices.owner(&realm, &info).await?;
            let known = owner.as_ref().map(|owner| owner.device.clone());
            let device = NewDevice {
                // A push token identifies one device, even if the user changes.
                id: known.unwrap_or_else(|| DeviceId::from_stored(&ids.correlation_id())),
                info: info.clone(),
                expires_at: now.plus(REGISTRATION_LIFETIME),
            };
            let before = owner.as_ref().map(|owner| owner.user.clone());
            let fact = Fact::DeviceRegistered {
                user: user.clone(),
                device: device.clone(),
                taken_from: before.filter(|before| *before != user),
                at: now,
            };
            let events = self.basics.events(&[fact], &ids)?;
            let registration = DeviceRegistration {
                realm: realm.clone(),
                user: user.clone(),
                device,
                owner,
                at: now,
                entry: OutboxEntry::new(&ids, now, events),
                answer: recorder.record(&())?,
            };
            match self.devices.register(&registration).await? {
                RegisterDeviceOutcome::Registered => return Ok(()),
                RegisterDeviceOutcome::OwnerChanged => {}
                RegisterDeviceOutcome::NoUser => return Err(Failure::Refused(NoUser)),
            }
        }
        Err(Failure::overtaken())
    }
}
