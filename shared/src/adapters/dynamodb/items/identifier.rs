//! Items of the table Identifiers: what users are known by, and the owners of push tokens.

use super::keys;
use super::user::read_user_id;
use super::value::{Item, as_text, as_time, purge_time, read, text, time};
use crate::domain::id::DeviceId;
use crate::domain::identifier::Identifier;
use crate::domain::known_sources::KnownSources;
use crate::domain::user::{KnownBy, User};
use crate::ports::{DeviceRegistration, Holder, PortError, PushTokenOwner};
use aws_sdk_dynamodb::types::AttributeValue;

/// Returns the attribute value of known sources.
pub(crate) fn known_sources_value(known: &KnownSources) -> AttributeValue {
    AttributeValue::M(known.iter().map(|(mark, at)| (mark.to_owned(), time(at))).collect())
}

/// Reads the user that an identifier belongs to. An item of a version before known sources has none.
pub(crate) fn read_holder(item: &Item) -> Result<Holder, PortError> {
    let marks = item.get("known_sources").and_then(|value| value.as_m().ok());
    let marks = marks.into_iter().flatten();
    let marks = marks.filter_map(|(mark, at)| Some((mark.clone(), as_time(at)?)));
    Ok(Holder {
        user: read_user_id(item)?,
        known_sources: KnownSources::from_stored(marks),
        reserved_until: item.get("expires_at").and_then(as_time),
        is_banned: item.contains_key("banned"),
    })
}

/// Returns the item of an identifier of a user.
pub(crate) fn identifier_item(
    user: &User,
    identifier: &Identifier,
    known: Option<&KnownSources>,
) -> Item {
    let mut item = Item::from([
        ("identifier".to_owned(), text(keys::identifier(&user.realm, identifier))),
        ("user_id".to_owned(), text(user.id.as_str())),
    ]);
    let known_by = user.identifiers.find(identifier);
    if let Some(end) = known_by.and_then(KnownBy::reserved_until) {
        item.insert("expires_at".to_owned(), purge_time(end));
    }
    if let Some(known) = known {
        item.insert("known_sources".to_owned(), known_sources_value(known));
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
    item.insert("expires_at".to_owned(), purge_time(device.expires_at));
    item
}

/// Reads the owner of a push token.
pub(crate) fn read_push_token_owner(item: &Item) -> Result<PushTokenOwner, PortError> {
    let device = read(item, "device_id", |value| as_text(value).map(DeviceId::from_stored))?;
    Ok(PushTokenOwner { user: read_user_id(item)?, device })
}
