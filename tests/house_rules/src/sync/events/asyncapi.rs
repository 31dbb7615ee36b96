//! The `AsyncAPI` 3.0 document of the events.

use super::json::{self, Json};
use super::{Event, FOLDER, published};
use crate::declarations::Declarations;
use crate::project::{File, Project};
use anyhow::{Context as _, Result, bail};
use std::collections::BTreeMap;

const PATH: &str = "shared/docs/events/asyncapi.json";
/// Examples of the details, recorded from a stack.
const EXAMPLES: &str = "shared/docs/events/examples.json";

/// The name of the only channel.
const CHANNEL: &str = "events";

/// Keywords that JSON Schema has since draft 2019-09. A schema of `AsyncAPI` is one of draft 07.
const LATER: [&str; 9] = [
    "$anchor",
    "$defs",
    "$dynamicRef",
    "dependentRequired",
    "dependentSchemas",
    "minContains",
    "prefixItems",
    "unevaluatedItems",
    "unevaluatedProperties",
];

pub(in crate::sync) fn generate(project: &Project, _: &Declarations) -> Result<Vec<File>> {
    let examples = json::parse(&project.read(EXAMPLES)?).context(EXAMPLES)?;
    let text = json::pretty(&document(&published(project)?, &examples)?);
    Ok(vec![File { path: PATH.to_owned(), text: format!("{text}\n") }])
}

fn document(events: &[Event], examples: &Json) -> Result<Json> {
    let (mut messages, mut in_channel) = (json::object([]), json::object([]));
    let mut schemas = json::object([]);
    let mut operations: BTreeMap<&str, Vec<Json>> = BTreeMap::new();
    for event in events {
        let id = event.id();
        json::set(&mut messages, &id, message(event, examples)?);
        json::set(&mut in_channel, &id, reference(&format!("components/messages/{id}")));
        json::set(&mut schemas, &id, detail(event)?);
        let of_source = operations.entry(&event.source).or_default();
        of_source.push(reference(&format!("channels/{CHANNEL}/messages/{id}")));
    }
    let mut operations_of = json::object([]);
    for (source, messages) in operations {
        let operation = json::object([
            ("action", "send".into()),
            ("title", format!("Events of {source}").into()),
            ("channel", reference(&format!("channels/{CHANNEL}"))),
            ("messages", Json::Sequence(messages)),
        ]);
        json::set(&mut operations_of, &super::camel(source), operation);
    }
    let channel = json::object([
        ("address", "latchkey-events".into()),
        ("title", "The event bus".into()),
        (
            "description",
            "A bus of EventBridge. Its name is that of the stack with -events. A consumer has a rule on it. Delivery is at \
             least once, and the bus keeps no order."
                .into(),
        ),
        ("servers", json::list([reference("servers/eventBridge")])),
        ("messages", in_channel),
    ]);
    Ok(json::object([
        ("asyncapi", "3.0.0".into()),
        ("info", info()),
        ("defaultContentType", "application/json".into()),
        ("servers", json::object([("eventBridge", server())])),
        ("channels", json::object([(CHANNEL, channel)])),
        ("operations", operations_of),
        ("components", json::object([("messages", messages), ("schemas", schemas)])),
    ]))
}

fn info() -> Json {
    let license = [
        ("name", "Apache-2.0".into()),
        ("url", "https://www.apache.org/licenses/LICENSE-2.0".into()),
    ];
    json::object([
        ("title", "Events of Latchkey".into()),
        ("version", "1.0.0".into()),
        (
            "description",
            format!(
                "What Latchkey, a sign-up service, publishes for other services. The rules for consumers are in \
                 {FOLDER}/README.md. This document is generated from the schemas beside it (cargo xtask sync)."
            )
            .into(),
        ),
        ("license", json::object(license)),
    ])
}

fn server() -> Json {
    let region =
        [("description", "The AWS region of the stack".into()), ("default", "eu-central-1".into())];
    json::object([
        ("host", "events.{region}.amazonaws.com".into()),
        ("protocol", "https".into()),
        (
            "description",
            "Amazon EventBridge. Only rules receive events; there is no connection to open.".into(),
        ),
        ("variables", json::object([("region", json::object(region))])),
    ])
}

fn message(event: &Event, examples: &Json) -> Result<Json> {
    let id = event.id();
    let mut properties = json::object(event.envelope());
    json::set(&mut properties, "detail", reference(&format!("components/schemas/{id}")));
    let names = json::members(&properties).map(|(name, _)| name.into()).collect::<Vec<_>>();
    let payload = json::object([
        ("type", "object".into()),
        ("required", json::list(names)),
        ("properties", properties),
    ]);
    let mut message = json::object([
        ("name", event.kind.as_str().into()),
        ("title", format!("{} of {}", event.kind, event.source).into()),
        ("summary", format!("Published when {}.", event.when).into()),
    ]);
    if let Some(description) = event.description() {
        json::set(&mut message, "description", description.into());
    }
    json::set(&mut message, "payload", payload);
    let example = json::object([("payload", example(event, examples)?)]);
    json::set(&mut message, "examples", json::list([example]));
    Ok(message)
}

