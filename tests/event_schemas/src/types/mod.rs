//! Types of the events for consumers, written from the schemas.
//!
//! The schemas use a small part of JSON Schema, and three languages need the same names. What this part does not cover is an
//! error, so that no type says less than its schema without notice.

mod python;
mod rust;
mod typescript;

use crate::compatibility::Schemas;
use serde_json::Value as Json;

/// The fields that every event begins with, in their order.
const ENVELOPE: [&str; 6] =
    ["schemaVersion", "eventId", "correlationId", "sequence", "causedBy", "userVersion"];
/// The command that writes the types.
const COMMAND: &str = "cargo run -p house-rules --bin xtask -- event-types";

/// A file with types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypesFile {
    /// The name of the file: `events.ts`.
    pub name: &'static str,
    pub text: String,
}

/// Returns the files with the types of all events.
///
/// # Errors
/// A schema uses what the types cannot say; the text names the schema and the field.
pub fn files(schemas: &Schemas) -> Result<Vec<TypesFile>, String> {
    let events: Vec<_> = schemas.iter().map(|(name, json)| Event::read(name, json)).collect();
    let events = events.into_iter().collect::<Result<Vec<_>, _>>()?;
    Ok(vec![
        TypesFile { name: "events.ts", text: typescript::write(&events) },
        TypesFile { name: "events.py", text: python::write(&events) },
        TypesFile { name: "events.rs", text: rust::write(&events) },
    ])
}

/// An event of a contract.
struct Event {
    /// The contract: `gotu`.
    contract: String,
    /// The detail type: `AUTH_USER_CREATED`.
    kind: String,
    /// The source: `auth-service`.
    source: String,
    detail: Record,
}

/// An object with named fields.
struct Record {
    /// The name of its type: `GotuAuthUserCreated`.
    name: String,
    description: String,
    fields: Vec<Field>,
}

struct Field {
    name: String,
    description: String,
    is_required: bool,
    kind: Kind,
    /// Whether the value can be null.
    is_nullable: bool,
}

/// What a value is that is not null.
enum Kind {
    Text,
    Integer,
    Boolean,
    /// One of these texts; the name is for languages that need one.
    Texts(String, Vec<String>),
    /// One of these integers.
    Integers(Vec<i64>),
    /// This one.
    ThisBoolean(bool),
    Record(Record),
}

impl Event {
    fn read(name: &str, schema: &Json) -> Result<Self, String> {
        let (contract, kind) =
            name.split_once('/').ok_or_else(|| format!("{name}: no contract"))?;
        let detail = Record::read(name, format!("{}{}", camel(contract), camel(kind)), schema)?;
        let source = crate::source(schema).map(str::to_owned);
        let source = source.ok_or_else(|| format!("{name}: its description names no source"))?;
        let (contract, kind) = (contract.to_owned(), kind.to_owned());
        Ok(Self { contract, kind, source, detail })
    }
}

impl Record {
    fn read(path: &str, name: String, schema: &Json) -> Result<Self, String> {
        let properties = schema.get("properties").and_then(Json::as_object);
        let properties = properties.ok_or_else(|| format!("{path}: it has no properties"))?;
        let required = schema.get("required").and_then(Json::as_array);
        let is_required =
            |name: &str| required.is_some_and(|all| all.iter().any(|one| one == name));
        let mut fields = Vec::new();
        for (field, schema) in properties {
            let path = format!("{path}/{field}");
            let (kind, is_nullable) = read_kind(&path, &format!("{name}{}", camel(field)), schema)?;
            let (field, is_required) = (field.clone(), is_required(field));
            let description = description(schema);
            fields.push(Field { name: field, description, is_required, kind, is_nullable });
        }
        fields.sort_by_key(|field| {
            let place = ENVELOPE.iter().position(|name| *name == field.name);
            (place.unwrap_or(ENVELOPE.len()), field.name.clone())
        });
        Ok(Self { name, description: description(schema), fields })
    }
}

fn description(schema: &Json) -> String {
    schema.get("description").and_then(Json::as_str).unwrap_or_default().to_owned()
}

