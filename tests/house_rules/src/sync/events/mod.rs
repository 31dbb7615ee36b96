//! What follows from the published events: the schema registry of EventBridge and the `AsyncAPI` document.
//!
//! The table of `shared/docs/events/README.md` has the source and the type of each event and says when it is published; the
//! files that it links have the schemas.

pub(super) mod asyncapi;
mod json;
mod openapi;
pub(super) mod registry;

use crate::project::Project;
use anyhow::{Context as _, Result, ensure};
use json::Json;
use std::collections::BTreeMap;

const FOLDER: &str = "shared/docs/events";
const TABLE: &str = "shared/docs/events/README.md";
const SCHEMA: &str = ".schema.json";

/// A published event.
#[derive(Clone, Debug)]
struct Event {
    source: String,
    /// The detail type.
    kind: String,
    /// When it is published, without links.
    when: String,
    /// The contract, or `latchkey`: the folder of the schema.
    contract: String,
    schema: Json,
}

impl Event {
    /// A name that is an identifier: `GotuAuthUserCreated`.
    fn id(&self) -> String {
        format!("{}{}", camel(&self.contract), camel(&self.kind))
    }

    /// The name of the schema as in EventBridge's own registries: `auth-service@AUTH_USER_CREATED`.
    fn schema_name(&self) -> String {
        format!("{}@{}", self.source, self.kind)
    }

    /// The name of the example: `gotu/AUTH_USER_CREATED`.
    fn example_name(&self) -> String {
        format!("{}/{}", self.contract, self.kind)
    }

    /// The description of the schema.
    fn description(&self) -> Option<&str> {
        self.schema.get("description").and_then(json::text)
    }

    /// The fields around the detail, in the order of EventBridge, with what they are.
    fn envelope(&self) -> [(&'static str, Json); 9] {
        let text =
            |what: &str| json::object([("type", "string".into()), ("description", what.into())]);
        let one = |value: &str| {
            json::object([("type", "string".into()), ("enum", json::list([value.into()]))])
        };
        [
            ("version", one("0")),
            (
                "id",
                text("The id that the bus gives the event. Compare eventId in the detail instead."),
            ),
            ("detail-type", one(&self.kind)),
            ("source", one(&self.source)),
            ("account", text("The AWS account of Latchkey.")),
            ("time", {
                let mut time = text("When it happened, to the second.");
                json::set(&mut time, "format", "date-time".into());
                time
            }),
            ("region", text("The AWS region of Latchkey.")),
            (
                "resources",
                json::object([("type", "array".into()), ("items", text("Always empty."))]),
            ),
            ("detail", Json::Null),
        ]
    }
}

/// Returns the events in the order of the table.
fn published(project: &Project) -> Result<Vec<Event>> {
    let mut schemas = BTreeMap::new();
    for path in project.paths(FOLDER)? {
        let name = path.strip_prefix("shared/docs/events/").unwrap_or_default();
        if let Some(name) = name.strip_suffix(SCHEMA) {
            schemas.insert(name.to_owned(), json::parse(&project.read(&path)?).context(path)?);
        }
    }
    let mut events = Vec::new();
    for row in rows(&project.read(TABLE)?)? {
        let name = row.schema.strip_suffix(SCHEMA).unwrap_or_default();
        let schema = schemas.remove(name);
        let schema = schema.with_context(|| format!("{TABLE} links no schema: {}", row.schema))?;
        let (contract, kind) = name.split_once('/').context("a schema is in no folder")?;
        ensure!(kind == row.kind, "{TABLE} has the schema of {kind} in the row of {}", row.kind);
        let (source, when) = (row.source, row.when);
        let (kind, contract) = (row.kind, contract.to_owned());
        events.push(Event { source, kind, when, contract, schema });
    }
    let unlisted: Vec<_> = schemas.into_keys().collect();
    ensure!(unlisted.is_empty(), "{TABLE} has no row for {}", unlisted.join(", "));
    Ok(events)
}

/// A row of the table.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    source: String,
    kind: String,
    when: String,
    /// The path of the schema below the folder.
    schema: String,
}

