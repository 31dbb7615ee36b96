//! Compares the schemas of the events with those of the last release.
//!
//! A consumer was written, or its types were generated, with the schemas of a release. It must accept every event of a later
//! one: the same fields with the same types, and no value that it does not know.

use serde_json::{Map, Value as Json};
use std::collections::BTreeMap;
use std::fmt;

/// Schemas by their names: contract and detail type, such as `gotu/AUTH_USER_CREATED`.
pub type Schemas = BTreeMap<String, Json>;

/// Keywords that say nothing about which values are valid.
const NOTES: [&str; 5] = ["$schema", "title", "description", "$comment", "examples"];
/// Keywords that bound a value from below, and from above.
const LOWER: [&str; 3] = ["minimum", "minLength", "minItems"];
const UPPER: [&str; 3] = ["maximum", "maxLength", "maxItems"];
/// Keywords that refuse fields which the schema does not name.
const CLOSING: [&str; 2] = ["additionalProperties", "unevaluatedProperties"];

/// A change that breaks consumers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Break {
    /// The schema, such as `gotu/AUTH_USER_CREATED`.
    pub schema: String,
    /// The field as a JSON pointer; empty for the whole event.
    pub field: String,
    /// What changed.
    pub change: Change,
}

/// What changed in a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// There is no schema for the type any more.
    EventRemoved,
    FieldRemoved,
    /// Every event had the field, and a later one may lack it.
    NowOptional,
    /// A new `schemaVersion`, which consumers refuse.
    NewSchemaVersion,
    /// Unknown fields are refused, so that no field can be added any more.
    Closed,
    Type {
        before: String,
        after: String,
    },
    /// The list of values changed. Consumers do not know the added ones, and wait in vain for the removed ones.
    Values {
        added: Vec<String>,
        removed: Vec<String>,
    },
    /// A bound is wider than before, or gone.
    Bound {
        keyword: String,
        before: String,
        after: String,
    },
    /// Another keyword, such as `pattern` or `oneOf`, has another value or is gone.
    Keyword {
        keyword: String,
        before: String,
        after: String,
    },
}

impl fmt::Display for Break {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}{}: ", self.schema, self.field)?;
        match &self.change {
            Change::EventRemoved => write!(formatter, "the event is removed"),
            Change::FieldRemoved => write!(formatter, "the field is removed"),
            Change::NowOptional => write!(formatter, "the field is not required any more"),
            Change::NewSchemaVersion => write!(formatter, "the schemaVersion is new"),
            Change::Closed => write!(formatter, "fields that the schema does not name are refused"),
            Change::Type { before, after } => {
                write!(formatter, "the type is {after}, and was {before}")
            }
            Change::Values { added, removed } => {
                let list = |values: &[String]| values.join(", ");
                match (added.is_empty(), removed.is_empty()) {
                    (false, true) => write!(formatter, "the values {} are new", list(added)),
                    (true, _) => write!(formatter, "the values {} are removed", list(removed)),
                    (false, false) => {
                        let (added, removed) = (list(added), list(removed));
                        write!(formatter, "the values {added} are new, and {removed} are removed")
                    }
                }
            }
            Change::Bound { keyword, before, after } => {
                write!(formatter, "{keyword} is {after}, which allows more than {before}")
            }
            Change::Keyword { keyword, before, after } => {
                write!(formatter, "{keyword} is {after}, and was {before}")
            }
        }
    }
}

/// Returns what in the schemas breaks consumers of the released ones.
#[must_use]
pub fn breaks(released: &Schemas, current: &Schemas) -> Vec<Break> {
    let mut comparison = Comparison { schema: String::new(), breaks: Vec::new() };
    for (name, before) in released {
        comparison.schema.clone_from(name);
        match current.get(name) {
            Some(after) => comparison.compare("", before, after),
            None => comparison.add("", Change::EventRemoved),
        }
    }
    comparison.breaks
}

struct Comparison {
    schema: String,
    breaks: Vec<Break>,
}

impl Comparison {
    fn add(&mut self, field: &str, change: Change) {
        let (schema, field) = (self.schema.clone(), field.to_owned());
        self.breaks.push(Break { schema, field, change });
    }

