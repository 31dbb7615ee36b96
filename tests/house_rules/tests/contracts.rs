//! The paths that each contract owns: every route belongs to the contract that declares it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use house_rules::declarations::{Declarations, TEMPLATE};
use house_rules::project::Project;

/// The prefixes that a contract owns: the list `paths` of its `CONTRACT` in `mod.rs`.
fn paths(contract: &str) -> Vec<String> {
    let path = format!("shared/src/contracts/{contract}/mod.rs");
    let source = Project::here().read(&path).unwrap();
    let list = source.split_once("\n    paths: &[").map(|(_, rest)| rest);
    let list = list.and_then(|rest| rest.split_once(']')).map(|(list, _)| list);
    assert!(list.is_some(), "{path}:1: `CONTRACT` has no list `paths: &[…]`");
    list.unwrap().split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Whether a path is a prefix or below it.
fn is_below(path: &str, prefix: &str) -> bool {
    let rest = path.strip_prefix(prefix.trim_end_matches('/'));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The contract with the longest prefix of a path.
fn owner<'a>(path: &str, prefixes: &'a [(String, String)]) -> Option<&'a str> {
    let owning = prefixes.iter().filter(|(_, prefix)| is_below(path, prefix));
    owning.max_by_key(|(_, prefix)| prefix.len()).map(|(contract, _)| contract.as_str())
}

#[test]
fn every_route_is_below_a_prefix_of_its_contract_and_of_no_other() {
    let declarations = Declarations::of(&Project::here()).unwrap();
    let prefixes: Vec<_> = declarations
        .contracts
        .iter()
        .flat_map(|contract| paths(contract).into_iter().map(|path| (contract.clone(), path)))
        .collect();
    let mut distinct: Vec<_> = prefixes.iter().map(|(_, prefix)| prefix).collect();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), prefixes.len(), "two contracts own one prefix: {prefixes:?}");
    for function in &declarations.functions {
        for (method, path) in function.routes() {
            let owner = owner(path, &prefixes);
            let advice = "add a prefix to `paths` in the contract's mod.rs";
            let contract = function.contract.as_deref();
            assert_eq!(owner, contract, "{TEMPLATE}: {}: {method} {path}: {advice}", function.id);
        }
    }
}

#[test]
fn the_most_specific_prefix_owns_a_path() {
    let prefix = |contract: &str, path: &str| (contract.to_owned(), path.to_owned());
    let prefixes = [prefix("a", "/api"), prefix("b", "/api/auth"), prefix("c", "/otp/")];
    assert_eq!(owner("/api/auth/x", &prefixes), Some("b"));
    assert_eq!(owner("/api/authors", &prefixes), Some("a"));
    assert_eq!(owner("/otp", &prefixes), Some("c"));
    assert_eq!(owner("/apis", &prefixes), None);
}
