//! Clients in the table Clients (README.md, "Clients").

use super::DynamoStore;
use super::item::{Item, as_bytes, as_flag, as_text, as_time, bytes, flag, read, text, time};
use super::outbox::read_realm;
use super::transaction::{Commit, Subject, Transaction, malformed, put_new};
use crate::domain::client::{Client, ClientId, ClientStatus, SecretDigest, WhichSecret};
use crate::ports::{ChangeClientOutcome, ClientChange, Clients, PortError};
use async_trait::async_trait;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure, Update};

/// The condition that the client exists and belongs to the contract.
const IS_CLIENT: &str = "contract = :contract";

fn client_item(client: &Client) -> Item {
    let scopes = client.scopes.iter().map(text).collect();
    let mut item = Item::from([
        ("client_id".to_owned(), text(client.id.as_str())),
        ("contract".to_owned(), text(client.realm.contract())),
        ("scopes".to_owned(), AttributeValue::L(scopes)),
        ("secret_hash".to_owned(), bytes(client.secret.as_bytes())),
        ("suspended".to_owned(), flag(client.status == ClientStatus::Suspended)),
        ("created_at".to_owned(), time(client.created_at)),
    ]);
    if let Some(next) = &client.next_secret {
        item.insert("next_secret_hash".to_owned(), bytes(next.as_bytes()));
    }
    if let Some(shop) = client.realm.shop() {
        item.insert("store".to_owned(), text(shop));
    }
    item
}

fn digest(value: &AttributeValue) -> Option<SecretDigest> {
    as_bytes(value).and_then(SecretDigest::from_stored)
}

fn as_status(value: &AttributeValue) -> Option<ClientStatus> {
    let suspended = as_flag(value)?;
    Some(if suspended { ClientStatus::Suspended } else { ClientStatus::Active })
}

fn read_client(item: &Item) -> Result<Client, PortError> {
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

impl DynamoStore {
    /// Returns the action that changes a client.
    fn change_client(
        &self,
        contract: &str,
        id: &ClientId,
        change: &ClientChange,
    ) -> Result<Update, PortError> {
        let (update, secrets) = match change {
            ClientChange::AddSecret(_) => {
                ("SET next_secret_hash = :secret", "attribute_not_exists(next_secret_hash)")
            }
            ClientChange::RetireSecret(WhichSecret::Old) => (
                "SET secret_hash = next_secret_hash REMOVE next_secret_hash",
                "attribute_exists(next_secret_hash)",
            ),
            ClientChange::RetireSecret(WhichSecret::New) => {
                ("REMOVE next_secret_hash", "attribute_exists(next_secret_hash)")
            }
            ClientChange::SetStatus(_) => {
                ("SET suspended = :suspended", "attribute_exists(client_id)")
            }
        };
        let action = Update::builder()
            .table_name(&self.tables.clients)
            .key("client_id", text(id.as_str()))
            .update_expression(update)
            .condition_expression(format!("{IS_CLIENT} AND {secrets}"))
            .expression_attribute_values(":contract", text(contract));
        let action = match change {
            ClientChange::AddSecret(digest) => {
                action.expression_attribute_values(":secret", bytes(digest.as_bytes()))
            }
            ClientChange::RetireSecret(_) => action,
            ClientChange::SetStatus(status) => action.expression_attribute_values(
                ":suspended",
                flag(*status == ClientStatus::Suspended),
            ),
        };
        action
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
            .map_err(malformed)
    }
}

#[async_trait]
impl Clients for DynamoStore {
    async fn find(&self, id: &ClientId) -> Result<Option<Client>, PortError> {
        let key = [("client_id", id.as_str())];
        let item = self.read_item("read a client", &self.tables.clients, &key).await?;
        item.as_ref().map(read_client).transpose()
    }

    async fn create(&self, client: &Client) -> Result<(), PortError> {
        const ACTION: &str = "store a client";
        // This is a transaction with one action for the sake of its client request token: the
        // secret is shown only once, so a lost reply must not become a failure.
        let mut transaction = Transaction::default();
        let put = put_new(&self.tables.clients, "client_id", client_item(client))?;
        transaction.put(Subject::Other, put);
        match self.commit(ACTION, transaction).await? {
            Commit::Done => Ok(()),
            Commit::Failed(_) => Err(PortError::new(ACTION, "a new random id is already in use")),
        }
    }

    async fn change(
        &self,
        contract: &str,
        id: &ClientId,
        change: &ClientChange,
    ) -> Result<ChangeClientOutcome, PortError> {
        let mut transaction = Transaction::default();
        transaction.update(Subject::Other, self.change_client(contract, id, change)?);
        Ok(match self.commit("change a client", transaction).await? {
            Commit::Done => ChangeClientOutcome::Changed,
            Commit::Failed(failures) => {
                let found = failures.into_iter().find_map(|(_, item)| item);
                let of_contract = |item: &Item| {
                    item.get("contract").and_then(as_text).is_some_and(|found| found == contract)
                };
                if found.as_ref().is_some_and(of_contract) {
                    ChangeClientOutcome::WrongNumberOfSecrets
                } else {
                    ChangeClientOutcome::Unknown
                }
            }
        })
    }
}
