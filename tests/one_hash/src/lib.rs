//! Hashes as the functions compute them for new passwords, so that their instructions can be counted.

use anyhow::{anyhow, bail};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use std::hint::black_box;

/// The memory of a hash, in KiB.
pub const MEMORY_KIB: u32 = 4096;
/// The passes of a hash: the template's default.
const PASSES: u32 = 2;
const PASSWORD: &[u8] = b"correct horse";
const SALT: &[u8] = b"a salt of 16 byte";

/// Computes so many hashes with a crate: `argon2` or `argon2-rust`.
pub fn run(crate_name: &str, count: u32) -> anyhow::Result<()> {
    match crate_name {
        "argon2" => by_argon2(count),
        "argon2-rust" => by_argon2_rust(count),
        other => bail!("there is no hasher {other}"),
    }
}

fn by_argon2(count: u32) -> anyhow::Result<()> {
    let error = |error| anyhow!("failed to hash: {error}");
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).map_err(error)?;
    let mut memory = vec![Block::default(); params.block_count()];
    let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    for _ in 0..count {
        let mut tag = [0; Params::DEFAULT_OUTPUT_LEN];
        hasher
            .hash_password_into_with_memory(PASSWORD, SALT, &mut tag, &mut memory)
            .map_err(error)?;
        black_box(tag);
    }
    Ok(())
}

fn by_argon2_rust(count: u32) -> anyhow::Result<()> {
    let params = argon2_rust::Params::builder()
        .memory(argon2_rust::params::Memory::kib(MEMORY_KIB.into()))
        .passes(PASSES)
        .lanes(1)
        .build()?;
    let (algorithm, version) = (argon2_rust::Algorithm::Argon2id, argon2_rust::Version::V0x13);
    let mut hasher = argon2_rust::Argon2::new(algorithm, version, params).hasher();
    for _ in 0..count {
        let mut tag = [0; Params::DEFAULT_OUTPUT_LEN];
        hasher.hash_into(PASSWORD, SALT, &mut tag)?;
        black_box(tag);
    }
    Ok(())
}
