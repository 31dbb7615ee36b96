//! Passwords hashed with argon2id.

use crate::domain::password::{Password, PasswordHash};
use crate::ports::{Entropy, Passwords, PortError, random};
use argon2::password_hash::PasswordHasher as _;
use argon2::{Algorithm, Argon2, Params, Version};
use async_trait::async_trait;
use std::sync::Arc;

/// What a hash costs.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// Memory, in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub iterations: u32,
    /// Lanes.
    pub parallelism: u32,
}

/// argon2id, version 0x13.
pub struct Argon2Passwords {
    hasher: Argon2<'static>,
    entropy: Arc<dyn Entropy>,
}

impl Argon2Passwords {
    /// A hasher with this cost. The configured default is the one OWASP's Password Storage Cheat
    /// Sheet recommends: 19 MiB, two passes, one lane.
    ///
    /// # Errors
    /// argon2 does not allow that cost.
    pub fn new(cost: Cost, entropy: Arc<dyn Entropy>) -> Result<Self, PortError> {
        let Cost { memory_kib, iterations, parallelism } = cost;
        let params = Params::new(memory_kib, iterations, parallelism, None)
            .map_err(|error| PortError::new("use the configured argon2 cost", error))?;
        Ok(Self { hasher: Argon2::new(Algorithm::Argon2id, Version::V0x13, params), entropy })
    }
}

#[async_trait]
impl Passwords for Argon2Passwords {
    async fn hash(&self, password: Password) -> Result<PasswordHash, PortError> {
        let salt: [u8; 16] = random(&*self.entropy)?;
        let hasher = self.hasher.clone();
        let work = tokio::task::spawn_blocking(move || {
            let text = password.expose().as_bytes();
            hasher.hash_password_with_salt(text, &salt).map(|hash| hash.to_string())
        });
        work.await
            .map_err(|error| PortError::new("run the password hash", error))?
            .map(PasswordHash::new)
            .map_err(|error| PortError::new("hash a password", error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::system::OsEntropy;

    #[tokio::test]
    async fn hashes_are_phc_strings_with_the_configured_cost_and_a_salt_of_their_own() {
        let cost = Cost { memory_kib: 19_456, iterations: 2, parallelism: 1 };
        let passwords = Argon2Passwords::new(cost, Arc::new(OsEntropy::default())).unwrap();
        let hash = || async {
            let password = Password::parse("correct horse", 8).unwrap();
            passwords.hash(password).await.unwrap()
        };
        let (one, two) = (hash().await, hash().await);
        assert!(one.expose().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", one.expose());
        assert_ne!(one.expose(), two.expose());
    }
}
