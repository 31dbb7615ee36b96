//! Requests to each operation, for the tools that developers send requests with: a Postman collection and an `.http`
//! file. Their bodies are the recorded ones, with variables in the place of tokens and codes.

#![expect(
    clippy::indexing_slicing,
    reason = "an index of a JSON value gives null for what is absent"
)]

use crate::document::{JSON, operation_id, routes};
use anyhow::Context as _;
use latchkey::contracts::Contract;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

/// What a variable has until an answer or the developer sets it.
const UNSET: &str = "unset";
/// The fields of bodies that a message or an earlier answer gives, with their variables.
const GIVEN: [(&str, &str); 9] = [
    ("otpCode", "code"),
    ("pin", "code"),
    ("otp", "code"),
    ("otp_id", "otpId"),
    ("otp_auth_key", "otpAuthKey"),
    ("requestToken", "requestToken"),
    ("refreshToken", "refreshToken"),
    ("client_id", "clientId"),
    ("client_secret", "clientSecret"),
];
/// The fields of answers that later requests need, with their variables.
const ANSWERED: [(&str, &str); 7] = [
    ("accessToken", "accessToken"),
    ("refreshToken", "refreshToken"),
    ("requestToken", "requestToken"),
    ("jwt_token", "token"),
    ("access_token", "client"),
    ("otp_id", "otpId"),
    ("otp_auth_key", "otpAuthKey"),
];
/// Keeps what an answer gives in the variables of the collection.
const KEEP: &str = "
const keep = (value) => {
  if (!value || typeof value !== 'object') return;
  for (const [name, inner] of Object.entries(value)) {
    if (typeof inner === 'string' && ANSWERED[name]) pm.collectionVariables.set(ANSWERED[name], inner);
    else keep(inner);
  }
};
try { keep(pm.response.json()); } catch (error) { /* the answer is not JSON */ }
pm.response.headers.each(({ key, value }) => {
  const session = key.toLowerCase() === 'set-cookie' && /^session-token=([^;]+)/.exec(value);
  if (session) pm.collectionVariables.set('session', session[1]);
});";
/// Takes the code of the newest message of the local stack. Other hosts do not have this address.
const TAKE_CODE: &str = "
if (pm.request.body && String(pm.request.body.raw).includes('{{code}}')) {
  pm.sendRequest(pm.variables.get('host') + '/_local/messages?wait=5s', (error, answer) => {
    if (error || answer.code !== 200) return;
    const codes = answer.json().messages.map((message) => message.code).filter((code) => code);
    if (codes.length > 0) pm.collectionVariables.set('code', codes[codes.length - 1]);
  });
}";

/// A request to an operation.
struct Request {
    name: String,
    about: String,
    method: &'static str,
    path: &'static str,
    /// The text of the body.
    body: Option<String>,
    headers: Vec<(String, String)>,
    /// The required parameters of the query, with their variables.
    query: Vec<(String, String)>,
    /// The optional parameters: where, which, what about.
    optional: Vec<(String, String, String)>,
    statuses: Vec<u16>,
}

/// Returns the two files of a contract, by their paths from the root of the project.
///
/// # Errors
/// An operation of the contract is not in the document.
pub fn requests(
    contract: &Contract,
    document: &Value,
) -> anyhow::Result<BTreeMap<PathBuf, String>> {
    let requests = all(contract, document)?;
    let title = document["info"]["title"].as_str().unwrap_or_default();
    let folder = PathBuf::from("shared/docs/openapi/requests");
    let name = contract.profile.name;
    Ok(BTreeMap::from([
        (
            folder.join(format!("{name}.postman_collection.json")),
            sorted(collection(title, &requests)) + "\n",
        ),
        (folder.join(format!("{name}.http")), http(title, &requests)),
    ]))
}

/// Writes the files of a contract.
///
/// # Errors
/// A file cannot be written.
pub fn write_requests(files: &BTreeMap<PathBuf, String>) -> anyhow::Result<()> {
    for (path, text) in files {
        let path = template::project_root().join(path);
        let failed = || format!("failed to write {}", path.display());
        fs::create_dir_all(path.parent().with_context(failed)?).with_context(failed)?;
        fs::write(&path, text).with_context(failed)?;
    }
    Ok(())
}

