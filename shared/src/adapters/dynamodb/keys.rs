//! Every key format, in one place.

use crate::domain::challenge::ChallengeKey;
use crate::domain::identifier::Identifier;
use crate::domain::realm::Realm;

/// `gotu`, or `contract#store` for a contract with stores.
fn realm_prefix(realm: &Realm) -> String {
    match realm.store() {
        "" => realm.contract().to_owned(),
        store => format!("{}#{store}", realm.contract()),
    }
}

/// `gotu#phone#+6282243350992`: what must be unique.
pub(super) fn identifier(realm: &Realm, identifier: &Identifier) -> String {
    format!("{}#{}#{}", realm_prefix(realm), identifier.kind(), identifier.as_str())
}

/// `gotu#sign_up#phone#+6282243350992`: one challenge for each contract, store, purpose and
/// recipient.
pub(super) fn challenge(key: &ChallengeKey) -> String {
    let (purpose, recipient) = (key.purpose.as_str(), &key.recipient);
    let realm = realm_prefix(&key.realm);
    format!("{realm}#{purpose}#{}#{}", recipient.kind(), recipient.as_str())
}

/// `gotu#device`: the sequence of a contract's device ids.
pub(super) fn device_sequence(realm: &Realm) -> String {
    format!("{}#device", realm.contract())
}
