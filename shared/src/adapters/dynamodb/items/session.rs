//! Items of the tables Sessions and Devices.

use super::attributes::{attributes_value, read_attributes};
use super::user::read_user_id;
use super::value::{Item, as_text, as_time, purge_time, read, text, time};
use super::{is_over, keys};
use crate::domain::challenge::KeyId;
use crate::domain::device::{DeviceInfo, KnownDevice, NewDevice};
use crate::domain::id::{DeviceId, UserId};
use crate::domain::session::{
    ClientDevice, FamilyId, IDLE_LIFETIME, ListedSession, RefreshToken, Session, SignInMethod,
    StoredToken, TokenUse,
};
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::ports::{EndToken, PortError};
use secrecy::ExposeSecret as _;

/// Returns the item of a device.
pub(crate) fn device_item(user: &UserId, device: &NewDevice, at: Timestamp) -> Item {
    let info = &device.info;
    let described = [
        ("app", &info.app),
        ("client_device_id", &info.client_id),
        ("push_handle", &info.push_token),
        ("platform", &info.platform),
        ("model", &info.model),
        ("app_version", &info.app_version),
        ("user_agent", &info.user_agent),
    ];
    let described = described
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), text(value.as_ref()?))));
    let mut item: Item = described.collect();
    item.insert("user_id".to_owned(), text(user.as_str()));
    item.insert("device_id".to_owned(), text(device.id.as_str()));
    item.insert("created_at".to_owned(), time(at));
    item.insert("expires_at".to_owned(), purge_time(device.expires_at));
    item
}

/// Returns the item of a device with a session.
pub(crate) fn session_device_item(session: &Session, device: &NewDevice) -> Item {
    let mut item = device_item(&session.user, device, session.opened_at);
    if let Some(method) = session.method {
        item.insert("method".to_owned(), text(method.as_str()));
    }
    item
}

fn device_info(item: &Item) -> DeviceInfo {
    let optional = |name: &str| item.get(name).and_then(as_text).map(str::to_owned);
    DeviceInfo {
        client_id: optional("client_device_id"),
        push_token: optional("push_handle"),
        app: optional("app"),
        platform: optional("platform"),
        model: optional("model"),
        app_version: optional("app_version"),
        user_agent: optional("user_agent"),
    }
}

/// Returns whether an item is the device of a session, and not one that only receives push messages.
/// A version without `method` stored sessions without an end.
fn has_session(device: &Item) -> bool {
    ["method", "refreshed_at"].iter().any(|name| device.contains_key(*name))
        || !device.contains_key("expires_at")
}

/// Reads a device, with or without a session.
pub(crate) fn read_device(item: &Item) -> Result<KnownDevice, PortError> {
    Ok(KnownDevice {
        id: read_device_id(item)?,
        info: device_info(item),
        is_registered: !has_session(item),
        expires_at: item.get("expires_at").and_then(as_time),
    })
}

/// Reads the session of a device. `None` if the session is over, or if the device only receives
/// push messages.
pub(crate) fn read_listed_session(
    item: &Item,
    user: &User,
    now: Timestamp,
) -> Result<Option<ListedSession>, PortError> {
    let (opened_at, device) = (read(item, "created_at", as_time)?, read_device_id(item)?);
    let refreshed_at = item.get("refreshed_at").and_then(as_time);
    let idle_end = refreshed_at.unwrap_or(opened_at).plus(IDLE_LIFETIME);
    let is_open = has_session(item)
        && !item.contains_key("signed_out_at")
        && idle_end > now
        && user.keeps_session(&device, opened_at);
    Ok(is_open.then(|| ListedSession {
        device,
        info: device_info(item),
        method: read_method(item),
        opened_at,
        refreshed_at,
    }))
}

/// Returns whether the session on a device is open: neither it nor all sessions of the user were
/// ended.
pub(crate) fn is_open(device: &Item, user: &Item, now: Timestamp) -> Result<bool, PortError> {
    let (opened_at, id) =
        (read(device, "created_at", as_time)?, read(device, "device_id", as_text)?);
    let since = user.get("sessions_since").and_then(as_time);
    let kept = user.get("session_kept").and_then(as_text) == Some(id);
    Ok(!is_over(user, now)
        && !is_over(device, now)
        && !device.contains_key("signed_out_at")
        && (kept || since.is_none_or(|since| since <= opened_at)))
}

fn read_method(item: &Item) -> Option<SignInMethod> {
    item.get("method").and_then(as_text).and_then(SignInMethod::from_name)
}

fn read_device_id(item: &Item) -> Result<DeviceId, PortError> {
    read(item, "device_id", |value| as_text(value).map(DeviceId::from_stored))
}

/// Returns the item of a refresh token that was given out at `at`. It contains only the SHA-256 of
/// the token.
pub(crate) fn token_item(session: &Session, token: &RefreshToken, at: Timestamp) -> Item {
    let mut item = Item::from([
        ("attributes".to_owned(), attributes_value(&session.token_claims)),
        ("token_hash".to_owned(), text(keys::sha256(token.expose()))),
        ("user_id".to_owned(), text(session.user.as_str())),
        ("device_id".to_owned(), text(session.device.as_str())),
        ("family".to_owned(), text(session.family.as_str())),
        ("opened_at".to_owned(), time(session.opened_at)),
        ("expires_at".to_owned(), purge_time(at.plus(IDLE_LIFETIME))),
    ]);
    if let Some(method) = session.method {
        item.insert("method".to_owned(), text(method.as_str()));
    }
    if let Some(device) = &session.client_device {
        item.insert("client_device".to_owned(), text(device.as_str()));
    }
    item
}

/// Returns the time at which a refresh token was used. A version without `used_at` stored only the
/// end of the token, one idle lifetime later.
fn used_at(item: &Item) -> Timestamp {
    let time_in = |name: &str| item.get(name).and_then(as_time);
    let by_end = || time_in("expires_at").unwrap_or_default().minus(IDLE_LIFETIME);
    time_in("used_at").unwrap_or_else(by_end)
}

/// Returns the use of a refresh token.
pub(crate) fn token_use(item: &Item) -> TokenUse {
    match item.get("used_with").and_then(as_text) {
        _ if item.contains_key("spent") => TokenUse::Spent,
        Some(key_id) => TokenUse::Used { key_id: KeyId::new(key_id), at: used_at(item) },
        None => TokenUse::Unused,
    }
}

/// Reads a refresh token.
pub(crate) fn read_token(item: &Item) -> Result<StoredToken, PortError> {
    Ok(StoredToken {
        session: Session {
            family: read(item, "family", |value| as_text(value).map(FamilyId::from_stored))?,
            user: read_user_id(item)?,
            device: read_device_id(item)?,
            method: read_method(item),
            client_device: item
                .get("client_device")
                .and_then(as_text)
                .map(ClientDevice::from_stored),
            opened_at: read(item, "opened_at", as_time)?,
            token_claims: read_attributes(item)?,
        },
        usage: token_use(item),
        predecessor: item.get("predecessor").and_then(as_text).map(str::to_owned),
    })
}

/// Returns the item of a signed token that was ended.
pub(crate) fn ended_token_item(command: &EndToken) -> Item {
    Item::from([
        ("token_hash".to_owned(), text(keys::sha256(command.token.expose_secret()))),
        ("user_id".to_owned(), text(command.user.as_str())),
        ("signed_out_at".to_owned(), time(command.at)),
        ("expires_at".to_owned(), purge_time(command.expires_at)),
    ])
}
