//! Published events, and the schemas that they must match.

use jsonschema::Validator;
use latchkey::contracts;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::DirEntry;
use std::path::Path;
use std::sync::LazyLock;

/// The events of a detail type.
#[must_use]
pub fn of_type<'a>(events: &'a [Value], detail_type: &str) -> Vec<&'a Value> {
    events.iter().filter(|event| event["detailType"] == detail_type).collect()
}

/// The detail types of events, in their order.
#[must_use]
pub fn types(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["detailType"].as_str().unwrap()).collect()
}

/// Requires that an event matches the schema of its detail type.
pub(crate) fn assert_schema(event: &Value) {
    static SCHEMAS: LazyLock<BTreeMap<(String, String), Validator>> = LazyLock::new(schemas);
    let contract = contract_of(event["source"].as_str().unwrap());
    let key = (contract, event["detailType"].as_str().unwrap().to_owned());
    let schema = SCHEMAS.get(&key).unwrap_or_else(|| panic!("no schema for {key:?}"));
    let errors: Vec<_> =
        schema.iter_errors(&event["detail"]).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{event}: {errors:?}");
}

/// The contract whose events have this source, or `latchkey` for those of no contract. A source begins with the name of its
/// contract; Gotu's is an exception.
fn contract_of(source: &str) -> String {
    let first = source.split('.').next().unwrap_or_default();
    let own = first == "latchkey"
        || contracts::routes().any(|route| route.function.starts_with(&format!("{first}-")));
    if own { first } else { "gotu" }.to_owned()
}

/// The schemas of `shared/docs/events`, by contract and detail type.
fn schemas() -> BTreeMap<(String, String), Validator> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/docs/events");
    let folders = std::fs::read_dir(folder).unwrap().map(|folder| folder.unwrap().path());
    let folders = folders.filter(|folder| folder.is_dir());
    let files = folders.flat_map(|folder| std::fs::read_dir(folder).unwrap());
    let schema = |file: std::io::Result<DirEntry>| {
        let path = file.unwrap().path();
        let name = path.file_name()?.to_str()?.strip_suffix(".schema.json")?.to_owned();
        let schema = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let contract = path.parent()?.file_name()?.to_str()?.to_owned();
        Some(((contract, name), jsonschema::validator_for(&schema).unwrap()))
    };
    files.filter_map(schema).collect()
}
