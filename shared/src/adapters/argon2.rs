//! Password hashes with Argon2id: the crate `argon2` verifies, and it or the faster `argon2-rust` computes new ones
//! (decision 0018).

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

/// The crate that computes the hashes of new passwords. The hashes are equal, and `argon2` verifies all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hasher {
    Argon2,
    /// Uses AVX-512, AVX2, SSE2 or NEON, as the processor has them.
    Argon2Rust,
}

/// Argon2id, version 0x13.
pub struct Argon2Passwords {
    hasher: Argon2<'static>,
    entropy: Arc<dyn Entropy>,
    /// The memory that hashes are computed in. It is kept from one hash to the next: a Lambda
    /// process serves one request at a time, and an allocator that repeatedly gets requests for 19
    /// MiB on changing threads would keep several such blocks. It holds zeros between two hashes.
    memory: Arc<Mutex<Vec<Block>>>,
    /// Computes new hashes instead of `hasher`. It keeps its memory in the same way, and clears it.
    fast: Option<Arc<Mutex<argon2_rust::Hasher>>>,
}

impl Argon2Passwords {
    /// Creates a hasher with this cost, whose new hashes the chosen crate computes. The default in the template is a recommendation of the
    /// OWASP Password Storage Cheat Sheet: 19 MiB, two passes, one lane.
    ///
    /// # Errors
    /// Argon2 does not allow the cost.
    pub fn new(cost: Cost, chosen: Hasher, entropy: Arc<dyn Entropy>) -> Result<Self, PortError> {
        let Cost { memory_kib, iterations, parallelism } = cost;
        let fast = match chosen {
            Hasher::Argon2 => None,
            Hasher::Argon2Rust => Some(Arc::new(Mutex::new(fast_hasher(cost)?))),
        };
        let params = Params::new(memory_kib, iterations, parallelism, None)
            .map_err(|error| PortError::new("use the configured argon2 cost", error))?;
        let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        Ok(Self { hasher, entropy, memory: Arc::default(), fast })
    }

    /// A hash that no password matches, with the configured cost. A comparison with it does the work
    /// of a wrong password.
    fn placeholder(&self) -> Result<PasswordHash, PortError> {
        let (salt, output): ([u8; 16], [u8; Params::DEFAULT_OUTPUT_LEN]) =
            (random(&*self.entropy)?, random(&*self.entropy)?);
        phc_of("verify a password", &self.hasher, &salt, &output).map(PasswordHash::new)
    }
}

fn fast_hasher(cost: Cost) -> Result<argon2_rust::Hasher, PortError> {
    let params = argon2_rust::Params::builder()
        .memory(argon2_rust::params::Memory::kib(cost.memory_kib.into()))
        .passes(cost.iterations)
        .lanes(cost.parallelism)
        .build()
        .map_err(|error| PortError::new("use the configured argon2 cost", error))?;
    let (algorithm, version) = (argon2_rust::Algorithm::Argon2id, argon2_rust::Version::V0x13);
    Ok(argon2_rust::Argon2::new(algorithm, version, params).hasher())
}

/// Computes the hash of a text in `memory`, and clears the memory: what is left in it would save who reads it the work of the
/// hash.
fn digest(
    action: &'static str,
    (hasher, memory): (&Argon2<'_>, &Mutex<Vec<Block>>),
    (text, salt): (&str, &[u8]),
    length: usize,
) -> Result<Vec<u8>, PortError> {
    let mut output = vec![0; length];
    let mut memory = memory.lock().unwrap_or_else(PoisonError::into_inner);
    let blocks = hasher.params().block_count().max(memory.len());
    memory.resize(blocks, Block::new());
    let computed = hasher.hash_password_into_with_memory(
        text.as_bytes(),
        salt,
        &mut output,
        memory.as_mut_slice(),
    );
    // Other threads can read the memory, so the compiler cannot leave this out.
    memory.fill(Block::new());
    computed.map_err(|error| PortError::new(action, error))?;
    Ok(output)
}

/// Computes the hash of a password in `memory` and returns it as a PHC string.
fn hash(
    hasher: &Argon2<'_>,
    memory: &Mutex<Vec<Block>>,
    fast: Option<&Mutex<argon2_rust::Hasher>>,
    password: &Password,
    salt: &[u8],
) -> Result<String, PortError> {
    const ACTION: &str = "hash a password";
    let text = password.expose();
    let output = if let Some(fast) = fast {
        let mut output = vec![0; Params::DEFAULT_OUTPUT_LEN];
        let mut fast = fast.lock().unwrap_or_else(PoisonError::into_inner);
        fast.hash_into(text.as_bytes(), salt, &mut output)
            .map_err(|error| PortError::new(ACTION, error))?;
        output
    } else {
        digest(ACTION, (hasher, memory), (text, salt), Params::DEFAULT_OUTPUT_LEN)?
    };
    phc_of(ACTION, hasher, salt, &output)
}

/// Writes a hash as a PHC string.
fn phc_of(
    action: &'static str,
    hasher: &Argon2<'_>,
    salt: &[u8],
    output: &[u8],
) -> Result<String, PortError> {
    let malformed = |error: phc::Error| PortError::new(action, error.to_string());
    let phc = phc::PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(hasher.params())
            .map_err(|error| PortError::new(action, error.to_string()))?,
        salt: Some(Salt::new(salt).map_err(malformed)?),
        hash: Some(Output::new(output).map_err(malformed)?),
    };
    Ok(phc.to_string())
}

