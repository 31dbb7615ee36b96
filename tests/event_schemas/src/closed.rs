//! Makes a closed schema of an open one.

use serde_json::{Value as Json, json};

/// The keywords whose schemas say something about the same value.
const IN_PLACE: [&str; 3] = ["allOf", "anyOf", "oneOf"];

/// The field that every new event about a user has. The published schemas do not require it, because the archive has events
/// of before.
const VERSION: &str = "userVersion";

/// Returns the schema with every object in it closed: fields that the schema does not name are refused. Of the event itself
/// it requires what every new event has.
///
/// The keyword is `unevaluatedProperties`, because it sees the fields that the branches of a `oneOf` name. The branches
/// themselves stay open, because each of them names only some of the fields.
#[must_use]
pub fn closed(schema: &Json) -> Json {
    let mut closed = schema.clone();
    close(&mut closed);
    let is_about_user = schema.get("properties").is_some_and(|all| all.get(VERSION).is_some());
    if let Some(required) = closed.get_mut("required").and_then(Json::as_array_mut)
        && is_about_user
    {
        required.push(json!(VERSION));
    }
    closed
}

fn close(schema: &mut Json) {
    let is_object = describes_objects(schema);
    let Some(keywords) = schema.as_object_mut() else { return };
    if let Some(properties) = keywords.get_mut("properties").and_then(Json::as_object_mut) {
        properties.values_mut().for_each(close);
    }
    if let Some(items) = keywords.get_mut("items") {
        close(items);
    }
    if is_object {
        keywords.insert("unevaluatedProperties".to_owned(), json!(false));
    }
}

fn describes_objects(schema: &Json) -> bool {
    let branches = IN_PLACE.iter().filter_map(|keyword| schema.get(keyword)?.as_array());
    schema.get("properties").is_some()
        || schema.get("type").is_some_and(|kind| kind == "object")
        || branches.flatten().any(describes_objects)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_closed_at_every_depth_and_branches_are_not() {
        let open = json!({
            "type": "object",
            "properties": {
                "mobile": {"type": ["object", "null"], "properties": {"code": {"type": "string"}}},
                "list": {"type": "array", "items": {"properties": {"a": {}}}},
                "either": {"oneOf": [{"type": "null"}, {"properties": {"b": {}}}]},
            },
            "anyOf": [{"properties": {"mobile": {"type": "object"}}}, {"required": ["list"]}],
        });
        let validator = jsonschema::validator_for(&closed(&open)).unwrap();
        let code = json!({"mobile": {"code": "+1"}});
        for (event, is_valid) in [
            (code, true),
            (json!({"mobile": null, "list": [{"a": 1}]}), true),
            (json!({"mobile": {"code": "+1"}, "either": {"b": 1}}), true),
            (json!({"mobile": {"code": "+1", "added": 1}}), false),
            (json!({"mobile": null, "list": [{"a": 1, "added": 1}]}), false),
            (json!({"mobile": {"code": "+1"}, "either": {"b": 1, "added": 1}}), false),
            (json!({"mobile": {"code": "+1"}, "added": 1}), false),
        ] {
            assert_eq!(validator.is_valid(&event), is_valid, "{event}");
        }
    }
}
