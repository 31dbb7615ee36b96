//! The examples of a document: recorded in a real run.

use crate::conform::Conformance;
use crate::document::{JSON, answers, generator, name_of, routes};
use crate::traffic::Exchange;
use latchkey::contracts::Contract;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What an example is recorded for, as `POST /otp 400 Body`.
pub type Examples = BTreeMap<String, Value>;

/// Returns the smallest exchange of each documented answer.
#[must_use]
pub fn recorded(conformance: &Conformance) -> Examples {
    let example = |(answer, exchange): (&String, &Exchange)| {
        let sent: Option<Value> =
            serde_json::from_str(&exchange.sent).ok().filter(Value::is_object);
        let mut example = json!({"received": exchange.body()});
        if let (Some(example), Some(sent)) = (example.as_object_mut(), sent) {
            example.insert("sent".to_owned(), sent);
        }
        (answer.clone(), example)
    };
    conformance.produced.iter().map(example).collect()
}

/// Adds examples to the document of a contract: to each answer with a body, and to the body of the request that was accepted.
pub fn complete(document: &mut Value, contract: &Contract, examples: &Examples) {
    for operation in contract.api.operations {
        for route in routes(contract, operation) {
            let method = route.method.to_ascii_lowercase();
            let Some(described) = document["paths"][route.path].get_mut(&method) else { continue };
            let mut accepted = Map::new();
            for (status, answers) in answers(operation, &mut generator()) {
                for answer in answers {
                    let key = format!("{} {} {status} {}", route.method, route.path, answer.name);
                    let Some(example) = examples.get(&key) else { continue };
                    if let Some(sent) = example.get("sent").filter(|_| status < 400) {
                        accepted.insert(answer.name.clone(), json!({"value": sent}));
                    }
                    let Some((media, _)) = answer.content else { continue };
                    // A page is long, and the tests of pages look at it.
                    if media == "text/html" {
                        continue;
                    }
                    let content = &mut described["responses"][status.to_string()]["content"][media];
                    content["examples"][&answer.name] = json!({"value": example["received"]});
                }
            }
            if !accepted.is_empty() && described.get("requestBody").is_some() {
                described["requestBody"]["content"][JSON]["examples"] = accepted.into();
            }
        }
    }
}

/// Returns the documented answers with a body, without an example, in a document. Pages have none.
#[must_use]
pub fn missing_examples(document: &Value, contract: &Contract) -> Vec<String> {
    let mut missing = Vec::new();
    for operation in contract.api.operations {
        for route in routes(contract, operation) {
            let responses =
                &document["paths"][route.path][route.method.to_ascii_lowercase()]["responses"];
            for (status, answers) in answers(operation, &mut generator()) {
                for answer in answers {
                    let Some((media, _)) = answer.content else { continue };
                    let examples = &responses[status.to_string()]["content"][media]["examples"];
                    if media != "text/html" && examples.get(&answer.name).is_none() {
                        let contract = name_of(contract);
                        missing.push(format!(
                            "{contract}: {} {} {status} {}",
                            route.method, route.path, answer.name
                        ));
                    }
                }
            }
        }
    }
    missing
}

/// Removes the examples of media types.
#[must_use]
pub fn without_examples(mut document: Value) -> Value {
    fn remove(value: &mut Value, strips: bool) {
        match value {
            Value::Object(members) => {
                if strips {
                    members.remove("examples");
                }
                for (name, part) in members {
                    let has_schema = name.contains('/') && part.get("schema").is_some();
                    remove(part, has_schema);
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| remove(item, false)),
            _ => {}
        }
    }
    remove(&mut document, false);
    document
}

/// The examples of a document, as exchanges.
#[must_use]
pub fn kept(document: &Value, contract: &Contract) -> Vec<Exchange> {
    let mut kept = Vec::new();
    for operation in contract.api.operations {
        for route in routes(contract, operation) {
            let described = &document["paths"][route.path][route.method.to_ascii_lowercase()];
            for (status, answers) in answers(operation, &mut generator()) {
                let content = &described["responses"][status.to_string()]["content"];
                let accepted = &described["requestBody"]["content"][JSON]["examples"];
                for answer in answers {
                    let media = answer.content.as_ref().map_or("", |(media, _)| media);
                    let received = &content[media]["examples"][&answer.name]["value"];
                    let sent = &accepted[&answer.name]["value"];
                    let sent = if status < 400 && !sent.is_null() {
                        sent.to_string()
                    } else {
                        String::new()
                    };
                    if received.is_null() && sent.is_empty() {
                        continue;
                    }
                    let headers = answer
                        .headers
                        .iter()
                        .map(|name| (name.to_ascii_lowercase(), String::new()));
                    let media =
                        (!media.is_empty()).then(|| ("content-type".to_owned(), media.to_owned()));
                    kept.push(Exchange {
                        route: format!("{} {}", route.method, route.path),
                        query: String::new(),
                        headers: BTreeMap::new(),
                        sent,
                        status,
                        answer_headers: headers.chain(media).collect(),
                        received: match received {
                            Value::Null => String::new(),
                            Value::String(text) => text.clone(),
                            other => other.to_string(),
                        },
                    });
                }
            }
        }
    }
    kept
}
