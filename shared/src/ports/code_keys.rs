//! The port that derives one-time codes and links.

use super::PortError;
use crate::domain::challenge::KeyId;
use crate::domain::code::{CodeFormat, CodeSeed, OneTimeCode};
use crate::domain::link::LinkToken;
use async_trait::async_trait;

/// The keys that codes and links are derived with. They are not in the database that holds the
/// nonces.
#[async_trait]
pub trait CodeKeys: Send + Sync {
    /// Returns the id of the key that new codes are derived with.
    ///
    /// # Errors
    /// The key ring could not be read.
    async fn current(&self) -> Result<KeyId, PortError>;

    /// Derives a code.
    ///
    /// # Errors
    /// The key ring could not be read or does not contain the key of `seed`. The second is
    /// temporary, because a key leaves the ring long after its last code has expired.
    async fn derive(&self, seed: &CodeSeed, format: CodeFormat) -> Result<OneTimeCode, PortError>;

    /// Derives the secret of a link.
    ///
    /// # Errors
    /// See [`CodeKeys::derive`].
    async fn derive_link(&self, seed: &CodeSeed) -> Result<LinkToken, PortError>;
}
