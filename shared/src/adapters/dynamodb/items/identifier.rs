//! Items of the table Identifiers: what users are known by, and the owners of push tokens.

use super::keys;
use super::user::read_user_id;
use super::value::{Item, as_text, purge_time, read, text};
use crate::domain::id::DeviceId;
use crate::domain::identifier::Identifier;
use crate::domain::user::User;
use crate::ports::{DeviceRegistration, PortError, PushTokenOwner};

/// Returns the item of an identifier of a user.
pub(crate) fn identifier_item(user: &User, identifier: &Identifier) -> Item {
    let mut item = Item::from([
        ("identifier".to_owned(), text(keys::identifier(&user.realm, identifier))),
        ("user_id".to_owned(), text(user.id.as_str())),
    ]);
    if let Some(end) = user.expires_at {
        item.insert("expires_at".to_owned(), purge_time(end));
    }
    item
}

/// Returns the item of a push token.
pub(crate) fn push_token_item(registration: &DeviceRegistration) -> Item {
    let DeviceRegistration { realm, user, device, .. } = registration;
    let mut item = Item::from([
        ("identifier".to_owned(), text(keys::push_token(realm, &device.info))),
        ("user_id".to_owned(), text(user.as_str())),
        ("device_id".to_owned(), text(device.id.as_str())),
    ]);
    if let Some(end) = device.expires_at {
        item.insert("expires_at".to_owned(), purge_time(end));
    }
    item
}

/// Reads the owner of a push token.
pub(crate) fn read_push_token_owner(item: &Item) -> Result<PushTokenOwner, PortError> {
    let device = read(item, "device_id", |value| as_text(value).map(DeviceId::from_stored))?;
    Ok(PushTokenOwner { user: read_user_id(item)?, device })
}
