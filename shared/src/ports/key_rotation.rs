use super::PortError;
use crate::domain::key_rotation::{KeyStanding, KeyVersion, NewKey};
use async_trait::async_trait;

/// Changes the keys that tokens are signed and codes derived with. A key goes by what its keeper
/// calls it.
///
/// Each change is one write, under the condition that the key still stands as the caller saw it:
/// of several that start from one standing, one takes effect and the others return `None`.
#[async_trait]
pub trait KeyRotation: Send + Sync {
    /// How a key stands.
    ///
    /// # Errors
    /// The keeper did not answer, or the key has never been made.
    async fn standing(&self, key: &str) -> Result<KeyStanding, PortError>;

    /// Adds `new` as the next key, which everybody reads and nobody uses. Returns it.
    ///
    /// # Errors
    /// The keeper did not answer.
    async fn publish(
        &self,
        key: &str,
        standing: &KeyStanding,
        new: &NewKey,
    ) -> Result<Option<KeyVersion>, PortError>;

    /// Makes `next` the current key, the current one the previous one, and drops the previous one.
    /// Returns `next`.
    ///
    /// # Errors
    /// The keeper did not answer.
    async fn sign_with(
        &self,
        key: &str,
        standing: &KeyStanding,
        next: &KeyVersion,
    ) -> Result<Option<KeyVersion>, PortError>;

    /// Makes `new` the current key at once, known to others or not, the current one the previous
    /// one, and drops the previous one and the next. Returns the new one.
    ///
    /// # Errors
    /// The keeper did not answer.
    async fn replace(
        &self,
        key: &str,
        standing: &KeyStanding,
        new: &NewKey,
    ) -> Result<Option<KeyVersion>, PortError>;
}
