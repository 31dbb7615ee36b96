//! The port that keeps what happened to recipients and users.

use super::PortError;
use crate::domain::history::{Counted, HistoryItem, HistoryOf};
use crate::domain::time::Timestamp;
use async_trait::async_trait;

/// The histories of recipients and users. A stored item names no person: its key is a keyed hash.
#[async_trait]
pub trait Histories: Send + Sync {
    /// Writes an item. An item of the same transaction replaces the one before.
    async fn add(&self, of: &HistoryOf, item: &HistoryItem) -> Result<(), PortError>;

    /// Counts what happened at `at` in the item of its day.
    async fn count(&self, of: &HistoryOf, what: Counted, at: Timestamp) -> Result<(), PortError>;

    /// Returns the newest items of a history that have not ended at `now`, the newest first, at most `most`.
    async fn read(
        &self,
        of: &HistoryOf,
        most: usize,
        now: Timestamp,
    ) -> Result<Vec<HistoryItem>, PortError>;

    /// Deletes a history. Returns how many items it had.
    async fn forget(&self, of: &HistoryOf) -> Result<usize, PortError>;
}
