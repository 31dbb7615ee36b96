//! Items of the table Users.

use super::attributes::{attributes_value, read_attributes};
use super::realm::{put_realm, read_realm};
use super::value::{Item, as_flag, as_text, as_time, flag, purge_time, read, text, time};
use crate::domain::id::{DeviceId, UserId};
use crate::domain::identifier::{Identifier, IdentifierKind};
use crate::domain::password::PasswordHash;
use crate::domain::time::Timestamp;
use crate::domain::user::{Identifiers, KnownBy, User};
use crate::ports::PortError;

/// The attribute that says whether an identifier of this kind is verified.
pub(crate) fn verified_flag(kind: IdentifierKind) -> String {
    format!("{}_verified", kind.as_str())
}

/// The attribute with the time at which an identifier of this kind was verified.
pub(crate) fn verified_time(kind: IdentifierKind) -> String {
    format!("{}_verified_at", kind.as_str())
}

/// The attribute with the time at which an unverified identifier of this kind is free again.
pub(crate) fn reserved_time(kind: IdentifierKind) -> String {
    format!("{}_reserved_until", kind.as_str())
}

/// Returns the item of a new user.
pub(crate) fn user_item(user: &User) -> Item {
    let mut item = Item::from([
        ("user_id".to_owned(), text(user.id.as_str())),
        ("attributes".to_owned(), attributes_value(&user.attributes)),
        ("created_at".to_owned(), time(user.created_at)),
    ]);
    put_realm(&mut item, &user.realm);
    for known in user.identifiers.iter() {
        let (identifier, kind) = (&known.identifier, known.identifier.kind());
        item.insert(kind.as_str().to_owned(), text(identifier.as_written()));
        if identifier.receives_codes() {
            item.insert(verified_flag(kind), flag(known.is_verified()));
        }
        if let Some(at) = known.verified_at() {
            item.insert(verified_time(kind), time(at));
        }
        if let Some(end) = known.reserved_until() {
            item.insert(reserved_time(kind), purge_time(end));
        }
    }
    if let Some(end) = user.expires_at {
        item.insert("expires_at".to_owned(), purge_time(end));
    }
    if let Some(password) = &user.password {
        item.insert("password_hash".to_owned(), text(password.expose()));
    }
    item
}

/// Reads an identifier of this kind. A user whose identifier was verified by a version that stored
/// no time has verified it at the sign-up.
fn known_by(item: &Item, kind: IdentifierKind, created_at: Timestamp) -> Option<KnownBy> {
    let identifier =
        Identifier::from_parts(kind.as_str(), item.get(kind.as_str()).and_then(as_text)?)?;
    let verified = item.get(&verified_flag(kind)).and_then(as_flag).unwrap_or(false);
    let at = item.get(&verified_time(kind)).and_then(as_time).unwrap_or(created_at);
    let reserved_until = item.get(&reserved_time(kind)).and_then(as_time);
    Some(KnownBy::from_stored(identifier, verified.then_some(at), reserved_until))
}

/// Reads a user, without the identifiers that are free again at `now`: they may belong to another
/// user.
pub(crate) fn read_user(item: &Item, now: Timestamp) -> Result<User, PortError> {
    let created_at = read(item, "created_at", as_time)?;
    let known_by =
        IdentifierKind::ALL.into_iter().filter_map(|kind| known_by(item, kind, created_at));
    let known_by = known_by.filter(|known| known.is_kept(now));
    let optional_time = |name: &str| item.get(name).and_then(as_time);
    let password = item.get("password_hash").and_then(as_text);
    let kept = item.get("session_kept").and_then(as_text);
    Ok(User {
        id: read_user_id(item)?,
        realm: read_realm(item)?,
        identifiers: Identifiers::new(known_by.collect()),
        attributes: read_attributes(item)?,
        password: password.map(|phc| PasswordHash::new(phc.to_owned())),
        created_at,
        expires_at: optional_time("expires_at"),
        last_active_at: optional_time("last_active_at"),
        password_changed_at: optional_time("password_changed_at"),
        sessions_since: optional_time("sessions_since"),
        session_kept: kept.map(DeviceId::from_stored),
        banned_at: optional_time("banned_at"),
    })
}

/// Reads the user that an item belongs to.
pub(crate) fn read_user_id(item: &Item) -> Result<UserId, PortError> {
    read(item, "user_id", |value| as_text(value).map(UserId::from_stored))
}
