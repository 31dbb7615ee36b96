//! The published schemas of the events, and what the project does with them.
//!
//! The schemas in `shared/docs/events` are open: a consumer that validates with them accepts a field that a later version adds.
//! The project itself must not publish a field that no schema has. So the tests and the local stack check with [`closed`]
//! schemas, which follow from the open ones.

mod closed;
pub mod compatibility;
pub mod types;

pub use closed::closed;

use include_dir::{Dir, include_dir};
use jsonschema::Validator;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// The folder of the schemas: one folder for each contract, one file for each type.
static FOLDER: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../shared/docs/events");
/// What the name of a file with a schema ends with.
pub const END: &str = ".schema.json";
/// The contract whose events have a source that does not begin with its name.
const OTHER: &str = "gotu";

/// A published schema.
#[derive(Clone, Debug)]
pub struct Schema {
    /// The contract, which is the name of the folder: `gotu`.
    pub contract: &'static str,
    /// The detail type: `AUTH_USER_CREATED`.
    pub kind: &'static str,
    pub json: Json,
}

impl Schema {
    /// The source of the events, which the description names: `auth-service`.
    #[must_use]
    pub fn source(&self) -> &str {
        source(&self.json).unwrap_or_default()
    }
}

/// Returns the source that the description of a schema names after "Source".
pub(crate) fn source(schema: &Json) -> Option<&str> {
    let (_, rest) = schema.get("description")?.as_str()?.split_once("Source ")?;
    Some(rest.split_whitespace().next()?.trim_end_matches('.'))
}

/// Returns all published schemas, sorted by contract and type. A file that is not JSON is left out.
#[must_use]
pub fn published() -> Vec<Schema> {
    let files = FOLDER.dirs().flat_map(Dir::files);
    let schema = files.filter_map(|file| {
        let path = file.path();
        let kind = path.file_name()?.to_str()?.strip_suffix(END)?;
        let contract = path.parent()?.file_name()?.to_str()?;
        let json = serde_json::from_slice(file.contents()).ok()?;
        Some(Schema { contract, kind, json })
    });
    let mut schemas: Vec<_> = schema.collect();
    schemas.sort_by_key(|schema| (schema.contract, schema.kind));
    schemas
}

/// The closed schemas by contract and type.
static CLOSED: LazyLock<BTreeMap<(&str, &str), Validator>> = LazyLock::new(|| {
    let validators = published().into_iter().filter_map(|Schema { contract, kind, json }| {
        Some(((contract, kind), jsonschema::validator_for(&closed(&json)).ok()?))
    });
    validators.collect()
});

/// Returns the contract whose events have this source, or `latchkey` for those of no contract.
#[must_use]
pub fn contract_of(source: &str) -> &str {
    let first = source.split('.').next().unwrap_or_default();
    let has_contract = CLOSED.keys().any(|(contract, _)| *contract == first);
    if has_contract { first } else { OTHER }
}

/// Returns what breaks the closed schema of an event; `None` if its type has no schema.
#[must_use]
pub fn problems(source: &str, kind: &str, detail: &Json) -> Option<Vec<String>> {
    let schema = CLOSED.get(&(contract_of(source), kind))?;
    let errors = schema.iter_errors(detail);
    Some(errors.map(|error| format!("{}: {error}", error.instance_path())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// An event of Gotu that its schema accepts.
    fn deleted() -> Json {
        json!({
            "schemaVersion": 1,
            "eventId": "3bb8a2b4-7d0e-4a53-9a1d-5f0d7c1f4a10",
            "correlationId": "3bb8a2b4-7d0e-4a53-9a1d-5f0d7c1f4a0f",
            "sequence": 1,
            "userId": "6b026ecdd7986f187a939bf5",
            "deletedAt": "2026-11-28T06:15:34.120Z",
        })
    }

    #[test]
    fn every_schema_of_the_folder_is_read_and_closed() {
        let files = FOLDER.dirs().flat_map(Dir::files);
        let schemas = files.filter(|file| file.path().to_string_lossy().ends_with(END)).count();
        assert!(schemas > 20);
        assert_eq!((published().len(), CLOSED.len()), (schemas, schemas));
    }

    #[test]
    fn an_added_field_passes_the_published_schema_and_fails_the_closed_one() {
        let schemas = published();
        let is_it = |schema: &&Schema| schema.kind == "AUTH_USER_DELETED";
        let open = jsonschema::validator_for(&schemas.iter().find(is_it).unwrap().json).unwrap();
        let check = |event: &Json| problems("auth-service", "AUTH_USER_DELETED", event).unwrap();
        let mut event = deleted();
        assert!(open.is_valid(&event), "an event of before userVersion");
        assert!(check(&event)[0].contains("userVersion"), "a new event has it");
        event["userVersion"] = json!(1_763_782_954_120_000_u64);
        assert!(open.is_valid(&event));
        assert_eq!(check(&event), Vec::<String>::new());
        event["added"] = json!(true);
        assert!(open.is_valid(&event));
        let broken = check(&event);
        assert!(broken.len() == 1 && broken[0].contains("added"), "{broken:?}");
    }

    #[test]
    fn every_schema_names_its_source_and_its_type() {
        for schema in published() {
            assert_eq!(schema.json["title"], schema.kind);
            assert_eq!(contract_of(schema.source()), schema.contract, "{}", schema.kind);
        }
    }

    #[test]
    fn no_published_schema_is_closed() {
        for Schema { contract, kind, json } in published() {
            let text = json.to_string();
            assert!(
                !text.contains("additionalProperties") && !text.contains("unevaluated"),
                "{contract}/{kind} refuses fields that a later version adds"
            );
        }
    }

    #[test]
    fn an_event_is_checked_by_the_schema_of_its_contract_and_type() {
        let broken = problems("auth-service", "AUTH_USER_CREATED", &json!({})).unwrap();
        assert!(broken.iter().any(|problem| problem.contains("eventId")), "{broken:?}");
        assert!(problems("goodcity.users", "user.created", &json!({})).is_some());
        assert_eq!(problems("goodcity.users", "AUTH_USER_CREATED", &json!({})), None);
        assert_eq!(problems("another", "unknown", &json!({})), None);
        assert_eq!(contract_of("latchkey"), "latchkey");
    }
}
