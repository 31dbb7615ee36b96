//! The port that signs and verifies access tokens.

use super::PortError;
use async_trait::async_trait;

/// The access tokens of one contract.
#[async_trait]
pub trait AccessTokens: Send + Sync {
    /// Returns a signer with the current key. A use case asks for it before it writes anything, so
    /// that no account is created whose user then gets no token.
    ///
    /// # Errors
    /// The key ring could not be read.
    async fn signer(&self) -> Result<Box<dyn SignAccessToken>, PortError>;

    /// Verifies the algorithm and the signature of a token. It does not look at the claims, not
    /// even at the expiry; the contract judges them.
    ///
    /// # Errors
    /// The key ring could not be read.
    async fn check(&self, token: &str) -> Result<CheckedToken, PortError>;

    /// Returns a token that was signed before, made of the part before its signature. Its header
    /// names the key.
    ///
    /// # Errors
    /// The key ring could not be read or does not contain the key.
    async fn sign_again(&self, signed: &str) -> Result<String, PortError>;
}

/// The result of [`AccessTokens::check`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckedToken {
    /// A key of the ring signed the token. Contains the claims, a JSON object.
    Genuine(String),
    /// The token has another signature or algorithm, or is malformed.
    Forged,
}

/// A signer of access tokens with a fixed key.
pub trait SignAccessToken: Send + Sync {
    /// Returns the compact JWT (RFC 7519) of `claims`, a JSON object.
    ///
    /// # Errors
    /// The claims are not JSON.
    fn sign(&self, claims: &str) -> Result<String, PortError>;
}
