use super::PortError;
use crate::domain::outbox::OutboxEntry;
use crate::domain::time::Timestamp;
use async_trait::async_trait;

/// The effects that are still to be delivered.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// The entries of these ids that still exist, in no order.
    ///
    /// # Errors
    /// The store did not answer, or an entry could not be read.
    async fn find(&self, ids: &[String]) -> Result<Vec<OutboxEntry>, PortError>;

    /// Entries written before `before`, at most one page of them.
    ///
    /// # Errors
    /// The store did not answer, or an entry could not be read.
    async fn overdue(&self, before: Timestamp) -> Result<Vec<OutboxEntry>, PortError>;

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
