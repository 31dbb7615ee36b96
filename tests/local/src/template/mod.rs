//! `template.yaml`, read the way `CloudFormation` would: what the local stack has to build and to serve.

mod functions;
mod identity;
mod resolver;
mod stores;
#[cfg(test)]
mod tests;
mod values;

use std::path::Path;

use anyhow::{Context, bail};
use yaml_serde::Value as Yaml;

pub(crate) use functions::{FunctionSpec, RouteSpec, ScheduleSpec, StreamSpec};
pub(crate) use identity::{ACCOUNT, REGION, function_arn, rule_arn, ses_identity_arn, stream_arn};
pub(crate) use stores::{BusSpec, GeneratedSecret, SecretSource, SecretSpec, TableSpec};

use resolver::Resolver;

/// Everything that the local stack takes from the template.
#[derive(Debug, Default)]
pub(crate) struct Template {
    /// The functions, in the template's order.
    pub(crate) functions: Vec<FunctionSpec>,
    /// The tables, in the template's order.
    pub(crate) tables: Vec<TableSpec>,
    /// The secrets, in the template's order.
    pub(crate) secrets: Vec<SecretSpec>,
    /// The event buses, in the template's order.
    pub(crate) buses: Vec<BusSpec>,
    /// What the template asks for and the local stack does not do, a sentence each.
    pub(crate) gaps: Vec<String>,
}

impl Template {
    /// Reads the template at `path`.
    pub(crate) fn load(path: &Path) -> anyhow::Result<Self> {
        let name = path.file_name().map_or_else(|| "the template".into(), |n| n.to_string_lossy());
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(&text).with_context(|| name.into_owned())
    }

    /// Reads a template's text.
    pub(crate) fn parse(text: &str) -> anyhow::Result<Self> {
        let document: Yaml = yaml_serde::from_str(text).context("not valid YAML")?;
        let resolver = Resolver::new(&document)?;
        let mut template = Self::default();
        for resource in resolver.resources()? {
            match resource.kind {
                "AWS::DynamoDB::Table" => {
                    template.tables.push(TableSpec::read(&resolver, &resource)?);
                }
                "AWS::SecretsManager::Secret" => {
                    template.secrets.push(SecretSpec::read(&resolver, &resource)?);
                }
                "AWS::Events::EventBus" => {
                    template.buses.push(BusSpec::read(&resolver, &resource)?);
                }
                _ => {}
            }
        }
        // After the tables, because a function's stream event is matched with the table it names.
        for resource in resolver.resources()? {
            if resource.kind == "AWS::Serverless::Function" {
                let function =
                    FunctionSpec::read(&resolver, &resource, &template.tables, &mut template.gaps)?;
                if template.functions.iter().any(|other| other.name == function.name) {
                    bail!("{}: a second function with the binary {}", resource.id, function.name);
                }
                template.functions.push(function);
            }
        }
        if template.functions.is_empty() {
            bail!("no AWS::Serverless::Function in Resources");
        }
        Ok(template)
    }
}
