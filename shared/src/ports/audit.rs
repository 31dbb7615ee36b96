//! The port for the record of what operators did.

use super::PortError;
use crate::domain::time::Timestamp;
use async_trait::async_trait;

/// A call of an operator.
#[derive(Clone, Debug)]
pub struct AuditEntry {
    pub at: Timestamp,
    /// A random id, so that two calls of one millisecond are two entries.
    pub id: String,
    /// What was done: the name of the verb.
    pub what: String,
    /// Who did it, as the caller states it.
    pub who: String,
    /// Why, as the caller states it.
    pub why: String,
    /// The hash of the person, which log lines of the same day contain too.
    pub person: Option<String>,
}

/// The record of what operators did.
#[async_trait]
pub trait Audit: Send + Sync {
    /// Records that a call begins. Without this record nothing is done.
    async fn begin(&self, entry: &AuditEntry) -> Result<(), PortError>;

    /// Records how the call ended.
    async fn end(&self, entry: &AuditEntry, outcome: &str) -> Result<(), PortError>;
}
