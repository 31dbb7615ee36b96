//! The outbox in the table Outbox (README.md, "Outbox").
//!
//! Every transaction with effects writes an item with its messages and one with its events. The stream
//! of the table starts the relay, which deletes an item after the delivery, or removes the delivered
//! effects.

use super::items::outbox::{effects_value, entry_item, read_entry, read_parked};
use super::items::value::{Item, as_text, as_time, number, text, time};
use super::reads::WantedItems;
use super::transaction::{Subject, Transaction, put_new};
use super::{DynamoStore, port_error};
use crate::domain::outbox::{EntryKind, OutboxEntry, Segment, Shard};
use crate::domain::time::Timestamp;
use crate::ports::{
    DueEntry, DuePlace, Outbox, ParkedEntry, PauseChange, PortError, WaitingEntries, chain,
};
use async_trait::async_trait;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{ReturnConsumedCapacity, ReturnValuesOnConditionCheckFailure};
use futures_util::future::join;
use std::collections::HashMap;

/// The number of entries that a sweep reads at once.
const SWEEP_PAGE: i32 = 25;
/// The number of entries that a scan looks at in one call: as many as one call reads afterwards.
const SCAN_PAGE: i32 = 100;
/// The index of the entries that were tried, by shard and by the time at which they are due.
const DUE: &str = "due";
/// The condition that an entry is as it was read, and that no process has a claim on it. A version before
/// this one stored no `due_at`.
const AS_READ: &str = "attribute_exists(event_id) AND attribute_not_exists(parked_at) AND \
    (attribute_not_exists(claimed_until) OR claimed_until <= :now) AND \
    (attribute_not_exists(due_at) OR due_at = :due_at)";
/// The most parked entries that are listed.
const MOST_PARKED: usize = 100;
/// The characters of an error that are stored.
const MOST_OF_ERROR: usize = 500;

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
    /// Adds the actions that write an outbox entry: one item with its messages, one with its events.
    pub(super) fn add_entry(
        &self,
        entry: &OutboxEntry,
        transaction: &mut Transaction,
    ) -> Result<(), PortError> {
        for part in entry.parts() {
            let put = put_new(&self.tables.outbox, "event_id", entry_item(&part))?;
            transaction.put(Subject::Other, put);
        }
        Ok(())
    }
}

/// Returns the id of an entry.
fn id_of(item: &Item) -> Option<String> {
    item.get("event_id").and_then(as_text).map(str::to_owned)
}

impl DynamoStore {
    /// Returns the ids of a page of the due entries of a shard, the oldest first, and where the next one begins.
    async fn due_in_shard(
        &self,
        shard: Shard,
        from: Option<DueEntry>,
        before: Timestamp,
    ) -> Result<(Vec<String>, Option<DuePlace>), PortError> {
        let start = from.map(|from| {
            HashMap::from([
                ("event_id".to_owned(), text(from.id)),
                ("due_shard".to_owned(), text(shard.as_str())),
                ("due_at".to_owned(), time(from.due_at)),
            ])
        });
        let query = self
            .client
            .query()
            .table_name(&self.tables.outbox)
            .index_name(DUE)
            .key_condition_expression("due_shard = :shard AND due_at < :before")
            .expression_attribute_values(":shard", text(shard.as_str()))
            .expression_attribute_values(":before", time(before))
            .limit(SWEEP_PAGE)
            .set_exclusive_start_key(start)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let page = query.send().await.map_err(|error| port_error("query the outbox", &error))?;
        let ids = page.items().iter().filter_map(id_of).collect();
        let last = page.last_evaluated_key.as_ref().and_then(|key| {
            Some(DueEntry { id: id_of(key)?, due_at: key.get("due_at").and_then(as_time)? })
        });
        Ok((ids, last.map(|last| DuePlace::Shard(shard, Some(last)))))
    }

