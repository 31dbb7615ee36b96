//! The steps that deploy the stacks of a stage, with SAM and the AWS CLI.

use super::parameters::Values;
use super::{Names, Part, account, cut, parameters, release};
use crate::project::{File, Project};
use anyhow::{Context as _, Result, anyhow, bail, ensure};
use clap::ValueEnum as _;
use serde_json::Value as Json;
use std::io::Write as _;
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
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
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
    /// A value of a parameter for this deployment; it counts before the files of the stage
    #[arg(long, value_name = "NAME=VALUE")]
    pub set: Vec<String>,
    /// The first deployment of the stage: the tables get their protection in a second step
    #[arg(long)]
    pub create: bool,
    /// What the names of the tables begin with, after a restore
    #[arg(long, value_name = "PREFIX", requires = "stream")]
    pub tables: Option<String>,
    /// The ARN of the outbox's stream, after a restore
    #[arg(long, value_name = "ARN", requires = "tables")]
    pub stream: Option<String>,
    /// What the release is called (the parameter Release); by default the commit and a digest of the rest
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
    /// Make a change set of each stack, show it, and deploy nothing
    #[arg(long, conflicts_with = "create")]
    pub preview: bool,
    /// Deploy without a question
    #[arg(long)]
    pub yes: bool,
}

impl Options {
    /// The deployment of a stage whose functions are built, without a question.
    #[must_use]
    pub fn unattended(stage: &str, stacks: Arrangement) -> Self {
        Self {
            stage: stage.to_owned(),
            stacks: Some(stacks),
            only: Vec::new(),
            set: Vec::new(),
            create: false,
            tables: None,
            stream: None,
            release: None,
            region: None,
            no_build: true,
            build: BUILD.to_owned(),
            preview: false,
            yes: true,
        }
    }

