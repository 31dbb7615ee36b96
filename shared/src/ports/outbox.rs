//! The port for the outbox, which holds effects to deliver.

use super::PortError;
use crate::domain::outbox::OutboxEntry;
use crate::domain::time::Timestamp;
use async_trait::async_trait;

/// Outbox entries that wait for delivery.
#[derive(Debug, Default)]
pub struct WaitingEntries {
    pub entries: Vec<OutboxEntry>,
    /// The ids of entries that could not be read, because a newer version of this program wrote
    /// them. They do not hold up the other entries.
    pub unreadable: Vec<String>,
    /// The start of the next page, if there is one.
    pub next: Option<String>,
}

/// The effects to deliver.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Returns the entries with these ids that still exist, in any order.
    async fn find(&self, ids: &[String]) -> Result<WaitingEntries, PortError>;

    /// Returns a page of the entries that were written before `before`. `from` is the start of the
    /// page.
    async fn overdue(
        &self,
        before: Timestamp,
        from: Option<String>,
    ) -> Result<WaitingEntries, PortError>;

    /// Deletes a delivered entry. Succeeds if the entry does not exist any more.
    async fn delete(&self, id: &str) -> Result<(), PortError>;

    /// Replaces the effects of an entry by those that are left. Does nothing if the entry does not
    /// exist any more.
    async fn retain_effects(&self, entry: &OutboxEntry) -> Result<(), PortError>;
}
