//! The computation of hashes.

use super::work::{Variant, Work};
use aes::Aes256;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use ctr::Ctr128BE;
use ctr::cipher::{KeyIvInit as _, StreamCipher as _};
use data_encoding::HEXLOWER;
use md5::{Digest as _, Md5};
use ring::{digest, pbkdf2};
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};

/// The memory that argon2 works in. It holds zeros between two hashes. It is kept from one hash to the next: a Lambda process
/// serves one request at a time, and an allocator that repeatedly gets requests for 19 MiB on changing threads would keep
/// several such blocks.
pub(in crate::adapters) struct Memory {
    blocks: Mutex<Vec<Block>>,
    /// The blocks to keep: those of the hashes of this deployment. What a larger hash of another system took is given back.
    kept: usize,
}

impl Memory {
    pub(in crate::adapters) const fn new(kept: usize) -> Self {
        Self { blocks: Mutex::new(Vec::new()), kept }
    }
}

/// What a format does besides the hash function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Recipe {
    /// The hash function of the text.
    Plain,
    /// Argon2 of this version.
    Argon2(Version),
    /// The hash function of the SHA-256 of the text, in hex (Django's `bcrypt_sha256`).
    OfSha256,
    /// The key that the hash function derives encrypts this one (Firebase).
    Encrypts(Vec<u8>),
}

impl Recipe {
    pub(super) const CURRENT_ARGON2: Self = Self::Argon2(Version::V0x13);

    /// The recipe of work that is only pretended.
    pub(super) const fn of_pretence(work: Work) -> Self {
        match work {
            Work::Argon2 { .. } => Self::CURRENT_ARGON2,
            _ => Self::Plain,
        }
    }
}

/// Computes the hash of a text. `None` if the hash function refuses the parameters.
pub(super) fn output(
    work: Work,
    recipe: &Recipe,
    text: &str,
    salt: &[u8],
    length: usize,
    memory: &Memory,
) -> Option<Vec<u8>> {
    let prepared = match recipe {
        Recipe::OfSha256 => {
            Some(HEXLOWER.encode(digest::digest(&digest::SHA256, text.as_bytes()).as_ref()))
        }
        Recipe::Plain | Recipe::Argon2(_) | Recipe::Encrypts(_) => None,
    };
    let text = prepared.as_deref().unwrap_or(text).as_bytes();
    match work {
        Work::Argon2 { variant, memory_kib, passes, lanes } => {
            let Recipe::Argon2(version) = recipe else { return None };
            let algorithm = match variant {
                Variant::Argon2id => Algorithm::Argon2id,
                Variant::Argon2i => Algorithm::Argon2i,
                Variant::Argon2d => Algorithm::Argon2d,
            };
            let params = Params::new(memory_kib, passes, lanes, Some(length)).ok()?;
            argon2(&Argon2::new(algorithm, *version, params), memory, (text, salt), length).ok()
        }
        Work::Bcrypt { cost } => bcrypt(cost, salt, text),
        Work::Scrypt { log_n, r, p } => {
            let params = scrypt::Params::new(log_n, r, p).ok()?;
            let Recipe::Encrypts(key) = recipe else {
                let mut output = vec![0; length];
                return scrypt::scrypt(text, salt, &params, &mut output).ok().map(|()| output);
            };
            let mut derived = [0; 32];
            scrypt::scrypt(text, salt, &params, &mut derived).ok()?;
            let mut output = key.clone();
            let mut cipher = Ctr128BE::<Aes256>::new(&derived.into(), &[0; 16].into());
            cipher.apply_keystream(&mut output);
            Some(output)
        }
        Work::Pbkdf2 { digest, rounds } => {
            // The rounds of the work are those of all blocks.
            let blocks = u32::try_from(length).ok()?.div_ceil(digest.block()).max(1);
            let rounds = NonZeroU32::new(rounds.checked_div(blocks)?)?;
            let mut output = vec![0; length];
            pbkdf2::derive(digest.algorithm(), rounds, salt, text, &mut output);
            Some(output)
        }
        Work::Phpass { log_rounds } => Some(phpass(log_rounds, salt, text)),
    }
}

/// Computes a hash with argon2 in `memory`, and clears the memory: what is left in it would save who reads it the work of
/// the hash.
pub(in crate::adapters) fn argon2(
    hasher: &Argon2<'_>,
    memory: &Memory,
    (text, salt): (&[u8], &[u8]),
    length: usize,
) -> argon2::Result<Vec<u8>> {
    let mut output = vec![0; length];
    let mut blocks = memory.blocks.lock().unwrap_or_else(PoisonError::into_inner);
    let most = hasher.params().block_count().max(blocks.len());
    blocks.resize(most, Block::new());
    let computed =
        hasher.hash_password_into_with_memory(text, salt, &mut output, blocks.as_mut_slice());
    // Other threads can read the memory, so the compiler cannot leave this out.
    blocks.fill(Block::new());
    if blocks.len() > memory.kept {
        blocks.truncate(memory.kept);
        blocks.shrink_to_fit();
    }
    computed.map(|()| output)
}

/// Computes bcrypt of the first 72 bytes of a text. A text that is shorter ends in a zero byte.
fn bcrypt(cost: u32, salt: &[u8], text: &[u8]) -> Option<Vec<u8>> {
    /// The part of a text that bcrypt looks at, in bytes.
    const MOST: usize = 72;
    /// The part of the output that is written, in bytes.
    const WRITTEN: usize = 23;
    let key: Vec<u8> = text.iter().copied().chain([0]).take(MOST).collect();
    let mut output = bcrypt::bcrypt(cost, salt.try_into().ok()?, &key).to_vec();
    output.truncate(WRITTEN);
    Some(output)
}

/// Computes a portable hash of `PHPass`: MD5 of salt and text, and then of the digest and the text.
fn phpass(log_rounds: u32, salt: &[u8], text: &[u8]) -> Vec<u8> {
    let mut digest = Md5::new().chain_update(salt).chain_update(text).finalize();
    for _ in 0..1_u32.checked_shl(log_rounds).unwrap_or(0) {
        digest = Md5::new().chain_update(digest).chain_update(text).finalize();
    }
    digest.to_vec()
}
