//! The YAML file as plain JSON, with tags in their long form.

use anyhow::{Context, bail};
use serde_json::{Map, Value as Json};
use yaml_serde::Value as Yaml;

/// The intrinsic functions that the template uses.
const INTRINSICS: [&str; 10] = [
    "Condition",
    "Fn::And",
    "Fn::Contains",
    "Fn::Equals",
    "Fn::GetAtt",
    "Fn::If",
    "Fn::Not",
    "Fn::Split",
    "Fn::Sub",
    "Ref",
];

/// The intrinsic functions that a document may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Allowed {
    OfTheProject,
    All,
}

/// Converts a YAML value at `path` to JSON.
pub(crate) fn plain(value: &Yaml, path: &str) -> anyhow::Result<Json> {
    convert(value, path, Allowed::OfTheProject)
}

/// Converts a YAML document with any intrinsic functions to JSON.
pub(crate) fn plain_of_any(document: &Yaml) -> anyhow::Result<Json> {
    convert(document, "", Allowed::All)
}

fn convert(value: &Yaml, path: &str, allowed: Allowed) -> anyhow::Result<Json> {
    Ok(match value {
        Yaml::Null => Json::Null,
        Yaml::Bool(flag) => Json::Bool(*flag),
        Yaml::Number(_) => {
            serde_json::to_value(value).with_context(|| format!("unsupported number at {path}"))?
        }
        Yaml::String(text) => Json::String(text.clone()),
        Yaml::Sequence(items) => {
            let items = items.iter().enumerate();
            let items =
                items.map(|(index, item)| convert(item, &below(path, &index.to_string()), allowed));
            items.collect::<anyhow::Result<_>>()?
        }
        Yaml::Mapping(mapping) => {
            let mut object = Map::new();
            for (key, value) in mapping {
                let key = match key {
                    Yaml::String(key) => key.clone(),
                    // CloudFormation takes account numbers as keys of mappings.
                    Yaml::Number(number) if allowed == Allowed::All => number.to_string(),
                    _ => bail!("a key is not text at {path}"),
                };
                if key.starts_with("Fn::") {
                    return intrinsic(&key, value, path, allowed);
                }
                let value = convert(value, &below(path, &key), allowed)?;
                object.insert(key, value);
            }
            Json::Object(object)
        }
        Yaml::Tagged(tagged) => {
            let tag = tagged.tag.to_string();
            let name = match tag.trim_start_matches('!') {
                name @ ("Ref" | "Condition") => name.to_owned(),
                name => format!("Fn::{name}"),
            };
            return intrinsic(&name, &tagged.value, path, allowed);
        }
    })
}

/// Appends a key to a path.
pub(crate) fn below(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn intrinsic(name: &str, argument: &Yaml, path: &str, allowed: Allowed) -> anyhow::Result<Json> {
    if allowed == Allowed::OfTheProject && !INTRINSICS.contains(&name) {
        bail!("unsupported intrinsic {name} at {path}");
    }
    let mut argument = convert(argument, path, allowed)?;
    if name == "Fn::GetAtt"
        && let Some((id, attribute)) = argument.as_str().and_then(|text| text.split_once('.'))
    {
        argument = Json::from([id, attribute].as_slice());
    }
    Ok(Json::Object(Map::from_iter([(name.to_owned(), argument)])))
}
