use super::PortError;
use crate::domain::challenge::KeyId;
use crate::domain::code::{CodeFormat, CodeSeed, OneTimeCode};
use crate::domain::link::LinkToken;
use async_trait::async_trait;

/// The keys that codes are derived with; kept outside the store that holds the nonces.
#[async_trait]
pub trait CodeKeys: Send + Sync {
    /// The key that new codes are derived with.
    ///
    /// # Errors
    /// The key ring could not be read.
    async fn current(&self) -> Result<KeyId, PortError>;

    /// The code of `seed`.
    ///
    /// # Errors
    /// The key ring could not be read, or does not have the seed's key: a key leaves the ring long
    /// after its last code has ended, so this passes.
    async fn derive(&self, seed: &CodeSeed, format: CodeFormat) -> Result<OneTimeCode, PortError>;

    /// The secret of the link of `seed`.
    ///
    /// # Errors
    /// As for [`CodeKeys::derive`].
    async fn derive_link(&self, seed: &CodeSeed) -> Result<LinkToken, PortError>;
}