/// A comparison of a password with a hash.
#[derive(Debug, PartialEq, Eq)]
struct Comparison {
    verdict: PasswordVerdict,
    /// The number of hashes that were computed.
    computed: usize,
}

/// Compares a password with a hash, with the cost that the PHC string states: in NFC, and then as it
/// was typed if that is another text.
fn compare(
    hasher: &Argon2<'_>,
    memory: &Mutex<Vec<Block>>,
    password: &Password,
    known: &str,
) -> Result<Comparison, PortError> {
    const ACTION: &str = "verify a password";
    let malformed = |error: phc::Error| PortError::new(ACTION, error.to_string());
    let known = phc::PasswordHash::new(known).map_err(malformed)?;
    let params =
        Params::try_from(&known).map_err(|error| PortError::new(ACTION, error.to_string()))?;
    let (Some(salt), Some(expected)) = (known.salt, known.hash) else {
        return Err(PortError::new(ACTION, "the hash has no salt or no output"));
    };
    let weak =
        params.m_cost() < hasher.params().m_cost() || params.t_cost() < hasher.params().t_cost();
    let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let texts = [Some(password.expose()), password.expose_typed()];
    let mut computed: usize = 0;
    for text in texts.into_iter().flatten() {
        let text = (text, salt.as_ref());
        let output = digest(ACTION, (&hasher, memory), text, expected.len())?;
        computed = computed.saturating_add(1);
        if output.ct_eq(expected.as_bytes()).into() {
            let verdict = PasswordVerdict::Right { outdated: weak || computed > 1 };
            return Ok(Comparison { verdict, computed });
        }
    }
    Ok(Comparison { verdict: PasswordVerdict::Wrong, computed })
}

#[async_trait]
impl Passwords for Argon2Passwords {
    async fn hash(&self, password: Password) -> Result<PasswordHash, PortError> {
        let salt: [u8; 16] = random(&*self.entropy)?;
        let (hasher, memory) = (self.hasher.clone(), Arc::clone(&self.memory));
        let fast = self.fast.clone();
        let work = tokio::task::spawn_blocking(move || {
            hash(&hasher, &memory, fast.as_deref(), &password, &salt)
        });
        let phc = work.await.map_err(|error| PortError::new("run the password hash", error))?;
        phc.map(PasswordHash::new)
    }