/// Returns the whole event around the recorded detail.
fn example(event: &Event, examples: &Json) -> Result<Json> {
    let name = event.example_name();
    let detail = examples.get(name.as_str());
    let detail = detail.with_context(|| {
        format!("{EXAMPLES} has no {name}; run `cargo run -p acceptance --example events`")
    })?;
    let mut example = json::object([]);
    for (name, _) in event.envelope() {
        let value = match name {
            "version" => "0".into(),
            // The bus gives each event an id of its own.
            "id" => "6f1ed7c2-3c7e-4b0e-9a51-0f4f2c1f8a10".into(),
            "detail-type" => event.kind.as_str().into(),
            "source" => event.source.as_str().into(),
            "account" => "111122223333".into(),
            "time" => time(detail).into(),
            "region" => "eu-central-1".into(),
            "resources" => json::list([]),
            "detail" => detail.clone(),
            other => bail!("the envelope has an unknown field {other}"),
        };
        json::set(&mut example, name, value);
    }
    Ok(example)
}

/// Returns the first time of a detail, without its milliseconds.
fn time(detail: &Json) -> String {
    let times = json::members(detail).filter(|(name, _)| name.ends_with("At"));
    let mut times = times.filter_map(|(_, value)| json::text(value)?.split_once('.'));
    times
        .next()
        .map_or_else(|| "2026-01-01T00:00:00Z".to_owned(), |(seconds, _)| format!("{seconds}Z"))
}

/// Returns the schema of the detail, as one of draft 07.
fn detail(event: &Event) -> Result<Json> {
    check(&event.schema, &event.example_name())?;
    let members = json::members(&event.schema).filter(|(name, _)| *name != "$schema");
    Ok(json::object(members.map(|(name, value)| (name, value.clone()))))
}

/// Refuses keywords that draft 07 has not. Names of properties are no keywords.
fn check(schema: &Json, path: &str) -> Result<()> {
    for (name, value) in json::members(schema) {
        if LATER.contains(&name) {
            bail!("{path}: AsyncAPI has no keyword {name}; extend the conversion");
        }
        if name == "properties" {
            let mut properties = json::members(value);
            properties.try_for_each(|(name, value)| check(value, &format!("{path}.{name}")))?;
        } else {
            check(value, &format!("{path}.{name}"))?;
        }
    }
    if let Json::Sequence(items) = schema {
        items.iter().try_for_each(|item| check(item, path))?;
    }
    Ok(())
}

fn reference(path: &str) -> Json {
    json::object([("$ref", format!("#/{path}").into())])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(schema: &str) -> Event {
        Event {
            source: "goodcity.auth".to_owned(),
            kind: "user.created".to_owned(),
            when: "a user signed up".to_owned(),
            contract: "goodcity".to_owned(),
            schema: json::parse(schema).unwrap(),
        }
    }

    #[test]
    fn a_message_has_its_schema_and_its_example() {
        let examples =
            r#"{"goodcity/user.created": {"userId": 7, "createdAt": "2026-11-28T09:35:01.250Z"}}"#;
        let event = event(r#"{"$schema": "x", "type": "object"}"#);
        let document = document(&[event], &json::parse(examples).unwrap()).unwrap();
        let components = &document["components"];
        assert_eq!(
            components["schemas"]["GoodcityUserCreated"],
            json::parse("{type: object}").unwrap()
        );
        let message = &components["messages"]["GoodcityUserCreated"];
        assert_eq!(message["summary"], Json::from("Published when a user signed up."));
        let example = &message["examples"][0]["payload"];
        assert_eq!(example["time"], Json::from("2026-11-28T09:35:01Z"));
        assert_eq!(example["detail"]["userId"], Json::from(7));
        let sent = &document["operations"]["GoodcityAuth"]["messages"][0]["$ref"];
        assert_eq!(sent, &Json::from("#/channels/events/messages/GoodcityUserCreated"));
    }

    #[test]
    fn an_event_without_an_example_is_an_error_that_says_what_to_do() {
        let error = document(&[event("{}")], &json::object([])).unwrap_err().to_string();
        assert!(error.contains("no goodcity/user.created; run `cargo run"), "{error}");
    }

    #[test]
    fn a_later_keyword_is_an_error_and_a_property_of_its_name_is_none() {
        let event = event(r#"{"properties": {"$defs": {"anyOf": [{"dependentRequired": {}}]}}}"#);
        let error = detail(&event).unwrap_err().to_string();
        assert!(error.contains("no keyword dependentRequired"), "{error}");
    }
}
