use super::PortError;
use async_trait::async_trait;

/// Access tokens of one contract.
#[async_trait]
pub trait AccessTokens: Send + Sync {
    /// A signer with the current key. Asked for before anything is written, so that an account
    /// is never made for somebody who then cannot be given a token.
    ///
    /// # Errors
    /// The key ring could not be read.
    async fn signer(&self) -> Result<Box<dyn SignAccessToken>, PortError>;

    /// Checks a token's algorithm and signature. Its claims are the contract's to judge: none is
    /// looked at here, not even the end.
    ///
    /// # Errors
    /// The key ring could not be read.
    async fn check(&self, token: &str) -> Result<CheckedToken, PortError>;
}

/// What a token turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckedToken {
    /// Signed here, by a key of the ring. Holds the claims set, a JSON object.
    Genuine(String),
    /// Anything else.
    Forged,
}

/// Signs claims.
pub trait SignAccessToken: Send + Sync {
    /// The compact JWT (RFC 7519) of the claims set `claims`, a JSON object.
    ///
    /// # Errors
    /// The claims are not JSON.
    fn sign(&self, claims: &str) -> Result<String, PortError>;
}
