//! The outbox in the table Outbox (README.md, "Outbox").
//!
//! Every transaction with effects writes one item; see [`code_item`], [`link_item`] and
//! [`event_item`]. The stream of the table starts the relay, which deletes the item after the
//! delivery, or removes the delivered effects.

use super::item::{
    Item, as_bytes, as_flag, as_text, as_time, bytes, flag, purge_time, read, text, time,
};
use super::transaction::{malformed, put_new};
use super::{DynamoStore, port_error};
use crate::domain::challenge::{ChallengeKey, KeyId, Nonce, Purpose};
use crate::domain::code::CodeSeed;
use crate::domain::event::EventMessage;
use crate::domain::id::UserId;
use crate::domain::identifier::Identifier;
use crate::domain::outbox::{CodeMessage, Effect, LinkMessage, OutboxEntry};
use crate::domain::realm::Realm;
use crate::domain::time::Timestamp;
use crate::ports::{Outbox, PortError, WaitingEntries, chain};
use async_trait::async_trait;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, Put, ReturnConsumedCapacity};
use std::collections::HashMap;

/// The number of entries that a sweep reads at once. It is the number of concurrent deliveries, so
/// that a page takes as long as its slowest delivery.
const SWEEP_PAGE: i32 = 10;
/// The number of tries at a batch of which DynamoDB processes only a part.
const BATCH_TRIES: usize = 4;

/// Returns the attributes that name a challenge.
pub(super) fn challenge_key_item(key: &ChallengeKey) -> Item {
    let mut item = Item::from([
        ("contract".to_owned(), text(key.realm.contract())),
        ("purpose".to_owned(), text(key.purpose.as_str())),
        ("channel".to_owned(), text(key.recipient.kind())),
        ("recipient".to_owned(), text(key.recipient.as_str())),
    ]);
    if let Some(shop) = key.realm.shop() {
        item.insert("store".to_owned(), text(shop));
    }
    item
}

/// Reads the realm of an item.
pub(super) fn read_realm(item: &Item) -> Result<Realm, PortError> {
    let contract = read(item, "contract", as_text)?;
    Ok(match item.get("store").and_then(as_text) {
        Some(shop) => Realm::of_shop(contract, shop),
        None => Realm::of_contract(contract),
    })
}

/// Reads the attributes that [`challenge_key_item`] returned.
pub(super) fn read_challenge_key(item: &Item) -> Result<ChallengeKey, PortError> {
    let realm = read_realm(item)?;
    let channel = read(item, "channel", as_text)?;
    let recipient = Identifier::from_parts(channel, read(item, "recipient", as_text)?);
    let recipient =
        recipient.ok_or_else(|| PortError::new("read a stored item", "bad recipient"))?;
    let purpose = read(item, "purpose", |value| as_text(value).and_then(Purpose::from_name))?;
    Ok(ChallengeKey { realm, purpose, recipient })
}

fn seed_item(seed: &CodeSeed) -> Item {
    let mut item = challenge_key_item(&seed.key);
    item.insert("nonce".to_owned(), bytes(seed.nonce.as_bytes()));
    item.insert("key_id".to_owned(), text(seed.key_id.as_str()));
    item
}

fn code_item(code: &CodeMessage) -> Item {
    let mut item = seed_item(&code.seed);
    item.extend([
        ("effect".to_owned(), text("code")),
        ("locale".to_owned(), text(&code.locale)),
        ("sent_at".to_owned(), time(code.sent_at)),
        ("expires_at".to_owned(), time(code.expires_at)),
        ("deliver".to_owned(), flag(code.deliver)),
    ]);
    item
}

fn link_item(link: &LinkMessage) -> Item {
    let mut item = seed_item(&link.seed);
    item.extend([
        ("effect".to_owned(), text("link")),
        ("user_id".to_owned(), text(link.user.as_str())),
        ("locale".to_owned(), text(&link.locale)),
        ("sent_at".to_owned(), time(link.sent_at)),
        ("expires_at".to_owned(), time(link.expires_at)),
    ]);
    item
}

fn event_item(event: &EventMessage) -> Item {
    Item::from([
        ("effect".to_owned(), text("event")),
        ("source".to_owned(), text(&event.source)),
        ("detail_type".to_owned(), text(&event.detail_type)),
        ("detail".to_owned(), text(&event.detail)),
        ("occurred_at".to_owned(), time(event.occurred_at)),
    ])
}

