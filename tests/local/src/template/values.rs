//! Single values of a template, before and after they are resolved.

use anyhow::anyhow;
use serde_json::Value as Json;
use yaml_serde::{Mapping, Value as Yaml};

/// The long form of an intrinsic function is a mapping of one key, `Ref`, `Condition` or `Fn::…`.
pub(super) fn intrinsic_of(mapping: &Mapping) -> Option<(&str, &Yaml)> {
    if mapping.len() != 1 {
        return None;
    }
    let (key, argument) = mapping.iter().next()?;
    let key = key.as_str()?;
    match key.strip_prefix("Fn::") {
        Some(name) => Some((name, argument)),
        // A mapping may well have an ordinary key named so; only these two mean a function, and only with a name.
        None if matches!(key, "Ref" | "Condition") && argument.is_string() => Some((key, argument)),
        None => None,
    }
}

/// The elements of an argument list that must have exactly this many.
pub(super) fn exactly<const N: usize>(argument: &Yaml) -> anyhow::Result<[&Yaml; N]> {
    let list = argument.as_sequence().map(Vec::as_slice).unwrap_or_default();
    list.iter()
        .collect::<Vec<_>>()
        .try_into()
        .map_err(|_| anyhow!("expected a list of {N}, found {}", list.len()))
}

pub(super) fn text(value: &Yaml) -> anyhow::Result<&str> {
    value.as_str().ok_or_else(|| anyhow!("expected a name"))
}

/// A scalar as `CloudFormation` passes it on: everything is a text in the end.
pub(super) fn plain_text(value: &Yaml) -> Option<String> {
    match value {
        Yaml::String(text) => Some(text.clone()),
        Yaml::Number(number) => Some(number.to_string()),
        Yaml::Bool(truth) => Some(truth.to_string()),
        Yaml::Null | Yaml::Sequence(_) | Yaml::Mapping(_) | Yaml::Tagged(_) => None,
    }
}

/// The same for a resolved value.
pub(super) fn as_text(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        Json::Bool(truth) => Some(truth.to_string()),
        Json::Null => Some(String::new()),
        Json::Array(_) | Json::Object(_) => None,
    }
}
