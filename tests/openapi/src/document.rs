//! The document of a contract, without examples.

use anyhow::Context as _;
use latchkey::contracts::api::{Answer, Content, Operation, Parameter, Refused};
use latchkey::contracts::{Contract, Route};
use latchkey::http::Response;
use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use template::Template;

/// The media type of most bodies.
pub(crate) const JSON: &str = "application/json";
/// The media type of forms.
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

/// An answer of an operation.
pub struct Described {
    /// `success`, or the name of the refusal.
    pub name: String,
    pub about: String,
    /// The media type and the schema of the body, if there is one.
    pub content: Option<(&'static str, Schema)>,
    pub headers: Vec<&'static str>,
    /// The body, if it is always the same.
    pub fixed: Option<Value>,
    /// A body, for refusals.
    pub sample: Value,
}

/// Returns the routes of an operation under the first base of its contract.
pub(crate) fn routes(contract: &Contract, operation: &Operation) -> Vec<Route> {
    let is_its = |route: &&Route| {
        let is_named = operation.path.is_empty() || operation.path == route.path;
        let base = contract.api.bases.iter().filter(|base| !base.is_empty());
        let is_alias = base.into_iter().any(|base| route.path.starts_with(base));
        route.function == operation.function && is_named && !is_alias
    };
    contract.routes.iter().filter(is_its).copied().collect()
}

/// The name of an operation: that of its function without the contract, or the last two segments of its path.
#[must_use]
pub fn operation_id(operation: &Operation) -> String {
    let name = if operation.path.is_empty() {
        operation.function.split_once('-').map(|(_, name)| name.to_owned()).unwrap_or_default()
    } else {
        let segments: Vec<_> = operation.path.rsplit('/').take(2).collect();
        segments.into_iter().rev().collect::<Vec<_>>().join("-")
    };
    let mut words = name.split('-');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| name + &capitalized(word))
}

fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Makes the document of a contract.
///
/// # Errors
/// An operation has no route, or the template does not describe its function.
pub fn document(contract: &Contract, template: &Template) -> anyhow::Result<Value> {
    let api = contract.api;
    let mut schemas = generator();
    let mut paths = BTreeMap::<&str, Map<String, Value>>::new();
    for operation in api.operations {
        let function = template.function(operation.function);
        let about = &function
            .with_context(|| format!("{} is no function", operation.function))?
            .description;
        let routes = routes(contract, operation);
        anyhow::ensure!(!routes.is_empty(), "{} has no route", operation.function);
        for route in routes {
            let item = paths.entry(route.path).or_default();
            let operation = describe(contract, operation, about, &mut schemas)?;
            item.insert(route.method.to_ascii_lowercase(), operation);
        }
    }
    let credentials: Map<_, _> =
        api.schemes.iter().map(|(name, make)| ((*name).to_owned(), make())).collect();
    let servers: Vec<_> = api
        .bases
        .iter()
        .map(|base| json!({"url": if base.is_empty() { "/" } else { base }}))
        .collect();
    Ok(json!({
        "openapi": "3.1.0",
        "info": {
            "title": format!("{} sign-up", api.title),
            "description": format!(
                "The sign-up API of {}. What the operations guarantee, the order of the checks and the limits are in its \
                 `CONTRACT.md`. Made from the code; do not edit.", api.title),
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": servers,
        "paths": paths,
        "components": {"schemas": schemas.take_definitions(true), "securitySchemes": credentials},
    }))
}

/// Makes schemas of what is written, with references into the document.
pub(crate) fn generator() -> SchemaGenerator {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let settings = settings.with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    SchemaGenerator::new(settings)
}

fn describe(
    contract: &Contract,
    operation: &Operation,
    about: &str,
    schemas: &mut SchemaGenerator,
) -> anyhow::Result<Value> {
    let summary = about.split_once(": ").map_or(about, |(_, text)| text);
    let mut described = json!({
        "operationId": operation_id(operation),
        "summary": capitalized(summary),
        "responses": responses(operation, schemas),
    });
    if let Some(answer) = operation.answers.first().filter(|_| !operation.links.is_empty()) {
        let status = answer.status.to_string();
        described["responses"][status]["links"] = links(contract, operation)?.into();
    }
    let parameters: Vec<_> = operation.parameters.iter().map(parameter).collect();
    let mut add = |name: &str, value: Value| {
        if let Some(described) = described.as_object_mut() {
            described.insert(name.to_owned(), value);
        }
    };
    if !parameters.is_empty() {
        add("parameters", parameters.into());
    }
    if let Some(body) = operation.body {
        let schema = json!({"schema": body.schema()});
        let mut content = Map::from_iter([(JSON.to_owned(), schema.clone())]);
        if body.forms {
            content.insert(FORM.to_owned(), schema);
        }
        add("requestBody", json!({"required": !body.optional, "content": content}));
    }
    if !operation.security.is_empty() {
        let all: Map<_, _> =
            operation.security.iter().map(|name| ((*name).to_owned(), json!([]))).collect();
        add("security", json!([all]));
    }
    Ok(described)
}

fn links(contract: &Contract, operation: &Operation) -> anyhow::Result<Map<String, Value>> {
    let links = operation.links.iter().map(|link| {
        let target = contract.api.operations.iter().find(|it| it.function == link.function);
        let target = target.with_context(|| format!("{} has no operation", link.function))?;
        let id = operation_id(target);
        let value = |place: &str| Value::from(format!("$response.body#{place}"));
        let body = link.fields.iter().map(|(field, place)| ((*field).to_owned(), value(place)));
        let body: Map<_, _> = body.collect();
        Ok((id.clone(), json!({"operationId": id, "requestBody": body})))
    });
    links.collect()
}

fn parameter(parameter: &Parameter) -> Value {
    let field = &parameter.field;
    json!({
        "name": field.name,
        "in": parameter.place,
        "required": field.required,
        "description": field.about,
        "schema": (field.schema)(),
    })
}

fn responses(operation: &Operation, schemas: &mut SchemaGenerator) -> BTreeMap<String, Value> {
    let answers = answers(operation, schemas);
    let responses =
        answers.into_iter().map(|(status, answers)| (status.to_string(), response(&answers)));
    responses.collect()
}

/// Returns the answers of an operation by status.
#[must_use]
pub fn answers(
    operation: &Operation,
    schemas: &mut SchemaGenerator,
) -> BTreeMap<u16, Vec<Described>> {
    let mut answers = BTreeMap::<u16, Vec<Described>>::new();
    for answer in operation.answers {
        answers.entry(answer.status).or_default().push(success(answer, schemas));
    }
    for refused in (operation.refusals)() {
        let error = (operation.error)(schemas);
        let status = refused.response.status().as_u16();
        answers.entry(status).or_default().push(refusal(refused, error));
    }
    answers
}

fn success(answer: &Answer, schemas: &mut SchemaGenerator) -> Described {
    let content = match &answer.content {
        Content::None => None,
        Content::Json(schema) => Some((JSON, schema(schemas))),
        Content::Html => Some((
            "text/html",
            Schema::from(Map::from_iter([("type".to_owned(), json!("string"))])),
        )),
    };
    let name = if matches!(answer.content, Content::Html) { "page" } else { "success" };
    let (name, about) = (name.to_owned(), answer.about.to_owned());
    Described {
        name,
        about,
        content,
        headers: answer.headers.to_vec(),
        fixed: None,
        sample: Value::Null,
    }
}

fn refusal(Refused { name, varies, response }: Refused, error: Schema) -> Described {
    let headers = ["Retry-After", "WWW-Authenticate"];
    let headers = headers.into_iter().filter(|header| response.headers().contains_key(*header));
    let headers = headers.collect();
    let body = body(&response);
    let content = match &body {
        Value::String(_) => {
            ("text/plain", Schema::from(Map::from_iter([("type".to_owned(), json!("string"))])))
        }
        _ => (JSON, error),
    };
    let about = format!("`{name}`");
    let fixed = (!varies).then(|| body.clone());
    Described { name, about, content: Some(content), headers, fixed, sample: body }
}

/// The body of a response: JSON, or a text.
fn body(response: &Response) -> Value {
    let bytes: &[u8] = response.body().as_ref();
    let text = || String::from_utf8_lossy(bytes).into_owned();
    serde_json::from_slice(bytes).unwrap_or_else(|_| text().into())
}

fn response(answers: &[Described]) -> Value {
    let about: Vec<_> = answers.iter().map(|answer| answer.about.as_str()).collect();
    let mut content = BTreeMap::new();
    for (media, schema) in answers.iter().filter_map(|answer| answer.content.as_ref()) {
        content.insert(*media, json!({"schema": schema}));
    }
    let mut response = Map::from_iter([("description".to_owned(), about.join(" ").into())]);
    if !content.is_empty() {
        response.insert("content".to_owned(), json!(content));
    }
    let headers: BTreeMap<_, _> = answers
        .iter()
        .flat_map(|answer| &answer.headers)
        .map(|name| (*name, header(name)))
        .collect();
    if !headers.is_empty() {
        response.insert("headers".to_owned(), json!(headers));
    }
    response.into()
}

fn header(name: &str) -> Value {
    match name {
        "Retry-After" => json!({
            "description": "The seconds after which a repetition can succeed.",
            "schema": {"type": "integer", "minimum": 1},
        }),
        "WWW-Authenticate" => json!({
            "description": "What authentication is needed (RFC 9110 11.6.1).",
            "schema": {"type": "string"},
        }),
        "Set-Cookie" => json!({
            "description": "The two cookies of the session.", "schema": {"type": "string"},
        }),
        _ => json!({"schema": {"type": "string"}}),
    }
}

/// Returns the name of a contract, which is that of its document.
pub(crate) fn name_of(contract: &Contract) -> &'static str {
    contract.profile.name
}