    /// Returns the ids of the due entries without a shard in a page of a segment of the table, and where the
    /// next page begins.
    async fn untried(
        &self,
        kind: EntryKind,
        segment: Segment,
        from: Option<String>,
        before: Timestamp,
    ) -> Result<(Vec<String>, Option<DuePlace>), PortError> {
        let start = from.map(|id| Item::from([("event_id".to_owned(), text(id))]));
        let is_of_kind = match kind {
            EntryKind::Messages => "NOT begins_with(event_id, :events)",
            EntryKind::Events => "begins_with(event_id, :events)",
        };
        let scan = self
            .client
            .scan()
            .table_name(&self.tables.outbox)
            .segment(segment.number())
            .total_segments(Segment::COUNT)
            // A version before this one stored no `due_at`.
            .filter_expression(format!(
                "attribute_not_exists(due_shard) AND attribute_not_exists(parked_at) AND \
                (attribute_not_exists(due_at) OR due_at < :before) AND {is_of_kind}"
            ))
            .expression_attribute_values(":before", time(before))
            .expression_attribute_values(":events", text(EntryKind::EVENT_IDS))
            .projection_expression("event_id")
            .limit(SCAN_PAGE)
            .set_exclusive_start_key(start)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let page = scan.send().await.map_err(|error| port_error("scan the outbox", &error))?;
        let ids = page.items().iter().filter_map(id_of).collect();
        let last = page.last_evaluated_key.as_ref().and_then(id_of);
        Ok((ids, last.map(|last| DuePlace::Untried(kind, segment, Some(last)))))
    }

    /// Updates an entry that exists. Returns whether the condition held.
    async fn update_entry(
        &self,
        action: &'static str,
        update: UpdateItemFluentBuilder,
    ) -> Result<bool, PortError> {
        let update = update
            .table_name(&self.tables.outbox)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        match self.retry_on_conflict(|| update.clone().send()).await {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(false),
                _ => Err(port_error(action, &error)),
            },
        }
    }

    /// Returns the update that stores what is left of an entry and gives the claim back.
    fn left(
        &self,
        entry: &OutboxEntry,
        error: &str,
        parked_at: Option<Timestamp>,
    ) -> UpdateItemFluentBuilder {
        // A parked entry is in no shard, so that no sweep finds it.
        let (set, remove) = match parked_at {
            Some(_) => ("parked_at = :parked_at", ", due_shard"),
            None => ("due_shard = :shard", ""),
        };
        let change = format!(
            "SET effects = :effects, tries = :tries, due_at = :due_at, last_error = :error, {set} \
            REMOVE claim, claimed_until{remove}"
        );
        let cut: String = error.chars().take(MOST_OF_ERROR).collect();
        let update = self
            .client
            .update_item()
            .key("event_id", text(&entry.id))
            .update_expression(change)
            // A try that began before the entry was parked must not change what an operator reads.
            .condition_expression("attribute_exists(event_id) AND attribute_not_exists(parked_at)")
            .expression_attribute_values(":effects", effects_value(&entry.effects))
            .expression_attribute_values(":tries", number(entry.tries))
            .expression_attribute_values(":due_at", time(entry.due_at))
            .expression_attribute_values(":error", text(cut));
        match parked_at {
            Some(at) => update.expression_attribute_values(":parked_at", time(at)),
            None => {
                update.expression_attribute_values(":shard", text(Shard::of(&entry.id).as_str()))
            }
        }
    }
}

#[async_trait]
impl Outbox for DynamoStore {
    async fn find(&self, ids: &[String]) -> Result<WaitingEntries, PortError> {
        let table = self.tables.outbox.as_str();
        let (key, values) = ("event_id", ids.to_vec());
        if values.is_empty() {
            return Ok(WaitingEntries::default());
        }
        let entries = WantedItems { table, key, values, consistent: true };
        let entries = self.read_batch("read the outbox", [entries]);
        let (found, paused) = join(entries, self.read_pauses()).await;
        let mut waiting = WaitingEntries { paused, ..WaitingEntries::default() };
        let found = found?.into_values().flatten().filter(|item| !item.contains_key("parked_at"));
        found.for_each(|item| add(&mut waiting, &item));
        Ok(waiting)
    }

    async fn due(&self, place: DuePlace, before: Timestamp) -> Result<WaitingEntries, PortError> {
        let (ids, next) = match place {
            DuePlace::Shard(shard, from) => self.due_in_shard(shard, from, before).await?,
            DuePlace::Untried(kind, segment, from) => {
                self.untried(kind, segment, from, before).await?
            }
        };
        let mut waiting = self.find(&ids).await?;
        // The index and the scan show an entry for a moment as it was before its last change.
        waiting.entries.retain(|entry| entry.due_at < before);
        waiting.next = next;
        Ok(waiting)
    }

