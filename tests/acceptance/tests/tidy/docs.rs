//! The documents against the code.

use super::{functions, read};
use shared::contracts::ROUTES;
use shared::contracts::gotu::Refusal;
use std::time::Duration;

#[test]
fn gotus_refusals_are_the_ones_of_its_document() {
    let document = read("shared/src/contracts/gotu/CONTRACT.md");
    let refusals = [
        Refusal::Body,
        Refusal::BodyTooLarge,
        Refusal::Invalid("otpCode is required".to_owned()),
        Refusal::PhoneTaken,
        Refusal::EmailTaken,
        Refusal::Code,
        Refusal::Forbidden,
        Refusal::TooMany { retry_after: Duration::ZERO },
        Refusal::Internal,
    ];
    let rows =
        |line: &&str| line.starts_with("| ") && line.contains(" | 4") || line.contains(" | 5");
    assert_eq!(document.lines().filter(rows).count(), refusals.len());
    for refusal in refusals {
        let (status, text) = refusal.spelling();
        let name = format!("{refusal:?}");
        let name = name.split(['(', ' ']).next().unwrap();
        let row = format!("| `{name}` | {} |", status.as_u16());
        let line = document.lines().find(|line| line.starts_with(&row));
        let line = line.unwrap_or_else(|| panic!("no row {row}"));
        assert!(line.contains(&format!("`{text}`")), "{line} does not say {text}");
    }
}

#[test]
fn the_readme_names_every_route_function_and_variable() {
    let readme = read("README.md");
    for route in ROUTES.iter().copied().flatten() {
        assert!(readme.contains(&format!("`{} {}`", route.method, route.path)), "{}", route.path);
    }
    for function in functions() {
        assert!(readme.contains(&function), "{function}");
    }
    let template = read("template.yaml");
    let variables = template.split("      Variables:\n").nth(1).unwrap();
    let variables = variables.lines().map_while(|line| line.strip_prefix("        "));
    let names = variables.filter_map(|line| line.split_once(": ")).map(|(name, _)| name);
    let names: Vec<_> = names.filter(|name| !name.starts_with('#')).collect();
    assert!(names.len() > 25, "{names:?}");
    for name in names {
        // The tables' names are one row.
        let documented = readme.contains(&format!("`{name}`")) || name.ends_with("_TABLE");
        assert!(documented, "{name} is not in the README");
    }
}

#[test]
fn every_endpoint_has_a_module_of_tests() {
    for route in ROUTES.iter().copied().flatten() {
        let (contract, endpoint) = route.function.split_once('-').unwrap();
        let module = endpoint.replace('-', "_");
        read(&format!("tests/acceptance/tests/contracts/{contract}/{module}.rs"));
    }
}