fn effects_value(effects: &[Effect]) -> AttributeValue {
    let effects = effects.iter().map(|effect| match effect {
        Effect::Code(code) => AttributeValue::M(code_item(code)),
        Effect::Link(link) => AttributeValue::M(link_item(link)),
        Effect::Event(event) => AttributeValue::M(event_item(event)),
    });
    AttributeValue::L(effects.collect())
}

fn read_seed(item: &Item) -> Result<CodeSeed, PortError> {
    Ok(CodeSeed {
        key: read_challenge_key(item)?,
        nonce: read(item, "nonce", |value| as_bytes(value).and_then(Nonce::from_stored))?,
        key_id: read(item, "key_id", |value| as_text(value).map(KeyId::new))?,
    })
}

fn read_link(item: &Item) -> Result<LinkMessage, PortError> {
    Ok(LinkMessage {
        seed: read_seed(item)?,
        user: read(item, "user_id", |value| as_text(value).map(UserId::from_stored))?,
        locale: read(item, "locale", as_text)?.to_owned(),
        sent_at: read(item, "sent_at", as_time)?,
        expires_at: read(item, "expires_at", as_time)?,
    })
}

fn read_code(item: &Item) -> Result<CodeMessage, PortError> {
    Ok(CodeMessage {
        seed: read_seed(item)?,
        locale: read(item, "locale", as_text)?.to_owned(),
        sent_at: read(item, "sent_at", as_time)?,
        expires_at: read(item, "expires_at", as_time)?,
        deliver: read(item, "deliver", as_flag)?,
    })
}

fn read_effect(value: &AttributeValue) -> Result<Effect, PortError> {
    let item = value.as_m().map_err(|_| PortError::new("read a stored item", "bad effect"))?;
    match read(item, "effect", as_text)? {
        "code" => read_code(item).map(Effect::Code),
        "link" => read_link(item).map(Effect::Link),
        "event" => Ok(Effect::Event(EventMessage {
            source: read(item, "source", as_text)?.to_owned(),
            detail_type: read(item, "detail_type", as_text)?.to_owned(),
            detail: read(item, "detail", as_text)?.to_owned(),
            occurred_at: read(item, "occurred_at", as_time)?,
        })),
        _ => Err(PortError::new("read a stored item", "unknown effect")),
    }
}

fn read_entry(item: &Item) -> Result<OutboxEntry, PortError> {
    let effects = read(item, "effects", |value| value.as_l().ok())?;
    Ok(OutboxEntry {
        id: read(item, "event_id", as_text)?.to_owned(),
        written_at: read(item, "written_at", as_time)?,
        effects: effects.iter().map(read_effect).collect::<Result<_, _>>()?,
    })
}

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
    /// Returns the action that writes an entry.
    pub(super) fn put_entry(&self, entry: &OutboxEntry) -> Result<Put, PortError> {
        let mut item = Item::from([
            ("event_id".to_owned(), text(&entry.id)),
            ("written_at".to_owned(), time(entry.written_at)),
            ("effects".to_owned(), effects_value(&entry.effects)),
        ]);
        if let Some(end) = entry.expires_at() {
            item.insert("purge_at".to_owned(), purge_time(end));
        }
        put_new(&self.tables.outbox, "event_id", item)
    }
}

#[async_trait]
impl Outbox for DynamoStore {
    async fn find(&self, ids: &[String]) -> Result<WaitingEntries, PortError> {
        const ACTION: &str = "read the outbox";
        let keys = ids.iter().map(|id| HashMap::from([("event_id".to_owned(), text(id))]));
        let keys = KeysAndAttributes::builder()
            .set_keys(Some(keys.collect()))
            .consistent_read(true)
            .build()
            .map_err(malformed)?;
        let mut left = HashMap::from([(self.tables.outbox.clone(), keys)]);
        let mut waiting = WaitingEntries::default();
        for _ in 0..BATCH_TRIES {
            let batch = self.client.batch_get_item().set_request_items(Some(left));
            let batch = batch.return_consumed_capacity(ReturnConsumedCapacity::Total);
            let answer = batch.send().await.map_err(|error| port_error(ACTION, &error))?;
            for item in answer.responses.unwrap_or_default().into_values().flatten() {
                add(&mut waiting, &item);
            }
            left = answer.unprocessed_keys.unwrap_or_default();
            if left.is_empty() {
                return Ok(waiting);
            }
        }
        Err(PortError::new(ACTION, "the database processed only a part of the batch"))
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
