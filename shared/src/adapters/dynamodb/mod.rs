//! The store: DynamoDB.
//!
//! Every method of a port is one request, or one transaction with named outcomes. Everything that
//! has an end carries `expires_at > now` in its condition, because DynamoDB deletes expired items
//! up to days late.

mod budgets;
mod challenges;
mod clients;
mod devices;
mod item;
mod keys;
mod outbox;
mod registrations;
mod sequence_ids;
mod sessions;
mod transaction;
mod users;
mod verifiable_registrations;

use super::aws::{Aws, Pace, client, failed};
use crate::ports::{Entropy, PortError, chain};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::ReturnConsumedCapacity;
use item::{Item, text};
use std::sync::Arc;

pub use sequence_ids::DynamoSequenceIds;

/// The names of the tables.
#[derive(Clone, Debug)]
pub struct TableNames {
    /// Users by id.
    pub users: String,
    /// Who is known by what.
    pub identifiers: String,
    /// Codes that were sent, and the send counters.
    pub challenges: String,
    /// Devices by user.
    pub devices: String,
    /// Sessions by the hash of their refresh token.
    pub sessions: String,
    /// Counters per source and hour.
    pub budgets: String,
    /// Points credited to wallets.
    pub ledger: String,
    /// Programs that call on behalf of a store.
    pub clients: String,
    /// Effects to deliver.
    pub outbox: String,
    /// The next integer ids.
    pub sequences: String,
}

/// The tables, and one client for all of them.
#[derive(Clone)]
pub struct DynamoStore {
    client: Client,
    tables: Arc<TableNames>,
    entropy: Arc<dyn Entropy>,
}

impl DynamoStore {
    /// A store; nothing is opened yet.
    #[must_use]
    pub fn new(aws: &Aws, tables: TableNames, entropy: Arc<dyn Entropy>) -> Self {
        Self {
            client: client!(aws_sdk_dynamodb, aws, "DYNAMODB", Pace::Repeat),
            tables: Arc::new(tables),
            entropy,
        }
    }

    /// The item that has this key now, if there is one.
    async fn read_item(
        &self,
        action: &'static str,
        table: &str,
        key: &[(&str, &str)],
    ) -> Result<Option<Item>, PortError> {
        let key = key.iter().map(|(name, value)| ((*name).to_owned(), text(*value))).collect();
        let get = self.client.get_item().table_name(table).set_key(Some(key));
        let get = get.consistent_read(true).return_consumed_capacity(ReturnConsumedCapacity::Total);
        Ok(get.send().await.map_err(|error| failed(action, &error))?.item)
    }

    /// Opens the connection by reading a challenge that does not exist, so that the first request
    /// finds it open. A failure is logged and otherwise ignored: the first request tries again.
    pub async fn warm_up(&self) {
        let get = self.client.get_item().table_name(&self.tables.challenges);
        let get = get.key("challenge_id", text("warm-up"));
        if let Err(error) = get.send().await {
            let error = chain(&failed("open the store", &error));
            tracing::warn!(error, "the store did not answer while starting");
        }
    }
}
