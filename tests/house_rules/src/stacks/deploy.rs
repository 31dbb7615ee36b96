//! The steps that deploy the stacks of a stage, with SAM and the AWS CLI.

use super::{Names, Part, cut};
use crate::project::{File, Project};
use anyhow::{Context as _, Result, anyhow, bail, ensure};
use clap::ValueEnum as _;
use serde_json::Value as Json;
use std::path::Path;
use std::process::Command;
use template::Template;

/// The file with the environments of SAM.
pub const CONFIG: &str = "samconfig.toml";
/// Where `sam build` writes the functions, and this command the templates beside them.
pub const BUILD: &str = ".aws-sam/build";
/// What an update of the data may not do.
pub const STACK_POLICY: &str = "shared/stack-policy.json";
/// The folder with the parameters of the environments, a file for each.
pub const PARAMETERS: &str = "shared/stages";

/// How many stacks hold the functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Arrangement {
    /// One, beside the data
    One,
    /// One for each contract, and one that they share
    PerContract,
}

/// What to deploy.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// The environment in samconfig.toml; its stacks are latchkey-STAGE, latchkey-STAGE-functions and so on
    #[arg(long)]
    pub stage: String,
    /// How many stacks hold the functions; by default as samconfig.toml says, or one
    #[arg(long, value_enum)]
    pub stacks: Option<Arrangement>,
    /// Only these stacks, such as data, functions, shared or the name of a contract
    #[arg(long, value_name = "PART")]
    pub only: Vec<String>,
    /// The first deployment of the stage: the tables get their protection in a second step
    #[arg(long)]
    pub create: bool,
    /// What the names of the tables begin with, after a restore
    #[arg(long, value_name = "PREFIX", requires = "stream")]
    pub tables: Option<String>,
    /// The ARN of the outbox's stream, after a restore
    #[arg(long, value_name = "ARN", requires = "tables")]
    pub stream: Option<String>,
    /// What the release is called, by default the commit (the parameter Release)
    #[arg(long, value_name = "NAME")]
    pub release: Option<String>,
    /// The region, for SAM and the AWS CLI
    #[arg(long)]
    pub region: Option<String>,
    /// Take the functions that are built
    #[arg(long)]
    pub no_build: bool,
    /// Where they are
    #[arg(long, value_name = "FOLDER", default_value = BUILD, requires = "no_build")]
    pub build: String,
    /// Deploy without a question for each stack
    #[arg(long)]
    pub yes: bool,
}

impl Options {
    /// Takes what the command line leaves out from the table `[STAGE.latchkey.parameters]` of the
    /// configuration. SAM ignores it: it has no command of this name.
    ///
    /// # Errors
    ///
    /// The arrangement in it is unknown.
    pub fn or_configured(mut self, config: &str) -> Result<Self> {
        let setting = |name: &str| setting(config, &self.stage, name);
        if self.tables.is_none() {
            (self.tables, self.stream) = (setting("tables"), setting("stream"));
            let both = self.tables.is_some() == self.stream.is_some();
            ensure!(both, "{CONFIG} has one of tables and stream for {}", self.stage);
        }
        if let (None, Some(name)) = (self.stacks, setting("stacks")) {
            let known = Arrangement::from_str(&name, false);
            self.stacks = Some(known.map_err(|_| anyhow!("{CONFIG}: unknown stacks {name}"))?);
        }
        Ok(self)
    }

    /// What the names of the stacks begin with.
    #[must_use]
    pub fn base(&self) -> String {
        match self.stage.as_str() {
            "default" => "latchkey".to_owned(),
            stage => format!("latchkey-{stage}"),
        }
    }

    /// The names that the stacks find each other by.
    #[must_use]
    pub fn names(&self) -> Names {
        let names = Names::of(&self.base());
        match &self.tables {
            Some(tables) => Names { tables: tables.clone(), stream: self.stream.clone(), ..names },
            None => names,
        }
    }

