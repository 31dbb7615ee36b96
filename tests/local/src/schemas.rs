//! The published schemas of the events, against which each event is checked.

use include_dir::{Dir, include_dir};
use jsonschema::Validator;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// The folder of the schemas: one folder for each contract, one file for each type.
static FOLDER: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../shared/docs/events");
/// What the name of a file ends with.
const END: &str = ".schema.json";
/// The contract whose events have a source that does not begin with its name.
const OTHER: &str = "gotu";

/// The schemas by contract and type.
static SCHEMAS: LazyLock<BTreeMap<(&str, &str), Validator>> = LazyLock::new(read);

fn read() -> BTreeMap<(&'static str, &'static str), Validator> {
    let files = FOLDER.dirs().flat_map(Dir::files);
    let schema = files.filter_map(|file| {
        let path = file.path();
        let kind = path.file_name()?.to_str()?.strip_suffix(END)?;
        let contract = path.parent()?.file_name()?.to_str()?;
        let schema: Json = serde_json::from_slice(file.contents()).ok()?;
        Some(((contract, kind), jsonschema::validator_for(&schema).ok()?))
    });
    schema.collect()
}

/// Returns what breaks the schema of an event; `None` if its type has no schema.
pub(crate) fn problems(source: &str, kind: &str, detail: &str) -> Option<Vec<String>> {
    let first = source.split('.').next().unwrap_or_default();
    let has_contract = SCHEMAS.keys().any(|(contract, _)| *contract == first);
    let contract = if has_contract { first } else { OTHER };
    let schema = SCHEMAS.get(&(contract, kind))?;
    let detail: Json = serde_json::from_str(detail).unwrap_or_default();
    let errors = schema.iter_errors(&detail);
    Some(errors.map(|error| format!("{}: {error}", error.instance_path())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_schema_of_the_folder_is_read() {
        let files = FOLDER.dirs().flat_map(Dir::files);
        let schemas = files.filter(|file| file.path().to_string_lossy().ends_with(END)).count();
        assert!(schemas > 20);
        assert_eq!(SCHEMAS.len(), schemas);
    }

    #[test]
    fn an_event_is_checked_by_the_schema_of_its_contract_and_type() {
        let broken = problems("auth-service", "AUTH_USER_CREATED", "{}").unwrap();
        assert!(broken.iter().any(|problem| problem.contains("eventId")), "{broken:?}");
        assert!(problems("goodcity.users", "user.created", "{}").is_some());
        assert_eq!(problems("goodcity.users", "AUTH_USER_CREATED", "{}"), None);
        assert_eq!(problems("another", "unknown", "{}"), None);
    }
}
