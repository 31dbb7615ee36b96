//! `cargo run -p openapi`: writes the OpenAPI documents, and compares recorded traffic with them.

use anyhow::bail;
use clap::{Parser, Subcommand};
use latchkey::contracts::CONTRACTS;
use openapi::{Conformance, Files, conform, document, read_traffic, recorded};
use std::path::{Path, PathBuf};
use template::Template;

/// Writes the OpenAPI documents of the contracts, and compares recorded traffic with them.
#[derive(Parser)]
#[command(name = "openapi")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Writes the documents of the code, with the examples that they have
    Write {
        /// A folder of traffic, which new examples come from
        #[arg(long)]
        traffic: Option<PathBuf>,
    },
    /// Compares recorded traffic with the documents, and lists documented answers that do not occur
    Conform {
        /// The folder that `LATCHKEY_TRAFFIC` named in a run of the acceptance tests
        traffic: PathBuf,
    },
    /// Keeps the documents as those of a release, which later ones must be compatible with
    Release,
    /// Writes a Postman collection and an `.http` file for each document
    Requests,
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Command::Write { traffic } => write(traffic.as_deref()),
        Command::Conform { traffic } => compare(&traffic),
        Command::Release => release(),
        Command::Requests => requests(),
    }
}

#[expect(clippy::print_stdout, reason = "a command prints what it did")]
fn write(traffic: Option<&Path>) -> anyhow::Result<()> {
    let (files, template) = (Files::current(), Template::load()?);
    let traffic = traffic.map(read_traffic).transpose()?.unwrap_or_default();
    let new = recorded(&conform(&traffic)?);
    for contract in CONTRACTS {
        let name = contract.profile.name;
        let before = files.read(name)?;
        let mut examples = new.clone();
        // An example stays as it is for as long as it is right, so that documents change with the code alone.
        examples.extend(recorded(&conform(&openapi::kept(&before, &contract))?));
        let mut current = document(&contract, &template)?;
        openapi::complete(&mut current, &contract, &examples);
        files.write(name, &current)?;
        for missing in openapi::missing_examples(&current, &contract) {
            println!("no example: {missing}");
        }
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "a command prints what it found")]
fn compare(traffic: &Path) -> anyhow::Result<()> {
    let traffic = read_traffic(traffic)?;
    let conformance: Conformance = conform(&traffic)?;
    for finding in &conformance.findings {
        println!("finding: {finding}");
    }
    let (statuses, answers) = (conformance.missing_statuses(), conformance.missing_answers());
    for answer in &answers {
        println!("documented, not produced: {answer}");
    }
    println!(
        "{} exchanges compared, {} of no route, {} findings; {} statuses documented, {} not produced; {} answers documented, {} \
         not produced",
        conformance.compared,
        conformance.unmatched,
        conformance.findings.len(),
        conformance.statuses().len(),
        statuses.len(),
        conformance.documented.len(),
        answers.len(),
    );
    if !conformance.findings.is_empty() || !answers.is_empty() {
        bail!("the traffic and the documents differ");
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "a command prints what it did")]
fn release() -> anyhow::Result<()> {
    for contract in CONTRACTS {
        let name = contract.profile.name;
        let current = openapi::without_examples(Files::current().read(name)?);
        Files::released().write(name, &current)?;
        println!("kept {name}");
    }
    Ok(())
}

fn requests() -> anyhow::Result<()> {
    for contract in CONTRACTS {
        let document = Files::current().read(contract.profile.name)?;
        openapi::write_requests(&openapi::requests(&contract, &document)?)?;
    }
    Ok(())
}
