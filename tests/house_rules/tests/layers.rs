//! Which layer of the common crate may name which, and what only some of them may name.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use house_rules::findings::{Finding, assert_none};
use house_rules::project::{File, Project};
use house_rules::text::code_lines;
use std::collections::{BTreeMap, BTreeSet};

/// The layers of `shared/src`, from the innermost to the outermost, and the layers that each may name
/// besides itself.
///
/// `http` knows the terms of the domain and no use case: it reads and writes requests and responses
/// for every contract. `runtime` reads the environment and serves a function: it makes adapters and
/// knows `http`, but no use case. `wiring` builds the use cases of a function from adapters and
/// settings; a contract's profile comes in as a value, so that it names none.
const LAYERS: [(&str, &[&str]); 8] = [
    ("domain", &[]),
    ("ports", &["domain"]),
    ("usecases", &["domain", "ports"]),
    ("adapters", &["domain", "ports"]),
    ("http", &["domain"]),
    ("contracts", &["domain", "ports", "usecases", "http"]),
    ("runtime", &["domain", "ports", "adapters", "http"]),
    ("wiring", &["domain", "ports", "usecases", "adapters", "http", "runtime"]),
];

/// The layers that decide: they do no input or output and name no vendor.
const CORE: [&str; 3] = ["domain", "ports", "usecases"];

/// The part of a path that names the layer.
fn layer(path: &str) -> &str {
    let below = path.strip_prefix("shared/src/").unwrap();
    below.split('/').next().unwrap().trim_end_matches(".rs")
}

/// The sources of the common crate, but its root.
fn sources() -> Vec<File> {
    let mut sources = Project::here().sources("shared/src").unwrap();
    sources.retain(|file| file.path != "shared/src/lib.rs");
    sources
}

/// The lines of code outside of unit tests that contain a word.
fn lines_with<'a>(file: &'a File, word: &'a str) -> impl Iterator<Item = usize> {
    code_lines(&file.text).filter(move |(_, line)| line.contains(word)).map(|(number, _)| number)
}

/// The places in these layers that name one of these words.
fn forbid(layers: &[&str], words: &[&str]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in sources().iter().filter(|file| layers.contains(&layer(&file.path))) {
        for word in words {
            let message = format!("{} must not name `{word}`", layer(&file.path));
            let lines = lines_with(file, word);
            findings.extend(lines.map(|line| Finding::new(file, line, message.clone())));
        }
    }
    findings
}

#[test]
fn every_source_is_in_a_layer() {
    let known = |file: &File| LAYERS.iter().any(|(name, _)| *name == layer(&file.path));
    let unknown: Vec<_> = sources().into_iter().filter(|file| !known(file)).collect();
    assert_none(unknown.iter().map(|file| {
        Finding::new(file, 1, "add the layer to the table of tests/house_rules/tests/layers.rs")
    }));
}

#[test]
fn a_layer_names_only_the_layers_that_it_may_see() {
    let mut findings = Vec::new();
    for (name, visible) in LAYERS {
        let others = LAYERS.iter().map(|(other, _)| *other);
        let hidden = others.filter(|other| *other != name && !visible.contains(other));
        let hidden: Vec<_> = hidden.map(|other| format!("crate::{other}")).collect();
        let hidden: Vec<_> = hidden.iter().map(String::as_str).collect();
        findings.extend(forbid(&[name], &hidden));
    }
    // Such an import could hide a layer from this rule.
    let all: Vec<_> = LAYERS.iter().map(|(name, _)| *name).collect();
    findings.extend(forbid(&all, &["use crate::{", "use crate as"]));
    assert_none(findings);
}

#[test]
fn only_adapters_and_the_runtime_name_a_vendor() {
    let vendors = ["aws_", "lambda_", "jsonwebtoken", "argon2"];
    let mut findings = forbid(&CORE, &vendors);
    findings.extend(forbid(&["contracts"], &["aws_", "jsonwebtoken", "argon2::"]));
    findings.extend(forbid(&["http"], &["aws_", "jsonwebtoken", "argon2"]));
    findings.extend(forbid(&["adapters"], &["lambda_http"]));
    assert_none(findings);
}

#[test]
fn the_core_has_no_serialization_clock_or_environment() {
    let mut findings = forbid(&CORE, &["SystemTime", "Instant::", "std::env"]);
    // A contract's attributes are JSON values. The core keeps them, and neither writes nor reads JSON.
    for file in sources().iter().filter(|file| CORE.contains(&layer(&file.path))) {
        let lines = code_lines(&file.text).filter(|(_, line)| line.contains("serde"));
        let lines = lines.filter(|(_, line)| line.trim() != "use serde_json::Value;");
        let message = format!("{} may name no more of serde than `Value`", layer(&file.path));
        findings.extend(lines.map(|(line, _)| Finding::new(file, line, message.clone())));
    }
    findings.extend(forbid(&["domain"], &["async "]));
    assert_none(findings);
}

