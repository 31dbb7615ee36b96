//! Reads of items by their keys.

use super::items::value::{Item, text};
use super::transaction::malformed;
use super::{DynamoStore, port_error};
use crate::ports::PortError;
use aws_sdk_dynamodb::types::{KeysAndAttributes, ReturnConsumedCapacity};
use std::collections::HashMap;

/// The number of tries at a batch of which DynamoDB processes only a part.
const BATCH_TRIES: usize = 4;

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

    /// Reads items of several tables in one round trip. `wanted` are the tables, with the name of
    /// the key and the keys. Returns the items that exist, by table.
    pub(super) async fn read_batch<const N: usize>(
        &self,
        action: &'static str,
        wanted: [(&str, &str, Vec<String>); N],
    ) -> Result<HashMap<String, Vec<Item>>, PortError> {
        let mut left = HashMap::new();
        for (table, key, values) in wanted {
            let keys = values.into_iter().map(|value| Item::from([(key.to_owned(), text(value))]));
            let keys = KeysAndAttributes::builder()
                .set_keys(Some(keys.collect()))
                .consistent_read(true)
                .build()
                .map_err(malformed)?;
            left.insert(table.to_owned(), keys);
        }
        let mut found: HashMap<String, Vec<Item>> = HashMap::new();
        for _ in 0..BATCH_TRIES {
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