/// Returns the requests in the order of the contract, which is the order in which a user meets them.
fn all(contract: &Contract, document: &Value) -> anyhow::Result<Vec<Request>> {
    let mut requests = Vec::new();
    for operation in contract.api.operations {
        for route in routes(contract, operation) {
            let described = &document["paths"][route.path][route.method.to_ascii_lowercase()];
            anyhow::ensure!(!described.is_null(), "{} is not documented", operation.function);
            let mut request = Request {
                name: operation_id(operation),
                about: described["summary"].as_str().unwrap_or_default().to_owned(),
                method: route.method,
                path: route.path,
                body: body(described, document),
                headers: credentials(described, document),
                query: Vec::new(),
                optional: Vec::new(),
                statuses: statuses(described),
            };
            if request.body.is_some() {
                request.headers.insert(0, ("Content-Type".to_owned(), JSON.to_owned()));
            }
            for parameter in described["parameters"].as_array().into_iter().flatten() {
                let text = |name: &str| parameter[name].as_str().unwrap_or_default().to_owned();
                let (name, place) = (text("name"), text("in"));
                if parameter["required"] == json!(true) {
                    let variable = if name == "token" { "linkToken" } else { &name };
                    request.query.push((name.clone(), format!("{{{{{variable}}}}}")));
                } else {
                    request.optional.push((place, name, text("description")));
                }
            }
            requests.push(request);
        }
    }
    // What ends a session or an account comes last.
    requests.sort_by_key(|request| request.method == "DELETE" || request.name == "logout");
    Ok(requests)
}

fn statuses(described: &Value) -> Vec<u16> {
    let responses = described["responses"].as_object();
    responses.into_iter().flatten().filter_map(|(status, _)| status.parse().ok()).collect()
}

/// The headers that prove who calls.
fn credentials(described: &Value, document: &Value) -> Vec<(String, String)> {
    let needed = described["security"].as_array().into_iter().flatten();
    let names = needed.filter_map(Value::as_object).flatten().map(|(name, _)| name);
    let header = |name: &String| {
        let scheme = &document["components"]["securitySchemes"][name];
        let (called, place) = (scheme["name"].as_str().unwrap_or_default(), scheme["in"].as_str());
        // PosBytz' customers have a token with the name that Gotu's users have it by.
        let variable = if name == "customer" { "accessToken" } else { name };
        match place {
            Some("cookie") => ("Cookie".to_owned(), format!("{called}={{{{{variable}}}}}")),
            Some(_) => (called.to_owned(), format!("Bearer {{{{{variable}}}}}")),
            None => ("Authorization".to_owned(), format!("Bearer {{{{{variable}}}}}")),
        }
    };
    names.map(header).collect()
}

/// The recorded body of an operation, or one with the values of other bodies if there is no record.
fn body(described: &Value, document: &Value) -> Option<String> {
    let media = &described["requestBody"]["content"][JSON];
    let properties = media["schema"]["properties"].as_object()?;
    let recorded = media["examples"].as_object().and_then(|examples| examples.values().next());
    let mut body = match recorded.and_then(|example| example["value"].as_object()) {
        Some(recorded) => recorded.clone(),
        None => made(&media["schema"], document),
    };
    for (field, variable) in GIVEN {
        // A client can prove itself in the body or in a header: here it does in the body.
        if body.contains_key(field)
            || (field.starts_with("client_") && properties.contains_key(field))
        {
            body.insert(field.to_owned(), format!("{{{{{variable}}}}}").into());
        }
    }
    // Without scopes, a token has all those of its client.
    if body.contains_key("client_id") {
        body.remove("scope");
    }
    let mut text = sorted(body.into());
    for (field, schema) in properties {
        if schema["type"] == json!("number") {
            text = text.replace(
                &format!("\"{field}\": \"{{{{code}}}}\""),
                &format!("\"{field}\": {{{{code}}}}"),
            );
        }
    }
    Some(text)
}

/// A text whose members have one order in every build: features of other packages decide the order of a map.
fn sorted(mut value: Value) -> String {
    value.sort_all_objects();
    format!("{value:#}")
}

/// A body with the required fields.
fn made(schema: &Value, document: &Value) -> Map<String, Value> {
    let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let value = |field: &str| {
        let first = &schema["properties"][field]["enum"][0];
        if first.is_null() {
            elsewhere(field, &document["paths"]).unwrap_or_else(|| format!("a {field}").into())
        } else {
            first.clone()
        }
    };
    required.map(|field| (field.to_owned(), value(field))).collect()
}

/// The text that a field has in the first recorded body with it.
fn elsewhere(field: &str, value: &Value) -> Option<Value> {
    match value {
        Value::Object(members) => members.iter().find_map(|(name, member)| match member {
            Value::String(_) if name == field => Some(member.clone()),
            // Schemas and descriptions have no values.
            _ if matches!(name.as_str(), "schema" | "responses" | "parameters") => None,
            _ => elsewhere(field, member),
        }),
        Value::Array(items) => items.iter().find_map(|item| elsewhere(field, item)),
        _ => None,
    }
}

