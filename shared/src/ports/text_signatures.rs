//! The port that signs plain texts.

use super::PortError;
use async_trait::async_trait;

/// The signatures of texts that are not JWT claims.
#[async_trait]
pub trait TextSignatures: Send + Sync {
    /// Returns a signer with the current key. A use case asks for it before it writes anything.
    ///
    /// # Errors
    /// The key ring could not be read.
    async fn signer(&self) -> Result<Box<dyn SignText>, PortError>;
}

/// A signer of texts with a fixed key.
pub trait SignText: Send + Sync {
    /// Returns the compact JWS (RFC 7515) of `text`. Its header contains only the algorithm.
    fn sign(&self, text: &str) -> String;
}
