//! The ports of storage, implemented with DynamoDB.
//!
//! Each method of a port is one request or one transaction with named outcomes. DynamoDB deletes
//! expired items up to days late, so reads and conditions compare `expires_at` with the current
//! time. The data model below describes the items; [`items`] writes and reads them.
//!
#![doc = include_str!("README.md")]

mod accounts;
mod answers;
mod audit;
mod budgets;
mod challenges;
mod clients;
mod counted_use;
mod deliveries;
mod devices;
mod erasure;
mod histories;
mod imports;
mod items;
mod outbox;
mod password_attempts;
mod pauses;
mod people;
mod reads;
mod refresh_tokens;
mod sequence_ids;
mod sessions;
mod standings;
mod transaction;
mod user_update;
mod users;
mod versions;

use super::aws::{Aws, RetryMode, client, port_error};
use crate::ports::{Entropy, PortError, chain};
use aws_sdk_dynamodb::Client;
use counted_use::CountedUses;
use items::value::text;
use std::sync::Arc;

pub use histories::DynamoHistories;
pub use sequence_ids::DynamoSequenceIds;

/// The condition that a user or an identifier belongs to the given user and has not expired.
const IS_ALIVE: &str =
    "user_id = :user AND (attribute_not_exists(expires_at) OR expires_at > :now)";

/// The names of the tables.
#[derive(Clone, Debug)]
pub struct TableNames {
    /// The users, by id; see `users` and `user_update`.
    pub users: String,
    /// The owners of identifiers and of push tokens; see `accounts` and `devices`.
    pub identifiers: String,
    /// The challenges and handles; see `challenges`.
    pub challenges: String,
    /// The devices, by user; see `accounts`, `devices` and `sessions`.
    pub devices: String,
    /// The refresh tokens and the ended signed tokens, by their SHA-256; see `refresh_tokens` and
    /// `sessions`.
    pub sessions: String,
    /// The budgets and the password attempts; see `budgets` and `password_attempts`.
    pub budgets: String,
    /// The credits of wallets, by user; see `accounts`.
    pub ledger: String,
    /// The clients, by id; see `clients`.
    pub clients: String,
    /// The answers to requests with idempotency keys; see `answers`.
    pub answers: String,
    /// The effects to deliver; see `outbox`.
    pub outbox: String,
    /// The sent messages, and recipients that are left alone; see `deliveries`.
    pub deliveries: String,
    /// What happened to recipients and users; see `histories`.
    pub histories: String,
    /// The sequences of integer ids; see `sequence_ids`.
    pub sequences: String,
    /// What operators did; see `audit`.
    pub audit: String,
}

/// The DynamoDB client and the names of the tables.
#[derive(Clone)]
pub struct DynamoStore {
    client: Client,
    tables: Arc<TableNames>,
    entropy: Arc<dyn Entropy>,
    uses: Arc<CountedUses>,
}

impl DynamoStore {
    /// Creates the client. It opens no connection.
    ///
    /// # Errors
    /// The random source failed.
    pub fn new(
        aws: &Aws,
        tables: TableNames,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, PortError> {
        Ok(Self {
            uses: Arc::new(CountedUses::new(&*entropy)?),
            client: client!(aws_sdk_dynamodb, aws, "DYNAMODB", RetryMode::WaitOut),
            tables: Arc::new(tables),
            entropy,
        })
    }

    /// Opens the connection before the first request, by reading a challenge that does not exist. A
    /// failure is only logged, because the first request opens the connection again.
    pub async fn warm_up(&self) {
        let get = self.client.get_item().table_name(&self.tables.challenges);
        let get = get.key("challenge_id", text("warm-up"));
        if let Err(error) = get.send().await {
            let error = chain(&port_error("connect to the database", &error));
            tracing::warn!(error, "the database did not answer at the start");
        }
    }
}
