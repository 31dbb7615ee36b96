//! Prints the hash that stands for an address or identifier in the log lines of a day. The value of
//! the secret comes from standard input:
//! `… | cargo run -p acceptance --example trace -- 2026-11-26 +85291234567`.

#![expect(clippy::print_stdout, reason = "the result")]

use acceptance::traces::hash_of;
use std::io::Read as _;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [date, text] = &arguments[..] else {
        return Err("give a date and an address, number or username".into());
    };
    let mut secret = String::new();
    std::io::stdin().read_to_string(&mut secret)?;
    let (kind, hash) = hash_of(&secret, date, text)?;
    println!("{date} {kind} {hash}");
    Ok(())
}