    async fn claim(
        &self,
        entry: &OutboxEntry,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<bool, PortError> {
        let claim = self.uses.next();
        let update = self
            .client
            .update_item()
            .table_name(&self.tables.outbox)
            .key("event_id", text(&entry.id))
            .update_expression("SET claim = :claim, claimed_until = :until")
            .condition_expression(AS_READ)
            .expression_attribute_values(":due_at", time(entry.due_at))
            .expression_attribute_values(":claim", claim.value())
            .expression_attribute_values(":until", time(until))
            .expression_attribute_values(":now", time(now))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        match self.retry_on_conflict(|| update.clone().send()).await {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                // The SDK repeats a request whose reply was lost.
                Some(UpdateItemError::ConditionalCheckFailedException(failure)) => {
                    Ok(failure.item().is_some_and(|item| claim.is_in(item, "claim")))
                }
                _ => Err(port_error("claim an outbox entry", &error)),
            },
        }
    }

    async fn defer(
        &self,
        entry: &OutboxEntry,
        due_at: Timestamp,
        now: Timestamp,
    ) -> Result<bool, PortError> {
        let update = self
            .client
            .update_item()
            .key("event_id", text(&entry.id))
            .update_expression("SET due_at = :later, due_shard = :shard")
            .condition_expression(AS_READ)
            .expression_attribute_values(":later", time(due_at))
            .expression_attribute_values(":shard", text(Shard::of(&entry.id).as_str()))
            .expression_attribute_values(":due_at", time(entry.due_at))
            .expression_attribute_values(":now", time(now));
        self.update_entry("defer an outbox entry", update).await
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

    async fn postpone(&self, entry: &OutboxEntry, error: &str) -> Result<(), PortError> {
        let update = self.left(entry, error, None);
        self.update_entry("postpone an outbox entry", update).await.map(drop)
    }

    async fn park(&self, entry: &OutboxEntry, error: &str, at: Timestamp) -> Result<(), PortError> {
        let update = self.left(entry, error, Some(at));
        self.update_entry("park an outbox entry", update).await.map(drop)
    }

    async fn parked(&self) -> Result<Vec<ParkedEntry>, PortError> {
        let (mut parked, mut start) = (Vec::new(), None);
        loop {
            let scan = self
                .client
                .scan()
                .table_name(&self.tables.outbox)
                .consistent_read(true)
                .filter_expression("attribute_exists(parked_at)")
                .set_exclusive_start_key(start)
                .return_consumed_capacity(ReturnConsumedCapacity::Total);
            let page = scan.send().await.map_err(|error| port_error("scan the outbox", &error))?;
            for item in page.items() {
                parked.push(read_parked(item)?);
            }
            start = page.last_evaluated_key;
            if start.is_none() || parked.len() >= MOST_PARKED {
                parked.truncate(MOST_PARKED);
                return Ok(parked);
            }
        }
    }

    async fn change_pause(&self, change: &PauseChange) -> Result<Option<Timestamp>, PortError> {
        self.store_pause(change).await
    }

    async fn release(&self, id: &str, at: Timestamp) -> Result<bool, PortError> {
        let update = self
            .client
            .update_item()
            .key("event_id", text(id))
            .update_expression(
                "SET due_at = :at, tries = :zero, due_shard = :shard REMOVE parked_at",
            )
            .condition_expression("attribute_exists(parked_at)")
            .expression_attribute_values(":shard", text(Shard::of(id).as_str()))
            .expression_attribute_values(":at", time(at))
            .expression_attribute_values(":zero", number(0_u32));
        self.update_entry("release an outbox entry", update).await
    }

    async fn drop_parked(&self, id: &str) -> Result<bool, PortError> {
        let delete = self
            .client
            .delete_item()
            .table_name(&self.tables.outbox)
            .key("event_id", text(id))
            .condition_expression("attribute_exists(parked_at)")
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        match self.retry_on_conflict(|| delete.clone().send()).await {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(DeleteItemError::ConditionalCheckFailedException(_)) => Ok(false),
                _ => Err(port_error("drop an outbox entry", &error)),
            },
        }
    }
}
