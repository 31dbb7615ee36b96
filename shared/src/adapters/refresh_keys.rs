//! The successors of refresh tokens, derived with HMAC-SHA-256.

use super::key_ring::KeyRing;
use super::ring_mac::mac;
use crate::domain::challenge::KeyId;
use crate::domain::session::{RefreshToken, SuccessorSeed};
use crate::ports::{PortError, RefreshKeys};
use async_trait::async_trait;
use std::sync::Arc;

/// Derives successors with the keys of a ring.
pub struct HmacRefreshKeys {
    ring: Arc<KeyRing>,
}

impl HmacRefreshKeys {
    #[must_use]
    pub const fn new(ring: Arc<KeyRing>) -> Self {
        Self { ring }
    }
}

#[async_trait]
impl RefreshKeys for HmacRefreshKeys {
    async fn current(&self) -> Result<KeyId, PortError> {
        Ok(self.ring.ring().await?.current().clone())
    }

    async fn successor(&self, seed: &SuccessorSeed<'_>) -> Result<RefreshToken, PortError> {
        const ACTION: &str = "derive a refresh token";
        let mac = mac(&self.ring, seed.key_id, &seed.message(), ACTION).await?;
        Ok(RefreshToken::new(&mac))
    }
}
