//! New accounts, in the tables Users, Identifiers, Devices, Sessions and Ledger (README.md, the
//! sections of these names).

use super::item::{Item, flag, number, purge_time, text, time};
use super::transaction::{Commit, Subject, Transaction, malformed, put_new};
use super::{DynamoStore, keys};
use crate::domain::device::NewDevice;
use crate::domain::id::UserId;
use crate::domain::identifier::Identifier;
use crate::domain::session::NewSession;
use crate::domain::time::Timestamp;
use crate::domain::user::{KnownBy, NewUser};
use crate::domain::wallet::Credit;
use crate::ports::{PortError, Proof, RegisterOutcome, Registration, Registrations};
use async_trait::async_trait;
use aws_sdk_dynamodb::types::{AttributeValue, Put};
use std::collections::HashMap;

/// The condition that an identifier belongs to no user, or to one that has expired.
const IS_FREE: &str = "attribute_not_exists(identifier) OR expires_at <= :now";

fn user_item(user: &NewUser) -> Item {
    let attributes = user.attributes.iter().map(|(name, value)| (name.clone(), text(value)));
    let mut item = Item::from([
        ("user_id".to_owned(), text(user.id.as_str())),
        ("contract".to_owned(), text(user.realm.contract())),
        ("attributes".to_owned(), AttributeValue::M(attributes.collect())),
        ("created_at".to_owned(), time(user.created_at)),
    ]);
    for KnownBy { identifier, verified } in user.identifiers.iter() {
        let kind = identifier.kind();
        item.insert(kind.to_owned(), text(identifier.as_written()));
        if identifier.receives_codes() {
            item.insert(format!("{kind}_verified"), flag(*verified));
        }
    }
    if let Some(shop) = user.realm.shop() {
        item.insert("store".to_owned(), text(shop));
    }
    if let Some(end) = user.expires_at {
        item.insert("expires_at".to_owned(), purge_time(end));
    }
    if let Some(password) = &user.password {
        item.insert("password_hash".to_owned(), text(password.expose()));
    }
    item
}

/// Returns the item of a device.
pub(super) fn device_item(user: &UserId, device: &NewDevice, at: Timestamp) -> Item {
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
    if let Some(end) = device.expires_at {
        item.insert("expires_at".to_owned(), purge_time(end));
    }
    item
}

/// Returns the item of a session's first refresh token. It contains only the SHA-256 of the token.
pub(super) fn session_item(session: &NewSession) -> Item {
    let token_claims = session.token_claims.iter().map(|(name, value)| (name.clone(), text(value)));
    Item::from([
        ("attributes".to_owned(), AttributeValue::M(token_claims.collect())),
        ("token_hash".to_owned(), text(keys::sha256(session.token.expose()))),
        ("user_id".to_owned(), text(session.user.as_str())),
        ("device_id".to_owned(), text(session.device.as_str())),
        ("family".to_owned(), text(session.family.as_str())),
        ("opened_at".to_owned(), time(session.opened_at)),
        ("expires_at".to_owned(), purge_time(session.expires_at())),
    ])
}

/// Returns the item of a ledger entry.
fn credit_item(user: &UserId, credit: &Credit) -> Item {
    Item::from([
        ("user_id".to_owned(), text(user.as_str())),
        ("entry_id".to_owned(), text(&credit.entry)),
        ("points".to_owned(), number(credit.points)),
        ("source".to_owned(), text(credit.source)),
        ("created_at".to_owned(), time(credit.at)),
    ])
}

impl DynamoStore {
    /// Adds the actions that use up a proof.
    pub(super) fn put_proof(
        &self,
        proof: &Proof,
        at: Timestamp,
        transaction: &mut Transaction,
    ) -> Result<(), PortError> {
        match proof {
            Proof::Code { key, nonce, handle, guesses } => {
                transaction.update(Subject::Challenge, self.consume(key, nonce, at)?);
                if let Some(handle) = handle {
                    transaction.update(Subject::Challenge, self.consume_handle(handle, nonce)?);
                }
                if let Some(budget) = guesses {
                    transaction.check(Subject::Budget, self.has_room(budget)?);
                }
            }
            Proof::Nothing { budget } => {
                if let Some(budget) = budget {
                    transaction.update(Subject::Budget, self.take_one(budget)?);
                }
            }
        }
        Ok(())
    }

    /// Adds the actions that assign identifiers to a new user, if they are free.
    pub(super) fn put_identifiers(
        &self,
        user: &NewUser,
        transaction: &mut Transaction,
    ) -> Result<(), PortError> {
        for (number, known) in user.identifiers.iter().enumerate() {
            let put = self.put_identifier(user, &known.identifier)?;
            transaction.put(Subject::Identifier(number), put);
        }
        Ok(())
    }

    fn put_identifier(&self, user: &NewUser, identifier: &Identifier) -> Result<Put, PortError> {
        let mut item = Item::from([
            ("identifier".to_owned(), text(keys::identifier(&user.realm, identifier))),
            ("user_id".to_owned(), text(user.id.as_str())),
        ]);
        if let Some(end) = user.expires_at {
            item.insert("expires_at".to_owned(), purge_time(end));
        }
        Put::builder()
            .table_name(&self.tables.identifiers)
            .set_item(Some(item))
            .condition_expression(IS_FREE)
            .set_expression_attribute_values(Some(HashMap::from([(
                ":now".to_owned(),
                time(user.created_at),
            )])))
            .build()
            .map_err(malformed)
    }
}

impl DynamoStore {
    /// Returns the action that writes a user.
    pub(super) fn put_user(&self, user: &NewUser) -> Result<Put, PortError> {
        put_new(&self.tables.users, "user_id", user_item(user))
    }
}

#[async_trait]
impl Registrations for DynamoStore {
    async fn register(&self, registration: &Registration) -> Result<RegisterOutcome, PortError> {
        const ACTION: &str = "register a user";
        let Registration { proof, user, device, session, credit, entry } = registration;
        let (at, tables) = (user.created_at, &self.tables);
        let mut transaction = Transaction::default();
        self.put_proof(proof, at, &mut transaction)?;
        self.put_identifiers(user, &mut transaction)?;
        transaction.put(Subject::Other, self.put_user(user)?);
        if let Some(device) = device {
            let device = device_item(&user.id, device, at);
            transaction.put(Subject::Other, put_new(&tables.devices, "user_id", device)?);
        }
        if let Some(session) = session {
            let session = session_item(session);
            transaction.put(Subject::Other, put_new(&tables.sessions, "token_hash", session)?);
        }
        if let Some(credit) = credit {
            let credit = credit_item(&user.id, credit);
            transaction.put(Subject::Other, put_new(&tables.ledger, "user_id", credit)?);
        }
        transaction.put(Subject::Other, self.put_entry(entry)?);
        let commit = self.commit(ACTION, transaction).await?;
        if matches!(commit, Commit::Done) {
            Ok(RegisterOutcome::Registered)
        } else if commit.failed_in(Subject::Challenge) {
            Ok(RegisterOutcome::ChallengeLost)
        } else if commit.failed_in(Subject::Budget) {
            Ok(RegisterOutcome::BudgetSpent)
        } else if commit.failed_in(Subject::Other) {
            Err(PortError::new(ACTION, "a new random id is already in use"))
        } else {
            let taken = commit.failed_identifiers();
            let taken = taken.filter_map(|number| user.identifiers.iter().nth(number));
            Ok(RegisterOutcome::Taken(taken.map(|known| known.identifier.clone()).collect()))
        }
    }
}
