//! Reads of items by their keys.

use super::items::value::{Item, text};
use super::transaction::{TRIES, malformed};
use super::{DynamoStore, port_error};
use crate::ports::PortError;
use aws_sdk_dynamodb::types::{KeysAndAttributes, ReturnConsumedCapacity};
use std::collections::HashMap;

/// The items of one table that a batch reads.
pub(super) struct WantedItems<'a> {
    pub(super) table: &'a str,
    /// The name of the key.
    pub(super) key: &'a str,
    /// The keys, without repetitions.
    pub(super) values: Vec<String>,
    /// Whether the read sees all writes that were made before. It costs twice as much.
    pub(super) consistent: bool,
}

impl DynamoStore {
    /// Reads the item with this key, with a strongly consistent read.
    pub(super) async fn read_item(
        &self,
        action: &'static str,
        table: &str,
        key: &[(&str, &str)],
    ) -> Result<Option<Item>, PortError> {
        let key = key.iter().map(|(name, value)| ((*name).to_owned(), text(*value))).collect();
        let get = self.client.get_item().table_name(table).set_key(Some(key));
        let get = get.consistent_read(true).return_consumed_capacity(ReturnConsumedCapacity::Total);
        Ok(get.send().await.map_err(|error| port_error(action, &error))?.item)
    }

    /// Reads items of several tables in one round trip. Returns the items that exist, by table. Makes
    /// no call for no keys. Asks again, after a pause, for keys that DynamoDB did not process, because
    /// that is how it throttles a batch.
    pub(super) async fn read_batch(
        &self,
        action: &'static str,
        wanted: impl IntoIterator<Item = WantedItems<'_>>,
    ) -> Result<HashMap<String, Vec<Item>>, PortError> {
        let mut left = HashMap::new();
        for WantedItems { table, key, values, consistent } in wanted {
            if values.is_empty() {
                continue;
            }
            let keys = values.into_iter().map(|value| Item::from([(key.to_owned(), text(value))]));
            let keys = KeysAndAttributes::builder()
                .set_keys(Some(keys.collect()))
                .consistent_read(consistent)
                .build()
                .map_err(malformed)?;
            left.insert(table.to_owned(), keys);
        }
        let mut found: HashMap<String, Vec<Item>> = HashMap::new();
        if left.is_empty() {
            return Ok(found);
        }
        for failures in 0..TRIES {
            if let Some(earlier) = failures.checked_sub(1) {
                self.pause(earlier).await;
            }
            let batch = self.client.batch_get_item().set_request_items(Some(left));
            let batch = batch.return_consumed_capacity(ReturnConsumedCapacity::Total);
            let answer = batch.send().await.map_err(|error| port_error(action, &error))?;
            for (table, items) in answer.responses.unwrap_or_default() {
                found.entry(table).or_default().extend(items);
            }
            left = answer.unprocessed_keys.unwrap_or_default();
            if left.is_empty() {
                return Ok(found);
            }
        }
        Err(PortError::new(action, "the database processed only a part of the batch"))
    }
}
