//! The rights of a function.

use crate::Resource;
use crate::resolve::intrinsic;
use anyhow::{Context, bail};
use serde_json::Value as Json;

/// A statement of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    pub sid: String,
    pub effect: Effect,
    /// The actions, such as `dynamodb:GetItem`.
    pub actions: Vec<String>,
    /// The resources: the logical id where the template has `!Ref` or `!GetAtt`, else its text.
    pub resources: Vec<String>,
    pub condition: Option<Json>,
    /// The logical id of the `AWS::IAM::ManagedPolicy` that holds the statement; `None` if the
    /// function holds it.
    pub managed_policy: Option<String>,
}

/// What a statement does with the actions that it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    Allow,
    Deny,
}

/// Reads the statements of a function's `Policies`: inline documents and references to managed
/// policies.
pub(crate) fn read(function: &Resource, resources: &[Resource]) -> anyhow::Result<Vec<Statement>> {
    let path = format!("Resources.{}.Properties.Policies", function.id);
    let policies = match function.properties().get("Policies") {
        None => &[],
        Some(Json::Array(policies)) => policies.as_slice(),
        Some(_) => bail!("unsupported policy at {path}: expected a list"),
    };
    let mut statements = Vec::new();
    for (index, policy) in policies.iter().enumerate() {
        let path = format!("{path}.{index}");
        match policy.as_object().and_then(intrinsic) {
            Some(("Ref", Json::String(id))) => {
                let managed = resources.iter().find(|resource| resource.id == *id);
                let managed = managed.filter(|found| found.kind == "AWS::IAM::ManagedPolicy");
                let managed =
                    managed.with_context(|| format!("no managed policy {id} for {path}"))?;
                let path = format!("Resources.{id}.Properties.PolicyDocument");
                let document = managed.properties().get("PolicyDocument").unwrap_or(&Json::Null);
                statements.extend(document_statements(document, &path, Some(id))?);
            }
            Some((name, _)) => bail!("unsupported intrinsic {name} at {path}"),
            None => statements.extend(document_statements(policy, &path, None)?),
        }
    }
    Ok(statements)
}

fn document_statements(
    document: &Json,
    path: &str,
    managed_policy: Option<&String>,
) -> anyhow::Result<Vec<Statement>> {
    let statements = document.get("Statement").and_then(Json::as_array);
    let statements = statements.with_context(|| format!("no list of statements at {path}"))?;
    let statements = statements.iter().enumerate().map(|(index, statement)| {
        let path = format!("{path}.Statement.{index}");
        let text = |name: &str| statement.get(name).and_then(Json::as_str);
        let effect = match text("Effect") {
            Some("Allow") => Effect::Allow,
            Some("Deny") => Effect::Deny,
            _ => bail!("no Effect at {path}"),
        };
        Ok(Statement {
            sid: text("Sid").with_context(|| format!("no Sid at {path}"))?.to_owned(),
            effect,
            actions: names(statement, "Action", &path)?,
            resources: names(statement, "Resource", &path)?,
            condition: statement.get("Condition").cloned(),
            managed_policy: managed_policy.cloned(),
        })
    });
    statements.collect()
}

/// Returns `Table/index/x` for `${Table.Arn}/index/x`, and any other text as it is.
fn without_attribute(text: &str) -> String {
    let table = text.strip_prefix("${").and_then(|rest| rest.split_once(".Arn}"));
    table.map_or_else(|| text.to_owned(), |(id, rest)| format!("{id}{rest}"))
}

/// Reads a name or a list of names.
fn names(statement: &Json, key: &str, path: &str) -> anyhow::Result<Vec<String>> {
    let values = match statement.get(key) {
        Some(Json::Array(values)) => values.as_slice(),
        Some(value) => std::slice::from_ref(value),
        None => &[],
    };
    if values.is_empty() {
        bail!("no {key} at {path}");
    }
    let names = values.iter().map(|value| {
        let name = match value.as_object().and_then(intrinsic) {
            // An index of a table is named by the logical id of the table and the rest of its ARN.
            Some(("Ref" | "Fn::Sub", name)) => name.as_str().map(without_attribute),
            Some(("Fn::GetAtt", attribute)) => {
                attribute.get(0).and_then(Json::as_str).map(str::to_owned)
            }
            _ => value.as_str().map(str::to_owned),
        };
        name.with_context(|| format!("unsupported {key} at {path}"))
    });
    names.collect()
}
