//! The YAML file as plain JSON, with tags in their long form.

use anyhow::{Context, bail};
use serde_json::{Map, Value as Json};
use yaml_serde::Value as Yaml;

/// The intrinsic functions that the template uses.
const INTRINSICS: [&str; 9] = [
    "Condition",
    "Fn::And",
    "Fn::Contains",
    "Fn::Equals",
    "Fn::GetAtt",
    "Fn::If",
    "Fn::Not",
    "Fn::Sub",
    "Ref",
];

/// Converts a YAML value at `path` to JSON.
pub(crate) fn plain(value: &Yaml, path: &str) -> anyhow::Result<Json> {
    Ok(match value {
        Yaml::Null => Json::Null,
        Yaml::Bool(flag) => Json::Bool(*flag),
        Yaml::Number(_) => {
            serde_json::to_value(value).with_context(|| format!("unsupported number at {path}"))?
        }
        Yaml::String(text) => Json::String(text.clone()),
        Yaml::Sequence(items) => {
            let items = items.iter().enumerate();
            let items = items.map(|(index, item)| plain(item, &below(path, &index.to_string())));
            items.collect::<anyhow::Result<_>>()?
        }
        Yaml::Mapping(mapping) => {
            let mut object = Map::new();
            for (key, value) in mapping {
                let key = key.as_str().with_context(|| format!("a key is not text at {path}"))?;
                if key.starts_with("Fn::") {
                    return intrinsic(key, value, path);
                }
                object.insert(key.to_owned(), plain(value, &below(path, key))?);
            }
            Json::Object(object)
        }
        Yaml::Tagged(tagged) => {
            let tag = tagged.tag.to_string();
            let name = match tag.trim_start_matches('!') {
                name @ ("Ref" | "Condition") => name.to_owned(),
                name => format!("Fn::{name}"),
            };
            return intrinsic(&name, &tagged.value, path);
        }
    })
}

/// Appends a key to a path.
pub(crate) fn below(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn intrinsic(name: &str, argument: &Yaml, path: &str) -> anyhow::Result<Json> {
    if !INTRINSICS.contains(&name) {
        bail!("unsupported intrinsic {name} at {path}");
    }
    let mut argument = plain(argument, path)?;
    if name == "Fn::GetAtt"
        && let Some((id, attribute)) = argument.as_str().and_then(|text| text.split_once('.'))
    {
        argument = Json::from([id, attribute].as_slice());
    }
    Ok(Json::Object(Map::from_iter([(name.to_owned(), argument)])))
}