    /// The name of the release.
    ///
    /// # Errors
    ///
    /// No name is given, and git does not know the commit.
    pub fn release(&self, project: &Project) -> Result<String> {
        match &self.release {
            Some(release) => Ok(release.clone()),
            None => commit(project),
        }
    }

    /// The parts to deploy: the data first, then what the contracts share.
    ///
    /// # Errors
    ///
    /// A part is not one of this arrangement.
    pub fn parts(&self, contracts: &[String]) -> Result<Vec<Part>> {
        let stacks = self.stacks.unwrap_or(Arrangement::One);
        let mut parts = parts(stacks, contracts);
        for name in &self.only {
            let known = parts.iter().any(|part| part.to_string() == *name);
            ensure!(known, "there is no stack {name} with the arrangement {stacks:?}");
        }
        let named = |part: &Part| self.only.contains(&part.to_string());
        parts.retain(|part| self.only.is_empty() || named(part));
        Ok(parts)
    }
}

/// The text of a setting in the table of a stage.
fn setting(config: &str, stage: &str, name: &str) -> Option<String> {
    let header = format!("[{stage}.latchkey.parameters]");
    let lines = config.lines().map(str::trim).skip_while(|line| *line != header).skip(1);
    let mut lines = lines.take_while(|line| !line.starts_with('['));
    lines.find_map(|line| {
        let (found, value) = line.split_once('=')?;
        let value = value.trim().trim_matches('"');
        (found.trim() == name).then(|| value.to_owned())
    })
}

/// The parts of an arrangement, in the order of their deployment.
#[must_use]
pub fn parts(stacks: Arrangement, contracts: &[String]) -> Vec<Part> {
    match stacks {
        Arrangement::One => vec![Part::Data, Part::All],
        Arrangement::PerContract => {
            let contracts = contracts.iter().cloned().map(Part::Contract);
            [Part::Data, Part::Shared].into_iter().chain(contracts).collect()
        }
    }
}

/// The name of the stack of a part. The data has the name of the stage, so that a stack that was deployed
/// as a whole can become the stack of its data.
#[must_use]
pub fn stack(base: &str, part: &Part) -> String {
    match part {
        Part::Data => base.to_owned(),
        part => format!("{base}-{part}"),
    }
}

/// A command, with its arguments.
pub type Words = Vec<String>;

fn words(text: &str) -> Words {
    text.split(' ').map(str::to_owned).collect()
}

/// The commands of a deployment, without the build.
///
/// # Errors
///
/// The stage is no environment of SAM's configuration, or a part is unknown.
pub fn commands(
    options: &Options,
    contracts: &[String],
    config: &str,
    root: &Path,
    release: &str,
) -> Result<Vec<Words>> {
    let has = |environment: &str| {
        let start = format!("[{environment}.");
        config.lines().any(|line| line.trim_start().starts_with(&start))
    };
    ensure!(has(&options.stage), "{CONFIG} has no environment {}", options.stage);
    let base = options.base();
    let mut commands = Vec::new();
    for part in options.parts(contracts)? {
        let stack = stack(&base, &part);
        let own = format!("{}-{part}", options.stage);
        let environment = if has(&own) { own.clone() } else { options.stage.clone() };
        let deploy = |file: &str| {
            let mut command = words("sam deploy --template-file");
            command.push(format!("{}/{file}.json", options.build));
            command.extend(["--stack-name".to_owned(), stack.clone(), "--config-file".to_owned()]);
            command.push(root.join(CONFIG).display().to_string());
            command.extend(["--config-env".to_owned(), environment.clone()]);
            // The parameters of the command line replace those of the environment, so the files are named again.
            // Of two values, the later one counts.
            let files = [&options.stage, &own].map(|name| format!("{PARAMETERS}/{name}.yaml"));
            let files: Vec<_> = files.iter().filter(|file| root.join(file).exists()).collect();
            if !files.is_empty() {
                command.push("--parameter-overrides".to_owned());
                command.extend(files.iter().map(|file| format!("file://{file}")));
                command.push(format!("Release={release}"));
            }
            command.extend(words("--capabilities CAPABILITY_IAM --resolve-s3"));
            command.push("--no-fail-on-empty-changeset".to_owned());
            let confirm =
                if options.yes { "--no-confirm-changeset" } else { "--confirm-changeset" };
            command.push(confirm.to_owned());
            command
        };
        if part == Part::Data && options.create {
            commands.push(deploy("data-unprotected"));
        }
        commands.push(deploy(&part.to_string()));
        if part == Part::Data {
            let policy = format!(
                "aws cloudformation set-stack-policy --stack-name {stack} --stack-policy-body \
                 file://{STACK_POLICY}"
            );
            let protection = format!(
                "aws cloudformation update-termination-protection --stack-name {stack} \
                 --enable-termination-protection"
            );
            commands.extend([words(&policy), words(&protection)]);
        }
    }
    if let Some(region) = &options.region {
        for command in &mut commands {
            command.extend(["--region".to_owned(), region.clone()]);
        }
    }
    Ok(commands)
}

