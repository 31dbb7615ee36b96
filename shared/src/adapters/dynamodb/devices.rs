//! Push tokens in the table Identifiers, and the registered devices in the table Devices
//! (README.md, "Identifiers" and "Devices").
//!
//! The item of a push token ([`keys::push_token`]) moves to a new owner in one transaction with the
//! device's item ([`device_item`]). A registration deletes the device of the former owner.

use super::DynamoStore;
use super::items::identifier::{push_token_item, read_push_token_owner};
use super::items::keys;
use super::items::session::device_item;
use super::items::value::text;
use super::transaction::{Commit, Subject, Transaction, malformed};
use crate::domain::device::DeviceInfo;
use crate::domain::realm::Realm;
use crate::ports::{DeviceRegistration, Devices, PortError, PushTokenOwner, RegisterDeviceOutcome};
use async_trait::async_trait;
use aws_sdk_dynamodb::types::{Delete, Put};

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

    /// Returns the action that deletes the device of a former owner.
    fn delete_device(&self, owner: &PushTokenOwner) -> Result<Delete, PortError> {
        Delete::builder()
            .table_name(&self.tables.devices)
            .key("user_id", text(owner.user.as_str()))
            .key("device_id", text(owner.device.as_str()))
            .build()
            .map_err(malformed)
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

    async fn register(
        &self,
        registration: &DeviceRegistration,
    ) -> Result<RegisterDeviceOutcome, PortError> {
        const ACTION: &str = "register a device";
        let mut transaction = Transaction::default();
        transaction.put(Subject::Owner, self.move_push_token(registration)?);
        let other = registration.owner.as_ref().filter(|owner| owner.user != registration.user);
        if let Some(owner) = other {
            transaction.delete(Subject::Other, self.delete_device(owner)?);
        }
        transaction.put(Subject::Other, self.put_device(registration)?);
        transaction.put(Subject::Other, self.put_entry(&registration.entry)?);
        let answer = registration.answer.as_ref();
        self.keep_answer(answer, registration.at, &mut transaction)?;
        let commit = self.transact(ACTION, transaction).await?;
        if matches!(commit, Commit::Done) {
            Ok(RegisterDeviceOutcome::Registered)
        } else if commit.failed_in(Subject::Owner) {
            Ok(RegisterDeviceOutcome::OwnerChanged)
        } else {
            Err(PortError::new(ACTION, "a new random id is already in use"))
        }
    }
}
