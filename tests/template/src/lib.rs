//! The one reader of `template.yaml`, which declares the functions, routes, rights, tables and
//! alarms.
//!
//! [`Template`] has a typed view of what the local stack runs and of what the house rules check.
//! [`Template::document`] is the whole file as plain JSON, for everything else. Physical names and
//! ARNs are those of the local stack ([`arn`]).
//!
//! The reader supports what the template uses, and no more: it refuses any other intrinsic
//! function, resource type, event type or property that would change what the local stack has to
//! do. The error is one line that names the path, such as `unsupported intrinsic Fn::Join at
//! Resources.Users.Properties.TableName`. To support more, extend `document` (intrinsic functions),
//! `resolve` (their values) or the part that reads the resource.

mod alarm;
pub mod arn;
mod document;
mod function;
mod other;
mod policy;
mod resolve;
mod store;
#[cfg(test)]
mod tests;

use anyhow::{Context, bail};
use serde_json::Value as Json;
use std::path::{Path, PathBuf};

pub use alarm::Alarm;
pub use function::{Event, Function, Schedule, Stream};
pub use other::{Input, OtherTemplate, Queue, Redrive, Rule, Target};
pub use policy::{Effect, Statement};
pub use resolve::references;
pub use store::{EventBus, Secret, Table};

use resolve::Resolver;

/// The file's name. The folder that holds it is the project's root.
pub const FILE: &str = "template.yaml";

/// The resource types that the template uses.
const RESOURCE_TYPES: [&str; 21] = [
    "AWS::ApiGatewayV2::ApiMapping",
    "AWS::ApiGatewayV2::DomainName",
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::DynamoDB::Table",
    "AWS::Events::Archive",
    "AWS::Events::EventBus",
    "AWS::Events::EventBusPolicy",
    "AWS::Events::Rule",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Role",
    "AWS::IAM::RolePolicy",
    "AWS::Lambda::Permission",
    "AWS::Logs::LogGroup",
    "AWS::Logs::SubscriptionFilter",
    "AWS::SES::ConfigurationSet",
    "AWS::SES::ConfigurationSetEventDestination",
    "AWS::SQS::Queue",
    "AWS::SecretsManager::Secret",
    "AWS::Serverless::Function",
    "AWS::Serverless::HttpApi",
];

/// The template. Each list is in the order of the file.
#[derive(Debug, Clone, Default)]
pub struct Template {
    pub functions: Vec<Function>,
    pub tables: Vec<Table>,
    pub secrets: Vec<Secret>,
    pub buses: Vec<EventBus>,
    pub alarms: Vec<Alarm>,
    pub parameters: Vec<Parameter>,
    /// Every resource that exists with the defaults of the parameters, also those that the other
    /// lists hold.
    pub resources: Vec<Resource>,
    document: Json,
}

/// A parameter.
#[derive(Debug, Clone)]
pub struct Parameter {
    pub name: String,
    /// The default value as text, which is how `CloudFormation` passes it on.
    pub default: String,
    /// The whole declaration, with the bounds and the description.
    pub body: Json,
}

/// A resource as the file declares it: its intrinsic functions are not resolved.
#[derive(Debug, Clone)]
pub struct Resource {
    /// The logical id.
    pub id: String,
    /// The type, such as `AWS::DynamoDB::Table`.
    pub kind: String,
    /// The whole declaration.
    pub body: Json,
}

impl Resource {
    /// Returns the section `Properties`, or null.
    #[must_use]
    pub fn properties(&self) -> &Json {
        self.body.get("Properties").unwrap_or(&Json::Null)
    }
}