#[test]
fn only_contracts_name_a_contract() {
    let others: Vec<_> =
        LAYERS.iter().map(|(name, _)| *name).filter(|name| *name != "contracts").collect();
    let names = Project::here().contracts().unwrap();
    assert!(names.len() >= 4, "{names:?}");
    let mut findings = Vec::new();
    for file in sources().iter().filter(|file| others.contains(&layer(&file.path))) {
        for (number, line) in code_lines(&file.text) {
            let line = line.to_lowercase();
            if let Some(name) = names.iter().find(|name| line.contains(name.as_str())) {
                let message = format!("{} must not name the contract {name}", layer(&file.path));
                findings.push(Finding::new(file, number, message));
            }
        }
    }
    assert_none(findings);
}

#[test]
fn the_environment_is_read_in_one_place() {
    let project = Project::here();
    let mut files = project.sources("shared/src").unwrap();
    files.extend(project.sources("functions").unwrap());
    let (settings, others): (Vec<_>, Vec<_>) =
        files.iter().partition(|file| file.path.starts_with("shared/src/runtime/settings"));
    assert!(settings.iter().any(|file| lines_with(file, "env::var").next().is_some()));
    assert_none(others.into_iter().flat_map(|file| {
        let message = "only shared/src/runtime/settings.rs reads the environment";
        lines_with(file, "env::var").map(move |line| Finding::new(file, line, message))
    }));
}

/// The first part of each path in the braces of an import: `a` and `b` of `{a::{x, y}, b}`.
fn first_parts(import: &str) -> Vec<String> {
    let (mut parts, mut part, mut depth) = (Vec::new(), String::new(), 0_i32);
    let inner =
        import.strip_prefix('{').and_then(|inner| inner.strip_suffix('}')).unwrap_or(import);
    for letter in inner.chars() {
        match letter {
            '{' => depth = depth.saturating_add(1),
            '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => parts.push(std::mem::take(&mut part)),
            _ => {}
        }
        part.push(letter);
    }
    parts.push(part);
    let first = |path: &String| {
        let path = path.trim_start_matches([',', ' ', '\n']);
        path.split("::").next().unwrap_or_default().trim().to_owned()
    };
    parts.iter().map(first).filter(|name| !name.is_empty()).collect()
}

/// The names that a source imports from its own folder.
fn names_from_folder(file: &File) -> BTreeSet<String> {
    let code: Vec<_> = code_lines(&file.text).map(|(_, line)| line.trim()).collect();
    let code = code.join(" ");
    let imports = code.split("use super::").skip(1);
    imports.filter_map(|import| Some(first_parts(import.split_once(';')?.0))).flatten().collect()
}

/// The sources of a folder by the names of their modules, and the module behind each name that the
/// folder's `mod.rs` exports again.
fn modules<'a>(
    folder: &str,
    all: &'a [File],
) -> (BTreeMap<&'a str, &'a File>, BTreeMap<String, String>) {
    let mut modules = BTreeMap::new();
    let mut exported = BTreeMap::new();
    for file in all {
        let Some(name) = file.path.strip_prefix(folder) else { continue };
        let Some(name) = name.strip_suffix(".rs").filter(|name| !name.contains('/')) else {
            continue;
        };
        if name != "mod" {
            modules.insert(name, file);
            continue;
        }
        let exports = file.text.split("pub use ").skip(1);
        for (module, names) in
            exports.filter_map(|export| export.split_once(';')?.0.split_once("::"))
        {
            let names = names.split(|part: char| !part.is_alphanumeric() && part != '_');
            let names = names.filter(|name| !name.is_empty());
            exported.extend(names.map(|name| (name.to_owned(), module.to_owned())));
        }
    }
    (modules, exported)
}

/// Adds the modules that can be reached from a module to `reached`.
fn reach(from: &str, edges: &BTreeMap<&str, BTreeSet<String>>, reached: &mut BTreeSet<String>) {
    for next in edges.get(from).into_iter().flatten() {
        if reached.insert(next.clone()) {
            reach(next, edges, reached);
        }
    }
}

#[test]
fn the_sources_of_a_folder_do_not_import_each_other_in_a_circle() {
    let all = sources();
    let folders: BTreeSet<_> =
        all.iter().filter_map(|file| Some(format!("{}/", file.path.rsplit_once('/')?.0))).collect();
    assert!(folders.contains("shared/src/usecases/"), "{folders:?}");
    let mut findings = Vec::new();
    for folder in &folders {
        let (modules, exported) = modules(folder, &all);
        let edges: BTreeMap<_, BTreeSet<_>> = modules
            .iter()
            .map(|(name, file)| {
                let names = names_from_folder(file).into_iter();
                let names = names.map(|name| exported.get(&name).cloned().unwrap_or(name));
                (*name, names.filter(|name| modules.contains_key(name.as_str())).collect())
            })
            .collect();
        for (name, file) in &modules {
            let mut reached = BTreeSet::new();
            reach(name, &edges, &mut reached);
            if reached.contains(*name) {
                findings.push(Finding::new(file, 1, "this source is in a circle of imports"));
            }
        }
    }
    assert_none(findings);
}
