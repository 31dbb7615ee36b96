//! The histories of recipients and users, in the table Histories.

use super::deliveries::late;
use super::items::history::{day_key, history_end, history_item, read_history};
use super::items::value::{Item, as_time, number, text, time};
use super::{DynamoStore, port_error};
use crate::adapters::key_ring::{KeyRing, Ring};
use crate::domain::history::{Counted, HISTORY_LIFETIME, HistoryItem, HistoryOf};
use crate::domain::time::Timestamp;
use crate::ports::{Histories, PortError};
use async_trait::async_trait;
use aws_sdk_dynamodb::types::ReturnConsumedCapacity;
use data_encoding::HEXLOWER;
use ring::hmac;
use secrecy::{ExposeSecret as _, SecretString};
use std::sync::Arc;
use std::time::Duration;

/// The bytes of a hash: enough that no two people of all meet.
const BYTES: usize = 16;
/// What the message of the MAC begins with. The ring has other uses.
const LABEL: &str = "history|";
/// The time limit of a write. A request or a message waits for it beside another write.
const WRITE_TIME: Duration = Duration::from_millis(700);

const ADD: &str = "write a history";
const COUNT: &str = "count in a history";
const READ: &str = "read a history";
const FORGET: &str = "delete a history";

/// The histories, with the keys that their subjects are hashed with: those of the traces.
pub struct DynamoHistories {
    store: DynamoStore,
    keys: Arc<KeyRing>,
}

impl DynamoHistories {
    #[must_use]
    pub const fn new(store: DynamoStore, keys: Arc<KeyRing>) -> Self {
        Self { store, keys }
    }

    /// Returns the subject with the current key.
    async fn subject(&self, of: &HistoryOf, action: &'static str) -> Result<String, PortError> {
        let ring = self.keys.ring().await?;
        let key = ring.key(ring.current());
        key.map(|key| hash(key, of)).ok_or_else(|| PortError::new(action, "there is no key"))
    }

    /// Returns the subjects with all keys of the ring: an item from before a rotation has the key of then.
    async fn subjects(&self, of: &HistoryOf) -> Result<Vec<String>, PortError> {
        let ring: Arc<Ring> = self.keys.whole_ring().await?;
        let mut subjects: Vec<_> = ring.keys().map(|key| hash(key, of)).collect();
        subjects.sort();
        Ok(subjects)
    }

    /// Returns the newest items of a subject, at most `most`.
    async fn items(
        &self,
        action: &'static str,
        subject: &str,
        most: usize,
    ) -> Result<Vec<Item>, PortError> {
        let (mut items, mut start) = (Vec::new(), None);
        loop {
            let query = self
                .store
                .client
                .query()
                .table_name(&self.store.tables.histories)
                .key_condition_expression("subject = :subject")
                .expression_attribute_values(":subject", text(subject))
                .scan_index_forward(false)
                .limit(i32::try_from(most).unwrap_or(i32::MAX))
                .set_exclusive_start_key(start)
                .return_consumed_capacity(ReturnConsumedCapacity::Total);
            let page = query.send().await.map_err(|error| port_error(action, &error))?;
            items.extend(page.items.unwrap_or_default());
            start = page.last_evaluated_key;
            if start.is_none() || items.len() >= most {
                items.truncate(most);
                return Ok(items);
            }
        }
    }
}

/// The keyed hash of a subject: 32 hex digits of HMAC-SHA-256. Unlike the hashes in log lines it has no date, so
/// the items of a person belong together for as long as they are kept.
fn hash(key: &SecretString, of: &HistoryOf) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.expose_secret().as_bytes());
    let mac = hmac::sign(&key, format!("{LABEL}{}", of.name()).as_bytes());
    HEXLOWER.encode(mac.as_ref().get(..BYTES).unwrap_or_default())
}

#[async_trait]
impl Histories for DynamoHistories {
    async fn add(&self, of: &HistoryOf, item: &HistoryItem) -> Result<(), PortError> {
        let write = async {
            let put = self
                .store
                .client
                .put_item()
                .table_name(&self.store.tables.histories)
                .set_item(Some(history_item(&self.subject(of, ADD).await?, item)))
                .return_consumed_capacity(ReturnConsumedCapacity::Total);
            put.send().await.map_err(|error| port_error(ADD, &error)).map(drop)
        };
        tokio::time::timeout(WRITE_TIME, write).await.map_err(late(ADD))?
    }

    async fn count(&self, of: &HistoryOf, what: Counted, at: Timestamp) -> Result<(), PortError> {
        let write = async {
            let update = self
                .store
                .client
                .update_item()
                .table_name(&self.store.tables.histories)
                .key("subject", text(self.subject(of, COUNT).await?))
                .key("at", text(day_key(what, at)))
                .update_expression("SET happened_at = :at, purge_at = :end ADD times :one")
                .expression_attribute_values(":at", time(at))
                .expression_attribute_values(":end", history_end(at))
                .expression_attribute_values(":one", number(1_u32))
                .return_consumed_capacity(ReturnConsumedCapacity::Total);
            update.send().await.map_err(|error| port_error(COUNT, &error)).map(drop)
        };
        tokio::time::timeout(WRITE_TIME, write).await.map_err(late(COUNT))?
    }

    async fn read(
        &self,
        of: &HistoryOf,
        most: usize,
        now: Timestamp,
    ) -> Result<Vec<HistoryItem>, PortError> {
        let mut read = Vec::new();
        for subject in self.subjects(of).await? {
            for item in self.items(READ, &subject, most).await? {
                let at = item.get("happened_at").and_then(as_time).unwrap_or_default();
                if at.plus(HISTORY_LIFETIME) > now {
                    read.extend(read_history(&item)?);
                }
            }
        }
        read.sort_by_key(|item| std::cmp::Reverse(item.at));
        read.truncate(most);
        Ok(read)
    }

    async fn forget(&self, of: &HistoryOf) -> Result<usize, PortError> {
        let mut forgotten = 0_usize;
        for subject in self.subjects(of).await? {
            for item in self.items(FORGET, &subject, usize::MAX).await? {
                let key = ["subject", "at"].into_iter();
                let key = key.filter_map(|name| Some((name.to_owned(), item.get(name)?.clone())));
                let delete = self
                    .store
                    .client
                    .delete_item()
                    .table_name(&self.store.tables.histories)
                    .set_key(Some(key.collect()))
                    .return_consumed_capacity(ReturnConsumedCapacity::Total);
                delete.send().await.map_err(|error| port_error(FORGET, &error))?;
                forgotten = forgotten.saturating_add(1);
            }
        }
        Ok(forgotten)
    }
}
