//! Integer ids, counted in the table Sequences (README.md, "Sequences"). A process takes ids in
//! blocks, so that a sign-up needs no write of a counter.

use super::items::keys;
use super::items::value::{as_number, number, read, text};
use super::{DynamoStore, port_error};
use crate::domain::id::Sequence;
use crate::domain::realm::Realm;
use crate::ports::{MetricEvent, PortError, SequenceIds, record_metric};
use async_trait::async_trait;
use aws_sdk_dynamodb::types::{ReturnConsumedCapacity, ReturnValue};
use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::sync::{Mutex, PoisonError};

/// The number of ids that a process takes at once. Ids that it does not use are lost, which is
/// acceptable with two thousand million ids.
const BLOCK: u32 = 50;
/// The highest id: clients store ids in signed 32-bit integers.
const HIGHEST: u32 = i32::MAX.unsigned_abs();

/// A source of integer ids that takes them in blocks.
pub struct DynamoSequenceIds {
    store: DynamoStore,
    blocks: Mutex<HashMap<String, Block>>,
}

/// The ids that a process may give out without a call.
struct Block {
    /// The ids that were given back.
    returned: Vec<u32>,
    unused: RangeInclusive<u32>,
}

impl DynamoSequenceIds {
    #[must_use]
    pub fn new(store: DynamoStore) -> Self {
        Self { store, blocks: Mutex::new(HashMap::new()) }
    }

    fn take(&self, sequence: &str) -> Option<u32> {
        let mut blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        let block = blocks.get_mut(sequence)?;
        block.returned.pop().or_else(|| block.unused.next())
    }

    async fn next_block(&self, sequence: &str) -> Result<RangeInclusive<u32>, PortError> {
        const ACTION: &str = "take a block of ids";
        let update = self
            .store
            .client
            .update_item()
            .table_name(&self.store.tables.sequences)
            .key("name", text(sequence))
            .update_expression("ADD last_id :block")
            .expression_attribute_values(":block", number(BLOCK))
            .return_values(ReturnValue::UpdatedNew)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let updated = self
            .store
            .retry_on_conflict(|| update.clone().send())
            .await
            .map_err(|error| port_error(ACTION, &error))?;
        let last = read(&updated.attributes.unwrap_or_default(), "last_id", as_number)?;
        let last = u32::try_from(last).ok().filter(|last| *last <= HIGHEST);
        let last = last.ok_or_else(|| PortError::new(ACTION, "the ids are used up"))?;
        Ok(last.saturating_sub(BLOCK).saturating_add(1)..=last)
    }
}

#[async_trait]
impl SequenceIds for DynamoSequenceIds {
    async fn next(&self, realm: &Realm, sequence: Sequence) -> Result<u32, PortError> {
        let sequence = keys::sequence(realm, sequence);
        if let Some(id) = self.take(&sequence) {
            return Ok(id);
        }
        let mut unused = self.next_block(&sequence).await?;
        let id = unused.next();
        let percent = u64::from(*unused.end()).saturating_mul(100).checked_div(HIGHEST.into());
        let percent = percent.unwrap_or_default();
        record_metric(Some(realm.contract()), MetricEvent::IdSpaceUsed { percent });
        let block = Block { returned: Vec::new(), unused };
        self.blocks.lock().unwrap_or_else(PoisonError::into_inner).insert(sequence, block);
        id.ok_or_else(|| PortError::new("take a block of ids", "the block is empty"))
    }

    fn give_back(&self, realm: &Realm, sequence: Sequence, id: u32) {
        let mut blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(block) = blocks.get_mut(&keys::sequence(realm, sequence)) {
            block.returned.push(id);
        }
    }
}
