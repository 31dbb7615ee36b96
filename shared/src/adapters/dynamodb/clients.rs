//! Clients in the table Clients (README.md, "Clients").

use super::DynamoStore;
use super::items::client::{client_item, read_client};
use super::items::value::{Item, as_text, bytes, flag, text};
use super::transaction::{Commit, Subject, Transaction, malformed, put_new};
use crate::adapters::aws::port_error;
use crate::domain::client::{Client, ClientId, ClientStatus, WhichSecret};
use crate::ports::{ChangeClientOutcome, ClientChange, Clients, CreateClientOutcome, PortError};
use async_trait::async_trait;
use aws_sdk_dynamodb::types::{
    ReturnConsumedCapacity, ReturnValuesOnConditionCheckFailure, Update,
};

/// The condition that the client exists and belongs to the contract.
const IS_CLIENT: &str = "contract = :contract";

impl DynamoStore {
    /// Returns the action that changes a client.
    fn change_client(
        &self,
        contract: &str,
        id: &ClientId,
        change: &ClientChange,
    ) -> Result<Update, PortError> {
        let (update, secrets) = match change {
            ClientChange::AddSecret(_) => (
                "SET next_secret_hash = :secret",
                "(attribute_not_exists(next_secret_hash) OR next_secret_hash = :secret)",
            ),
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

    async fn list(&self) -> Result<Vec<Client>, PortError> {
        let scan = self
            .client
            .scan()
            .table_name(&self.tables.clients)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let mut pages = scan.into_paginator().send();
        let mut clients = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| port_error("list the clients", &error))?;
            for item in page.items() {
                clients.push(read_client(item)?);
            }
        }
        Ok(clients)
    }

    async fn create(&self, client: &Client) -> Result<CreateClientOutcome, PortError> {
        const ACTION: &str = "store a client";
        // This is a transaction with one action for the sake of its client request token: the
        // secret is shown only once, so a lost reply must not become a failure.
        let mut transaction = Transaction::default();
        let put = put_new(&self.tables.clients, "client_id", client_item(client))?;
        transaction.put(Subject::Other, put);
        match self.transact(ACTION, transaction).await? {
            Commit::Done => Ok(CreateClientOutcome::Created),
            Commit::Failed(_) => {
                let known = self.find(&client.id).await?;
                let known = known.ok_or_else(|| PortError::new(ACTION, "it was deleted meanwhile"));
                known.map(CreateClientOutcome::Exists)
            }
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
        Ok(match self.transact("change a client", transaction).await? {
            Commit::Done => ChangeClientOutcome::Changed,
            Commit::Failed(failures) => {
                let found = failures.into_iter().find_map(|failure| failure.item);
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
