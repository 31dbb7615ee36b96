//! Compares the two implementations of Argon2id on random inputs and costs, and prints the processor time that a hash of a
//! password takes with each, with the cost of the template: `cargo run -p usecases --example hashes [CASES]`. It ends with an
//! error at the first difference. The times need Linux. Both crates are built at opt-level 3 in every profile.

#![expect(clippy::print_stdout, reason = "figures are printed")]

use anyhow::{Context as _, ensure};
use latchkey::adapters::argon2::{Argon2Passwords, Cost, Hasher};
use latchkey::adapters::system::OsEntropy;
use latchkey::domain::password::Password;
use latchkey::ports::Passwords as _;
use std::sync::Arc;
use usecases::{HashCase, SeededEntropy};

/// The hashes that a time is the mean of.
const TIMED: u32 = 100;
/// A tick of the processor time that Linux shows, in milliseconds (`CLK_TCK`).
const TICK_MS: f64 = 10.0;
/// The default of the template.
const COST: Cost = Cost { memory_kib: 19_456, iterations: 2, parallelism: 1 };

/// Returns the processor time of this process, in milliseconds.
fn processor_ms() -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // After the name in parentheses; utime and stime are the fields 14 and 15 (proc_pid_stat(5)).
    let (_, fields) = stat.rsplit_once(") ").context("no fields")?;
    let ticks = fields.split(' ').skip(11).take(2).map(str::parse::<f64>);
    Ok(ticks.sum::<Result<f64, _>>()? * TICK_MS)
}

/// Returns the processor time of a hash, in milliseconds.
async fn time(hasher: Hasher) -> anyhow::Result<f64> {
    let passwords = Argon2Passwords::new(COST, hasher, Arc::new(OsEntropy::default()))?;
    let hash = async || -> anyhow::Result<()> {
        let password = Password::parse("correct horse", 8).ok().context("a password")?;
        passwords.hash(password).await?;
        Ok(())
    };
    // The first one gets the memory.
    hash().await?;
    let before = processor_ms()?;
    for _ in 0..TIMED {
        hash().await?;
    }
    Ok((processor_ms()? - before) / f64::from(TIMED))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let cases = match std::env::args().nth(1) {
        Some(count) => count.parse().with_context(|| format!("{count} is not a number"))?,
        None => 100_000,
    };
    println!("instructions: {:?}", argon2_rust::detected_backend());
    let entropy = SeededEntropy::default();
    for number in 1..=cases {
        let case = HashCase::random(&entropy);
        ensure!(case.reference() == case.fast(), "case {number} differs: {case:?}");
    }
    println!("{cases} cases: equal");
    for (name, hasher) in [("argon2", Hasher::Argon2), ("argon2-rust", Hasher::Argon2Rust)] {
        println!("{name}: {:.1} ms", time(hasher).await?);
    }
    Ok(())
}
