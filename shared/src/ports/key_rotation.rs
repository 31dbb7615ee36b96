//! The port that rotates keys.

use super::PortError;
use crate::domain::key_rotation::{KeyState, KeyVersion, NewKey};
use async_trait::async_trait;

/// The keys that tokens are signed with and codes are derived with. The parameter `key` is the id
/// of the secret.
///
/// Each change is one write. Its condition is that the state of the key is the one that the caller
/// read. If several equal calls start from the same state, one of them succeeds and the others
/// return `None`. A [`KeyRotation::replace`] beside another change may succeed with it; the ring is
/// then valid, and the state of the key tells what is in it.
#[async_trait]
pub trait KeyRotation: Send + Sync {
    /// Returns the state of a key.
    ///
    /// # Errors
    /// The secret could not be read or has no value.
    async fn key_state(&self, key: &str) -> Result<KeyState, PortError>;

    /// Adds `new` as the next key, which every process reads and none uses. Returns the new
    /// version.
    async fn publish(
        &self,
        key: &str,
        state: &KeyState,
        new: &NewKey,
    ) -> Result<Option<KeyVersion>, PortError>;

    /// Makes `next` the current key and the current key the previous one. The previous key leaves
    /// the ring. Returns `next`.
    async fn promote(
        &self,
        key: &str,
        state: &KeyState,
        next: &KeyVersion,
    ) -> Result<Option<KeyVersion>, PortError>;

    /// Makes `new` the current key at once, even though other processes do not know it yet. The
    /// current key becomes the previous one; the previous and the next key leave the ring. Returns
    /// the new version.
    async fn replace(
        &self,
        key: &str,
        state: &KeyState,
        new: &NewKey,
    ) -> Result<Option<KeyVersion>, PortError>;
}