    /// Compares the schemas of a value.
    fn compare(&mut self, field: &str, before: &Json, after: &Json) {
        let empty = Map::new();
        let (before, after) =
            (before.as_object().unwrap_or(&empty), after.as_object().unwrap_or(&empty));
        self.compare_fields(field, before, after);
        self.compare_values(field, before, after);
        for closing in CLOSING {
            if after.get(closing) == Some(&Json::Bool(false)) && before.get(closing).is_none() {
                self.add(field, Change::Closed);
            }
        }
        for (keyword, value) in before {
            let other = after.get(keyword);
            match keyword.as_str() {
                "properties" | "required" | "const" | "enum" => {}
                note if NOTES.contains(&note) || CLOSING.contains(&note) => {}
                "type" => {
                    let (before, after) = (types(Some(value)), types(other));
                    if before != after {
                        let (before, after) = (before.join(" or "), after.join(" or "));
                        self.add(field, Change::Type { before, after });
                    }
                }
                "items" => {
                    self.compare(&format!("{field}/items"), value, other.unwrap_or(&Json::Null));
                }
                bound if LOWER.contains(&bound) || UPPER.contains(&bound) => {
                    self.compare_bound(field, bound, value, other);
                }
                _ if other == Some(value) => {}
                _ => {
                    let (keyword, before, after) =
                        (keyword.clone(), value.to_string(), text(other));
                    self.add(field, Change::Keyword { keyword, before, after });
                }
            }
        }
    }

    fn compare_fields(
        &mut self,
        field: &str,
        before: &Map<String, Json>,
        after: &Map<String, Json>,
    ) {
        let fields = |schema: &Map<String, Json>| {
            schema.get("properties").and_then(Json::as_object).cloned().unwrap_or_default()
        };
        let (old, new) = (fields(before), fields(after));
        for (name, before) in &old {
            let path = format!("{field}/{name}");
            match new.get(name) {
                Some(after) => self.compare(&path, before, after),
                None => self.add(&path, Change::FieldRemoved),
            }
        }
        let now = required(after);
        for name in required(before) {
            if !now.contains(&name) && new.contains_key(name) {
                self.add(&format!("{field}/{name}"), Change::NowOptional);
            }
        }
    }

    /// Compares the values that a field can have, if the released schema lists them.
    fn compare_values(
        &mut self,
        field: &str,
        before: &Map<String, Json>,
        after: &Map<String, Json>,
    ) {
        let Some(old) = values(before) else { return };
        let new = values(after);
        if field == "/schemaVersion" && new.as_ref() != Some(&old) {
            self.add(field, Change::NewSchemaVersion);
            return;
        }
        let Some(new) = new else {
            let keyword = if before.contains_key("const") { "const" } else { "enum" }.to_owned();
            let (before, after) = (old.join(", "), text(None));
            self.add(field, Change::Keyword { keyword, before, after });
            return;
        };
        let without = |all: &[String], others: &[String]| -> Vec<_> {
            all.iter().filter(|value| !others.contains(value)).cloned().collect()
        };
        let (added, removed) = (without(&new, &old), without(&old, &new));
        if !added.is_empty() || !removed.is_empty() {
            self.add(field, Change::Values { added, removed });
        }
    }

    fn compare_bound(&mut self, field: &str, keyword: &str, before: &Json, after: Option<&Json>) {
        let number = |value: Option<&Json>| value.and_then(Json::as_f64);
        let wider = match (number(Some(before)), number(after)) {
            (Some(before), Some(after)) if LOWER.contains(&keyword) => after < before,
            (Some(before), Some(after)) => after > before,
            _ => true,
        };
        if wider {
            let (keyword, before, after) = (keyword.to_owned(), before.to_string(), text(after));
            self.add(field, Change::Bound { keyword, before, after });
        }
    }
}

fn text(value: Option<&Json>) -> String {
    value.map_or_else(|| "absent".to_owned(), Json::to_string)
}

/// The names of types, sorted.
fn types(value: Option<&Json>) -> Vec<&str> {
    let mut types: Vec<_> = match value {
        Some(Json::String(one)) => vec![one.as_str()],
        Some(Json::Array(several)) => several.iter().filter_map(Json::as_str).collect(),
        _ => vec!["any"],
    };
    types.sort_unstable();
    types
}

fn required(schema: &Map<String, Json>) -> Vec<&str> {
    let names = schema.get("required").and_then(Json::as_array);
    names.into_iter().flatten().filter_map(Json::as_str).collect()
}

