//! One-time codes and links, derived with HMAC-SHA-256.

use super::key_ring::KeyRing;
use super::ring_mac::mac;
use crate::domain::challenge::KeyId;
use crate::domain::code::{CodeFormat, CodeSeed, OneTimeCode};
use crate::domain::link::LinkToken;
use crate::ports::{CodeKeys, PortError};
use async_trait::async_trait;
use std::sync::Arc;

/// Derives codes and links with the keys of a ring.
pub struct HmacCodeKeys {
    ring: Arc<KeyRing>,
}

impl HmacCodeKeys {
    #[must_use]
    pub const fn new(ring: Arc<KeyRing>) -> Self {
        Self { ring }
    }
}

#[async_trait]
impl CodeKeys for HmacCodeKeys {
    async fn current(&self) -> Result<KeyId, PortError> {
        Ok(self.ring.ring().await?.current().clone())
    }

    async fn derive(&self, seed: &CodeSeed, format: CodeFormat) -> Result<OneTimeCode, PortError> {
        let mac = mac(&self.ring, &seed.key_id, &seed.message(), "derive a code").await?;
        Ok(OneTimeCode::truncate(&mac, format))
    }

    async fn derive_link(&self, seed: &CodeSeed) -> Result<LinkToken, PortError> {
        let mac = mac(&self.ring, &seed.key_id, &seed.link_message(), "derive a link").await?;
        Ok(LinkToken::new(&mac))
    }
}
