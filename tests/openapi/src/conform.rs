//! The comparison of traffic with the documents.

use crate::document::{Described, answers, generator, routes};
use crate::traffic::Exchange;
use jsonschema::Validator;
use latchkey::contracts::CONTRACTS;
use latchkey::contracts::api::Operation;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What a comparison found.
#[derive(Debug, Default)]
pub struct Conformance {
    /// The number of exchanges that were compared.
    pub compared: usize,
    /// The number of exchanges that no route serves, or that did not come through the front.
    pub unmatched: usize,
    /// What does not conform, each once.
    pub findings: BTreeSet<String>,
    /// The answers that are documented, as `POST /otp 400 Body`.
    pub documented: BTreeSet<String>,
    /// Those that occurred, each with one exchange: the smallest.
    pub produced: BTreeMap<String, Exchange>,
}

impl Conformance {
    /// The documented statuses.
    #[must_use]
    pub fn statuses(&self) -> BTreeSet<&str> {
        self.documented.iter().map(|answer| status_of(answer)).collect()
    }

    /// The documented statuses that no exchange has.
    #[must_use]
    pub fn missing_statuses(&self) -> Vec<&str> {
        let produced: BTreeSet<_> = self.produced.keys().map(|answer| status_of(answer)).collect();
        self.statuses().into_iter().filter(|status| !produced.contains(status)).collect()
    }

    /// The documented answers that no exchange has.
    #[must_use]
    pub fn missing_answers(&self) -> Vec<&str> {
        let missing = self.documented.iter().filter(|answer| !self.produced.contains_key(*answer));
        missing.map(String::as_str).collect()
    }
}

/// The method, the path and the status of an answer.
fn status_of(answer: &str) -> &str {
    answer.rsplit_once(' ').map_or(answer, |(status, _)| status)
}

/// An operation with validators.
struct Checked {
    /// The key under which its answers are listed: that of the route under the first base.
    route: String,
    request: Option<Validator>,
    answers: BTreeMap<u16, Vec<(Described, Option<Validator>)>>,
}

/// Compares exchanges with the documents of all contracts.
///
/// # Errors
/// A schema is malformed.
pub fn conform<'a>(
    exchanges: impl IntoIterator<Item = &'a Exchange>,
) -> anyhow::Result<Conformance> {
    let mut operations = BTreeMap::new();
    for contract in CONTRACTS {
        for operation in contract.api.operations {
            for route in routes(&contract, operation) {
                let key = format!("{} {}", route.method, route.path);
                for base in contract.api.bases {
                    let alias = format!("{} {base}{}", route.method, route.path);
                    operations.insert(alias, checked(operation, key.clone())?);
                }
            }
        }
    }
    let mut conformance = Conformance::default();
    for Checked { route, answers, .. } in operations.values() {
        for (status, answers) in answers {
            let names =
                answers.iter().map(|(answer, _)| format!("{route} {status} {}", answer.name));
            conformance.documented.extend(names);
        }
    }
    for exchange in exchanges {
        match operations.get(&exchange.route) {
            Some(operation) if !is_of_front(exchange) => conformance.compare(operation, exchange),
            _ => conformance.unmatched = conformance.unmatched.saturating_add(1),
        }
    }
    Ok(conformance)
}

fn checked(operation: &Operation, route: String) -> anyhow::Result<Checked> {
    let mut schemas = generator();
    let answers = answers(operation, &mut schemas);
    let definitions = schemas.take_definitions(true);
    let validator = |schema: &Value| -> anyhow::Result<Validator> {
        let mut root = json!({"components": {"schemas": definitions}, "allOf": [schema]});
        close(&mut root);
        Ok(jsonschema::validator_for(&root)?)
    };
    let request =
        operation.body.map(|body| jsonschema::validator_for(&body.schema())).transpose()?;
    let answers = answers.into_iter().map(|(status, answers)| {
        let answers = answers.into_iter().map(|answer| {
            let schema = answer.content.as_ref().map(|(_, schema)| validator(schema.as_value()));
            Ok((answer, schema.transpose()?))
        });
        Ok((status, answers.collect::<anyhow::Result<_>>()?))
    });
    let answers = answers.collect::<anyhow::Result<_>>()?;
    Ok(Checked { route, request, answers })
}

