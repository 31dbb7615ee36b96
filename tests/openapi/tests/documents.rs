//! The documents in the repository are those of the code, have examples, and break no client.

use latchkey::contracts::CONTRACTS;
use openapi::{
    Files, breaking, conform, document, kept, missing_examples, recorded, without_examples,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use template::Template;

#[test]
fn the_documents_are_those_of_the_code() {
    let template = Template::load().unwrap();
    for contract in CONTRACTS {
        let name = contract.profile.name;
        let file = without_examples(Files::current().read(name).unwrap());
        let code = document(&contract, &template).unwrap();
        let same = openapi::text(&file) == openapi::text(&code);
        assert!(
            same,
            "shared/docs/openapi/{name}.json is not current: run `cargo run -p openapi -- write`"
        );
    }
}

#[test]
fn every_route_is_in_a_document() {
    for contract in CONTRACTS {
        let document = Files::current().read(contract.profile.name).unwrap();
        let (mut expected, mut found) = (BTreeSet::new(), BTreeSet::new());
        for route in contract.routes {
            expected.insert(format!("{} {}", route.method, route.path));
        }
        let bases: Vec<_> = contract.api.bases.to_vec();
        for (path, item) in document["paths"].as_object().unwrap() {
            for method in item.as_object().unwrap().keys() {
                let method = method.to_uppercase();
                found.extend(bases.iter().map(|base| format!("{method} {base}{path}")));
            }
        }
        assert_eq!(found, expected);
    }
}

#[test]
fn every_answer_has_an_example_that_conforms() {
    for contract in CONTRACTS {
        let document = Files::current().read(contract.profile.name).unwrap();
        assert_eq!(missing_examples(&document, &contract), Vec::<String>::new());
        let examples = kept(&document, &contract);
        let conformance = conform(&examples).unwrap();
        assert_eq!(conformance.findings, BTreeSet::new());
        assert_eq!(recorded(&conformance).len(), examples.len());
    }
}

#[test]
fn no_document_breaks_the_clients_of_the_last_release() {
    for contract in CONTRACTS {
        let name = contract.profile.name;
        let released = Files::released().read(name).unwrap();
        assert_ne!(released, Value::Null, "run `cargo run -p openapi -- release`");
        let current = Files::current().read(name).unwrap();
        assert_eq!(breaking(&released, &current), Vec::<String>::new(), "{name}");
    }
}

/// A document with one operation.
fn one(request: &Value, answer: &Value) -> Value {
    json!({"paths": {"/a": {"post": {
        "requestBody": {"required": true, "content": {"application/json": {"schema": request}}},
        "responses": {"200": {"content": {"application/json": {"schema": answer}}}},
    }}}})
}

#[test]
fn what_breaks_clients_is_named() {
    let text = json!({"type": "string"});
    let object = |properties: Value, required: Value| json!({"type": "object", "properties": properties, "required": required});
    let old = object(json!({"a": {"type": "string", "enum": ["x", "y"]}}), json!(["a"]));
    let with = |new: Value| (one(&old, &text), one(&new, &text));
    let answers = |new: Value| (one(&text, &old), one(&text, &new));
    let narrow = object(json!({"a": {"type": "string", "enum": ["x"]}}), json!(["a"]));
    let wide = object(json!({"a": {"type": "string", "enum": ["x", "y", "z"]}}), json!(["a"]));
    let more = object(
        json!({"a": {"type": "string", "enum": ["x", "y"]}, "b": {"type": "string"}}),
        json!(["a"]),
    );
    let demanding = object(
        json!({"a": {"type": "string", "enum": ["x", "y"]}, "b": {"type": "string"}}),
        json!(["a", "b"]),
    );
    let optional = object(json!({"a": {"type": "string", "enum": ["x", "y"]}}), json!([]));
    let number = object(json!({"a": {"type": "number"}}), json!(["a"]));
    let none = object(json!({}), json!([]));
    for ((released, current), expected) in [
        (with(old.clone()), ""),
        (with(wide.clone()), ""),
        (with(more.clone()), ""),
        (with(optional.clone()), ""),
        (with(narrow.clone()), "enum is [\"x\"] instead of"),
        (with(demanding), "b: the field is required now"),
        (with(number.clone()), "type is \"number\" instead of"),
        (with(none.clone()), "a: the field is not read any more"),
        (answers(old.clone()), ""),
        (answers(narrow), ""),
        (answers(more), ""),
        (answers(wide), "enum is [\"x\",\"y\",\"z\"] instead of"),
        (answers(optional), "a: the field can be absent now"),
        (answers(number), "type is \"number\" instead of"),
        (answers(none), "a: the field is gone"),
        ((one(&text, &text), json!({"paths": {}})), "POST /a: the operation is gone"),
    ] {
        let found = breaking(&released, &current);
        assert_eq!(found.is_empty(), expected.is_empty(), "{found:?} {expected}");
        assert!(
            expected.is_empty() || found.iter().any(|it| it.contains(expected)),
            "{found:?} {expected}"
        );
    }
}
