//! Password hashes with Argon2id: the crate `argon2` verifies, and it or the faster `argon2-rust` computes new ones
//! (decision 0018). Hashes of other systems are verified too, and replaced at the next sign-in (decision 0022).

use super::hashes::{self, Memory, StoredHash, Variant, Work};
use crate::domain::password::{Password, PasswordHash};
use crate::ports::{Entropy, PasswordVerdict, Passwords, PortError, random};
use argon2::password_hash::phc::{self, Output, ParamsString, Salt};
use argon2::{Algorithm, Argon2, Params, Version};
use async_trait::async_trait;
use std::sync::{Arc, Mutex, PoisonError};

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

/// Argon2id, version 0x13, for new hashes; [`hashes`] of other systems are compared too.
pub struct Argon2Passwords {
    hasher: Argon2<'static>,
    entropy: Arc<dyn Entropy>,
    /// What a comparison can cost: the work of new hashes, and of those that were imported.
    works: Arc<[Work]>,
    memory: Arc<Memory>,
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
        let memory = Arc::new(Memory::new(params.block_count()));
        let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        Ok(Self { hasher, entropy, works: Arc::new([work_of(cost)]), memory, fast })
    }

    /// Makes a wrong password cost the same for a user without a hash, with a new hash, and with an imported hash of one of
    /// these works: each costs all of them.
    #[must_use]
    pub fn with_imported(mut self, imported: &[Work]) -> Self {
        let mut works = self.works.to_vec();
        for work in imported {
            if !works.contains(work) {
                works.push(*work);
            }
        }
        self.works = works.into();
        self
    }
}

