//! The ids of counted uses.
//!
//! The SDK repeats a request whose reply was lost. An update that only adds would then count twice,
//! and its condition would refuse the last use that is allowed because of itself. So every count
//! stores the id of its use: the repetition fails, the failure returns the item, and the item has
//! the id.

use super::items::value::{Item, as_bytes};
use crate::ports::{Entropy, PortError, random};
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use std::sync::atomic::{AtomicU32, Ordering};

/// A source of ids that no other process gives out.
pub(super) struct CountedUses {
    /// Random bytes of this process.
    process: [u8; 8],
    next: AtomicU32,
}

/// The id of one use.
pub(super) struct CountedUse([u8; 12]);

impl CountedUses {
    pub(super) fn new(entropy: &dyn Entropy) -> Result<Self, PortError> {
        Ok(Self { process: random(entropy)?, next: AtomicU32::new(0) })
    }

    /// Returns the id of a new use.
    pub(super) fn next(&self) -> CountedUse {
        let mut id = [0; 12];
        let (process, number) = id.split_at_mut(self.process.len());
        process.copy_from_slice(&self.process);
        number.copy_from_slice(&self.next.fetch_add(1, Ordering::Relaxed).to_be_bytes());
        CountedUse(id)
    }
}

impl CountedUse {
    pub(super) fn value(&self) -> AttributeValue {
        AttributeValue::B(Blob::new(self.0))
    }

    /// Returns the set that contains only this id.
    pub(super) fn set(&self) -> AttributeValue {
        AttributeValue::Bs(vec![Blob::new(self.0)])
    }

    /// Returns whether the item has this id in the attribute.
    pub(super) fn is_in(&self, item: &Item, attribute: &str) -> bool {
        item.get(attribute).and_then(as_bytes) == Some(&self.0)
    }

    /// Returns whether the item has this id in the set.
    pub(super) fn is_in_set(&self, item: &Item, attribute: &str) -> bool {
        let ids = item.get(attribute).and_then(|value| value.as_bs().ok());
        ids.into_iter().flatten().any(|id| id.as_ref() == self.0)
    }
}
