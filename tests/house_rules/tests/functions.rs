//! The sources of the functions: one file for each, short, with the wiring at its end.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use house_rules::declarations::{Declarations, Function, TEMPLATE};
use house_rules::findings::{Finding, assert_none};
use house_rules::project::{File, Project};
use house_rules::sync::ALL_FUNCTIONS;
use house_rules::text::code_lines;

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
    let functions = Declarations::of(&Project::here()).unwrap().functions;
    let declared: Vec<_> = functions.iter().map(|f| format!("functions/{}", f.source())).collect();
    let sources = sources();
    let is_declared = |file: &&File| declared.contains(&file.path);
    let undeclared = sources.iter().filter(|file| !is_declared(file));
    let undeclared = undeclared.map(|file| {
        Finding::new(file, 1, format!("{TEMPLATE} declares no function with this source"))
    });
    assert_none(undeclared);
    for (function, path) in functions.iter().zip(&declared) {
        let has_source = sources.iter().any(|file| file.path == *path);
        assert!(has_source, "{}: {} has no source {path}", place(function), function.id);
    }
}

#[test]
fn logical_ids_are_made_of_the_names_of_binaries() {
    for function in Declarations::of(&Project::here()).unwrap().functions {
        let words = function.binary.split('-').map(|word| {
            let (first, rest) = word.split_at(1);
            first.to_uppercase() + rest
        });
        let expected = words.collect::<String>() + "Function";
        assert_eq!(function.id, expected, "{}", place(&function));
    }
}

/// Where the template declares a function.
fn place(function: &Function) -> String {
    Project::here().place(TEMPLATE, &format!("{}:", function.id)).unwrap()
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
