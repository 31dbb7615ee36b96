//! `cargo xtask`: the mechanical work of the project's authors.

use anyhow::{Result, bail};
use clap::{Parser, Subcommand};
use house_rules::declarations::TEMPLATE;
use house_rules::events::{self, Consumers};
use house_rules::project::Project;
use house_rules::stacks::{Names, deploy};
use house_rules::{rights, sync};
use std::fs;
use std::path::{Path, PathBuf};
use template::Template;

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
    /// Proposes the rights that functions lack, from the record of a test run
    Rights {
        /// The folder that `LATCHKEY_RIGHTS` named in the run
        folder: PathBuf,
        /// Insert the missing statements into template.yaml
        #[arg(long)]
        write: bool,
    },
    /// Deploys the stacks of a stage: the data, and the functions
    Deploy {
        #[command(flatten)]
        options: deploy::Options,
        /// Only print the commands
        #[arg(long)]
        dry_run: bool,
    },
    /// Writes the template of each stack
    Stacks {
        /// The template to cut, such as the one that sam build wrote
        #[arg(long, default_value = TEMPLATE)]
        template: PathBuf,
        /// What the names of the stacks begin with
        #[arg(long, default_value = "latchkey")]
        base: String,
        /// What the names of the tables begin with, after a restore
        #[arg(long, value_name = "PREFIX", requires = "stream")]
        tables: Option<String>,
        /// The ARN of the outbox's stream, after a restore
        #[arg(long, value_name = "ARN", requires = "tables")]
        stream: Option<String>,
        /// Where to write them
        folder: PathBuf,
    },
    /// Writes the types of the events for consumers, which follow from the schemas
    EventTypes,
    /// Records the schemas of the events as those of a release, with which later ones are compared
    ReleaseEvents {
        /// Record them although they break consumers of the last release, who were told
        #[arg(long)]
        breaking: bool,
    },
}

fn main() -> Result<()> {
    let project = Project::here();
    match Arguments::parse().command {
        Command::Sync { check: true } => check(&project),
        Command::Sync { check: false } => write(&project),
        Command::Rights { folder, write } => propose_rights(&project, &folder, write),
        Command::Deploy { options, dry_run: true } => print_deployment(&project, &options),
        Command::Deploy { options, dry_run: false } => deploy::run(&project, &options),
        Command::Stacks { template, base, tables, stream, folder } => {
            let names = Names::of(&base);
            let names = match tables {
                Some(tables) => Names { tables, stream, ..names },
                None => names,
            };
            write_stacks(&project, &template, &names, &folder)
        }
        Command::EventTypes => write_event_types(&project),
        Command::ReleaseEvents { breaking: true } => release_events(&project, Consumers::MayBreak),
        Command::ReleaseEvents { breaking: false } => {
            release_events(&project, Consumers::MustSurvive)
        }
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

#[expect(clippy::print_stdout, reason = "a command prints what it would do")]
fn print_deployment(project: &Project, options: &deploy::Options) -> Result<()> {
    let config = project.read(deploy::CONFIG)?;
    let options = &options.clone().or_configured(&config)?;
    let contracts = project.contracts()?;
    let commands = deploy::commands(options, &contracts, &config, project.root())?;
    if !options.no_build {
        println!("{}", deploy::build_command(project, options, &contracts)?.join(" "));
    }
    for command in commands {
        println!("{}", command.join(" "));
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "a command prints what it did")]
fn write_stacks(project: &Project, template: &Path, names: &Names, folder: &Path) -> Result<()> {
    let template = Template::parse(&fs::read_to_string(project.root().join(template))?)?;
    let contracts = project.contracts()?;
    let mut parts = deploy::parts(deploy::Arrangement::One, &contracts);
    parts.extend(deploy::parts(deploy::Arrangement::PerContract, &contracts).split_off(1));
    fs::create_dir_all(folder)?;
    for file in deploy::templates(&template, &parts, names)? {
        fs::write(folder.join(&file.path), file.text)?;
        println!("wrote {}", folder.join(&file.path).display());
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "a command prints what it did")]
fn write_event_types(project: &Project) -> Result<()> {
    fs::create_dir_all(project.root().join(events::TYPES))?;
    for file in events::types(project)? {
        fs::write(project.root().join(&file.path), file.text)?;
        println!("wrote {}", file.path);
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "a command prints what it did")]
fn release_events(project: &Project, consumers: Consumers) -> Result<()> {
    let count = events::release(project, consumers)?;
    println!("wrote {}: the schemas of {count} events", events::RELEASED);
    Ok(())
}

#[expect(clippy::print_stdout, reason = "a command prints what it found")]
fn propose_rights(project: &Project, folder: &Path, write: bool) -> Result<()> {
    let text = project.read(TEMPLATE)?;
    let template = Template::parse(&text)?;
    let needs = rights::read_needs(folder)?;
    for need in &needs {
        if template.function(&need.function).is_none() {
            println!("{}: recorded, but not in {TEMPLATE}", need.function);
        }
    }
    let proposals = rights::propose(&template, &needs)?;
    for proposal in &proposals {
        println!("{}:", proposal.id);
        for policy in &proposal.managed_policies {
            println!("missing: the managed policy\n- !Ref {policy}");
        }
        for statement in &proposal.statements {
            println!("missing:\n{statement}");
        }
        for right in &proposal.unused {
            println!("unused: {right}");
        }
        println!();
    }
    if write {
        project.write(TEMPLATE, &rights::with_proposals(&text, &proposals)?)?;
        println!("The missing rights are in {TEMPLATE}. Review them with `git diff`.");
    }
    Ok(())
}
