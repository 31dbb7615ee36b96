//! `one-hash CRATE N` computes N hashes with a crate. It is built as the functions are, with the release profile.

use anyhow::Context as _;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let crate_name = arguments.next().context("the first argument names a crate")?;
    let hashes = arguments.next().context("the second argument is the number of hashes")?;
    one_hash::run(&crate_name, hashes.parse().context("the number of hashes is not a number")?)
}
