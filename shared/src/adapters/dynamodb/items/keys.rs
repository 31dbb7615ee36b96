//! The formats of the table keys.

use crate::domain::challenge::{ChallengeHandle, ChallengeKey, Lane};
use crate::domain::device::DeviceInfo;
use crate::domain::id::{Sequence, UserId, hex};
use crate::domain::identifier::Identifier;
use crate::domain::known_sources::SourcePart;
use crate::domain::password_attempts::AttemptSubject;
use crate::domain::realm::Realm;

/// `contract`, or `contract#shop` for a contract with shops.
fn realm_prefix(realm: &Realm) -> String {
    match realm.shop() {
        None => realm.contract().to_owned(),
        Some(shop) => format!("{}#{shop}", realm.contract()),
    }
}

/// `contract#phone#+6282243350992`: an identifier that must be unique in its realm.
pub(crate) fn identifier(realm: &Realm, identifier: &Identifier) -> String {
    format!("{}#{}#{}", realm_prefix(realm), identifier.kind().as_str(), identifier.as_str())
}

/// `attempts#<user id>`: the password attempts for an account; with `#network` or `#device` at the end,
/// those of the sources that it knows by it. `attempts#<SHA-256 of the identifier>`: those for an unknown identifier,
/// which is not stored itself.
pub(crate) fn attempts(at: &AttemptSubject) -> String {
    match at {
        AttemptSubject::Account(user) => format!("attempts#{}", user.as_str()),
        AttemptSubject::AccountFromKnown(user, SourcePart::Network) => {
            format!("attempts#{}#network", user.as_str())
        }
        AttemptSubject::AccountFromKnown(user, SourcePart::Device) => {
            format!("attempts#{}#device", user.as_str())
        }
        AttemptSubject::UnknownIdentifier(realm, identifier) => {
            format!("attempts#{}", sha256(&self::identifier(realm, identifier)))
        }
    }
}

/// `contract#sign_up#phone#+6282243350992`: the challenge of a realm, purpose and recipient, for any
/// source. Another lane is part of the purpose: `contract#sign_up:device#phone#+6282243350992`.
pub(crate) fn challenge(key: &ChallengeKey) -> String {
    let (purpose, recipient) = (key.purpose.as_str(), &key.recipient);
    let lane = match key.lane {
        Lane::Strangers => String::new(),
        lane => format!(":{}", lane.as_str()),
    };
    let realm = realm_prefix(&key.realm);
    format!("{realm}#{purpose}{lane}#{}#{}", recipient.kind().as_str(), recipient.as_str())
}

/// `handle#<SHA-256 of the handle>`: a handle of a client.
pub(crate) fn handle(handle: &ChallengeHandle) -> String {
    handle_of_digest(&handle_digest(handle))
}

/// Returns the SHA-256 of a handle.
pub(crate) fn handle_digest(handle: &ChallengeHandle) -> Vec<u8> {
    ring::digest::digest(&ring::digest::SHA256, handle.expose().as_bytes()).as_ref().to_vec()
}

/// Returns the key of the handle with this SHA-256.
pub(crate) fn handle_of_digest(digest: &[u8]) -> String {
    format!("handle#{}", hex(digest))
}

/// `contract#handle#<app>#<platform>#<SHA-256 of the push token>`: a push token.
pub(crate) fn push_token(realm: &Realm, info: &DeviceInfo) -> String {
    let part = |value: &Option<String>| value.clone().unwrap_or_default();
    let hash = sha256(&part(&info.push_token));
    format!("{}#handle#{}#{}#{hash}", realm_prefix(realm), part(&info.app), part(&info.platform))
}

/// `contract#arrived#<SHA-256 of the user's id>`: that a user came from another system.
pub(crate) fn arrival(realm: &Realm, user: &UserId) -> String {
    format!("{}#arrived#{}", realm_prefix(realm), sha256(user.as_str()))
}

/// `contract#device`: a sequence of integer ids.
pub(crate) fn sequence(realm: &Realm, sequence: Sequence) -> String {
    format!("{}#{}", realm.contract(), sequence.as_str())
}

/// Returns the SHA-256 of a text in hex.
pub(crate) fn sha256(text: &str) -> String {
    hex(ring::digest::digest(&ring::digest::SHA256, text.as_bytes()).as_ref())
}
