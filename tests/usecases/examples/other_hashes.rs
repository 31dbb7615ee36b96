//! Prints the processor time of a wrong password for each kind of user of a contract that imported hashes with bcrypt at cost
//! 10, and of hashes at the limits: `cargo run -p usecases --example other_hashes`. It judges nothing. The times
//! need Linux.

#![expect(clippy::print_stdout, reason = "figures are printed")]

use anyhow::Context as _;
use latchkey::adapters::argon2::{Argon2Passwords, Cost, Hasher};
use latchkey::adapters::hashes::Work;
use latchkey::adapters::system::OsEntropy;
use latchkey::domain::password::{Password, PasswordHash};
use latchkey::ports::Passwords as _;
use std::sync::Arc;

/// The comparisons that a time is the mean of, and those of a hash at the limits.
const TIMED: u32 = 20;
const TIMED_AT_LIMITS: u32 = 2;
/// A tick of the processor time that Linux shows, in milliseconds (`CLK_TCK`).
const TICK_MS: f64 = 10.0;
/// The default of the template.
const COST: Cost = Cost { memory_kib: 19_456, iterations: 2, parallelism: 1 };
/// Hashes with bcrypt at cost 10, and at another cost.
const BCRYPT: &str = "$2b$10$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
const OTHER_BCRYPT: &str = "$2b$08$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";

/// Returns the processor time of this process, in milliseconds.
fn processor_ms() -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // After the name in parentheses; utime and stime are the fields 14 and 15 (proc_pid_stat(5)).
    let (_, fields) = stat.rsplit_once(") ").context("no fields")?;
    let ticks = fields.split(' ').skip(11).take(2).map(str::parse::<f64>);
    Ok(ticks.sum::<Result<f64, _>>()? * TICK_MS)
}

/// Returns the processor time of a wrong password, in milliseconds.
async fn time(
    passwords: &Argon2Passwords,
    known: Option<&PasswordHash>,
    timed: u32,
) -> anyhow::Result<f64> {
    let verify = async || -> anyhow::Result<()> {
        let password = Password::parse("wrong horse", 8).ok().context("a password")?;
        passwords.verify(password, known.cloned()).await?;
        Ok(())
    };
    // The first one gets the memory.
    verify().await?;
    let before = processor_ms()?;
    for _ in 0..timed {
        verify().await?;
    }
    Ok((processor_ms()? - before) / f64::from(timed))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let new = || Argon2Passwords::new(COST, Hasher::Argon2, Arc::new(OsEntropy::default()));
    let hash = |text: &str| PasswordHash::new(text.to_owned());
    let own = new()?.hash(Password::parse("correct horse", 8).ok().context("a password")?).await?;
    let imported: Vec<Work> = vec!["bcrypt:10".parse()?];
    for (setting, passwords) in
        [("no ImportedHashes", new()?), ("bcrypt:10 is stated", new()?.with_imported(&imported))]
    {
        for (kind, known) in [
            ("unknown, or without a hash", None),
            ("with a new hash", Some(&own)),
            ("imported, bcrypt at cost 10", Some(&hash(BCRYPT))),
            ("imported, bcrypt at cost 8", Some(&hash(OTHER_BCRYPT))),
            ("with an unknown hash", Some(&hash("md5$salt$hash"))),
        ] {
            println!("{setting}: {kind}: {:.1} ms", time(&passwords, known, TIMED).await?);
        }
    }
    let passwords = new()?;
    for known in [
        "$2b$14$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
        "$scrypt$ln=14,r=8,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        "$scrypt$ln=17,r=8,p=4$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        "$pbkdf2-sha1$2000000$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cI",
        "$pbkdf2-sha256$2000000$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        "$pbkdf2-sha512$2000000$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        "$argon2id$v=19$m=131072,t=10,p=4$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        "$P$I12345678LIjjb6PhecupozNBmDndU0",
    ] {
        let name: String = known.chars().take(32).collect();
        println!("{name}: {:.1} ms", time(&passwords, Some(&hash(known)), TIMED_AT_LIMITS).await?);
    }
    Ok(())
}
