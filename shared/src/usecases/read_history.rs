//! Reads what happened to a recipient or a user.

use crate::domain::delivery::{MessageId, Receipt};
use crate::domain::history::{Happening, HistoryItem, HistoryOf, MessageOutcome};
use crate::domain::time::Timestamp;
use crate::ports::{Clock, Deliveries, Histories, PortError};
use std::sync::Arc;

/// The most items that are read of each subject: as many messages as one batch of receipts has.
const MOST: usize = 100;

/// Reads histories, with what carriers reported of the messages.
pub struct ReadHistory {
    pub histories: Arc<dyn Histories>,
    pub deliveries: Arc<dyn Deliveries>,
    pub clock: Arc<dyn Clock>,
}

/// An item, with what became of its message after a carrier accepted it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryEntry {
    pub item: HistoryItem,
    /// `None` if no carrier reported anything.
    pub receipt: Option<Receipt>,
}

impl HistoryEntry {
    /// The time of the entry.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        self.item.at
    }
}

impl ReadHistory {
    /// Returns the newest entries of these histories together, the newest first, at most 100.
    ///
    /// # Errors
    /// The store or the keys could not be read.
    pub async fn run(&self, of: &[HistoryOf]) -> Result<Vec<HistoryEntry>, PortError> {
        let now = self.clock.now();
        let mut items = Vec::new();
        for of in of {
            items.extend(self.histories.read(of, MOST, now).await?);
        }
        items.sort_by_key(|item| std::cmp::Reverse(item.at));
        items.truncate(MOST);
        let mut ids: Vec<_> = items.iter().filter_map(message_id).collect();
        ids.sort();
        ids.dedup();
        let receipts = self.deliveries.receipts(&ids).await?;
        let entries = items.into_iter().map(|item| {
            let id = message_id(&item);
            let receipt = receipts.iter().find(|receipt| Some(&receipt.id) == id.as_ref());
            HistoryEntry { item, receipt: receipt.cloned() }
        });
        Ok(entries.collect())
    }

    /// Returns the ids of all messages of these histories.
    ///
    /// # Errors
    /// The store or the keys could not be read.
    pub async fn messages(&self, of: &[HistoryOf]) -> Result<Vec<MessageId>, PortError> {
        let now = self.clock.now();
        let mut ids = Vec::new();
        for of in of {
            let items = self.histories.read(of, usize::MAX, now).await?;
            ids.extend(items.iter().filter_map(message_id));
        }
        Ok(ids)
    }

    /// Deletes the histories of a person. Returns how many items they had.
    ///
    /// # Errors
    /// The store or the keys could not be read, or the store could not be written.
    pub async fn forget(&self, of: &[HistoryOf]) -> Result<usize, PortError> {
        let mut forgotten = 0_usize;
        for of in of {
            forgotten = forgotten.saturating_add(self.histories.forget(of).await?);
        }
        Ok(forgotten)
    }
}

/// The id that a carrier gave the message of an item.
fn message_id(item: &HistoryItem) -> Option<MessageId> {
    let Happening::Message(message) = &item.what else { return None };
    match &message.outcome {
        MessageOutcome::Sent { carrier, id: Some(id) }
        | MessageOutcome::Notified { carrier, id: Some(id) } => {
            Some(MessageId { carrier: carrier.clone(), id: id.clone() })
        }
        _ => None,
    }
}
