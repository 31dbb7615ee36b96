//! What of a document breaks clients that were made for the document of the last release.
//!
//! A client breaks if a request that was accepted is refused now, or if an answer has what its document
//! did not allow before.

use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Who writes what a schema describes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    /// The client: the new schema must allow all that the old one allowed.
    Sent,
    /// The service: the old schema must allow all that the new one allows.
    Received,
}

/// Returns each change that breaks clients, in words; empty if the release has no document.
#[must_use]
pub fn breaking(released: &Value, current: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for (path, item) in members(&released["paths"]) {
        for (method, old) in members(item) {
            let place = format!("{} {path}", method.to_ascii_uppercase());
            match current["paths"][path].get(method) {
                Some(new) => operation(&place, (released, old), (current, new), &mut found),
                None => found.push(format!("{place}: the operation is gone")),
            }
        }
    }
    found
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn operation(
    place: &str,
    (released, old): (&Value, &Value),
    (current, new): (&Value, &Value),
    found: &mut Vec<String>,
) {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let (before, now) = (list(&old["parameters"]), list(&new["parameters"]));
    let same =
        |one: &Value, other: &Value| one["name"] == other["name"] && one["in"] == other["in"];
    for parameter in &now {
        let name = parameter["name"].as_str().unwrap_or_default();
        match before.iter().find(|it| same(it, parameter)) {
            None if parameter["required"] == true => {
                found.push(format!("{place}: the parameter {name} is new and required"));
            }
            Some(known) if parameter["required"] == true && known["required"] != true => {
                found.push(format!("{place}: the parameter {name} is required now"));
            }
            _ => {}
        }
    }
    for parameter in before.iter().filter(|it| !now.iter().any(|other| same(it, other))) {
        let name = parameter["name"].as_str().unwrap_or_default();
        found.push(format!("{place}: the parameter {name} is gone"));
    }
    if old["security"] != new["security"] {
        found.push(format!("{place}: the security is another one"));
    }
    if old["requestBody"]["required"] != true && new["requestBody"]["required"] == true {
        found.push(format!("{place}: the body is required now"));
    }
    for (media, content) in members(&old["requestBody"]["content"]) {
        let place = format!("{place} body");
        match new["requestBody"]["content"].get(media) {
            Some(other) => {
                let schemas = [(released, &content["schema"]), (current, &other["schema"])];
                schema(&place, Direction::Sent, schemas, &mut BTreeSet::new(), found);
            }
            None => found.push(format!("{place}: {media} is not accepted any more")),
        }
    }
    for (status, answer) in members(&old["responses"]) {
        let place = format!("{place} {status}");
        let Some(other) = new["responses"].get(status) else {
            found.push(format!("{place}: the status is gone"));
            continue;
        };
        for (media, content) in members(&other["content"]) {
            match answer["content"].get(media) {
                Some(known) => {
                    let schemas = [(released, &known["schema"]), (current, &content["schema"])];
                    schema(&place, Direction::Received, schemas, &mut BTreeSet::new(), found);
                }
                None => found.push(format!("{place}: {media} is new")),
            }
        }
        for name in members(&answer["headers"]).map(|(name, _)| name) {
            if other["headers"].get(name).is_none() {
                found.push(format!("{place}: the header {name} is gone"));
            }
        }
    }
}

/// Follows a reference into its document.
fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let target = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
    target.and_then(|pointer| document.pointer(pointer)).unwrap_or(schema)
}

fn schema(
    place: &str,
    direction: Direction,
    [(released, old), (current, new)]: [(&Value, &Value); 2],
    seen: &mut BTreeSet<String>,
    found: &mut Vec<String>,
) {
    if let Some(reference) = old["$ref"].as_str()
        && !seen.insert(format!("{place} {reference}"))
    {
        return;
    }
    let (old, new) = (resolved(released, old), resolved(current, new));
    // The schema that allows less, if the change breaks clients.
    let (wide, narrow) = if direction == Direction::Sent { (old, new) } else { (new, old) };
    let texts = |value: &Value| -> BTreeSet<String> {
        match value {
            Value::Array(values) => values.iter().map(ToString::to_string).collect(),
            Value::Null => BTreeSet::new(),
            one => BTreeSet::from([one.to_string()]),
        }
    };
    for keyword in ["type", "enum"] {
        let (all, allowed) = (texts(&wide[keyword]), texts(&narrow[keyword]));
        if !allowed.is_empty() && (all.is_empty() || !all.is_subset(&allowed)) {
            found.push(format!(
                "{place}: {keyword} is {} instead of {}",
                new[keyword], old[keyword]
            ));
        }
    }
    for keyword in [
        "const",
        "pattern",
        "format",
        "minLength",
        "maxLength",
        "minimum",
        "maximum",
        "minItems",
        "maxItems",
        "anyOf",
        "oneOf",
    ] {
        if !narrow[keyword].is_null() && narrow[keyword] != wide[keyword] && !has_parts(keyword) {
            found.push(format!(
                "{place}: {keyword} is {} instead of {}",
                new[keyword], old[keyword]
            ));
        }
    }
    for keyword in ["anyOf", "oneOf", "allOf"] {
        let list = |value: &Value| value[keyword].as_array().cloned().unwrap_or_default();
        let (before, now) = (list(old), list(new));
        if before.len() != now.len() {
            found.push(format!(
                "{place}: {keyword} has {} alternatives instead of {}",
                now.len(),
                before.len()
            ));
        }
        for (number, (before, now)) in before.iter().zip(&now).enumerate() {
            let place = format!("{place} {keyword} {number}");
            schema(&place, direction, [(released, before), (current, now)], seen, found);
        }
    }
    properties(place, direction, [(released, old), (current, new)], seen, found);
}

/// Whether the parts of a keyword are compared one by one.
fn has_parts(keyword: &str) -> bool {
    matches!(keyword, "anyOf" | "oneOf")
}

fn properties(
    place: &str,
    direction: Direction,
    [(released, old), (current, new)]: [(&Value, &Value); 2],
    seen: &mut BTreeSet<String>,
    found: &mut Vec<String>,
) {
    let required = |schema: &Value, name: &str| {
        schema["required"].as_array().is_some_and(|names| names.iter().any(|it| it == name))
    };
    let empty = Map::new();
    let (before, now) = (old["properties"].as_object(), new["properties"].as_object());
    let (before, now) = (before.unwrap_or(&empty), now.unwrap_or(&empty));
    for (name, property) in before {
        let place = format!("{place} {name}");
        match now.get(name) {
            Some(other) => {
                schema(&place, direction, [(released, property), (current, other)], seen, found);
            }
            None if direction == Direction::Received => {
                found.push(format!("{place}: the field is gone"));
            }
            None => found.push(format!("{place}: the field is not read any more")),
        }
        if direction == Direction::Received
            && required(old, name)
            && now.contains_key(name)
            && !required(new, name)
        {
            found.push(format!("{place}: the field can be absent now"));
        }
    }
    if direction == Direction::Sent {
        let names = now.keys().filter(|name| required(new, name) && !required(old, name));
        found.extend(names.map(|name| format!("{place} {name}: the field is required now")));
    }
    if !old["items"].is_null() && !new["items"].is_null() {
        let items = [(released, &old["items"]), (current, &new["items"])];
        schema(&format!("{place} items"), direction, items, seen, found);
    }
}
