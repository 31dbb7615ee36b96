//! Devices that are registered for push messages.

use crate::{Core, Refusal};
use dynoxide::AttributeValue;
use latchkey::domain::device::DeviceInfo;
use latchkey::domain::id::UserId;
use latchkey::domain::time::Timestamp;
use latchkey::ports::Recorder;
use latchkey::ports::{Devices as _, PushTokenOwner};
use latchkey::usecases::{RegisterDevice, RegisterDeviceCommand};
use std::sync::Arc;

fn device(push_token: &str) -> DeviceInfo {
    DeviceInfo {
        push_token: Some(push_token.to_owned()),
        app: Some("shop".to_owned()),
        platform: Some("ios".to_owned()),
        ..DeviceInfo::default()
    }
}

impl Core {
    /// Registers a device with this push token for the user.
    pub async fn register_device(&self, user: &UserId, push_token: &str) -> Result<(), Refusal> {
        let register =
            RegisterDevice { devices: Arc::clone(&self.store) as _, basics: self.basics() };
        let (realm, user) = (self.realm.clone(), user.clone());
        let info = device(push_token);
        Ok(register.run(RegisterDeviceCommand { realm, user, info }, &Recorder::NONE).await?)
    }

    /// Returns the owner of a push token.
    pub async fn owner_of_push_token(&self, push_token: &str) -> Option<PushTokenOwner> {
        self.store.owner(&self.realm, &device(push_token)).await.expect("the owner")
    }

    /// Deletes the push tokens of all users, as the database does some time after their end. It may
    /// delete the devices later.
    pub fn delete_push_tokens(&self) {
        for item in self.database.items("Identifiers") {
            if let (Some(AttributeValue::S(key)), true) =
                (item.get("identifier"), item.contains_key("device_id"))
            {
                self.database.delete("Identifiers", "identifier", key);
            }
        }
    }

    /// Makes the devices of all users as large as an item of a device can get, so that the database
    /// reads them in several pages.
    pub fn enlarge_devices(&self) {
        let model = AttributeValue::S("m".repeat(300_000));
        for mut item in self.database.items("Devices") {
            item.insert("model".to_owned(), model.clone());
            self.database.put("Devices", &serde_json::to_value(item).expect("an item"));
        }
    }

    /// Removes from devices what a version before this one did not store with sessions.
    pub fn forget_ends_of_sessions(&self) {
        for attribute in ["expires_at", "method"] {
            self.database.strip("Devices", attribute);
        }
    }

    /// Returns when the devices of a user are deleted, in whole seconds.
    pub fn ends_of_devices(&self, user: &UserId) -> Vec<Timestamp> {
        let is_user = |value: &AttributeValue| matches!(value, AttributeValue::S(text) if text.as_str() == user.as_str());
        let items = self.database.items("Devices").into_iter();
        let devices = items.filter(|item| item.get("user_id").is_some_and(is_user));
        let ends = devices.filter_map(|item| match item.get("expires_at")? {
            AttributeValue::N(seconds) => Some(seconds.parse().expect("whole seconds")),
            other => panic!("{other:?} is not a number"),
        });
        ends.map(Timestamp::from_seconds).collect()
    }

    /// Returns the number of devices that a user has.
    pub fn devices_of(&self, user: &UserId) -> usize {
        let is_user = |value: &AttributeValue| matches!(value, AttributeValue::S(text) if text.as_str() == user.as_str());
        let items = self.database.items("Devices").into_iter();
        items.filter(|item| item.get("user_id").is_some_and(is_user)).count()
    }
}
