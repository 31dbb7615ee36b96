//! The types for Rust, with serde.

use super::{COMMAND, Event, Field, Kind, Record, add, camel, contracts, records, snake};

/// Words that cannot be names of fields.
const KEYWORDS: [&str; 2] = ["type", "ref"];

pub(super) fn write(events: &[Event]) -> String {
    let mut text = format!(
        "//! Types of the events, written from the schemas in the folder above by\n//! `{COMMAND}`.\n\n\
         use serde::Deserialize;\n"
    );
    for event in events {
        for record in records(&event.detail) {
            text.push_str(&structure(record));
            for field in &record.fields {
                if let Kind::Texts(name, texts) = &field.kind {
                    text.push_str(&enumeration(name, texts));
                }
            }
        }
    }
    for contract in contracts(events) {
        let name = camel(contract);
        add(
            &mut text,
            &format!(
                "\n/// An event of {contract}, as the event bus delivers it.\n\
             #[derive(Clone, Debug, PartialEq, Eq, Deserialize)]\n\
             #[serde(tag = \"detail-type\", content = \"detail\")]\npub enum {name}Event {{\n"
            ),
        );
        for event in events.iter().filter(|event| event.contract == contract) {
            let (kind, detail) = (&event.kind, &event.detail.name);
            let line =
                format!("    #[serde(rename = \"{kind}\")]\n    {}({detail}),\n", camel(kind));
            text.push_str(&line);
        }
        text.push_str("}\n");
    }
    text
}

fn structure(record: &Record) -> String {
    let mut text = "\n".to_owned();
    if !record.description.is_empty() {
        add(&mut text, &format!("/// {}\n", record.description));
    }
    text.push_str("#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]\n");
    add(&mut text, &format!("pub struct {} {{\n", record.name));
    for field in &record.fields {
        if !field.description.is_empty() {
            add(&mut text, &format!("    /// {}\n", field.description));
        }
        let name = snake(&field.name);
        if name != field.name {
            add(&mut text, &format!("    #[serde(rename = \"{}\")]\n", field.name));
        }
        let raw = if KEYWORDS.contains(&name.as_str()) { "r#" } else { "" };
        add(&mut text, &format!("    pub {raw}{name}: {},\n", type_of(field)));
    }
    text.push_str("}\n");
    text
}

/// An enum of texts. A text that it does not know is no error, so that a consumer survives one.
fn enumeration(name: &str, texts: &[String]) -> String {
    let mut text = format!(
        "\n#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]\npub enum {name} {{\n"
    );
    for value in texts {
        add(
            &mut text,
            &format!("    #[serde(rename = \"{value}\")]\n    {},\n", camel(&value.to_lowercase())),
        );
    }
    text.push_str(
        "    /// A value that a later version added.\n    #[serde(other)]\n    Other,\n}\n",
    );
    text
}

fn type_of(field: &Field) -> String {
    let text = match &field.kind {
        Kind::Text => "String".to_owned(),
        Kind::Integer | Kind::Integers(_) => "i64".to_owned(),
        Kind::Boolean | Kind::ThisBoolean(_) => "bool".to_owned(),
        Kind::Texts(name, _) => name.clone(),
        Kind::Record(record) => record.name.clone(),
    };
    if field.is_nullable || !field.is_required { format!("Option<{text}>") } else { text }
}
