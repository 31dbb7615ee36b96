//! The port that hashes passwords.

use super::PortError;
use crate::domain::password::{Password, PasswordHash};
use async_trait::async_trait;

/// The result of [`Passwords::verify`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordVerdict {
    /// The password does not match, or there is no hash.
    Wrong,
    /// The hash has an unknown format, is malformed, or its cost is above the limits. It matches no password.
    UnknownHash,
    /// The password matches.
    Right {
        /// Whether the hash has another format or cost than a new one, or was made of the text before its
        /// normalization.
        outdated: bool,
    },
}

/// A password hash function. It runs outside the thread that serves requests.
#[async_trait]
pub trait Passwords: Send + Sync {
    /// Hashes a password with a new salt.
    ///
    /// # Errors
    /// The hash function failed, which a valid configuration excludes.
    async fn hash(&self, password: Password) -> Result<PasswordHash, PortError>;

    /// Compares a password with a hash of any known format. Without a hash it does the work of a wrong password, so that
    /// the time does not show whether there is one.
    ///
    /// # Errors
    /// The hash function did not run.
    async fn verify(
        &self,
        password: Password,
        hash: Option<PasswordHash>,
    ) -> Result<PasswordVerdict, PortError>;
}
