//! The realm of an item.

use super::value::{Item, as_text, read, text};
use crate::domain::realm::Realm;
use crate::ports::PortError;

/// Adds the attributes that name a realm.
pub(crate) fn put_realm(item: &mut Item, realm: &Realm) {
    item.insert("contract".to_owned(), text(realm.contract()));
    if let Some(shop) = realm.shop() {
        item.insert("store".to_owned(), text(shop));
    }
}

/// Reads the realm of an item.
pub(crate) fn read_realm(item: &Item) -> Result<Realm, PortError> {
    let contract = read(item, "contract", as_text)?;
    Ok(match item.get("store").and_then(as_text) {
        Some(shop) => Realm::of_shop(contract, shop),
        None => Realm::of_contract(contract),
    })
}
