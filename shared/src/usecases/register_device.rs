//! Register a device for push messages.

use crate::domain::device::{DeviceInfo, NewDevice};
use crate::domain::event::{EventIds, Fact};
use crate::domain::id::{DeviceId, UserId};
use crate::domain::outbox::{Effect, OutboxEntry};
use crate::domain::realm::Realm;
use crate::ports::{
    Clock, DeviceRegistered, DeviceRegistration, Devices, Entropy, EventMapper, PortError, random,
};
use std::sync::Arc;
use std::time::Duration;

/// How long a registration lives without being renewed: 90 days (contracts.md B.5).
const REGISTRATION_LIFETIME: Duration = Duration::from_hours(90 * 24);
/// How many other registrations of the handle may come between reading its owner and moving it.
const RACES: usize = 8;

/// Registers devices; a push handle moves to the newest user.
pub struct RegisterDevice {
    /// The devices.
    pub devices: Arc<dyn Devices>,
    /// How the contract spells its events.
    pub event_mapper: Arc<dyn EventMapper>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Random bytes.
    pub entropy: Arc<dyn Entropy>,
}

/// Whose device it is.
#[derive(Debug)]
pub struct RegisterDeviceCommand {
    /// The name space.
    pub realm: Realm,
    /// The user.
    pub user: UserId,
    /// The device, with its push handle.
    pub info: DeviceInfo,
}

impl RegisterDevice {
    /// Makes the handle the user's, for 90 days from now.
    ///
    /// # Errors
    /// The store did not answer, or others registered the same handle again and again.
    pub async fn run(&self, command: RegisterDeviceCommand) -> Result<(), PortError> {
        let now = self.clock.now();
        let RegisterDeviceCommand { realm, user, info } = command;
        let ids = EventIds::new(random(&*self.entropy)?);
        for _ in 0..RACES {
            let owner = self.devices.owner(&realm, &info).await?;
            let known = owner.as_ref().map(|owner| owner.device.clone());
            let device = NewDevice {
                // The same handle is the same device, whoever has it.
                id: known.unwrap_or_else(|| DeviceId::from_stored(&ids.correlation_id())),
                info: info.clone(),
                expires_at: Some(now.plus(REGISTRATION_LIFETIME)),
            };
            let before = owner.as_ref().map(|owner| owner.user.clone());
            let fact = Fact::DeviceRegistered {
                user: user.clone(),
                device: device.clone(),
                taken_from: before.filter(|before| *before != user),
                at: now,
            };
            let events = self.event_mapper.events(&fact, &ids)?;
            let registration = DeviceRegistration {
                realm: realm.clone(),
                user: user.clone(),
                device,
                owner,
                at: now,
                entry: OutboxEntry::new(&ids, now, events.into_iter().map(Effect::Event).collect()),
            };
            match self.devices.register(&registration).await? {
                DeviceRegistered::Registered => return Ok(()),
                DeviceRegistered::OwnerChanged => {}
            }
        }
        Err(PortError::new("register a device", "its handle moves too often"))
    }
}