impl Template {
    /// Reads the template of the project, see [`project_root`].
    ///
    /// # Errors
    ///
    /// If the file cannot be read, is not YAML or uses something that is not supported.
    pub fn load() -> anyhow::Result<Self> {
        let path = project_root().join(FILE);
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("failed to read {}", path.display()))?;
        Self::parse(&text).context(FILE)
    }

    /// Reads a template from its text.
    ///
    /// # Errors
    ///
    /// Like [`Template::load`].
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let yaml = yaml_serde::from_str(text).context("not valid YAML")?;
        let document = document::plain(&yaml, "")?;
        let mut template = Self {
            parameters: parameters(&document)?,
            resources: resources(&yaml, &document)?,
            ..Self::default()
        };
        let resolver = Resolver::new(&document);
        for resource in &template.resources {
            match resource.kind.as_str() {
                "AWS::DynamoDB::Table" => {
                    template.tables.push(Table::read(&resolver, resource)?);
                }
                "AWS::SecretsManager::Secret" => {
                    template.secrets.push(Secret::read(&resolver, resource)?);
                }
                "AWS::Events::EventBus" => {
                    template.buses.push(EventBus::read(&resolver, resource)?);
                }
                _ => {}
            }
        }
        // After the tables, because a stream event refers to one.
        template.functions = function::read_all(&resolver, &template.resources, &template.tables)?;
        let functions = template.functions.iter().map(|function| function.id.as_str()).collect();
        let alarms =
            template.resources.iter().filter(|resource| resource.kind == "AWS::CloudWatch::Alarm");
        template.alarms = alarms.map(|resource| Alarm::read(resource, &functions)).collect();
        template.document = document;
        Ok(template)
    }

    /// Returns the whole file as JSON. Each tag is in its long form: `!Ref X` is `{"Ref": "X"}`,
    /// `!GetAtt X.Arn` is `{"Fn::GetAtt": ["X", "Arn"]}`, `!Sub T` is `{"Fn::Sub": "T"}`.
    #[must_use]
    pub const fn document(&self) -> &Json {
        &self.document
    }

    /// Returns the function whose binary has this name.
    #[must_use]
    pub fn function(&self, binary: &str) -> Option<&Function> {
        self.functions.iter().find(|function| function.name == binary)
    }

    /// Returns the resource with this logical id.
    #[must_use]
    pub fn resource(&self, id: &str) -> Option<&Resource> {
        self.resources.iter().find(|resource| resource.id == id)
    }

    /// Returns the resources of this type.
    pub fn resources_of(&self, kind: &str) -> impl Iterator<Item = &Resource> {
        self.resources.iter().filter(move |resource| resource.kind == kind)
    }

    /// Returns the parameter with this name.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|parameter| parameter.name == name)
    }

    /// Resolves the intrinsic functions of a value of [`Template::document`] for the local stack.
    /// Returns `None` for `AWS::NoValue`.
    ///
    /// # Errors
    ///
    /// If an intrinsic function has no value in the local stack.
    pub fn resolve(&self, value: &Json) -> anyhow::Result<Option<Json>> {
        Resolver::new(&self.document).resolve(value, "the value")
    }
}

/// Returns the project's root: the nearest folder at or above the current one that holds this crate and a
/// [`FILE`], or else the project that this crate was compiled in. Other projects have a [`FILE`], too.
#[must_use]
pub fn project_root() -> PathBuf {
    let current = std::env::current_dir().unwrap_or_default();
    let is_ours = |folder: &&Path| {
        folder.join(FILE).is_file() && folder.join("tests/template/Cargo.toml").is_file()
    };
    current.ancestors().find(is_ours).map_or_else(
        || {
            let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
            crate_folder.ancestors().nth(2).unwrap_or(crate_folder).to_path_buf()
        },
        Path::to_path_buf,
    )
}

fn parameters(document: &Json) -> anyhow::Result<Vec<Parameter>> {
    let parameters = document.get("Parameters").and_then(Json::as_object).into_iter().flatten();
    parameters
        .map(|(name, body)| {
            let kind = body.get("Type").and_then(Json::as_str).unwrap_or_default();
            if !["String", "Number"].contains(&kind) {
                bail!("unsupported type {kind} at Parameters.{name}");
            }
            let default = body.get("Default").and_then(resolve::text);
            let default = default.with_context(|| format!("no Default at Parameters.{name}"))?;
            Ok(Parameter { name: name.clone(), default, body: body.clone() })
        })
        .collect()
}

/// Reads the resources in the order of the YAML file, which JSON objects do not keep. Leaves out
/// those whose condition does not hold with the defaults of the parameters.
fn resources(yaml: &yaml_serde::Value, document: &Json) -> anyhow::Result<Vec<Resource>> {
    let ids = yaml.get("Resources").and_then(yaml_serde::Value::as_mapping);
    let ids = ids.context("no Resources in the template")?.keys();
    let resolver = Resolver::new(document);
    let declared = ids.filter_map(yaml_serde::Value::as_str).map(|id| {
        let body = document.get("Resources").and_then(|resources| resources.get(id));
        let body = body.cloned().unwrap_or_default();
        let kind = body.get("Type").and_then(Json::as_str);
        let kind = kind.with_context(|| format!("no Type at Resources.{id}"))?.to_owned();
        if !RESOURCE_TYPES.contains(&kind.as_str()) {
            bail!("unsupported resource type {kind} at Resources.{id}");
        }
        let exists = match body.get("Condition").and_then(Json::as_str) {
            Some(condition) => resolver.condition(condition, &format!("Resources.{id}"))?,
            None => true,
        };
        Ok(exists.then(|| Resource { id: id.to_owned(), kind, body }))
    });
    declared.filter_map(Result::transpose).collect()
}

/// Refuses a property that is not in the list: it could change what the local stack has to do.
fn only(properties: &Json, path: &str, known: &[&str]) -> anyhow::Result<()> {
    let names = properties.as_object().into_iter().flatten().map(|(name, _)| name);
    match names.into_iter().find(|name| !known.contains(&name.as_str())) {
        Some(name) => bail!("unsupported property {name} at {path}"),
        None => Ok(()),
    }
}