/// Forbids fields that a schema does not name, at every depth: a new field must be in the document.
pub(crate) fn close(schema: &mut Value) {
    match schema {
        Value::Object(keywords) => {
            keywords.values_mut().for_each(close);
            if keywords.contains_key("properties") {
                keywords.entry("additionalProperties").or_insert(false.into());
            }
        }
        Value::Array(parts) => parts.iter_mut().for_each(close),
        _ => {}
    }
}

impl Conformance {
    fn compare(&mut self, operation: &Checked, exchange: &Exchange) {
        self.compared = self.compared.saturating_add(1);
        let (route, status) = (&operation.route, exchange.status);
        let Some(answers) = operation.answers.get(&status) else {
            let body = &exchange.received;
            self.findings.insert(format!("{route}: {status} is not documented: {body}"));
            return;
        };
        match answer(answers, exchange) {
            Ok(described) => self.note(format!("{route} {status} {}", described.name), exchange),
            Err(reason) => drop(self.findings.insert(format!("{route}: {status} {reason}"))),
        }
        if status < 400
            && let Some(reason) = operation.request.as_ref().and_then(|it| unlike(it, exchange))
        {
            self.findings.insert(format!("{route}: accepts {reason}"));
        }
    }

    fn note(&mut self, answer: String, exchange: &Exchange) {
        let order = |it: &Exchange| {
            (it.received.len(), it.sent.len(), it.received.clone(), it.sent.clone())
        };
        match self.produced.get(&answer) {
            Some(known) if order(known) <= order(exchange) => {}
            _ => drop(self.produced.insert(answer, exchange.clone())),
        }
    }
}

/// Returns the documented answer that an exchange has; otherwise, what differs.
fn answer<'a>(
    answers: &'a [(Described, Option<Validator>)],
    exchange: &Exchange,
) -> Result<&'a Described, String> {
    let media = exchange.media();
    let of_media: Vec<_> = answers
        .iter()
        .filter(|(answer, _)| answer.content.as_ref().map_or("", |(media, _)| media) == media)
        .collect();
    if of_media.is_empty() {
        return Err(format!("has the type {media:?}, which is not documented"));
    }
    let body = exchange.body();
    let (fixed, varying): (Vec<_>, Vec<_>) =
        of_media.into_iter().partition(|(answer, _)| answer.fixed.is_some());
    let same = fixed.iter().find(|(answer, _)| answer.fixed.as_ref() == Some(&body));
    // Of refusals that tell more than their name, the one with the same members is meant.
    let alike = varying.iter().find(|(answer, _)| names(&answer.sample) == names(&body));
    let Some((answer, validator)) = same.or(alike).or(varying.first()) else {
        return Err(format!("has a body that is not documented: {body}"));
    };
    if let Some(error) =
        validator.as_ref().and_then(|validator| validator.iter_errors(&body).next())
    {
        return Err(format!("{}: {error} at {:?}", answer.name, error.instance_path().to_string()));
    }
    let missing = answer
        .headers
        .iter()
        .find(|name| !exchange.answer_headers.contains_key(&name.to_ascii_lowercase()));
    missing.map_or(Ok(answer), |name| Err(format!("{}: has no {name}", answer.name)))
}

fn names(body: &Value) -> Vec<&String> {
    body.as_object().into_iter().flatten().map(|(name, _)| name).collect()
}

/// Whether the front of the API refused a request before a contract saw it.
fn is_of_front(exchange: &Exchange) -> bool {
    exchange.status == 403 && exchange.body() == json!({"message": "Forbidden"})
}

/// Returns what a body that was accepted has and the schema does not allow. Forms and absent bodies are not compared.
fn unlike(validator: &Validator, exchange: &Exchange) -> Option<String> {
    let body: Map<String, Value> = serde_json::from_str(&exchange.sent).ok()?;
    let body = Value::from(body);
    let error = validator.iter_errors(&body).next()?;
    Some(format!("{error} at {:?} of {body}", error.instance_path().to_string()))
}
