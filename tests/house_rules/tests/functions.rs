//! The sources of the functions: one file for each, short, with the wiring at its end.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use house_rules::declarations::Declarations;
use house_rules::findings::{Finding, assert_none};
use house_rules::project::{File, Project};
use house_rules::sync::ALL_FUNCTIONS;
use house_rules::text::code_lines;
use std::collections::BTreeSet;

/// The lines of code that a function may have.
const MOST_LINES: usize = 60;

/// What `main` leaves to the handler and to the common crate.
const NOT_IN_MAIN: [&str; 4] = ["StatusCode", "json!", "unwrap", "match "];

/// The sources, without the generated one that calls all of them.
fn sources() -> Vec<File> {
    let mut sources = Project::here().sources("functions").unwrap();
    sources.retain(|file| file.path != ALL_FUNCTIONS);
    sources
}

#[test]
fn each_source_is_a_declared_function_and_each_function_has_its_source() {
    let declared = Declarations::of(&Project::here()).unwrap().functions;
    let declared: BTreeSet<_> =
        declared.iter().map(|function| format!("functions/{}", function.source())).collect();
    let present: BTreeSet<_> = sources().into_iter().map(|file| file.path).collect();
    assert_eq!(present, declared);
}

#[test]
fn logical_ids_are_made_of_the_names_of_binaries() {
    for function in Declarations::of(&Project::here()).unwrap().functions {
        let words = function.binary.split('-').map(|word| {
            let (first, rest) = word.split_at(1);
            first.to_uppercase() + rest
        });
        assert_eq!(function.id, words.collect::<String>() + "Function");
    }
}

#[test]
fn a_function_is_short() {
    assert_none(sources().iter().filter_map(|file| {
        let count = code_lines(&file.text).count();
        let message = format!("{count} lines of code; at most {MOST_LINES} are allowed");
        (count > MOST_LINES).then(|| Finding::new(file, 1, message))
    }));
}

#[test]
fn main_only_wires() {
    assert_none(sources().iter().flat_map(|file| {
        let is_main = |line: &str| line.contains("fn main(");
        let main = code_lines(&file.text).skip_while(|(_, line)| !is_main(line));
        let mut main = main.peekable();
        let absent = main.peek().is_none().then(|| Finding::new(file, 1, "there is no `main`"));
        let found = main.filter_map(|(number, line)| {
            let word = NOT_IN_MAIN.iter().find(|word| line.contains(*word))?;
            Some(Finding::new(file, number, format!("`main` must only wire: `{word}`")))
        });
        absent.into_iter().chain(found).collect::<Vec<_>>()
    }));
}
