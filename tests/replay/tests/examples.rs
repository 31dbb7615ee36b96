//! The recorded examples of the events, which the program judges rules by.

use serde_json::{Map, Value};
use std::fs::read_to_string;
use template::project_root;

#[test]
fn every_schema_has_a_recorded_example_that_matches_it() {
    let hint = "run `cargo run -p acceptance --example events`";
    let folder = project_root().join("shared/docs/events");
    let text = read_to_string(folder.join("examples.json")).unwrap();
    let examples: Map<String, Value> = serde_json::from_str(&text).unwrap();
    for (name, detail) in &examples {
        let schema = read_to_string(folder.join(format!("{name}.schema.json"))).unwrap();
        let schema = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
        let errors: Vec<_> = schema.iter_errors(detail).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{name}: {errors:?}; {hint}");
    }
    let document = read_to_string(folder.join("asyncapi.json")).unwrap();
    let document: Value = serde_json::from_str(&document).unwrap();
    let messages = document.pointer("/components/messages").and_then(Value::as_object).unwrap();
    assert_eq!(messages.len(), examples.len(), "{hint}");
}
