//! `cargo run`: the local stack as a program.

use clap::Parser;
use local::{Options, cli};
use std::process::ExitCode;

/// Builds the functions and runs everything that template.yaml declares on this machine.
#[derive(Debug, Parser)]
#[command(name = "local", version, about, long_about = None)]
struct Program {
    #[command(flatten)]
    flags: cli::Flags,
    /// Run release builds of the functions.
    #[arg(long)]
    release: bool,
}

fn main() -> ExitCode {
    let program = Program::parse();
    let command = program.flags.command();
    let release = program.release || !cfg!(debug_assertions);
    cli::run(Options { release, ..program.flags.options() }, command.as_deref())
}
