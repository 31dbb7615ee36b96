//! One-time codes and links, derived with HMAC-SHA-256.

use super::key_ring::KeyRing;
use crate::domain::challenge::KeyId;
use crate::domain::code::{CodeFormat, CodeSeed, OneTimeCode};
use crate::domain::link::LinkToken;
use crate::ports::{CodeKeys, PortError};
use async_trait::async_trait;
use ring::hmac;
use secrecy::{ExposeSecret as _, SecretString};
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

/// Returns the MAC of `message` with `key`.
fn mac(key: &SecretString, message: &[u8]) -> [u8; 32] {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.expose_secret().as_bytes());
    let tag = hmac::sign(&key, message);
    let mut mac = [0; 32];
    mac.iter_mut().zip(tag.as_ref()).for_each(|(to, from)| *to = *from);
    mac
}

impl HmacCodeKeys {
    /// Returns the MAC of `message` with the key of `seed`.
    async fn mac(&self, seed: &CodeSeed, message: &[u8]) -> Result<[u8; 32], PortError> {
        let ring = self.ring.ring_with_key(&seed.key_id).await?;
        let key = ring.key(&seed.key_id);
        let key =
            key.ok_or_else(|| PortError::new("derive a code", "the key is not in the ring"))?;
        Ok(mac(key, message))
    }
}

#[async_trait]
impl CodeKeys for HmacCodeKeys {
    async fn current(&self) -> Result<KeyId, PortError> {
        Ok(self.ring.ring().await?.current().clone())
    }

    async fn derive(&self, seed: &CodeSeed, format: CodeFormat) -> Result<OneTimeCode, PortError> {
        Ok(OneTimeCode::truncate(&self.mac(seed, &seed.message()).await?, format))
    }

    async fn derive_link(&self, seed: &CodeSeed) -> Result<LinkToken, PortError> {
        Ok(LinkToken::new(&self.mac(seed, &seed.link_message()).await?))
    }
}
