//! Hashes that stand for people, with the key of traces.

use super::key_ring::KeyRing;
use super::trace_hash::{date_of, trace_hash};
use crate::domain::time::Timestamp;
use crate::ports::{PersonHashes, PortError};
use async_trait::async_trait;
use std::sync::Arc;

/// Hashes with the current key of a ring.
pub struct RingPersonHashes {
    ring: Arc<KeyRing>,
}

impl RingPersonHashes {
    #[must_use]
    pub const fn new(ring: Arc<KeyRing>) -> Self {
        Self { ring }
    }
}

#[async_trait]
impl PersonHashes for RingPersonHashes {
    async fn hash(&self, kind: &str, value: &str, at: Timestamp) -> Result<String, PortError> {
        let ring = self.ring.ring().await?;
        let key = ring.key(ring.current());
        let key = key.ok_or_else(|| PortError::new("read a key", "the key is not in the ring"))?;
        Ok(trace_hash(key, &date_of(at), kind, value))
    }
}
