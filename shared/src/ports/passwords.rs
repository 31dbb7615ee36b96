use super::PortError;
use crate::domain::password::{Password, PasswordHash};
use async_trait::async_trait;

/// Hashes passwords, away from the thread that serves requests.
#[async_trait]
pub trait Passwords: Send + Sync {
    /// The hash of a password, with a salt of its own.
    ///
    /// # Errors
    /// The hash function refused, which a right configuration excludes.
    async fn hash(&self, password: Password) -> Result<PasswordHash, PortError>;
}
