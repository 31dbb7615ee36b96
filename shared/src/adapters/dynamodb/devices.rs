use super::item::{as_text, purge_time, read, text};
use super::registrations::device_item;
use super::transaction::{Commit, Part, Transaction, malformed};
use super::{DynamoStore, keys};
use crate::domain::device::DeviceInfo;
use crate::domain::id::{DeviceId, UserId};
use crate::domain::realm::Realm;
use crate::ports::{DeviceRegistered, DeviceRegistration, Devices, HandleOwner, PortError};
use async_trait::async_trait;
use aws_sdk_dynamodb::types::{Delete, Put};

impl DynamoStore {
    /// The action that makes a push handle a user's, if its owner is still the one that was read.
    fn move_handle(&self, registration: &DeviceRegistration) -> Result<Put, PortError> {
        let DeviceRegistration { realm, user, device, owner, .. } = registration;
        let mut put = Put::builder()
            .table_name(&self.tables.identifiers)
            .item("identifier", text(keys::push_token(realm, &device.info)))
            .item("user_id", text(user.as_str()))
            .item("device_id", text(device.id.as_str()));
        if let Some(end) = device.expires_at {
            put = put.item("expires_at", purge_time(end));
        }
        put = match owner {
            None => put.condition_expression("attribute_not_exists(identifier)"),
            Some(owner) => put
                .condition_expression("user_id = :owner AND device_id = :device")
                .expression_attribute_values(":owner", text(owner.user.as_str()))
                .expression_attribute_values(":device", text(owner.device.as_str())),
        };
        put.build().map_err(malformed)
    }

    /// The action that takes a device from a user.
    fn delete_device(&self, owner: &HandleOwner) -> Result<Delete, PortError> {
        Delete::builder()
            .table_name(&self.tables.devices)
            .key("user_id", text(owner.user.as_str()))
            .key("device_id", text(owner.device.as_str()))
            .build()
            .map_err(malformed)
    }

    /// The action that stores a device, new or renewed.
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
    ) -> Result<Option<HandleOwner>, PortError> {
        let key = keys::push_token(realm, info);
        let key = [("identifier", key.as_str())];
        let item = self.read_item("read a push handle", &self.tables.identifiers, &key).await?;
        // An expired owner is an owner still: its device item may be there as well.
        let owner = item.map(|item| {
            Ok(HandleOwner {
                user: read(&item, "user_id", |value| as_text(value).map(UserId::from_stored))?,
                device: read(&item, "device_id", |value| {
                    as_text(value).map(DeviceId::from_stored)
                })?,
            })
        });
        owner.transpose()
    }

    async fn register(
        &self,
        registration: &DeviceRegistration,
    ) -> Result<DeviceRegistered, PortError> {
        const ACTION: &str = "register a device";
        let mut transaction = Transaction::default();
        transaction.put(Part::Owner, self.move_handle(registration)?);
        let other = registration.owner.as_ref().filter(|owner| owner.user != registration.user);
        if let Some(owner) = other {
            transaction.delete(Part::Rest, self.delete_device(owner)?);
        }
        transaction.put(Part::Rest, self.put_device(registration)?);
        transaction.put(Part::Rest, self.put_entry(&registration.entry)?);
        let commit = self.commit(ACTION, transaction).await?;
        if matches!(commit, Commit::Done) {
            Ok(DeviceRegistered::Registered)
        } else if commit.failed_in(Part::Owner) {
            Ok(DeviceRegistered::OwnerChanged)
        } else {
            Err(PortError::new(ACTION, "an id that was just made is taken"))
        }
    }
}
