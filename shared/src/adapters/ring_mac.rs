//! HMAC-SHA-256 with a key of a ring.

use super::key_ring::KeyRing;
use crate::domain::challenge::KeyId;
use crate::ports::PortError;
use ring::hmac;
use secrecy::ExposeSecret as _;

/// Returns the MAC of `message` with the key `id` of the ring. An error says that `action` failed.
///
/// # Errors
/// The ring cannot be read, or does not contain the key.
pub(super) async fn mac(
    ring: &KeyRing,
    id: &KeyId,
    message: &[u8],
    action: &'static str,
) -> Result<[u8; 32], PortError> {
    let ring = ring.ring_with_key(id).await?;
    let key = ring.key(id).ok_or_else(|| PortError::new(action, "the key is not in the ring"))?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.expose_secret().as_bytes());
    let mac = hmac::sign(&key, message);
    mac.as_ref().try_into().map_err(|error| PortError::new(action, error))
}
