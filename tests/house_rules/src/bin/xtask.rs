//! `cargo xtask`: the mechanical work of the project's authors.

use anyhow::{Result, bail};
use clap::{Parser, Subcommand};
use house_rules::project::Project;
use house_rules::sync;

/// Does the mechanical work of the project's authors.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Writes what follows from the functions that template.yaml declares
    Sync {
        /// Write nothing; fail and list what is not current
        #[arg(long)]
        check: bool,
    },
}

fn main() -> Result<()> {
    let project = Project::here();
    match Arguments::parse().command {
        Command::Sync { check: true } => check(&project),
        Command::Sync { check: false } => write(&project),
    }
}

#[expect(clippy::print_stdout, reason = "a command prints what it found")]
fn check(project: &Project) -> Result<()> {
    let changes = sync::plan(project)?;
    for change in &changes {
        println!("{change}");
    }
    if !changes.is_empty() {
        bail!("{} files are not current; run `cargo xtask sync`", changes.len());
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "a command prints what it did")]
fn write(project: &Project) -> Result<()> {
    let changes = sync::plan(project)?;
    sync::apply(project, &changes)?;
    for change in changes {
        println!("wrote {}: {}", change.file.path, change.generator);
    }
    Ok(())
}
