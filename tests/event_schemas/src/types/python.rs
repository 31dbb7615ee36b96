//! The types for Python: typed dictionaries, which need no package and change no value.

use super::{COMMAND, Event, Field, Kind, Record, add, camel, contracts, records};

pub(super) fn write(events: &[Event]) -> String {
    let mut text = format!(
        "\"\"\"Types of the events, written from the schemas in the folder above by\n`{COMMAND}`.\n\"\"\"\n\n\
         from typing import Literal, NotRequired, TypedDict, Union\n"
    );
    for event in events {
        for record in records(&event.detail) {
            text.push_str(&class(record));
        }
    }
    for contract in contracts(events) {
        let own: Vec<_> = events.iter().filter(|event| event.contract == contract).collect();
        for event in &own {
            text.push_str(&envelope(event));
        }
        let names = own.iter().map(|event| format!("\n    {}Event,", event.detail.name));
        let names: String = names.collect();
        add(&mut text, &format!("\n\n{}Event = Union[{names}\n]\n", camel(contract)));
    }
    text
}

fn class(record: &Record) -> String {
    let mut text = format!("\n\nclass {}(TypedDict):\n", record.name);
    if !record.description.is_empty() {
        add(&mut text, &format!("    \"\"\"{}\"\"\"\n\n", record.description));
    }
    for field in &record.fields {
        if !field.description.is_empty() {
            add(&mut text, &format!("    # {}\n", field.description));
        }
        let kind = type_of(field);
        let kind = if field.is_required { kind } else { format!("NotRequired[{kind}]") };
        add(&mut text, &format!("    {}: {kind}\n", field.name));
    }
    text
}

/// What the event bus delivers. The name of a field has a hyphen, so that it is no class.
fn envelope(Event { source, kind, detail, .. }: &Event) -> String {
    format!(
        "\n\n{name}Event = TypedDict(\n    \"{name}Event\",\n    {{\n        \"version\": str,\n        \"id\": str,\n        \
         \"source\": Literal[\"{source}\"],\n        \"detail-type\": Literal[\"{kind}\"],\n        \"account\": str,\n        \
         \"time\": str,\n        \"region\": str,\n        \"resources\": list[str],\n        \"detail\": {name},\n    }},\n)\n",
        name = detail.name
    )
}

fn type_of(field: &Field) -> String {
    let literal = |values: Vec<String>| format!("Literal[{}]", values.join(", "));
    let text = match &field.kind {
        Kind::Text => "str".to_owned(),
        Kind::Integer => "int".to_owned(),
        Kind::Boolean => "bool".to_owned(),
        Kind::Texts(_, texts) => literal(texts.iter().map(|text| format!("\"{text}\"")).collect()),
        Kind::Integers(integers) => literal(integers.iter().map(i64::to_string).collect()),
        Kind::ThisBoolean(true) => "Literal[True]".to_owned(),
        Kind::ThisBoolean(false) => "Literal[False]".to_owned(),
        Kind::Record(record) => record.name.clone(),
    };
    if field.is_nullable { format!("{text} | None") } else { text }
}
