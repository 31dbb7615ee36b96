//! The types for TypeScript.

use super::{COMMAND, Event, Field, Kind, Record, add, camel, contracts, records};

pub(super) fn write(events: &[Event]) -> String {
    let mut text = format!(
        "// Types of the events, written from the schemas in the folder above by\n// `{COMMAND}`.\n"
    );
    for event in events {
        for record in records(&event.detail) {
            text.push_str(&interface(record));
        }
    }
    text.push_str(
        "\n/** What the event bus delivers. */\n\
         export interface Envelope<Source extends string, Type extends string, Detail> {\n  \
         version: string;\n  id: string;\n  source: Source;\n  \"detail-type\": Type;\n  account: string;\n  \
         time: string;\n  region: string;\n  resources: string[];\n  detail: Detail;\n}\n",
    );
    for contract in contracts(events) {
        let own = events.iter().filter(|event| event.contract == contract);
        let name = camel(contract);
        let lines = own.map(|Event { source, kind, detail, .. }| {
            format!("\n  | Envelope<\"{source}\", \"{kind}\", {}>", detail.name)
        });
        let lines: String = lines.collect();
        let line = format!("\n/** An event of {contract}. */\nexport type {name}Event ={lines};\n");
        text.push_str(&line);
    }
    let all: Vec<_> =
        contracts(events).iter().map(|name| format!("{}Event", camel(name))).collect();
    text.push_str("\n/** Any event. */\nexport type LatchkeyBusEvent = ");
    text.push_str(&all.join(" | "));
    text.push_str(";\n");
    text
}

fn interface(record: &Record) -> String {
    let mut text = "\n".to_owned();
    if !record.description.is_empty() {
        add(&mut text, &format!("/** {} */\n", record.description));
    }
    add(&mut text, &format!("export interface {} {{\n", record.name));
    for field in &record.fields {
        if !field.description.is_empty() {
            add(&mut text, &format!("  /** {} */\n", field.description));
        }
        let mark = if field.is_required { "" } else { "?" };
        add(&mut text, &format!("  {}{mark}: {};\n", field.name, type_of(field)));
    }
    text.push_str("}\n");
    text
}

fn type_of(field: &Field) -> String {
    let mut text = match &field.kind {
        Kind::Text => "string".to_owned(),
        Kind::Integer => "number".to_owned(),
        Kind::Boolean => "boolean".to_owned(),
        Kind::Texts(_, texts) => {
            texts.iter().map(|text| format!("\"{text}\"")).collect::<Vec<_>>().join(" | ")
        }
        Kind::Integers(integers) => {
            integers.iter().map(i64::to_string).collect::<Vec<_>>().join(" | ")
        }
        Kind::ThisBoolean(value) => value.to_string(),
        Kind::Record(record) => record.name.clone(),
    };
    if field.is_nullable {
        text.push_str(" | null");
    }
    text
}
