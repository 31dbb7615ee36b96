//! The values of the parameters of each stack.
//!
//! SAM leaves a parameter without a value as the deployment before set it (`UsePreviousValue`). So each
//! deployment gives a value for every parameter: what a stage no longer sets has its default again.

use super::deploy::{Options, PARAMETERS};
use super::{Part, deploy};
use crate::project::Project;
use anyhow::{Context as _, Result, ensure};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// The values of parameters, by name.
pub type Values = BTreeMap<String, String>;

/// The parameters that belong to one stack alone, where each contract has a stack of its own.
const OF_ONE_STACK: [&str; 2] = ["ApiDomain", "ApiCertificateArn"];

/// Returns the values that the files of a stage and the command line give to a part. Of two values, the
/// one of the command line counts, then the one of the file of the part.
///
/// # Errors
///
/// A file is no map of parameters, a value is no `NAME=VALUE`, the template declares no such
/// parameter, or the domain of one stack is given to all.
pub fn given(project: &Project, options: &Options, part: &Part, template: &Json) -> Result<Values> {
    let declared = |name: &str| template.pointer(&format!("/Parameters/{name}")).is_some();
    let common = format!("{PARAMETERS}/{}.yaml", options.stage);
    let own = format!("{PARAMETERS}/{}-{part}.yaml", options.stage);
    let mut values = Values::new();
    for file in [&common, &own] {
        let Some(text) = project.read_if_present(file)? else { continue };
        let read = read(&text).with_context(|| format!("{file} is not a map of parameters"))?;
        for (name, value) in read {
            ensure!(declared(&name), "{file}: the template has no parameter {name}");
            let is_of_one = OF_ONE_STACK.contains(&name.as_str()) && *file == common;
            let is_shared = options.stacks == Some(deploy::Arrangement::PerContract);
            ensure!(
                !(is_of_one && is_shared) || value.is_empty(),
                "{file}: a domain belongs to one stack; move {name} into the file of a contract, such as {}-gotu.yaml",
                options.stage
            );
            values.insert(name, value);
        }
    }
    for set in &options.set {
        let (name, value) =
            set.split_once('=').with_context(|| format!("{set} is no NAME=VALUE"))?;
        ensure!(declared(name), "the template has no parameter {name}");
        values.insert(name.to_owned(), value.to_owned());
    }
    Ok(values)
}

fn read(text: &str) -> Result<Values> {
    let values: BTreeMap<String, Json> = yaml_serde::from_str(text)?;
    values.into_iter().map(|(name, value)| Ok((name, scalar(&value)?))).collect()
}

/// Returns a value for every parameter that a template declares: the given one, or the default.
///
/// # Errors
///
/// A parameter has neither.
pub fn complete(template: &Json, given: &Values) -> Result<Values> {
    let declared = template.get("Parameters").and_then(Json::as_object);
    let values = declared.into_iter().flatten().map(|(name, parameter)| {
        let value = match (given.get(name), parameter.get("Default")) {
            (Some(value), _) => value.clone(),
            (None, default) => scalar(default.with_context(|| format!("{name} has no value"))?)?,
        };
        Ok((name.clone(), value))
    });
    values.collect()
}

fn scalar(value: &Json) -> Result<String> {
    Ok(match value {
        Json::String(text) => text.clone(),
        Json::Null => String::new(),
        Json::Number(_) | Json::Bool(_) => value.to_string(),
        Json::Array(_) | Json::Object(_) => anyhow::bail!("{value} is no text and no number"),
    })
}

/// The file that gives the values to SAM.
#[must_use]
pub fn file(values: &Values) -> String {
    let lines =
        values.iter().map(|(name, value)| format!("{name}: {}", Json::from(value.as_str())));
    lines.collect::<Vec<_>>().join(
        "
",
    ) + "
"
}
