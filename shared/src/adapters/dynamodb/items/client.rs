//! Items of the table Clients.

use super::realm::{put_realm, read_realm};
use super::value::{Item, as_bytes, as_flag, as_text, as_time, bytes, flag, read, text, time};
use crate::domain::client::{Client, ClientId, ClientStatus, SecretDigest};
use crate::ports::PortError;
use aws_sdk_dynamodb::types::AttributeValue;

/// Returns the item of a client.
pub(crate) fn client_item(client: &Client) -> Item {
    let scopes = client.scopes.iter().map(text).collect();
    let mut item = Item::from([
        ("client_id".to_owned(), text(client.id.as_str())),
        ("scopes".to_owned(), AttributeValue::L(scopes)),
        ("secret_hash".to_owned(), bytes(client.secret.as_bytes())),
        ("suspended".to_owned(), flag(client.status == ClientStatus::Suspended)),
        ("created_at".to_owned(), time(client.created_at)),
    ]);
    if let Some(next) = &client.next_secret {
        item.insert("next_secret_hash".to_owned(), bytes(next.as_bytes()));
    }
    put_realm(&mut item, &client.realm);
    item
}

fn digest(value: &AttributeValue) -> Option<SecretDigest> {
    as_bytes(value).and_then(SecretDigest::from_stored)
}

fn as_status(value: &AttributeValue) -> Option<ClientStatus> {
    let suspended = as_flag(value)?;
    Some(if suspended { ClientStatus::Suspended } else { ClientStatus::Active })
}

/// Reads a client.
pub(crate) fn read_client(item: &Item) -> Result<Client, PortError> {
    let scopes = read(item, "scopes", |value| value.as_l().ok())?;
    Ok(Client {
        id: read(item, "client_id", |value| as_text(value).and_then(ClientId::parse))?,
        realm: read_realm(item)?,
        scopes: scopes.iter().filter_map(as_text).map(str::to_owned).collect(),
        secret: read(item, "secret_hash", digest)?,
        next_secret: item.get("next_secret_hash").and_then(digest),
        status: read(item, "suspended", as_status)?,
        created_at: read(item, "created_at", as_time)?,
    })
}
