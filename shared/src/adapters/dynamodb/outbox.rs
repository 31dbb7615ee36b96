//! The outbox in the table Outbox (README.md, "Outbox").
//!
//! Every transaction with effects writes one item. The stream of the table starts the relay, which
//! deletes the item after the delivery, or removes the delivered effects.

use super::items::outbox::{effects_value, entry_item, read_entry};
use super::items::value::{Item, as_text, text, time};
use super::reads::WantedItems;
use super::transaction::put_new;
use super::{DynamoStore, port_error};
use crate::domain::outbox::OutboxEntry;
use crate::domain::time::Timestamp;
use crate::ports::{Outbox, PortError, WaitingEntries, chain};
use async_trait::async_trait;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{Put, ReturnConsumedCapacity};
use std::collections::HashMap;

/// The number of entries that a sweep reads at once. It is the number of concurrent deliveries, so
/// that a page takes as long as its slowest delivery.
const SWEEP_PAGE: i32 = 10;
/// Adds an item to the waiting entries. An item that cannot be read is logged and does not hold up
/// the others.
fn add(waiting: &mut WaitingEntries, item: &Item) {
    match read_entry(item) {
        Ok(entry) => waiting.entries.push(entry),
        Err(error) => {
            let id = item.get("event_id").and_then(as_text).unwrap_or_default().to_owned();
            let error = chain(&error);
            tracing::error!(outbox.id = id, error, "an outbox entry could not be read");
            waiting.unreadable.push(id);
        }
    }
}

impl DynamoStore {
    /// Returns the action that writes an outbox entry.
    pub(super) fn put_entry(&self, entry: &OutboxEntry) -> Result<Put, PortError> {
        put_new(&self.tables.outbox, "event_id", entry_item(entry))
    }
}

#[async_trait]
impl Outbox for DynamoStore {
    async fn find(&self, ids: &[String]) -> Result<WaitingEntries, PortError> {
        let table = self.tables.outbox.as_str();
        let (key, values) = ("event_id", ids.to_vec());
        let wanted = WantedItems { table, key, values, consistent: true };
        let found = self.read_batch("read the outbox", [wanted]).await?;
        let mut waiting = WaitingEntries::default();
        found.into_values().flatten().for_each(|item| add(&mut waiting, &item));
        Ok(waiting)
    }

    async fn overdue(
        &self,
        before: Timestamp,
        from: Option<String>,
    ) -> Result<WaitingEntries, PortError> {
        let start = from.map(|id| HashMap::from([("event_id".to_owned(), text(id))]));
        let scan = self
            .client
            .scan()
            .table_name(&self.tables.outbox)
            .consistent_read(true)
            .limit(SWEEP_PAGE)
            .filter_expression("written_at < :before")
            .expression_attribute_values(":before", time(before))
            .set_exclusive_start_key(start)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let page = scan.send().await.map_err(|error| port_error("scan the outbox", &error))?;
        let mut waiting = WaitingEntries::default();
        page.items().iter().for_each(|item| add(&mut waiting, item));
        let next = page.last_evaluated_key.as_ref().and_then(|key| key.get("event_id"));
        waiting.next = next.and_then(as_text).map(str::to_owned);
        Ok(waiting)
    }

    async fn delete(&self, id: &str) -> Result<(), PortError> {
        let delete = self
            .client
            .delete_item()
            .table_name(&self.tables.outbox)
            .key("event_id", text(id))
            .condition_expression("attribute_exists(event_id)")
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        match self.retry_on_conflict(|| delete.clone().send()).await {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(DeleteItemError::ConditionalCheckFailedException(_)) => {
                    tracing::warn!(outbox.id = id, "an outbox entry was delivered twice");
                    Ok(())
                }
                _ => Err(port_error("delete an outbox entry", &error)),
            },
        }
    }

    async fn retain_effects(&self, entry: &OutboxEntry) -> Result<(), PortError> {
        let update = self
            .client
            .update_item()
            .table_name(&self.tables.outbox)
            .key("event_id", text(&entry.id))
            .update_expression("SET effects = :effects")
            .condition_expression("attribute_exists(event_id)")
            .expression_attribute_values(":effects", effects_value(&entry.effects))
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        match self.retry_on_conflict(|| update.clone().send()).await {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(()),
                _ => Err(port_error("shorten an outbox entry", &error)),
            },
        }
    }
}