/// The values that the schema lists; `None` if it lists none.
fn values(schema: &Map<String, Json>) -> Option<Vec<String>> {
    match (schema.get("const"), schema.get("enum")) {
        (Some(one), _) => Some(vec![one.to_string()]),
        (None, Some(several)) => Some(several.as_array()?.iter().map(Json::to_string).collect()),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn released() -> Json {
        json!({
            "title": "ENDED",
            "type": "object",
            "required": ["schemaVersion", "userId", "reason", "mobile"],
            "properties": {
                "schemaVersion": {"const": 1},
                "userId": {"type": "string", "pattern": "^[0-9a-f]{24}$", "description": "The user."},
                "reason": {"enum": ["signed_out", "token_reused"]},
                "deviceId": {"type": "integer", "minimum": 1, "maximum": 9},
                "mobile": {
                    "type": ["object", "null"],
                    "required": ["code"],
                    "properties": {"code": {"type": "string"}},
                },
            },
            "anyOf": [{"required": ["deviceId"]}, {"required": ["mobile"]}],
        })
    }

    /// Returns the breaks, as texts, of the schema after a change.
    fn broken_by(change: impl FnOnce(&mut Json)) -> Vec<String> {
        let schemas = |json: Json| Schemas::from([("gotu/ENDED".to_owned(), json)]);
        let mut changed = released();
        change(&mut changed);
        let breaks = breaks(&schemas(released()), &schemas(changed));
        breaks.iter().map(Break::to_string).collect()
    }

    /// Sets the value at a JSON pointer.
    fn set(at: &'static str, value: Json) -> impl FnOnce(&mut Json) {
        move |schema| *schema.pointer_mut(at).unwrap() = value
    }

    fn remove(parent: &'static str, name: &'static str) -> impl FnOnce(&mut Json) {
        move |schema| {
            schema.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name).unwrap();
        }
    }

    #[test]
    fn additions_and_narrower_bounds_break_nothing() {
        assert_eq!(broken_by(|_| ()), Vec::<String>::new());
        let broken = broken_by(|schema| {
            schema["properties"]["added"] = json!({"type": "string"});
            schema["properties"]["mobile"]["properties"]["added"] = json!({"type": "string"});
            schema["required"].as_array_mut().unwrap().extend([json!("added"), json!("deviceId")]);
            schema["properties"]["deviceId"]["maximum"] = json!(8);
            schema["properties"]["deviceId"]["description"] = json!("The device.");
            schema["title"] = json!("Ended");
        });
        assert_eq!(broken, Vec::<String>::new());
        let added = Schemas::from([("gotu/NEW".to_owned(), released())]);
        assert_eq!(breaks(&Schemas::new(), &added), []);
    }

    #[test]
    fn each_kind_of_break_is_named() {
        for (broken, expected) in [
            (broken_by(remove("/properties", "deviceId")), "/deviceId: the field is removed"),
            (
                broken_by(remove("/properties/mobile/properties", "code")),
                "/mobile/code: the field is removed",
            ),
            (
                broken_by(set("/required", json!(["schemaVersion", "reason", "mobile"]))),
                "/userId: the field is not required any more",
            ),
            (
                broken_by(set("/properties/mobile/required", json!([]))),
                "/mobile/code: the field is not required any more",
            ),
            (
                broken_by(set("/properties/deviceId/type", json!("string"))),
                "/deviceId: the type is string, and was integer",
            ),
            (
                broken_by(set("/properties/deviceId/type", json!(["integer", "null"]))),
                "/deviceId: the type is integer or null, and was integer",
            ),
            (
                broken_by(set("/properties/mobile/type", json!("object"))),
                "/mobile: the type is object, and was null or object",
            ),
            (
                broken_by(set(
                    "/properties/reason/enum",
                    json!(["signed_out", "token_reused", "x"]),
                )),
                "/reason: the values \"x\" are new",
            ),
            (
                broken_by(set("/properties/reason/enum", json!(["signed_out"]))),
                "/reason: the values \"token_reused\" are removed",
            ),
            (
                broken_by(set("/properties/reason/enum", json!(["token_reused", "x"]))),
                "/reason: the values \"x\" are new, and \"signed_out\" are removed",
            ),
            (
                broken_by(set("/properties/reason", json!({"type": "string"}))),
                "/reason: enum is absent, and was \"signed_out\", \"token_reused\"",
            ),
            (
                broken_by(set("/properties/userId/pattern", json!("^[0-9a-f]+$"))),
                "/userId: pattern is \"^[0-9a-f]+$\", and was \"^[0-9a-f]{24}$\"",
            ),
            (
                broken_by(remove("/properties/userId", "pattern")),
                "/userId: pattern is absent, and was \"^[0-9a-f]{24}$\"",
            ),
            (
                broken_by(set("/properties/deviceId/maximum", json!(10))),
                "/deviceId: maximum is 10, which allows more than 9",
            ),
            (
                broken_by(set("/properties/deviceId/minimum", json!(0))),
                "/deviceId: minimum is 0, which allows more than 1",
            ),
            (
                broken_by(remove("/properties/deviceId", "minimum")),
                "/deviceId: minimum is absent, which allows more than 1",
            ),
            (
                broken_by(set("/properties/schemaVersion/const", json!(2))),
                "/schemaVersion: the schemaVersion is new",
            ),
            (
                broken_by(|schema| schema["additionalProperties"] = json!(false)),
                ": fields that the schema does not name are refused",
            ),
        ] {
            assert_eq!(broken, [format!("gotu/ENDED{expected}")]);
        }
        let conditions = broken_by(remove("", "anyOf"));
        assert!(
            conditions.len() == 1 && conditions[0].contains("anyOf is absent"),
            "{conditions:?}"
        );
        let removed = breaks(&Schemas::from([("a/B".to_owned(), json!({}))]), &Schemas::new());
        assert_eq!(removed[0].to_string(), "a/B: the event is removed");
    }
}
