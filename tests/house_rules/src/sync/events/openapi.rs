//! JSON schemas (draft 2020-12) as schemas of `OpenAPI` 3.0, which accept the same values.

use super::json::{self, Json};
use anyhow::{Context as _, Result, bail};

/// The keywords that both have, with a value that is no schema.
const SAME: [&str; 15] = [
    "description",
    "enum",
    "format",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "pattern",
    "required",
    "uniqueItems",
];

/// Those that say nothing about values.
const DROPPED: [&str; 4] = ["$comment", "$id", "$schema", "title"];

/// Converts a schema at `path`.
///
/// # Errors
///
/// The schema has a keyword that `OpenAPI` 3.0 has not.
pub(super) fn schema(schema: &Json, path: &str) -> Result<Json> {
    if !schema.is_mapping() {
        bail!("{path}: not an object; OpenAPI 3.0 has no schema that is true or false");
    }
    let mut converted = json::object([]);
    for (name, value) in json::members(schema) {
        let path = format!("{path}.{name}");
        let mut keep = |value| json::set(&mut converted, name, value);
        match name {
            _ if DROPPED.contains(&name) => {}
            _ if SAME.contains(&name) || name.starts_with("x-") => keep(value.clone()),
            "additionalProperties" if value.is_bool() => keep(value.clone()),
            "additionalProperties" | "items" | "not" => keep(self::schema(value, &path)?),
            "allOf" | "anyOf" | "oneOf" => keep(each(value, &path)?),
            "properties" => {
                let mut properties = json::object([]);
                for (name, value) in json::members(value) {
                    let value = self::schema(value, &format!("{path}.{name}"))?;
                    json::set(&mut properties, name, value);
                }
                keep(properties);
            }
            "const" => json::set(&mut converted, "enum", json::list([value.clone()])),
            "examples" => {
                let first = value.as_sequence().and_then(|examples| examples.first());
                json::set(&mut converted, "example", first.context(path)?.clone());
            }
            "exclusiveMinimum" | "exclusiveMaximum" => {
                let bound = if name == "exclusiveMinimum" { "minimum" } else { "maximum" };
                json::set(&mut converted, bound, value.clone());
                json::set(&mut converted, name, true.into());
            }
            "type" => set_type(&mut converted, schema, value, &path)?,
            _ => bail!("{path}: OpenAPI 3.0 has no such keyword; extend the conversion"),
        }
    }
    Ok(converted)
}

fn each(schemas: &Json, path: &str) -> Result<Json> {
    let schemas = schemas.as_sequence().with_context(|| format!("{path}: not a list"))?;
    let schemas = schemas.iter().map(|schema| self::schema(schema, path));
    Ok(Json::Sequence(schemas.collect::<Result<_>>()?))
}

/// Sets the type. `OpenAPI` 3.0 has one type for a value, and `nullable` instead of the type `null`.
fn set_type(converted: &mut Json, schema: &Json, types: &Json, path: &str) -> Result<()> {
    let types: Vec<_> = match types {
        Json::Sequence(types) => types.iter().filter_map(json::text).collect(),
        one => json::text(one).into_iter().collect(),
    };
    let nullable = types.contains(&"null");
    let others: Vec<_> = types.into_iter().filter(|name| *name != "null").collect();
    match others.as_slice() {
        [] if nullable => json::set(converted, "enum", json::list([Json::Null])),
        [one] => {
            json::set(converted, "type", (*one).into());
            if nullable {
                json::set(converted, "nullable", true.into());
            }
        }
        [] => bail!("{path}: no type"),
        several => {
            if schema.get("anyOf").is_some() {
                bail!("{path}: several types beside anyOf");
            }
            let one = |name: &&str| {
                let mut one = json::object([("type", (*name).into())]);
                if nullable {
                    json::set(&mut one, "nullable", true.into());
                }
                one
            };
            json::set(converted, "anyOf", json::list(several.iter().map(one)));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_keyword_has_its_counterpart() {
        for (source, wanted) in [
            (r#"{ "$schema": "x", "title": "y", "type": "object" }"#, r#"{ "type": "object" }"#),
            (r#"{ "const": 1, "description": "d" }"#, r#"{ "enum": [1], "description": "d" }"#),
            (
                r#"{ "type": ["integer", "null"], "minimum": 1 }"#,
                r#"{ "type": "integer", "nullable": true, "minimum": 1 }"#,
            ),
            (r#"{ "type": "null" }"#, r#"{ "enum": [null] }"#),
            (
                r#"{ "type": ["string", "integer", "null"] }"#,
                r#"{ "anyOf": [{ "type": "string", "nullable": true }, { "type": "integer", "nullable": true }] }"#,
            ),
            (r#"{ "exclusiveMinimum": 0 }"#, r#"{ "minimum": 0, "exclusiveMinimum": true }"#),
            (
                r#"{ "oneOf": [{ "properties": { "a": { "const": "b" } }, "not": { "required": ["c"] } }] }"#,
                r#"{ "oneOf": [{ "properties": { "a": { "enum": ["b"] } }, "not": { "required": ["c"] } }] }"#,
            ),
            (r#"{ "examples": [1, 2] }"#, r#"{ "example": 1 }"#),
            (r#"{ "additionalProperties": false }"#, r#"{ "additionalProperties": false }"#),
        ] {
            let converted = schema(&json::parse(source).unwrap(), "x").unwrap();
            assert_eq!(json::pretty(&converted), wanted);
        }
    }

    #[test]
    fn a_keyword_without_a_counterpart_is_an_error_with_its_path() {
        let source = r#"{ "properties": { "a": { "if": {} } } }"#;
        let error = schema(&json::parse(source).unwrap(), "x").unwrap_err().to_string();
        assert!(error.starts_with("x.properties.a.if: "), "{error}");
        assert!(schema(&Json::Bool(true), "x").is_err());
    }
}