    async fn verify(
        &self,
        password: Password,
        known: Option<PasswordHash>,
    ) -> Result<PasswordVerdict, PortError> {
        let known = match known {
            Some(known) => known,
            None => self.placeholder()?,
        };
        let (hasher, memory) = (self.hasher.clone(), Arc::clone(&self.memory));
        let work = tokio::task::spawn_blocking(move || {
            compare(&hasher, &memory, &password, known.expose())
        });
        let compared =
            work.await.map_err(|error| PortError::new("run the password hash", error))?;
        Ok(compared?.verdict)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::system::OsEntropy;
    use argon2::PasswordVerifier as _;
    #[cfg(target_os = "linux")]
    use std::os::unix::fs::FileExt as _;

    fn passwords(cost: Cost, hasher: Hasher) -> Argon2Passwords {
        Argon2Passwords::new(cost, hasher, Arc::new(OsEntropy::default())).unwrap()
    }

    #[tokio::test]
    async fn hashes_are_phc_strings_with_the_configured_cost_and_a_new_salt() {
        for (hasher, parallelism) in
            [(Hasher::Argon2, 1), (Hasher::Argon2Rust, 1), (Hasher::Argon2Rust, 2)]
        {
            let cost = Cost { memory_kib: 19_456, iterations: 2, parallelism };
            let passwords = passwords(cost, hasher);
            let hash = || async {
                let password = Password::parse("correct horse", 8).unwrap();
                passwords.hash(password).await.unwrap()
            };
            let (one, two) = (hash().await, hash().await);
            let start = format!("$argon2id$v=19$m=19456,t=2,p={parallelism}$");
            assert!(one.expose().starts_with(&start), "{}", one.expose());
            assert_ne!(one.expose(), two.expose());
            for hash in [one, two] {
                let hash = phc::PasswordHash::new(hash.expose()).unwrap();
                let verifies = |text: &[u8]| Argon2::default().verify_password(text, &hash).is_ok();
                assert!(verifies(b"correct horse") && !verifies(b"wrong horse"));
            }
        }
    }

    /// Returns the number of places of a word in the writable memory of this process. It is given inverted, so that it is not
    /// found where it is given.
    #[cfg(target_os = "linux")]
    fn places_of(inverted: u64) -> usize {
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let memory = std::fs::File::open("/proc/self/mem").unwrap();
        let mut found: usize = 0;
        for line in maps.lines().filter(|line| line.contains(" rw-p ")) {
            let (from, to) = line.split_whitespace().next().unwrap().split_once('-').unwrap();
            let [from, to] = [from, to].map(|hex| u64::from_str_radix(hex, 16).unwrap());
            let mut bytes = vec![0; usize::try_from(to.saturating_sub(from)).unwrap()];
            // A part of the memory can have gone in the meantime.
            if memory.read_exact_at(&mut bytes, from).is_ok() {
                let words = bytes
                    .chunks_exact(8)
                    .map(|chunk| u64::from_ne_bytes(chunk.try_into().unwrap()));
                found = found.saturating_add(words.filter(|it| !*it == inverted).count());
            }
            bytes.fill(0);
        }
        found
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn nothing_of_a_password_stays_in_the_memory_of_its_hash() {
        const SALT: [u8; 16] = [7; 16];
        let cost = Cost { memory_kib: 64, iterations: 1, parallelism: 1 };
        for hasher in [Hasher::Argon2, Hasher::Argon2Rust] {
            let passwords = passwords(cost, hasher);
            let text = if hasher == Hasher::Argon2 { "correct horse" } else { "battery staple" };
            let password = Password::parse(text, 8).unwrap();
            // A word of a block that both compute on the way.
            let mut blocks = vec![Block::new(); 64];
            let reference = passwords.hasher.clone();
            let mut output = [0; 32];
            let into = blocks.as_mut_slice();
            reference
                .hash_password_into_with_memory(text.as_bytes(), &SALT, &mut output, into)
                .unwrap();
            let inverted = !blocks[20].as_ref()[3];
            assert!(places_of(inverted) >= 1, "{hasher:?}: the search finds a block");
            blocks.fill(Block::new());
            assert_eq!(places_of(inverted), 0, "{hasher:?}");
            let fast = passwords.fast.as_deref();
            let hash = hash(&passwords.hasher, &passwords.memory, fast, &password, &SALT).unwrap();
            let known = phc_of("test", &passwords.hasher, &SALT, &output).unwrap();
            assert_eq!(hash, known);
            assert_eq!(places_of(inverted), 0, "{hasher:?}");
            passwords.verify(password, Some(PasswordHash::new(known))).await.unwrap();
            assert_eq!(places_of(inverted), 0, "{hasher:?}");
        }
    }

    /// The PHC string of a text with the least cost, as earlier versions wrote it.
    fn phc(passwords: &Argon2Passwords, text: &str) -> String {
        let salt = [7; 16];
        let output = digest("test", (&passwords.hasher, &passwords.memory), (text, &salt), 32);
        phc_of("test", &passwords.hasher, &salt, &output.unwrap()).unwrap()
    }

    #[test]
    fn a_password_is_compared_in_its_normal_form_and_then_as_it_was_typed() {
        let cost = Cost { memory_kib: 8, iterations: 1, parallelism: 1 };
        let passwords = passwords(cost, Hasher::Argon2);
        let (composed, decomposed) = ("caf\u{e9} au lait", "cafe\u{301} au lait");
        let compare = |text: &str, known: &str| {
            let password = Password::parse(text, 8).unwrap();
            let compared = compare(&passwords.hasher, &passwords.memory, &password, known).unwrap();
            (compared.verdict, compared.computed)
        };
        let right = |outdated| PasswordVerdict::Right { outdated };
        let normal = phc(&passwords, composed);
        assert_eq!(compare(composed, &normal), (right(false), 1));
        assert_eq!(compare(decomposed, &normal), (right(false), 1));
        // A hash of a version without the rule stays valid for the text it was made of.
        let earlier = phc(&passwords, decomposed);
        assert_eq!(compare(decomposed, &earlier), (right(true), 2));
        assert_eq!(compare(composed, &earlier), (PasswordVerdict::Wrong, 1));
        // A user without a hash costs what a wrong password costs, for the same text.
        let absent = passwords.placeholder().unwrap();
        let wrong = phc(&passwords, "battery staple");
        for (text, hashes) in [(composed, 1), (decomposed, 2)] {
            for known in [absent.expose(), &wrong] {
                assert_eq!(compare(text, known), (PasswordVerdict::Wrong, hashes));
            }
        }
    }
}
