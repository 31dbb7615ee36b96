use super::PortError;
use crate::domain::password::{Password, PasswordHash};
use async_trait::async_trait;

/// How a password compares with a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is another one, or there is no hash.
    Wrong,
    /// It is the one.
    Right {
        /// Whether the hash costs less than one made today.
        outdated: bool,
    },
}

/// Hashes passwords, away from the thread that serves requests.
#[async_trait]
pub trait Passwords: Send + Sync {
    /// The hash of a password, with a salt of its own.
    ///
    /// # Errors
    /// The hash function refused, which a right configuration excludes.
    async fn hash(&self, password: Password) -> Result<PasswordHash, PortError>;

    /// Compares a password with a hash. Without one the same work is done, so that nobody can tell
    /// by the time whether there is one.
    ///
    /// # Errors
    /// The hash cannot be read, or the hash function refused.
    async fn verify(
        &self,
        password: Password,
        hash: Option<PasswordHash>,
    ) -> Result<Verdict, PortError>;
}
