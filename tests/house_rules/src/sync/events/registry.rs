//! The schemas of EventBridge's registry, in `shared/events.yaml`.

use super::json::{self, Json};
use super::{Event, openapi, published};
use crate::declarations::Declarations;
use crate::project::{File, Project};
use crate::text::{replace_section, wrapped};
use anyhow::Result;

const PATH: &str = "shared/events.yaml";
const MARKERS: (&str, &str) = ("# sync: schemas", "# sync: end");

/// The longest description of a schema (EventBridge, `CreateSchema`).
const DESCRIPTION: usize = 256;

pub(in crate::sync) fn generate(project: &Project, _: &Declarations) -> Result<Vec<File>> {
    let mut lines = Vec::new();
    for event in published(project)? {
        lines.extend(resource(&event)?);
    }
    let text = replace_section(PATH, &project.read(PATH)?, MARKERS, lines)?;
    Ok(vec![File { path: PATH.to_owned(), text }])
}

/// The lines of an `AWS::EventSchemas::Schema`.
fn resource(event: &Event) -> Result<Vec<String>> {
    let mut lines = vec![
        format!("{}:", event.id()),
        "  Type: AWS::EventSchemas::Schema".to_owned(),
        "  Properties:".to_owned(),
        "    RegistryName: !GetAtt Registry.RegistryName".to_owned(),
        format!("    SchemaName: {}", event.schema_name()),
        "    Type: OpenApi3".to_owned(),
    ];
    let description = format!("Published when {}.", event.when);
    let description: String = description.chars().take(DESCRIPTION).collect();
    lines.push("    Description: >-".to_owned());
    lines.extend(wrapped(&description, "      ", 120));
    lines.push("    Content: |-".to_owned());
    let content = json::pretty(&document(event)?);
    lines.extend(content.lines().map(|line| format!("      {line}")));
    Ok(lines)
}

/// The `OpenAPI` document of an event, in the form of the schemas that EventBridge has for AWS's own events.
fn document(event: &Event) -> Result<Json> {
    let detail = openapi::schema(&event.schema, &event.example_name())?;
    let name = super::camel(&event.kind);
    let mut properties = json::object(event.envelope());
    let reference = format!("#/components/schemas/{name}");
    json::set(&mut properties, "detail", json::object([("$ref", reference.into())]));
    let names = json::members(&properties).map(|(name, _)| name.into()).collect::<Vec<_>>();
    let whole = json::object([
        ("type", "object".into()),
        ("required", json::list(names)),
        ("x-amazon-events-detail-type", event.kind.as_str().into()),
        ("x-amazon-events-source", event.source.as_str().into()),
        ("properties", properties),
    ]);
    let mut info =
        json::object([("version", "1.0.0".into()), ("title", event.kind.as_str().into())]);
    if let Some(description) = event.description() {
        json::set(&mut info, "description", description.into());
    }
    let schemas = json::object([("AWSEvent", whole), (&name, detail)]);
    Ok(json::object([
        ("openapi", "3.0.0".into()),
        ("info", info),
        ("paths", json::object([])),
        ("components", json::object([("schemas", schemas)])),
    ]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_has_the_envelope_and_the_converted_detail() {
        let schema = r#"{"description": "It happened.", "properties": {"n": {"const": 1}}}"#;
        let event = Event {
            source: "goodcity.auth".to_owned(),
            kind: "user.created".to_owned(),
            when: "a user signed up".to_owned(),
            contract: "goodcity".to_owned(),
            schema: json::parse(schema).unwrap(),
        };
        let lines = resource(&event).unwrap();
        assert_eq!(lines[0], "GoodcityUserCreated:");
        assert!(lines.contains(&"    SchemaName: goodcity.auth@user.created".to_owned()));
        let at = lines.iter().position(|line| line == "    Content: |-").unwrap();
        let content = json::parse(&lines[at + 1..].join("\n")).unwrap();
        let schemas = &content["components"]["schemas"];
        assert_eq!(schemas["UserCreated"]["properties"]["n"]["enum"][0], Json::from(1));
        let whole = &schemas["AWSEvent"];
        assert_eq!(whole["x-amazon-events-source"], Json::from("goodcity.auth"));
        assert_eq!(whole["properties"]["detail-type"]["enum"][0], Json::from("user.created"));
        assert_eq!(
            whole["properties"]["detail"]["$ref"],
            Json::from("#/components/schemas/UserCreated")
        );
        assert_eq!(whole["required"].as_sequence().unwrap().len(), 9);
    }
}