/// Returns the rows of the table with these columns, in whatever order they are.
fn rows(document: &str) -> Result<Vec<Row>> {
    let columns = ["source", "detail type", "published when", "schema"];
    let cells = |line: &str| {
        let line = line.trim().trim_matches('|').to_owned();
        line.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>()
    };
    let mut lines = document.lines().skip_while(|line| {
        let head = cells(line);
        !columns.iter().all(|column| head.iter().any(|cell| cell == column))
    });
    let head = cells(lines.next().with_context(|| format!("{TABLE} has no table of events"))?);
    let places: Vec<_> =
        columns.iter().filter_map(|column| head.iter().position(|cell| cell == column)).collect();
    let row = |line: &str| {
        let cells = cells(line);
        let mut found = places.iter().map(|place| cells.get(*place).cloned().unwrap_or_default());
        let mut next = || found.next().unwrap_or_default();
        let code = |cell: String| cell.trim_matches('`').to_owned();
        let (source, kind, when, schema) = (code(next()), code(next()), next(), next());
        let target = schema.split_once("](").and_then(|(_, target)| target.strip_suffix(')'));
        let target = target.with_context(|| format!("{TABLE} links no schema for {kind}"))?;
        Ok(Row { source, kind, when: without_links(&when), schema: target.to_owned() })
    };
    lines.skip(1).take_while(|line| line.starts_with('|')).map(row).collect()
}

/// Replaces each link of Markdown by its text.
fn without_links(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, link)) = rest.split_once('[') {
        let Some(((label, _), after)) =
            link.split_once(')').and_then(|(link, after)| Some((link.split_once("](")?, after)))
        else {
            break;
        };
        plain.push_str(before);
        plain.push_str(label);
        rest = after;
    }
    plain + rest
}

/// `AUTH_USER_CREATED` and `auth.user.created` are `AuthUserCreated`.
fn camel(name: &str) -> String {
    let words = name.split(|letter: char| !letter.is_ascii_alphanumeric());
    let capital = |word: &str| {
        let (first, rest) = word.split_at_checked(1).unwrap_or((word, ""));
        format!("{}{}", first.to_ascii_uppercase(), rest.to_ascii_lowercase())
    };
    words.map(capital).collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::Scratch;
    use super::*;

    const README: &str = "# Events\n\n| source | detail type | published when | schema |\n\
        | --- | --- | --- | --- |\n\
        | `auth-service` | `USER_CREATED` | a user signed up ([how](https://example.com); once) | [schema](gotu/USER_CREATED.schema.json) |\n\
        \nMore.\n";

    #[test]
    fn an_event_has_its_row_and_its_schema() {
        let schema = r#"{"description": "It happened.", "type": "object"}"#;
        let path = "shared/docs/events/gotu/USER_CREATED.schema.json";
        let scratch = Scratch::with(&[(TABLE, README), (path, schema)]);
        let events = published(&scratch.project).unwrap();
        let [event] = events.as_slice() else { panic!("{events:?}") };
        assert_eq!(event.when, "a user signed up (how; once)");
        assert_eq!(event.id(), "GotuUserCreated");
        assert_eq!(event.schema_name(), "auth-service@USER_CREATED");
        assert_eq!(event.description(), Some("It happened."));
    }

    #[test]
    fn a_schema_without_a_row_and_a_row_without_a_schema_are_errors() {
        let scratch = Scratch::with(&[(TABLE, README)]);
        let error = published(&scratch.project).unwrap_err().to_string();
        assert!(error.contains("links no schema: gotu/USER_CREATED"), "{error}");
        let schema = |kind: &str| format!("shared/docs/events/gotu/{kind}.schema.json");
        let (listed, other) = (schema("USER_CREATED"), schema("OTHER"));
        let scratch = Scratch::with(&[(TABLE, README), (&listed, "{}"), (&other, "{}")]);
        let error = published(&scratch.project).unwrap_err().to_string();
        assert!(error.contains("no row for gotu/OTHER"), "{error}");
    }

    #[test]
    fn names_are_identifiers() {
        assert_eq!(camel("AUTH_USER_CREATED"), "AuthUserCreated");
        assert_eq!(camel("customer.email_verified"), "CustomerEmailVerified");
    }
}
