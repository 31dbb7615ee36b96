//! `cargo run`: the local stack as a program.

use clap::Parser;
use local::{Functions, Options, cli};
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
    /// Build the functions again when their sources change, and replace them.
    #[arg(long)]
    watch: bool,
}

fn main() -> ExitCode {
    let Program { flags, release, watch } = Program::parse();
    let command = flags.command();
    let release = release || !cfg!(debug_assertions);
    let functions = Functions::Built { release, watch };
    cli::run(Options { functions, ..flags.options() }, command.as_deref())
}
