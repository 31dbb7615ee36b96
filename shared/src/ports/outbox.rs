use super::PortError;
use crate::domain::outbox::OutboxEntry;
use crate::domain::time::Timestamp;
use async_trait::async_trait;

/// Entries that wait.
#[derive(Debug, Default)]
pub struct WaitingEntries {
    /// Those that could be read.
    pub entries: Vec<OutboxEntry>,
    /// The ids of those that could not: a newer version of this program wrote them, and they do
    /// not hold up the others.
    pub unreadable: Vec<String>,
    /// Where the next page begins, if there is one.
    pub next: Option<String>,
}

/// The effects that are still to be delivered.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// The entries of these ids that still exist, in no order.
    ///
    /// # Errors
    /// The store did not answer.
    async fn find(&self, ids: &[String]) -> Result<WaitingEntries, PortError>;

    /// A page of the entries written before `before`, from where the last page said.
    ///
    /// # Errors
    /// The store did not answer.
    async fn overdue(
        &self,
        before: Timestamp,
        from: Option<String>,
    ) -> Result<WaitingEntries, PortError>;

    /// Forgets an entry that is done. It is no error when it is gone already.
    ///
    /// # Errors
    /// The store did not answer.
    async fn finish(&self, id: &str) -> Result<(), PortError>;

    /// Keeps of an entry only the effects it still has; gone entries stay gone.
    ///
    /// # Errors
    /// The store did not answer.
    async fn keep_rest(&self, entry: &OutboxEntry) -> Result<(), PortError>;
}
