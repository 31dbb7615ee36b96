//! The local stack as one program that carries all functions and the template: it needs no Rust.
//!
//! The stack starts each instance of a function from this program. Then the first argument names the
//! function, and the environment has the address of the Runtime API.

#[path = "../../../functions/all.rs"]
mod functions;

use clap::Parser;
use local::{Functions, Options, cli};
use std::process::ExitCode;

/// The template of the functions in this program.
const TEMPLATE: &str = include_str!("../../../template.yaml");

/// The variable that every instance of a function has.
const RUNTIME_API: &str = "AWS_LAMBDA_RUNTIME_API";

/// Runs everything that Latchkey's template.yaml declares on this machine.
#[derive(Debug, Parser)]
#[command(name = "latchkey-local", version, about, long_about = None)]
struct Program {
    #[command(flatten)]
    flags: cli::Flags,
}

fn main() -> ExitCode {
    if is_function() {
        return match functions::main() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => cli::fail(&error),
        };
    }
    let flags = Program::parse().flags;
    let command = flags.command();
    let this = match std::env::current_exe() {
        Ok(this) => this,
        Err(error) => return cli::fail(&format!("failed to find this program: {error}")),
    };
    let functions = Functions::Executable(this);
    let template = Some(TEMPLATE.to_owned());
    cli::run(Options { functions, template, ..flags.options() }, command.as_deref())
}

/// Tells whether the stack started this process as a function.
fn is_function() -> bool {
    let name = std::env::args_os().nth(1);
    let named = name.is_some_and(|name| !name.as_encoded_bytes().starts_with(b"-"));
    named && std::env::var_os(RUNTIME_API).is_some()
}