/// Reads what a value is, and whether it can be null. `name` is for a type of its own.
fn read_kind(path: &str, name: &str, schema: &Json) -> Result<(Kind, bool), String> {
    let unknown = || format!("{path}: the types cannot say {schema}");
    if let Some(values) = listed(schema) {
        let is_nullable = values.iter().any(Json::is_null);
        let others: Vec<_> = values.iter().filter(|value| !value.is_null()).collect();
        let texts: Option<Vec<_>> =
            others.iter().map(|value| value.as_str().map(str::to_owned)).collect();
        let integers: Option<Vec<_>> = others.iter().map(|value| value.as_i64()).collect();
        let kind = match (texts, integers, others.as_slice()) {
            (Some(texts), _, _) => Kind::Texts(name.to_owned(), texts),
            (None, Some(integers), _) => Kind::Integers(integers),
            (None, None, [Json::Bool(value)]) => Kind::ThisBoolean(*value),
            _ => return Err(unknown()),
        };
        return Ok((kind, is_nullable));
    }
    let types = match schema.get("type") {
        Some(Json::String(one)) => vec![one.as_str()],
        Some(Json::Array(several)) => several.iter().filter_map(Json::as_str).collect(),
        _ => return Err(unknown()),
    };
    let others: Vec<_> = types.iter().copied().filter(|one| *one != "null").collect();
    let kind = match others.as_slice() {
        ["string"] => Kind::Text,
        ["integer"] => Kind::Integer,
        ["boolean"] => Kind::Boolean,
        ["object"] => Kind::Record(Record::read(path, name.to_owned(), schema)?),
        _ => return Err(unknown()),
    };
    Ok((kind, types.contains(&"null")))
}

/// The values that a schema lists; `None` if it lists none.
fn listed(schema: &Json) -> Option<Vec<Json>> {
    match (schema.get("const"), schema.get("enum")) {
        (Some(one), _) => Some(vec![one.clone()]),
        (None, Some(several)) => several.as_array().cloned(),
        (None, None) => None,
    }
}

/// Returns the records that a record contains, and the record itself at the end.
fn records(record: &Record) -> Vec<&Record> {
    let mut all: Vec<_> = record
        .fields
        .iter()
        .filter_map(|field| match &field.kind {
            Kind::Record(inner) => Some(records(inner)),
            _ => None,
        })
        .flatten()
        .collect();
    all.push(record);
    all
}

/// Adds a formatted text.
fn add(text: &mut String, more: &str) {
    text.push_str(more);
}

/// Returns the contracts, in the order of their events.
fn contracts(events: &[Event]) -> Vec<&str> {
    let mut contracts: Vec<_> = events.iter().map(|event| event.contract.as_str()).collect();
    contracts.dedup();
    contracts
}

/// Returns a name as that of a type: `AUTH_USER_CREATED`, `user.created` and `userCreated` are `AuthUserCreated` and
/// `UserCreated`.
fn camel(name: &str) -> String {
    let has_lower = name.chars().any(char::is_lowercase);
    let words = name.split(['_', '.', '-']);
    let words = words.map(|word| {
        let mut letters = word.chars();
        let first = letters.next().map(|first| first.to_ascii_uppercase());
        let rest = letters.map(|one| if has_lower { one } else { one.to_ascii_lowercase() });
        first.into_iter().chain(rest).collect::<String>()
    });
    words.collect()
}

/// Returns a name of a field with words in lower case: `referralID` is `referral_id`.
fn snake(name: &str) -> String {
    let mut snake = String::new();
    let mut before_is_lower = false;
    for letter in name.chars() {
        if letter.is_uppercase() && before_is_lower {
            snake.push('_');
        }
        before_is_lower = !letter.is_uppercase();
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_follow_the_rules_of_each_language() {
        assert_eq!(camel("AUTH_USER_CREATED"), "AuthUserCreated");
        assert_eq!(camel("customer.signed_in"), "CustomerSignedIn");
        assert_eq!(camel("end-user-messaging"), "EndUserMessaging");
        assert_eq!(camel("userType"), "UserType");
        assert_eq!(
            (snake("referralID"), snake("userId")),
            ("referral_id".into(), "user_id".into())
        );
    }

    #[test]
    fn a_schema_that_the_types_cannot_say_is_an_error() {
        let with = |field: Json| {
            let schema = json!({"description": "Source a.", "properties": {"field": field}});
            files(&Schemas::from([("gotu/ENDED".to_owned(), schema)]))
        };
        assert!(with(json!({"type": "string"})).is_ok());
        for field in [
            json!({}),
            json!({"type": "array"}),
            json!({"type": ["string", "integer"]}),
            json!({"enum": ["a", 1]}),
            json!({"type": "object"}),
        ] {
            let error = with(field.clone()).unwrap_err();
            assert!(error.starts_with("gotu/ENDED/field: "), "{field}: {error}");
        }
        let nameless = json!({"properties": {}});
        assert!(files(&Schemas::from([("gotu/ENDED".to_owned(), nameless)])).is_err());
    }
}
