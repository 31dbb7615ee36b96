//! What is to be deployed: the stacks of a stage, each with its parameters and its functions.

use anyhow::{Context as _, Result, ensure};
use clap::Parser;
use house_rules::project::Project;
use house_rules::stacks::deploy::{self, Arrangement};
use house_rules::stacks::{Names, Part, cut};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use template::Template;

/// The parameters of a stack: the template's defaults, those of the stage, and those of the part.
#[derive(Clone, Debug)]
pub(crate) struct Parameters(BTreeMap<String, String>);

impl Parameters {
    fn defaults(template: &Template) -> Self {
        let parameters = template.parameters.iter();
        Self(parameters.map(|it| (it.name.clone(), it.default.clone())).collect())
    }

    /// Reads a file as `sam deploy --parameter-overrides file://…` does.
    ///
    /// # Errors
    /// The file cannot be read, or names a parameter that the template does not have.
    fn with(mut self, path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("failed to read {}", path.display()))?;
        let file: BTreeMap<String, Value> = yaml_serde::from_str(&text)
            .with_context(|| format!("{} is not a map of parameters", path.display()))?;
        for (name, value) in file {
            ensure!(self.0.contains_key(&name), "{}: no parameter {name}", path.display());
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            self.0.insert(name, text);
        }
        Ok(self)
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(crate) fn number(&self, name: &str) -> Option<f64> {
        self.text(name)?.parse().ok()
    }
}

/// A stack with functions.
#[derive(Clone, Debug)]
pub(crate) struct Stack {
    pub(crate) name: String,
    pub(crate) parameters: Parameters,
    /// Whether it has an API.
    pub(crate) has_api: bool,
    /// The concurrency that it reserves.
    pub(crate) reserved: f64,
}

/// The stacks with functions. The first one has the relay.
#[derive(Clone, Debug)]
pub(crate) struct Deployment(Vec<Stack>);

/// The command that deploys a stage, for its settings in the configuration.
#[derive(Parser)]
struct Deploy {
    #[command(flatten)]
    options: deploy::Options,
}

impl Deployment {
    /// Reads the files of a stage: that of all its stacks, and those of single stacks beside it.
    ///
    /// # Errors
    /// A file cannot be read, or the template cannot be cut.
    pub(crate) fn read(file: Option<&Path>, stacks: Option<Arrangement>) -> Result<Self> {
        let project = Project::here();
        let template = Template::load()?;
        let stage = file.and_then(Path::file_stem).and_then(|name| name.to_str());
        let stage = stage.unwrap_or("default");
        let options = Deploy::try_parse_from(["deploy", "--stage", stage])?.options;
        let options = options.or_configured(&project.read(deploy::CONFIG)?)?;
        let arrangement = stacks.or(options.stacks).unwrap_or(Arrangement::One);
        let parts = deploy::parts(arrangement, &project.contracts()?);
        let parts = parts.iter().filter(|part| **part != Part::Data);
        let stacks = parts.map(|part| {
            let mut parameters = Parameters::defaults(&template);
            if let Some(file) = file {
                let own = file.with_file_name(format!("{stage}-{part}.yaml"));
                parameters = parameters.with(file)?;
                parameters = if own.exists() { parameters.with(&own)? } else { parameters };
            }
            stack(&template, part, deploy::stack(&options.base(), part), parameters)
        });
        Ok(Self(stacks.collect::<Result<_>>()?))
    }

    pub(crate) fn stacks(&self) -> impl Iterator<Item = &Stack> {
        self.0.iter()
    }

    /// The parameters of the stack with the relay, which sends texts and mails.
    pub(crate) fn text(&self, name: &str) -> &str {
        let first = self.0.first().and_then(|stack| stack.parameters.text(name));
        first.unwrap_or_default()
    }

    pub(crate) fn number(&self, name: &str) -> f64 {
        self.text(name).parse().unwrap_or_default()
    }
}

/// Reads a stack from its part of the template.
fn stack(template: &Template, part: &Part, name: String, parameters: Parameters) -> Result<Stack> {
    let document = cut(template, part, &Names::of("latchkey"))?;
    let mut given = template.document().clone();
    for (name, value) in &parameters.0 {
        if let Some(default) = given.pointer_mut(&format!("/Parameters/{name}/Default")) {
            *default = value.as_str().into();
        }
    }
    let given = Template::parse(&given.to_string())?;
    let resources = document.get("Resources").and_then(Value::as_object);
    let (mut reserved, mut has_api) = (0.0, false);
    for resource in resources.into_iter().flat_map(|resources| resources.values()) {
        has_api |= resource["Type"] == "AWS::Serverless::HttpApi";
        let declared = resource.pointer("/Properties/ReservedConcurrentExecutions");
        if let Some(declared) = declared
            && let Some(value) = given.resolve(declared)?
        {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            reserved += text.parse::<f64>().with_context(|| format!("{text} is no number"))?;
        }
    }
    Ok(Stack { name, parameters, has_api, reserved })
}

/// The arguments that name a deployment.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Options {
    /// The parameters of the stage, such as shared/stages/production.yaml; those of single stacks, such as production-gotu.yaml, are
    /// read beside it
    #[arg(long, value_name = "FILE")]
    stage: Option<PathBuf>,
    /// How many stacks hold the functions; by default as samconfig.toml says for the stage, or one
    #[arg(long, value_enum)]
    stacks: Option<Arrangement>,
}

impl Options {
    pub(crate) fn deployment(&self) -> Result<Deployment> {
        Deployment::read(self.stage.as_deref(), self.stacks)
    }
}
