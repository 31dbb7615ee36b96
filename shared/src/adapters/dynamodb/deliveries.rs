//! Sent messages and recipients that are left alone, in the table Deliveries (README.md, "Deliveries").

use super::items::delivery::{
    message_item, read_message, read_receipt, read_suppression, suppression_item, suppression_key,
};
use super::items::outbox::entry_item;
use super::items::value::{Item, text, time};
use super::reads::WantedItems;
use super::transaction::{Commit, Subject, Transaction, malformed, put_new};
use super::{DynamoStore, port_error};
use crate::domain::delivery::{Blame, DeliveryReport, MessageId, Receipt, SentMessage};
use crate::domain::identifier::Identifier;
use crate::domain::outbox::{Effect, OutboxEntry};
use crate::domain::time::Timestamp;
use crate::ports::{Deliveries, DeliveryEvent, PortError, Suppression};
use async_trait::async_trait;
use aws_sdk_dynamodb::types::{Put, ReturnConsumedCapacity, ReturnValue, Update};
use std::time::Duration;
use tokio::time::error::Elapsed;

/// The most keys of one batch (DynamoDB, `BatchGetItem`).
const MOST_KEYS: usize = 100;
/// The steps of the pauses before messages that are not known are looked up again. All together take a third of a second on
/// average: most messages that are not known belong to another stack of the account.
const LOOK_AGAIN: [u32; 3] = [2, 3, 4];
/// The time limit of what the relay asks while a message waits for it. Its function has little time left beside three
/// carriers that hang.
const RELAY_TIME: Duration = Duration::from_secs(1);

const REMEMBER: &str = "remember a sent message";
const LOOK_UP: &str = "look up a recipient";

pub(super) fn late(action: &'static str) -> impl Fn(Elapsed) -> PortError {
    move |_| PortError::new(action, "the store took too long")
}

impl DynamoStore {
    /// Returns a transaction that puts an event into the outbox.
    fn with_event(&self, event: &DeliveryEvent, at: Timestamp) -> Result<Transaction, PortError> {
        let DeliveryEvent { entry, event } = event;
        let effects = vec![Effect::Event(event.clone())];
        let mut transaction = Transaction::default();
        for part in OutboxEntry::with_id(entry.clone(), at, effects).parts() {
            let put = put_new(&self.tables.outbox, "event_id", entry_item(&part))?;
            transaction.put(Subject::Other, put);
        }
        Ok(transaction)
    }

    /// Reads the items with these keys, in any order. At most 100 of them.
    async fn message_items(&self, values: Vec<String>) -> Result<Vec<Item>, PortError> {
        let (table, key) = (self.tables.deliveries.as_str(), "delivery_id");
        let wanted = WantedItems { table, key, values, consistent: false };
        let items = self.read_batch("find sent messages", [wanted]).await?;
        Ok(items.into_values().flatten().collect())
    }

    async fn suppression_item(&self, recipient: &Identifier) -> Result<Option<Item>, PortError> {
        let get = self
            .client
            .get_item()
            .table_name(&self.tables.deliveries)
            .key("delivery_id", text(suppression_key(recipient)))
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let got = tokio::time::timeout(RELAY_TIME, get.send()).await.map_err(late(LOOK_UP))?;
        let item = got.map_err(|error| port_error(LOOK_UP, &error))?.item;
        Ok(item)
    }
}

#[async_trait]
impl Deliveries for DynamoStore {
    async fn sent(&self, message: &SentMessage, event: &DeliveryEvent) -> Result<(), PortError> {
        let mut transaction = self.with_event(event, message.sent_at)?;
        let put = put_new(&self.tables.deliveries, "delivery_id", message_item(message))?;
        transaction.put(Subject::Delivery, put);
        let stored = self.transact(REMEMBER, transaction);
        tokio::time::timeout(RELAY_TIME, stored).await.map_err(late(REMEMBER))?.map(drop)
    }