/// The templates of the stacks, beside the functions that `sam build` made.
///
/// # Errors
///
/// A part cannot be cut out of the template.
pub fn templates(template: &Template, parts: &[Part], names: &Names) -> Result<Vec<File>> {
    let mut files = Vec::new();
    for part in parts {
        let document = cut(template, part, names).with_context(|| format!("the part {part}"))?;
        if *part == Part::Data {
            let mut unprotected = document.clone();
            let resources = unprotected.get_mut("Resources").and_then(Json::as_object_mut);
            for (_, resource) in resources.into_iter().flatten() {
                let protection = resource.pointer_mut("/Properties/DeletionProtectionEnabled");
                if let Some(protection) = protection {
                    *protection = false.into();
                }
            }
            files.push(file("data-unprotected", &unprotected)?);
        }
        files.push(file(&part.to_string(), &document)?);
    }
    Ok(files)
}

fn file(name: &str, document: &Json) -> Result<File> {
    let text = serde_json::to_string_pretty(document)? + "\n";
    Ok(File { path: format!("{name}.json"), text })
}

/// Deploys.
///
/// # Errors
///
/// A step fails; the steps before it stay.
#[expect(clippy::print_stdout, reason = "a command prints what it does")]
pub fn run(project: &Project, options: &Options) -> Result<()> {
    let contracts = project.contracts()?;
    let config = project.read(CONFIG)?;
    let options = &options.clone().or_configured(&config)?;
    let release = options.release(project)?;
    let commands = commands(options, &contracts, &config, project.root(), &release)?;
    if !options.no_build {
        execute(project, &words("sam build"))?;
    }
    let build = &options.build;
    let text = project.read(&format!("{build}/{}", template::FILE));
    let template = Template::parse(&text.context("sam build has not run")?)?;
    let parts = options.parts(&contracts)?;
    for File { path, text } in templates(&template, &parts, &options.names())? {
        project.write(&format!("{build}/{path}"), &text)?;
        println!("wrote {build}/{path}");
    }
    commands.iter().try_for_each(|command| execute(project, command))
}

/// Returns the commit that is deployed.
fn commit(project: &Project) -> Result<String> {
    let mut git = Command::new("git");
    let asked = git.args(["rev-parse", "--short", "HEAD"]).current_dir(project.root()).output();
    let commit = asked.ok().filter(|output| output.status.success());
    let commit =
        commit.context("failed to ask git for the commit: name the release (--release)")?;
    Ok(String::from_utf8(commit.stdout)?.trim().to_owned())
}

#[expect(clippy::print_stdout, reason = "a command prints what it does")]
fn execute(project: &Project, command: &Words) -> Result<()> {
    println!("{}", command.join(" "));
    let Some((program, arguments)) = command.split_first() else { return Ok(()) };
    let status = Command::new(program).args(arguments).current_dir(project.root()).status();
    let status = status.with_context(|| format!("failed to run {program}"))?;
    if !status.success() {
        bail!("{program} failed");
    }
    Ok(())
}
