use super::PortError;
use async_trait::async_trait;

/// Signatures over texts that are no claims.
#[async_trait]
pub trait TextSignatures: Send + Sync {
    /// A signer with the current key. Asked for before anything is written.
    ///
    /// # Errors
    /// The key ring could not be read.
    async fn signer(&self) -> Result<Box<dyn SignText>, PortError>;
}

/// Signs texts.
pub trait SignText: Send + Sync {
    /// The compact JWS (RFC 7515) of `text`; its header names the algorithm and nothing else.
    fn sign(&self, text: &str) -> String;
}