    async fn find(&self, ids: &[MessageId]) -> Result<Vec<SentMessage>, PortError> {
        let mut left: Vec<_> = ids.iter().map(MessageId::key).collect();
        let mut found = Vec::new();
        let mut pauses = LOOK_AGAIN.into_iter();
        loop {
            for keys in left.chunks(MOST_KEYS) {
                for item in &self.message_items(keys.to_vec()).await? {
                    found.push(read_message(item)?);
                }
            }
            left.retain(|key| found.iter().all(|message| message.id.key() != *key));
            let pause = pauses.next().filter(|_| !left.is_empty());
            let Some(pause) = pause else { return Ok(found) };
            self.pause(pause).await;
        }
    }

    async fn reported(
        &self,
        message: &SentMessage,
        report: &DeliveryReport,
        event: &DeliveryEvent,
        suppression: Option<&Suppression>,
        at: Timestamp,
    ) -> Result<bool, PortError> {
        let mut transaction = self.with_event(event, at)?;
        let update = Update::builder()
            .table_name(&self.tables.deliveries)
            .key("delivery_id", text(message.id.key()))
            .update_expression("SET #status = :at")
            .condition_expression("attribute_exists(delivery_id) AND attribute_not_exists(#status)")
            .expression_attribute_names("#status", format!("{}_at", report.status.as_str()))
            .expression_attribute_values(":at", time(report.at));
        let update = match (&report.cause, report.blame) {
            (None, Blame::Open) => update,
            (cause, blame) => update
                .update_expression("SET #status = :at, cause = :cause, blame = :blame")
                .expression_attribute_values(
                    ":cause",
                    text(cause.as_deref().unwrap_or(report.status.as_str())),
                )
                .expression_attribute_values(":blame", text(blame.as_str())),
        };
        transaction.update(Subject::Delivery, update.build().map_err(malformed)?);
        if let Some(suppression) = suppression {
            let item = suppression_item(&message.recipient, suppression);
            let put = Put::builder().table_name(&self.tables.deliveries).set_item(Some(item));
            transaction.put(Subject::Other, put.build().map_err(malformed)?);
        }
        let commit = self.transact("remember a report about a message", transaction).await?;
        Ok(matches!(commit, Commit::Done))
    }

    async fn is_suppressed(
        &self,
        recipient: &Identifier,
        now: Timestamp,
    ) -> Result<bool, PortError> {
        let item = self.suppression_item(recipient).await?;
        let suppression = item.as_ref().and_then(read_suppression);
        Ok(suppression.is_some_and(|suppression| suppression.until > now))
    }

    async fn suppression(
        &self,
        recipient: &Identifier,
        now: Timestamp,
    ) -> Result<Option<Suppression>, PortError> {
        let item = self.suppression_item(recipient).await?;
        let suppression = item.as_ref().and_then(read_suppression);
        Ok(suppression.filter(|suppression| suppression.until > now))
    }

    async fn receipts(&self, ids: &[MessageId]) -> Result<Vec<Receipt>, PortError> {
        let items = self.message_items(ids.iter().map(MessageId::key).collect()).await?;
        items.iter().map(read_receipt).collect()
    }

    async fn forget(&self, ids: &[MessageId]) -> Result<usize, PortError> {
        let mut forgotten = 0_usize;
        for id in ids {
            let (table, key) = (&self.tables.deliveries, id.key());
            let action = "forget a sent message";
            if self.delete_item(action, table, ("delivery_id", &key)).await? {
                forgotten = forgotten.saturating_add(1);
            }
        }
        Ok(forgotten)
    }

    async fn lift(&self, recipient: &Identifier) -> Result<bool, PortError> {
        let delete = self
            .client
            .delete_item()
            .table_name(&self.tables.deliveries)
            .key("delivery_id", text(suppression_key(recipient)))
            .return_values(ReturnValue::AllOld)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let deleted = delete.send().await;
        let deleted = deleted.map_err(|error| port_error("send to a recipient again", &error))?;
        Ok(deleted.attributes.is_some())
    }
}
