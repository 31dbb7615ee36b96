//! Push tokens in the table Identifiers, and the registered devices in the table Devices
//! (README.md, "Identifiers" and "Devices").
//!
//! The item of a push token ([`keys::push_token`]) moves to a new owner in one transaction with the
//! device's item ([`device_item`]). A registration deletes the device of the former owner.

use super::DynamoStore;
use super::items::identifier::{push_token_item, read_push_token_owner};
use super::items::keys;
use super::items::session::{device_item, read_device};
use super::items::value::text;
use super::transaction::{Commit, Subject, Transaction, malformed};
use super::versions::Versioned;
use crate::domain::device::{DeviceInfo, KnownDevice};
use crate::domain::id::{DeviceId, UserId};
use crate::domain::realm::Realm;
use crate::domain::time::Timestamp;
use crate::ports::{DeviceRegistration, Devices, PortError, PushTokenOwner, RegisterDeviceOutcome};
use async_trait::async_trait;
use aws_sdk_dynamodb::types::{ConditionCheck, Delete, Put, Update};

impl DynamoStore {
    /// Returns the action that assigns a push token to a user, if its owner is the one that was
    /// read.
    fn move_push_token(&self, registration: &DeviceRegistration) -> Result<Put, PortError> {
        let put = Put::builder()
            .table_name(&self.tables.identifiers)
            .set_item(Some(push_token_item(registration)));
        let put = match &registration.owner {
            None => put.condition_expression("attribute_not_exists(identifier)"),
            Some(owner) => put
                .condition_expression("user_id = :owner AND device_id = :device")
                .expression_attribute_values(":owner", text(owner.user.as_str()))
                .expression_attribute_values(":device", text(owner.device.as_str())),
        };
        put.build().map_err(malformed)
    }

    /// Returns the action that deletes a device.
    fn delete_device(&self, user: &UserId, device: &DeviceId) -> Result<Delete, PortError> {
        Delete::builder()
            .table_name(&self.tables.devices)
            .key("user_id", text(user.as_str()))
            .key("device_id", text(device.as_str()))
            .build()
            .map_err(malformed)
    }

    /// Adds the actions that remove the push tokens of devices whose sessions end. A device that does
    /// not exist any more has none.
    pub(super) fn silence_devices(
        &self,
        user: &UserId,
        devices: &[DeviceId],
        transaction: &mut Transaction,
    ) -> Result<(), PortError> {
        for device in devices {
            let update = Update::builder()
                .table_name(&self.tables.devices)
                .key("user_id", text(user.as_str()))
                .key("device_id", text(device.as_str()))
                .update_expression("REMOVE push_handle")
                .condition_expression("attribute_exists(user_id)");
            transaction.update(Subject::Account, update.build().map_err(malformed)?);
        }
        Ok(())
    }

    /// Adds the actions that delete devices of a user and their push tokens. A push token that belongs
    /// to another user since the devices were read refuses the transaction.
    pub(super) fn forget_devices(
        &self,
        (realm, user): (&Realm, &UserId),
        devices: &[KnownDevice],
        now: Timestamp,
        transaction: &mut Transaction,
    ) -> Result<(), PortError> {
        for device in devices {
            transaction.delete(Subject::Other, self.delete_device(user, &device.id)?);
            if device.owns_push_token(now) {
                let token = Delete::builder()
                    .table_name(&self.tables.identifiers)
                    .key("identifier", text(keys::push_token(realm, &device.info)))
                    .condition_expression("attribute_not_exists(identifier) OR user_id = :user")
                    .expression_attribute_values(":user", text(user.as_str()));
                transaction.delete(Subject::Account, token.build().map_err(malformed)?);
            }
        }
        Ok(())
    }

    /// Returns the transaction of a registration.
    fn registration(
        &self,
        registration: &DeviceRegistration,
        effects: Option<&Versioned>,
    ) -> Result<Transaction, PortError> {
        let mut transaction = Transaction::default();
        transaction.put(Subject::Owner, self.move_push_token(registration)?);
        let other = registration.owner.as_ref().filter(|owner| owner.user != registration.user);
        if let Some(owner) = other {
            transaction.delete(Subject::Other, self.delete_device(&owner.user, &owner.device)?);
        }
        transaction.put(Subject::Other, self.put_device(registration)?);
        if let Some(versions) = effects.and_then(|effects| effects.user.as_ref()) {
            self.store_version(Subject::Account, versions, &mut transaction)?;
        } else {
            let user = ConditionCheck::builder()
                .table_name(&self.tables.users)
                .key("user_id", text(registration.user.as_str()))
                .condition_expression("attribute_exists(user_id)");
            transaction.check(Subject::Account, user.build().map_err(malformed)?);
        }
        if let Some(effects) = effects {
            self.add_entry(&effects.entry, &mut transaction)?;
        }
        self.keep_answer(registration.answer.as_ref(), registration.at, &mut transaction)?;
        Ok(transaction)
    }

    /// Returns the action that writes a device, new or existing.
    fn put_device(&self, registration: &DeviceRegistration) -> Result<Put, PortError> {
        let DeviceRegistration { user, device, at, .. } = registration;
        Put::builder()
            .table_name(&self.tables.devices)
            .set_item(Some(device_item(user, device, *at)))
            .build()
            .map_err(malformed)
    }
}

#[async_trait]
impl Devices for DynamoStore {
    async fn owner(
        &self,
        realm: &Realm,
        info: &DeviceInfo,
    ) -> Result<Option<PushTokenOwner>, PortError> {
        let key = keys::push_token(realm, info);
        let key = [("identifier", key.as_str())];
        let item = self.read_item("read a push token", &self.tables.identifiers, &key).await?;
        // An expired owner counts, because the item of its device may still exist.
        item.as_ref().map(read_push_token_owner).transpose()
    }

    async fn of_user(&self, user: &UserId) -> Result<Vec<KnownDevice>, PortError> {
        let items = self.devices_of(user).await?;
        items.iter().map(read_device).collect()
    }

    async fn forget(
        &self,
        realm: &Realm,
        user: &UserId,
        devices: &[KnownDevice],
        now: Timestamp,
    ) -> Result<(), PortError> {
        const ACTION: &str = "delete devices";
        let mut transaction = Transaction::default();
        self.forget_devices((realm, user), devices, now, &mut transaction)?;
        match self.transact(ACTION, transaction).await? {
            Commit::Done => Ok(()),
            Commit::Failed(_) => Err(PortError::contention(ACTION)),
        }
    }

    async fn register(
        &self,
        registration: &DeviceRegistration,
    ) -> Result<RegisterDeviceOutcome, PortError> {
        const ACTION: &str = "register a device";
        let build = |effects: Option<&Versioned>| self.registration(registration, effects);
        let commit = self.transact_with_events(ACTION, Some(&registration.entry), build).await?;
        if matches!(commit, Commit::Done) {
            Ok(RegisterDeviceOutcome::Registered)
        } else if commit.failed_in(Subject::Account) {
            Ok(RegisterDeviceOutcome::NoUser)
        } else if commit.failed_in(Subject::Owner) {
            Ok(RegisterDeviceOutcome::OwnerChanged)
        } else {
            Err(PortError::new(ACTION, "a new random id is already in use"))
        }
    }
}
