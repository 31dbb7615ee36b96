//! The processor time of a hash in a built function, beside that of the crate at opt-level 3.

use crate::flows::Flow;
use crate::process::{Function, Program};
use crate::{Built, median, milliseconds, stack};
use acceptance::TestStack;
use anyhow::{Context as _, bail};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use std::hint::black_box;
use std::time::Duration;

/// The memory of the template's default, in KiB.
const MEMORY_KIB: u32 = 19_456;
/// A memory whose hash takes no time that could be measured, in KiB.
const SMALL: &str = "8";
/// How often the two take turns. The median counts.
const ROUNDS: u32 = 5;
/// The hashes of a round.
const HASHES: u32 = 20;
/// How much longer a hash in the function may take, in percent of one by the crate.
const MOST: u128 = 120;

/// Fails if a hash in the function takes much longer than one by the crate.
pub(crate) async fn run(built: &Built) -> anyhow::Result<()> {
    let stack = stack(true).await;
    let mut with = built.program(&stack, Flow::SignUp)?;
    let memory = "ARGON2_MEMORY_KIB".to_owned();
    let mut without = with.clone();
    with.environment.insert(memory.clone(), MEMORY_KIB.to_string());
    without.environment.insert(memory, SMALL.to_owned());
    let (mut in_function, mut by_crate) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let small = sign_up(&stack, &without).await?;
        in_function.push(sign_up(&stack, &with).await?.saturating_sub(small));
        by_crate.push(tokio::task::spawn_blocking(hash).await??);
    }
    let (in_function, by_crate) = (median(&in_function), median(&by_crate));
    let percent = in_function.as_micros() * 100 / by_crate.as_micros().max(1);
    println!("| a hash, 19 MiB, 2 iterations | processor time, ms |");
    println!("| --- | --- |");
    println!("| in the built function | {} |", milliseconds(in_function));
    println!("| by the crate at opt-level 3 | {} |", milliseconds(by_crate));
    println!("| the first in percent of the second | {percent} |");
    if percent > MOST {
        bail!("a hash in the built function takes more than {MOST} % of the crate's time");
    }
    Ok(())
}

/// The processor time of a sign-up in the function.
async fn sign_up(stack: &TestStack, program: &Program) -> anyhow::Result<Duration> {
    let Function { mut runtime, process } = program.start_function().await?;
    let mut before = Duration::ZERO;
    for request in 0..=HASHES {
        let event = Flow::SignUp.event(stack).await;
        if request == 1 {
            before = process.usage()?.cpu;
        }
        runtime.invoke(&event, Flow::SignUp.status()).await?;
    }
    let used = process.usage()?.cpu.saturating_sub(before);
    process.end().await?;
    Ok(used / HASHES)
}

/// The processor time of a hash by the crate, in this thread.
fn hash() -> anyhow::Result<Duration> {
    let error = |error| anyhow::anyhow!("failed to hash: {error}");
    let params = Params::new(MEMORY_KIB, 2, 1, None).map_err(error)?;
    let mut memory = vec![Block::default(); params.block_count()];
    let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut hash = || -> anyhow::Result<()> {
        let (password, salt, mut tag) = (b"correct horse", b"a salt of 16 byte", [0; 32]);
        hasher
            .hash_password_into_with_memory(password, salt, &mut tag, &mut memory)
            .map_err(error)?;
        // As the function does.
        memory.fill(Block::default());
        black_box(&memory);
        Ok(())
    };
    hash()?;
    let before = thread_time()?;
    for _ in 0..HASHES {
        hash()?;
    }
    Ok(thread_time()?.saturating_sub(before) / HASHES)
}

/// The processor time of this thread.
fn thread_time() -> anyhow::Result<Duration> {
    let times = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds = times.split_whitespace().next().context("no time")?;
    Ok(Duration::from_nanos(nanoseconds.parse()?))
}