/// The work of a new hash.
const fn work_of(cost: Cost) -> Work {
    let Cost { memory_kib, iterations: passes, parallelism: lanes } = cost;
    Work::Argon2 { variant: Variant::Argon2id, memory_kib, passes, lanes }
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

/// Computes the hash of a password in `memory` and returns it as a PHC string.
fn hash(
    hasher: &Argon2<'_>,
    memory: &Memory,
    fast: Option<&Mutex<argon2_rust::Hasher>>,
    password: &Password,
    salt: &[u8],
) -> Result<String, PortError> {
    const ACTION: &str = "hash a password";
    let text = password.expose().as_bytes();
    let output = if let Some(fast) = fast {
        let mut output = vec![0; Params::DEFAULT_OUTPUT_LEN];
        let mut fast = fast.lock().unwrap_or_else(PoisonError::into_inner);
        fast.hash_into(text, salt, &mut output).map_err(|error| PortError::new(ACTION, error))?;
        output
    } else {
        hashes::argon2(hasher, memory, (text, salt), Params::DEFAULT_OUTPUT_LEN)
            .map_err(|error| PortError::new(ACTION, error))?
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
    /// The works that were done, in their order.
    done: Vec<Work>,
}

/// Compares a password with a hash, in NFC, and then as it was typed if that is another text. The first of `works` is that
/// of new hashes. A wrong password costs each of them once for each text, unless the hash has another work.
fn compare(
    works: &[Work],
    memory: &Memory,
    password: &Password,
    known: Option<&PasswordHash>,
) -> Comparison {
    let texts = [Some(password.expose()), password.expose_typed()];
    let stored = known.map(|known| StoredHash::parse(known.expose()));
    let is_unknown = matches!(stored, Some(None));
    let mut verdict =
        if is_unknown { PasswordVerdict::UnknownHash } else { PasswordVerdict::Wrong };
    let mut done = Vec::new();
    let stored = stored.flatten();
    if let Some(stored) = &stored {
        for text in texts.into_iter().flatten() {
            let matched = stored.matches(text, memory);
            done.push(stored.work());
            match matched {
                Some(true) => {
                    let is_new = works.first().is_some_and(|work| stored.is_of(*work));
                    let outdated = !is_new || done.len() > 1;
                    return Comparison { verdict: PasswordVerdict::Right { outdated }, done };
                }
                Some(false) => {}
                None => verdict = PasswordVerdict::UnknownHash,
            }
        }
    }
    let own = stored.as_ref().map(StoredHash::work);
    if own.is_none_or(|own| works.contains(&own)) {
        for text in texts.into_iter().flatten() {
            for work in works.iter().filter(|work| Some(**work) != own) {
                hashes::pretend(*work, text, memory);
                done.push(*work);
            }
        }
    }
    Comparison { verdict, done }
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
        let (works, memory) = (Arc::clone(&self.works), Arc::clone(&self.memory));
        let work = tokio::task::spawn_blocking(move || {
            compare(&works, &memory, &password, known.as_ref())
        });
        let compared =
            work.await.map_err(|error| PortError::new("run the password hash", error))?;
        Ok(compared.verdict)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::system::OsEntropy;
    use argon2::{Block, PasswordVerifier as _};
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
            let verdict = passwords.verify(password, Some(PasswordHash::new(known))).await;
            assert_eq!(verdict.unwrap(), PasswordVerdict::Right { outdated: false });
            assert_eq!(places_of(inverted), 0, "{hasher:?}");
        }
    }

    /// The hash of a text with the least cost, as earlier versions wrote it.
    fn phc(passwords: &Argon2Passwords, text: &str) -> PasswordHash {
        let (salt, text) = ([7; 16], text.as_bytes());
        let output = hashes::argon2(&passwords.hasher, &passwords.memory, (text, &salt), 32);
        PasswordHash::new(phc_of("test", &passwords.hasher, &salt, &output.unwrap()).unwrap())
    }

    const LEAST: Cost = Cost { memory_kib: 8, iterations: 1, parallelism: 1 };

    fn compared(
        passwords: &Argon2Passwords,
        text: &str,
        known: Option<&PasswordHash>,
    ) -> (PasswordVerdict, Vec<Work>) {
        let password = Password::parse(text, 1).unwrap();
        let Comparison { verdict, done } =
            compare(&passwords.works, &passwords.memory, &password, known);
        (verdict, done)
    }

    #[test]
    fn a_password_is_compared_in_its_normal_form_and_then_as_it_was_typed() {
        let passwords = passwords(LEAST, Hasher::Argon2);
        let (composed, decomposed) = ("caf\u{e9} au lait", "cafe\u{301} au lait");
        let compare = |text: &str, known: &PasswordHash| {
            let (verdict, done) = compared(&passwords, text, Some(known));
            (verdict, done.len())
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
        let wrong = phc(&passwords, "battery staple");
        for (text, hashes) in [(composed, 1), (decomposed, 2)] {
            let cost = (PasswordVerdict::Wrong, vec![work_of(LEAST); hashes]);
            assert_eq!(compared(&passwords, text, None), cost);
            assert_eq!(compared(&passwords, text, Some(&wrong)), cost);
        }
    }

    #[test]
    fn a_wrong_password_costs_the_same_for_every_user_of_an_import() {
        let imported = ["bcrypt:4", "pbkdf2-sha256:1212"].map(|work| work.parse().unwrap());
        let passwords = passwords(LEAST, Hasher::Argon2).with_imported(&imported);
        let sorted = |mut works: Vec<Work>| {
            works.sort_by_key(Work::to_string);
            works
        };
        let stored = |text: &str| PasswordHash::new(text.to_owned());
        let bcrypt = stored("$2a$04$R1lJ2gkNaoPGdafE.H.16.1MKHPvmKwryeulRe225LKProWYwt9Oi");
        let pbkdf2 = stored(
            "$pbkdf2-sha256$1212$4vjV83LKPjQzk31VI4E0Vw$hsYF68OiOUPdDZ1Fg.fJPeq1h/gXXY7acBp9/6c.tmQ",
        );
        let new = phc(&passwords, "battery staple");
        for text in ["wrong horse", "cafe\u{301} au lait"] {
            let (verdict, unknown) = compared(&passwords, text, None);
            assert_eq!(verdict, PasswordVerdict::Wrong);
            let texts = if text.is_ascii() { 1 } else { 2 };
            assert_eq!(unknown.len(), 3 * texts, "{text}");
            let unknown = sorted(unknown);
            for known in [&bcrypt, &pbkdf2, &new] {
                let (verdict, done) = compared(&passwords, text, Some(known));
                assert_eq!((verdict, sorted(done)), (PasswordVerdict::Wrong, unknown.clone()));
            }
            let (verdict, done) = compared(&passwords, text, Some(&stored("md5$salt$hash")));
            assert_eq!((verdict, sorted(done)), (PasswordVerdict::UnknownHash, unknown));
        }
        // A work that the deployment does not know of is not hidden, and costs nothing more.
        let other = stored("$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW");
        let (_, done) = compared(&passwords, "wrong horse", Some(&other));
        assert_eq!(done, [Work::Bcrypt { cost: 5 }]);
        // A right password costs its own hash, and is then hashed anew.
        let right = compared(&passwords, "password", Some(&pbkdf2));
        assert_eq!(right, (PasswordVerdict::Right { outdated: true }, vec![imported[1]]));
    }

    #[test]
    fn a_hash_of_another_cost_or_version_is_outdated() {
        let passwords = passwords(LEAST, Hasher::Argon2);
        let right = |outdated| PasswordVerdict::Right { outdated };
        for (memory_kib, iterations, parallelism, outdated) in
            [(8, 1, 1, false), (16, 1, 1, true), (8, 2, 1, true), (16, 1, 2, true)]
        {
            let cost = Cost { memory_kib, iterations, parallelism };
            let known = phc(&self::passwords(cost, Hasher::Argon2), "correct horse");
            let (verdict, _) = compared(&passwords, "correct horse", Some(&known));
            assert_eq!(verdict, right(outdated), "{cost:?}");
        }
    }
}
