//! Codes derived with HMAC-SHA-256.

use super::key_ring::KeyRing;
use crate::domain::challenge::KeyId;
use crate::domain::code::{CodeFormat, CodeSeed, OneTimeCode};
use crate::ports::{CodeKeys, PortError};
use async_trait::async_trait;
use ring::hmac;
use secrecy::{ExposeSecret as _, SecretString};
use std::sync::Arc;

/// Derives codes with the keys of a ring.
pub struct HmacCodeKeys {
    ring: Arc<KeyRing>,
}

impl HmacCodeKeys {
    /// Derives with the keys of `ring`.
    #[must_use]
    pub const fn new(ring: Arc<KeyRing>) -> Self {
        Self { ring }
    }
}

/// The code that `key` makes of `seed`.
fn derive(key: &SecretString, seed: &CodeSeed, format: CodeFormat) -> OneTimeCode {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.expose_secret().as_bytes());
    let tag = hmac::sign(&key, &seed.message());
    let mut mac = [0; 32];
    mac.iter_mut().zip(tag.as_ref()).for_each(|(to, from)| *to = *from);
    OneTimeCode::truncate(&mac, format)
}

#[async_trait]
impl CodeKeys for HmacCodeKeys {
    async fn current(&self) -> Result<KeyId, PortError> {
        Ok(self.ring.ring().await?.current().clone())
    }

    async fn derive(&self, seed: &CodeSeed, format: CodeFormat) -> Result<OneTimeCode, PortError> {
        let ring = self.ring.ring_knowing(&seed.key_id).await?;
        let key = ring.key(&seed.key_id);
        let key =
            key.ok_or_else(|| PortError::new("derive a code", "its key is not known here"))?;
        Ok(derive(key, seed, format))
    }
}