/// Returns the names of the variables that texts use, without the host.
fn variables(requests: &[Request]) -> Vec<String> {
    let mut names = std::collections::BTreeSet::new();
    for request in requests {
        let values = request.headers.iter().chain(&request.query).map(|(_, value)| value.as_str());
        for text in values.chain(request.body.as_deref()) {
            for part in text.split("{{").skip(1) {
                names.extend(part.split_once("}}").map(|(name, _)| name.to_owned()));
            }
        }
    }
    names.into_iter().collect()
}

/// The value of a variable before anything sets it. A code must have the form of one.
fn unset(variable: &str) -> &'static str {
    if variable == "code" { "10000" } else { UNSET }
}

fn collection(title: &str, requests: &[Request]) -> Value {
    let names = variables(requests);
    let answered: Map<_, _> = ANSWERED
        .iter()
        .filter(|(_, variable)| names.iter().any(|name| name == variable))
        .map(|(field, variable)| ((*field).to_owned(), json!(variable)))
        .collect();
    let keep = format!("const ANSWERED = {};{KEEP}", Value::from(answered));
    let mut variables = vec![json!({"key": "host", "value": "http://127.0.0.1:9000"})];
    variables.extend(names.iter().map(|name| json!({"key": name, "value": unset(name)})));
    json!({
        "info": {
            "name": title,
            "description": "Made from the OpenAPI document by `cargo run -p openapi -- requests`; do not edit. Answers set the \
                            variables of later requests. With the local stack, the code comes from its newest message.",
            "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json",
        },
        "variable": variables,
        "event": [script("prerequest", TAKE_CODE.trim()), script("test", &keep)],
        "item": requests.iter().map(item).collect::<Vec<_>>(),
    })
}

fn script(listen: &str, text: &str) -> Value {
    let lines: Vec<_> = text.lines().collect();
    json!({"listen": listen, "script": {"type": "text/javascript", "exec": lines}})
}

fn item(request: &Request) -> Value {
    let header = |(key, value): &(String, String)| json!({"key": key, "value": value});
    let optional = |of: &str| -> Vec<Value> {
        let its = request.optional.iter().filter(|(place, ..)| place == of);
        its.map(|(_, key, about)| json!({"key": key, "value": "", "description": about, "disabled": true})).collect()
    };
    let mut headers: Vec<_> = request.headers.iter().map(header).collect();
    headers.extend(optional("header"));
    let mut query: Vec<_> = request.query.iter().map(header).collect();
    query.extend(optional("query"));
    let path: Vec<_> = request.path.trim_start_matches('/').split('/').collect();
    let mut url = json!({"raw": address(request), "host": ["{{host}}"], "path": path});
    if !query.is_empty() {
        url["query"] = query.into();
    }
    let mut sent = json!({
        "method": request.method, "header": headers, "url": url, "description": request.about,
    });
    if let Some(body) = &request.body {
        sent["body"] =
            json!({"mode": "raw", "raw": body, "options": {"raw": {"language": "json"}}});
    }
    let test = format!(
        "pm.test('the status is documented', () => pm.expect({}).to.include(pm.response.code));",
        json!(request.statuses)
    );
    json!({"name": request.name, "request": sent, "response": [], "event": [script("test", &test)]})
}

/// The URL with the required parameters.
fn address(request: &Request) -> String {
    let query: Vec<_> =
        request.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
    format!("{{{{host}}}}{}{query}", request.path)
}

fn http(title: &str, requests: &[Request]) -> String {
    let mut lines = vec![
        format!(
            "# {title}. Made from the OpenAPI document by `cargo run -p openapi -- requests`; do not edit."
        ),
        "# The local stack shows codes at {{host}}/_local/messages.".to_owned(),
        String::new(),
        "@host = http://127.0.0.1:9000".to_owned(),
    ];
    lines.extend(variables(requests).iter().map(|name| format!("@{name} = {}", unset(name))));
    for request in requests {
        lines.push(format!("\n### {}", request.about));
        lines.push(format!("# @name {}", request.name));
        lines.push(format!("{} {}", request.method, address(request)));
        lines.extend(request.headers.iter().map(|(name, value)| format!("{name}: {value}")));
        lines.extend(request.body.iter().map(|body| format!("\n{body}")));
    }
    lines.join("\n") + "\n"
}