    /// Takes what the command line leaves out from the table `[STAGE.latchkey.parameters]` of the
    /// configuration, which SAM ignores, because it has no command of this name, and the region from
    /// SAM's own table.
    ///
    /// # Errors
    ///
    /// The arrangement in it is unknown.
    pub fn or_configured(mut self, config: &str) -> Result<Self> {
        let stage = self.stage.clone();
        if self.region.is_none() {
            self.region = setting(config, &format!("{stage}.deploy"), "region")?;
        }
        let setting = |name: &str| setting(config, &format!("{stage}.latchkey"), name);
        if self.tables.is_none() {
            (self.tables, self.stream) = (setting("tables")?, setting("stream")?);
            let both = self.tables.is_some() == self.stream.is_some();
            ensure!(both, "{CONFIG} has one of tables and stream for {}", self.stage);
        }
        if let (None, Some(name)) = (self.stacks, setting("stacks")?) {
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

/// The text of a setting in the table `[TABLE.parameters]` of the configuration.
///
/// # Errors
///
/// The value is no text in quotes.
fn setting(config: &str, table: &str, name: &str) -> Result<Option<String>> {
    let header = format!("[{table}.parameters]");
    let lines = config.lines().map(str::trim).skip_while(|line| *line != header).skip(1);
    let mut lines = lines.take_while(|line| !line.starts_with('['));
    let found = lines.find_map(|line| {
        let (found, value) = line.split_once('=')?;
        (found.trim() == name).then(|| value.trim())
    });
    let Some(value) = found else { return Ok(None) };
    let text = value.strip_prefix('"').and_then(|rest| rest.split_once('"'));
    let text = text.filter(|(_, rest)| rest.trim().is_empty() || rest.trim().starts_with('#'));
    let (text, _) =
        text.with_context(|| format!("{CONFIG}: {name} = {value} is no text in quotes"))?;
    Ok(Some(text.to_owned()))
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

/// The command that builds the functions for the processors that the stage names.
///
/// # Errors
///
/// The parameters of the stage cannot be read.
pub fn build_command(project: &Project, options: &Options, contracts: &[String]) -> Result<Words> {
    let text = project.read(template::FILE)?;
    let template = Template::parse(&text)?;
    let mut found: Option<String> = None;
    for part in options.parts(contracts)? {
        if part == Part::Data {
            continue;
        }
        let given = parameters::given(project, options, &part, template.document())?;
        let values = parameters::complete(template.document(), &given)?;
        let architecture = values.get("Architecture").cloned();
        let is_same = found.is_none() || found == architecture;
        ensure!(is_same, "all stacks are built at once, so they have one Architecture");
        found = architecture;
    }
    let mut command = words("sam build");
    if let Some(architecture) = found {
        command
            .extend(["--parameter-overrides".to_owned(), format!("Architecture={architecture}")]);
    }
    Ok(command)
}

/// The commands of a deployment, without the build.
///
/// # Errors
///
/// The stage is no environment of SAM's configuration or has parameters there, or a part is unknown.
pub fn commands(
    options: &Options,
    contracts: &[String],
    config: &str,
    root: &Path,
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
        // SAM would take them if a parameter had no value on the command line, and every one has.
        let unread = setting(config, &format!("{environment}.deploy"), "parameter_overrides")?;
        ensure!(
            unread.is_none(),
            "{CONFIG} has parameter_overrides for {environment}: move them into {PARAMETERS}/{environment}.yaml"
        );
        let deploy = |file: &str| {
            let build = &options.build;
            let mut command = words("sam deploy --template-file");
            command.push(format!("{build}/{file}.json"));
            command.extend(["--stack-name".to_owned(), stack.clone(), "--config-file".to_owned()]);
            command.push(root.join(CONFIG).display().to_string());
            command.extend(["--config-env".to_owned(), environment.clone()]);
            command.extend([
                "--parameter-overrides".to_owned(),
                format!("file://{build}/{part}.yaml"),
            ]);
            command.extend(words("--capabilities CAPABILITY_IAM --resolve-s3"));
            command.push("--no-fail-on-empty-changeset".to_owned());
            // SAM ends well if the answer to its question is no, and the next stack would follow.
            command.push("--no-confirm-changeset".to_owned());
            if options.preview {
                command.push("--no-execute-changeset".to_owned());
            }
            command
        };
        if part == Part::Data && options.create {
            commands.push(deploy("data-unprotected"));
        }
        commands.push(deploy(&part.to_string()));
        if part == Part::Data && !options.preview {
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

/// What a stack gets.
struct Stack {
    part: Part,
    name: String,
    template: Json,
    given: Values,
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
    let commands = commands(options, &contracts, &config, project.root())?;
    let parts = options.parts(&contracts)?;
    let (base, region) = (options.base(), options.region.as_deref());
    if parts.contains(&Part::Data) {
        let status = account::status(&base, region)?;
        account::check_status(&base, status.as_deref(), options.create)?;
    }
    if !options.no_build {
        execute(project, &build_command(project, options, &contracts)?)?;
    }
    let build = &options.build;
    let text = project.read(&format!("{build}/{}", template::FILE));
    let template = Template::parse(&text.context("sam build has not run")?)?;
    for File { path, text } in templates(&template, &parts, &options.names())? {
        project.write(&format!("{build}/{path}"), &text)?;
        println!("wrote {build}/{path}");
    }
    let mut stacks = Vec::new();
    for part in parts {
        let document = cut(&template, &part, &options.names())?;
        let given = parameters::given(project, options, &part, template.document())?;
        let stack = Stack { name: stack(&base, &part), part, template: document, given };
        stacks.push(give(project, options, stack)?);
    }
    if !(options.yes || options.preview) {
        confirm()?;
    }
    commands.iter().try_for_each(|command| execute(project, command))?;
    if let Some(data) = stacks.iter().find(|stack| stack.part == Part::Data && !options.preview) {
        account::check_protection(&data.template, &base, region)?;
    }
    Ok(())
}

/// Writes the values of a stack's parameters for SAM, and prints those that are not the defaults.
#[expect(clippy::print_stdout, reason = "a command prints what it does")]
fn give(project: &Project, options: &Options, mut stack: Stack) -> Result<Stack> {
    let values = parameters::complete(&stack.template, &stack.given)?;
    if let Some(release) = &options.release {
        stack.given.insert("Release".to_owned(), release.clone());
    } else if values.get("Release").is_some_and(String::is_empty) {
        let release = release::name(project, &options.build, &stack.template, &values)?;
        stack.given.insert("Release".to_owned(), release);
    }
    let values = parameters::complete(&stack.template, &stack.given)?;
    let defaults = parameters::complete(&stack.template, &Values::new())?;
    println!("{}:", stack.name);
    for (name, value) in values.iter().filter(|(name, value)| defaults.get(*name) != Some(*value)) {
        println!("  {name}={value}");
    }
    project.write(&format!("{}/{}.yaml", options.build, stack.part), &parameters::file(&values))?;
    Ok(stack)
}

/// Asks once for all stacks.
#[expect(clippy::print_stdout, reason = "a command asks")]
fn confirm() -> Result<()> {
    print!("Deploy these stacks? [y/N] ");
    std::io::stdout().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    ensure!(["y", "Y", "yes"].contains(&answer.trim()), "nothing was deployed");
    Ok(())
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
