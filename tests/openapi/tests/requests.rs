//! The files of requests in the repository are those of the documents.

use latchkey::contracts::CONTRACTS;
use openapi::{Files, requests};
use serde_json::Value;
use std::fs;

#[test]
fn the_files_of_requests_are_current() {
    for contract in CONTRACTS {
        let document = Files::current().read(contract.profile.name).unwrap();
        for (path, text) in requests(&contract, &document).unwrap() {
            let file = fs::read_to_string(template::project_root().join(&path)).unwrap_or_default();
            assert!(
                file == text,
                "{} is not current: run `cargo run -p openapi -- requests`",
                path.display()
            );
        }
    }
}

#[test]
fn the_files_have_every_operation_and_no_recorded_secret() {
    for contract in CONTRACTS {
        let document = Files::current().read(contract.profile.name).unwrap();
        let operations = document["paths"].as_object().unwrap().values();
        let operations = operations.flat_map(|path| path.as_object().unwrap().values());
        let names: Vec<_> =
            operations.map(|operation| operation["operationId"].as_str().unwrap()).collect();
        for (path, text) in requests(&contract, &document).unwrap() {
            let path = path.display();
            for name in &names {
                let item = [format!("# @name {name}\n"), format!("\"name\": \"{name}\"")];
                assert!(item.iter().any(|item| text.contains(item)), "{path}: {name} is absent");
            }
            assert!(!text.contains("eyJ"), "{path} has a token");
        }
    }
}

#[test]
fn each_value_of_another_answer_is_a_variable_of_the_collection() {
    for contract in CONTRACTS {
        let document = Files::current().read(contract.profile.name).unwrap();
        let files = requests(&contract, &document).unwrap();
        let collection = files.values().find_map(|text| serde_json::from_str::<Value>(text).ok());
        let collection = collection.unwrap();
        let declared = collection["variable"].as_array().unwrap();
        let items = collection["item"].to_string();
        for used in items.split("{{").skip(1).filter_map(|part| part.split_once("}}")) {
            assert!(declared.iter().any(|variable| variable["key"] == used.0), "{}", used.0);
        }
        assert!(declared.len() > 2, "a contract has tokens and codes");
    }
}
