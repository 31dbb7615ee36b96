//! The successors of refresh tokens, derived with HMAC-SHA-256.

use super::key_ring::KeyRing;
use crate::domain::challenge::KeyId;
use crate::domain::session::{RefreshToken, SuccessorSeed};
use crate::ports::{PortError, RefreshKeys};
use async_trait::async_trait;
use ring::hmac;
use secrecy::ExposeSecret as _;
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
        let ring = self.ring.ring_with_key(seed.key_id).await?;
        let key = ring.key(seed.key_id);
        let key = key.ok_or_else(|| PortError::new(ACTION, "the key is not in the ring"))?;
        let key = hmac::Key::new(hmac::HMAC_SHA256, key.expose_secret().as_bytes());
        let mac = hmac::sign(&key, &seed.message());
        let mac = mac.as_ref().try_into().map_err(|error| PortError::new(ACTION, error))?;
        Ok(RefreshToken::new(mac))
    }
}
