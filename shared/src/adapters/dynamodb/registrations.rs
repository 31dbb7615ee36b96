use super::item::{Item, flag, purge_time, text, time};
use super::transaction::{Commit, Part, Transaction, malformed};
use super::{Store, keys};
use crate::domain::device::NewDevice;
use crate::domain::id::{UserId, hex};
use crate::domain::session::NewSession;
use crate::domain::time::Timestamp;
use crate::domain::user::NewUser;
use crate::ports::{PortError, Proof, Registered, Registration, Registrations};
use async_trait::async_trait;
use aws_sdk_dynamodb::types::{AttributeValue, Put};
use std::collections::HashMap;

/// An identifier that is free: nobody has it, or who had it has expired.
const IS_FREE: &str = "attribute_not_exists(identifier) OR expires_at <= :now";

fn user_item(user: &NewUser) -> Item {
    let (kind, value) = (user.identifier.kind(), user.identifier.as_str());
    let attributes = user.attributes.iter().map(|(name, value)| ((*name).to_owned(), text(value)));
    let mut item = Item::from([
        ("user_id".to_owned(), text(user.id.as_str())),
        ("contract".to_owned(), text(user.realm.contract())),
        (kind.to_owned(), text(value)),
        (format!("{kind}_verified"), flag(user.verified)),
        ("attributes".to_owned(), AttributeValue::M(attributes.collect())),
        ("created_at".to_owned(), time(user.created_at)),
    ]);
    if !user.realm.store().is_empty() {
        item.insert("store".to_owned(), text(user.realm.store()));
    }
    if let Some(password) = &user.password {
        item.insert("password_hash".to_owned(), text(password.expose()));
    }
    item
}

fn device_item(user: &UserId, device: &NewDevice, at: Timestamp) -> Item {
    let info = &device.info;
    let described = [
        ("client_device_id", &info.client_id),
        ("push_handle", &info.push_handle),
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
    item.insert("device_id".to_owned(), text(device.id.as_u32().to_string()));
    item.insert("created_at".to_owned(), time(at));
    item
}

/// A session; of its token only the SHA-256 is kept.
fn session_item(session: &NewSession) -> Item {
    let token = session.token.expose().as_bytes();
    let hash = ring::digest::digest(&ring::digest::SHA256, token);
    Item::from([
        ("token_hash".to_owned(), text(hex(hash.as_ref()))),
        ("user_id".to_owned(), text(session.user.as_str())),
        ("device_id".to_owned(), text(session.device.as_u32().to_string())),
        ("family".to_owned(), text(session.family.as_str())),
        ("opened_at".to_owned(), time(session.opened_at)),
        ("expires_at".to_owned(), purge_time(session.expires_at())),
    ])
}

/// Puts an item that must be new.
fn put_new(table: &str, key: &str, item: Item) -> Result<Put, PortError> {
    Put::builder()
        .table_name(table)
        .set_item(Some(item))
        .condition_expression(format!("attribute_not_exists({key})"))
        .build()
        .map_err(malformed)
}

impl Store {
    fn put_identifier(&self, user: &NewUser) -> Result<Put, PortError> {
        let identifier = keys::identifier(&user.realm, &user.identifier);
        Put::builder()
            .table_name(&self.tables.identifiers)
            .item("identifier", text(identifier))
            .item("user_id", text(user.id.as_str()))
            .condition_expression(IS_FREE)
            .set_expression_attribute_values(Some(HashMap::from([(
                ":now".to_owned(),
                time(user.created_at),
            )])))
            .build()
            .map_err(malformed)
    }
}

#[async_trait]
impl Registrations for Store {
    async fn register(&self, registration: &Registration) -> Result<Registered, PortError> {
        const ACTION: &str = "register a user";
        let Registration { proof, user, device, session, entry } = registration;
        let (at, tables) = (user.created_at, &self.tables);
        let mut transaction = Transaction::default();
        match proof {
            Proof::Code { key, nonce, guesses } => {
                transaction.update(Part::Challenge, self.consume(key, nonce, at)?);
                if let Some(budget) = guesses {
                    transaction.check(Part::Budget, self.has_room(budget)?);
                }
            }
            Proof::Nothing { budget } => {
                if let Some(budget) = budget {
                    transaction.update(Part::Budget, self.take_one(budget)?);
                }
            }
        }
        transaction.put(Part::Identifier, self.put_identifier(user)?);
        transaction.put(Part::Rest, put_new(&tables.users, "user_id", user_item(user))?);
        let device = device_item(&user.id, device, at);
        transaction.put(Part::Rest, put_new(&tables.devices, "user_id", device)?);
        let session = session_item(session);
        transaction.put(Part::Rest, put_new(&tables.sessions, "token_hash", session)?);
        transaction.put(Part::Rest, self.put_entry(entry)?);
        let commit = self.commit(ACTION, transaction).await?;
        if matches!(commit, Commit::Done) {
            Ok(Registered::Registered)
        } else if commit.failed_in(Part::Challenge) {
            Ok(Registered::ChallengeLost)
        } else if commit.failed_in(Part::Budget) {
            Ok(Registered::BudgetSpent)
        } else if commit.failed_in(Part::Identifier) {
            Ok(Registered::Taken)
        } else {
            Err(PortError::new(ACTION, "an id that was just made is taken"))
        }
    }
}
