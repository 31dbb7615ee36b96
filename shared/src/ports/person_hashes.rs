//! The port for hashes that stand for people.

use super::PortError;
use crate::domain::time::Timestamp;
use async_trait::async_trait;

/// Hashes that stand for people, the same that log lines of the same day contain.
#[async_trait]
pub trait PersonHashes: Send + Sync {
    /// Returns the hash of a value of this kind, such as `phone`, on the day of `at`.
    async fn hash(&self, kind: &str, value: &str, at: Timestamp) -> Result<String, PortError>;
}
