//! Password hashes with Argon2id.

use crate::domain::password::{Password, PasswordHash};
use crate::ports::{Entropy, PasswordVerdict, Passwords, PortError, random};
use argon2::password_hash::phc::{self, Output, ParamsString, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use async_trait::async_trait;
use std::sync::{Arc, Mutex, PoisonError};
use subtle::ConstantTimeEq as _;

/// The cost of a hash.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// The memory, in KiB.
    pub memory_kib: u32,
    /// The number of passes over the memory.
    pub iterations: u32,
    /// The number of lanes.
    pub parallelism: u32,
}

/// Argon2id, version 0x13.
pub struct Argon2Passwords {
    hasher: Argon2<'static>,
    entropy: Arc<dyn Entropy>,
    /// The memory that hashes are computed in. It is kept from one hash to the next: a Lambda
    /// process serves one request at a time, and an allocator that repeatedly gets requests for 19
    /// MiB on changing threads would keep several such blocks.
    memory: Arc<Mutex<Vec<Block>>>,
}

impl Argon2Passwords {
    /// Creates a hasher with this cost. The default in the template is a recommendation of the
    /// OWASP Password Storage Cheat Sheet: 19 MiB, two passes, one lane.
    ///
    /// # Errors
    /// Argon2 does not allow the cost.
    pub fn new(cost: Cost, entropy: Arc<dyn Entropy>) -> Result<Self, PortError> {
        let Cost { memory_kib, iterations, parallelism } = cost;
        let params = Params::new(memory_kib, iterations, parallelism, None)
            .map_err(|error| PortError::new("use the configured argon2 cost", error))?;
        let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        Ok(Self { hasher, entropy, memory: Arc::default() })
    }
}

/// Computes the hash of a password in `memory` and returns it as a PHC string.
fn hash(
    hasher: &Argon2<'_>,
    memory: &Mutex<Vec<Block>>,
    password: &Password,
    salt: &[u8],
) -> Result<String, PortError> {
    const ACTION: &str = "hash a password";
    let mut output = [0; Params::DEFAULT_OUTPUT_LEN];
    let mut memory = memory.lock().unwrap_or_else(PoisonError::into_inner);
    memory.resize(hasher.params().block_count(), Block::new());
    let password = password.expose().as_bytes();
    hasher
        .hash_password_into_with_memory(password, salt, &mut output, memory.as_mut_slice())
        .map_err(|error| PortError::new(ACTION, error))?;
    let malformed = |error: phc::Error| PortError::new(ACTION, error.to_string());
    let phc = phc::PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(hasher.params())
            .map_err(|error| PortError::new(ACTION, error.to_string()))?,
        salt: Some(Salt::new(salt).map_err(malformed)?),
        hash: Some(Output::new(&output).map_err(malformed)?),
    };
    Ok(phc.to_string())
}

/// Compares a password with a hash, computed in `memory` with the cost that the PHC string states.
fn matches(
    hasher: &Argon2<'_>,
    memory: &Mutex<Vec<Block>>,
    password: &Password,
    known: &str,
) -> Result<PasswordVerdict, PortError> {
    const ACTION: &str = "verify a password";
    let malformed = |error: phc::Error| PortError::new(ACTION, error.to_string());
    let known = phc::PasswordHash::new(known).map_err(malformed)?;
    let params =
        Params::try_from(&known).map_err(|error| PortError::new(ACTION, error.to_string()))?;
    let (Some(salt), Some(expected)) = (known.salt, known.hash) else {
        return Err(PortError::new(ACTION, "the hash has no salt or no output"));
    };
    let outdated =
        params.m_cost() < hasher.params().m_cost() || params.t_cost() < hasher.params().t_cost();
    let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut output = vec![0; expected.len()];
    let mut memory = memory.lock().unwrap_or_else(PoisonError::into_inner);
    let blocks = hasher.params().block_count().max(memory.len());
    memory.resize(blocks, Block::new());
    hasher
        .hash_password_into_with_memory(
            password.expose().as_bytes(),
            salt.as_ref(),
            &mut output,
            memory.as_mut_slice(),
        )
        .map_err(|error| PortError::new(ACTION, error))?;
    let right: bool = output.ct_eq(expected.as_bytes()).into();
    Ok(if right { PasswordVerdict::Right { outdated } } else { PasswordVerdict::Wrong })
}

#[async_trait]
impl Passwords for Argon2Passwords {
    async fn hash(&self, password: Password) -> Result<PasswordHash, PortError> {
        let salt: [u8; 16] = random(&*self.entropy)?;
        let (hasher, memory) = (self.hasher.clone(), Arc::clone(&self.memory));
        let work = tokio::task::spawn_blocking(move || hash(&hasher, &memory, &password, &salt));
        let phc = work.await.map_err(|error| PortError::new("run the password hash", error))?;
        phc.map(PasswordHash::new)
    }

    async fn verify(
        &self,
        password: Password,
        known: Option<PasswordHash>,
    ) -> Result<PasswordVerdict, PortError> {
        let Some(known) = known else {
            self.hash(password).await?;
            return Ok(PasswordVerdict::Wrong);
        };
        let (hasher, memory) = (self.hasher.clone(), Arc::clone(&self.memory));
        let work = tokio::task::spawn_blocking(move || {
            matches(&hasher, &memory, &password, known.expose())
        });
        work.await.map_err(|error| PortError::new("run the password hash", error))?
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::system::OsEntropy;
    use argon2::PasswordVerifier as _;

    #[tokio::test]
    async fn hashes_are_phc_strings_with_the_configured_cost_and_a_new_salt() {
        let cost = Cost { memory_kib: 19_456, iterations: 2, parallelism: 1 };
        let passwords = Argon2Passwords::new(cost, Arc::new(OsEntropy::default())).unwrap();
        let hash = || async {
            let password = Password::parse("correct horse", 8).unwrap();
            passwords.hash(password).await.unwrap()
        };
        let (one, two) = (hash().await, hash().await);
        assert!(one.expose().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", one.expose());
        assert_ne!(one.expose(), two.expose());
        for hash in [one, two] {
            let hash = phc::PasswordHash::new(hash.expose()).unwrap();
            let verifies = |text: &[u8]| Argon2::default().verify_password(text, &hash).is_ok();
            assert!(verifies(b"correct horse") && !verifies(b"wrong horse"));
        }
    }
}
