//! The keys of kept answers: HMAC-SHA-256 and ChaCha20-Poly1305 (RFC 8439), of the crate ring.

use super::key_ring::KeyRing;
use crate::domain::challenge::KeyId;
use crate::ports::{AnswerKey, AnswerKeys, PortError};
use async_trait::async_trait;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use ring::hmac;
use secrecy::ExposeSecret as _;
use std::sync::Arc;

/// The keys of a ring. The ring may have other uses: every MAC of this one begins with a name of its
/// own.
pub struct RingAnswerKeys {
    ring: Arc<KeyRing>,
}

struct RingAnswerKey {
    id: KeyId,
    key: hmac::Key,
}

impl RingAnswerKeys {
    #[must_use]
    pub const fn new(ring: Arc<KeyRing>) -> Self {
        Self { ring }
    }
}

#[async_trait]
impl AnswerKeys for RingAnswerKeys {
    async fn answer_key(&self, id: Option<&KeyId>) -> Result<Box<dyn AnswerKey>, PortError> {
        let ring = match id {
            Some(id) => self.ring.ring_with_key(id).await?,
            None => self.ring.ring().await?,
        };
        let id = id.unwrap_or_else(|| ring.current()).clone();
        let key = ring.key(&id);
        let key = key.ok_or_else(|| PortError::new("read a key", "the key is not in the ring"))?;
        let key = hmac::Key::new(hmac::HMAC_SHA256, key.expose_secret().as_bytes());
        Ok(Box::new(RingAnswerKey { id, key }))
    }
}

/// Each seal has a key of its own, so that one nonce is enough.
fn cipher(key: &[u8; 32]) -> Result<LessSafeKey, PortError> {
    let key = UnboundKey::new(&CHACHA20_POLY1305, key);
    let key = key.map_err(|_| PortError::new("seal an answer", "the cipher refused it"))?;
    Ok(LessSafeKey::new(key))
}

fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; 12])
}

impl AnswerKey for RingAnswerKey {
    fn id(&self) -> &KeyId {
        &self.id
    }

    fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = hmac::Context::with_key(&self.key);
        mac.update(b"latchkey answer");
        for part in parts {
            mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            mac.update(part);
        }
        let mut bytes = [0; 32];
        bytes.copy_from_slice(mac.sign().as_ref());
        bytes
    }

    fn seal(&self, key: &[u8; 32], text: &str) -> Result<Vec<u8>, PortError> {
        let mut sealed = text.as_bytes().to_vec();
        let seal = cipher(key)?.seal_in_place_append_tag(nonce(), Aad::empty(), &mut sealed);
        seal.map_err(|_| PortError::new("seal an answer", "the cipher refused it"))?;
        Ok(sealed)
    }

    fn open(&self, key: &[u8; 32], sealed: &[u8]) -> Option<String> {
        let mut opened = sealed.to_vec();
        let text = cipher(key).ok()?.open_in_place(nonce(), Aad::empty(), &mut opened).ok()?;
        String::from_utf8(text.to_vec()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::system::SystemClock;

    async fn key() -> Box<dyn AnswerKey> {
        let json = r#"{"v1":{"key":"a key of at least thirty-two bytes","stage":"AWSCURRENT"}}"#;
        let ring = KeyRing::inline("test", json, Arc::new(SystemClock)).unwrap();
        RingAnswerKeys::new(Arc::new(ring)).answer_key(None).await.unwrap()
    }

    #[tokio::test]
    async fn parts_that_are_joined_elsewhere_have_another_mac() {
        let key = key().await;
        let macs = [&[&b"ab"[..], b"c"][..], &[b"a", b"bc"], &[b"abc"], &[b"abc", b""]];
        let macs: std::collections::HashSet<_> =
            macs.into_iter().map(|parts| key.mac(parts)).collect();
        assert_eq!(macs.len(), 4);
    }

    #[tokio::test]
    async fn a_seal_opens_with_its_own_key_only() {
        let key = key().await;
        let (own, other) = (key.mac(&[b"own"]), key.mac(&[b"other"]));
        let sealed = key.seal(&own, "an answer").unwrap();
        assert!(!sealed.windows(6).any(|window| window == b"answer"));
        assert_eq!(key.open(&own, &sealed).as_deref(), Some("an answer"));
        assert_eq!(key.open(&other, &sealed), None);
        let mut changed = sealed;
        changed[0] ^= 1;
        assert_eq!(key.open(&own, &changed), None);
    }
}
