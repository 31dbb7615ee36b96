//! Every key format, in one place.

use crate::domain::challenge::{ChallengeHandle, ChallengeKey};
use crate::domain::device::DeviceInfo;
use crate::domain::id::{Sequence, hex};
use crate::domain::identifier::Identifier;
use crate::domain::password_attempts::AttemptsAt;
use crate::domain::realm::Realm;

/// `contract`, or `contract#store` for a contract with stores.
fn realm_prefix(realm: &Realm) -> String {
    match realm.shop() {
        "" => realm.contract().to_owned(),
        store => format!("{}#{store}", realm.contract()),
    }
}

/// `contract#phone#+6282243350992`: what must be unique.
pub(super) fn identifier(realm: &Realm, identifier: &Identifier) -> String {
    format!("{}#{}#{}", realm_prefix(realm), identifier.kind(), identifier.as_str())
}

/// `attempts#<user id>`: the attempts at an account's password; `attempts#<sha256 of the identifier>`: those
/// at nobody's, whose name is not kept.
pub(super) fn attempts(at: &AttemptsAt) -> String {
    match at {
        AttemptsAt::Account(user) => format!("attempts#{}", user.as_str()),
        AttemptsAt::Nobody(realm, identifier) => {
            format!("attempts#{}", sha256(&self::identifier(realm, identifier)))
        }
    }
}

/// `contract#sign_up#phone#+6282243350992`: one challenge for each contract, store, purpose and
/// recipient.
pub(super) fn challenge(key: &ChallengeKey) -> String {
    let (purpose, recipient) = (key.purpose.as_str(), &key.recipient);
    let realm = realm_prefix(&key.realm);
    format!("{realm}#{purpose}#{}#{}", recipient.kind(), recipient.as_str())
}

/// `handle#<sha256 of the handle>`: the challenge that a client's handle stands for.
pub(super) fn handle(handle: &ChallengeHandle) -> String {
    format!("handle#{}", sha256(handle.expose()))
}

/// `contract#handle#<app>#<platform>#<sha256 of the push handle>`: whose a push handle is.
pub(super) fn push_token(realm: &Realm, info: &DeviceInfo) -> String {
    let part = |value: &Option<String>| value.clone().unwrap_or_default();
    let hash = sha256(&part(&info.push_token));
    format!("{}#handle#{}#{}#{hash}", realm_prefix(realm), part(&info.app), part(&info.platform))
}

/// `contract#device`: a sequence of a contract's integer ids.
pub(super) fn sequence(realm: &Realm, sequence: Sequence) -> String {
    format!("{}#{}", realm.contract(), sequence.as_str())
}

/// The SHA-256 of a text, in hex.
pub(super) fn sha256(text: &str) -> String {
    hex(ring::digest::digest(&ring::digest::SHA256, text.as_bytes()).as_ref())
}
