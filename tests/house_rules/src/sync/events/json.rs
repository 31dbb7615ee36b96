//! JSON that keeps the order of its members. `serde_json` keeps it only with a feature that would change what the functions
//! are compiled with; the YAML crate keeps it, and JSON is YAML.

use anyhow::{Context as _, Result};
use std::fmt::Write as _;
use yaml_serde::Mapping;

pub(super) use yaml_serde::Value as Json;

/// The longest line, in characters, into which a value is put whole.
const WIDTH: usize = 120;

pub(super) fn parse(text: &str) -> Result<Json> {
    yaml_serde::from_str(text).context("not valid JSON")
}

pub(super) fn object<'n>(members: impl IntoIterator<Item = (&'n str, Json)>) -> Json {
    let mut mapping = Mapping::new();
    for (name, value) in members {
        mapping.insert(name.into(), value);
    }
    Json::Mapping(mapping)
}

pub(super) fn list(items: impl IntoIterator<Item = Json>) -> Json {
    Json::Sequence(items.into_iter().collect())
}

pub(super) fn text(value: &Json) -> Option<&str> {
    value.as_str()
}

/// Sets a member of an object.
pub(super) fn set(object: &mut Json, name: &str, value: Json) {
    if let Json::Mapping(mapping) = object {
        mapping.insert(name.into(), value);
    }
}

/// The members of an object; none of another value.
pub(super) fn members(value: &Json) -> impl Iterator<Item = (&str, &Json)> {
    let members = value.as_mapping().into_iter().flatten();
    members.filter_map(|(name, value)| Some((name.as_str()?, value)))
}

/// Writes a value on as few lines as its width allows.
pub(super) fn pretty(value: &Json) -> String {
    let mut text = String::new();
    write(value, 0, &mut text);
    text
}

fn write(value: &Json, indent: usize, text: &mut String) {
    let line = compact(value);
    let items: Vec<_> = match value {
        Json::Sequence(items) => items.iter().map(|item| (String::new(), item)).collect(),
        Json::Mapping(_) => {
            members(value).map(|(name, value)| (format!("{}: ", quoted(name)), value)).collect()
        }
        _ => Vec::new(),
    };
    if items.is_empty() || indent.saturating_add(line.chars().count()) <= WIDTH {
        text.push_str(&line);
        return;
    }
    let (open, close) = if value.is_sequence() { ('[', ']') } else { ('{', '}') };
    let inner = indent.saturating_add(2);
    text.push(open);
    for (number, (name, item)) in items.into_iter().enumerate() {
        let comma = if number == 0 { "" } else { "," };
        text.push_str(comma);
        text.push('\n');
        text.extend(std::iter::repeat_n(' ', inner));
        text.push_str(&name);
        write(item, inner, text);
    }
    text.push('\n');
    text.extend(std::iter::repeat_n(' ', indent));
    text.push(close);
}

fn compact(value: &Json) -> String {
    match value {
        Json::String(text) => quoted(text),
        Json::Sequence(items) => {
            let items: Vec<_> = items.iter().map(compact).collect();
            format!("[{}]", items.join(", "))
        }
        Json::Mapping(_) => {
            let mut line = String::from("{");
            for (number, (name, value)) in members(value).enumerate() {
                let comma = if number == 0 { " " } else { ", " };
                // Writing to a text cannot fail.
                write!(line, "{comma}{}: {}", quoted(name), compact(value)).unwrap_or_default();
            }
            line + if line_is_empty(value) { "}" } else { " }" }
        }
        Json::Bool(flag) => flag.to_string(),
        Json::Number(number) => number.to_string(),
        Json::Null | Json::Tagged(_) => "null".to_owned(),
    }
}

fn line_is_empty(object: &Json) -> bool {
    members(object).next().is_none()
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_keep_their_order_and_texts_their_escapes() {
        let source = r#"{ "z": ["^\\+[1-9]\n", null, -1.5, true], "a": {} }"#;
        assert_eq!(pretty(&parse(source).unwrap()), source);
    }

    #[test]
    fn what_is_too_long_for_a_line_gets_a_line_for_each_member() {
        let long = "x".repeat(WIDTH);
        let source = format!("{{ \"a\": \"{long}\", \"b\": [1, 2] }}");
        let wanted = format!("{{\n  \"a\": \"{long}\",\n  \"b\": [1, 2]\n}}");
        assert_eq!(pretty(&parse(&source).unwrap()), wanted);
        assert_eq!(parse(&wanted).unwrap(), parse(&source).unwrap());
    }
}
