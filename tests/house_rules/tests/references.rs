//! References from one file of the project to another.

use house_rules::findings::{Finding, assert_none};
use house_rules::project::{File, Project};
use std::collections::{BTreeMap, BTreeSet};

/// The documents that a line names: every word that ends in `.md`, without the address of a site.
fn named_documents(line: &str) -> Vec<&str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "_-./:#".contains(c);
    line.split(|c| !is_part(c))
        .filter(|word| !word.contains("://"))
        .filter_map(|word| word.split('#').next())
        .flat_map(|word| word.split(':'))
        .map(|word| word.trim_end_matches('.').trim_start_matches('/'))
        .filter(|word| word.strip_suffix(".md").is_some_and(|stem| !stem.is_empty()))
        .collect()
}

/// Whether a document that a file names is there: at the path from the root or from the file's
/// folder, or at the end of a longer path, as in `gotu/CONTRACT.md`.
fn exists(named: &str, from: &str, paths: &BTreeSet<String>) -> bool {
    paths.contains(named)
        || paths.contains(&resolved(named, from))
        || paths.iter().any(|path| path.ends_with(&format!("/{named}")))
}

/// A path relative to the folder of a file, as a path from the root.
fn resolved(target: &str, from: &str) -> String {
    let mut parts: Vec<_> = from.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// The targets of a document's links to files, with their lines: path and anchor.
fn links(file: &File) -> Vec<(usize, &str, Option<&str>)> {
    let mut code = false;
    let mut found = Vec::new();
    for (number, line) in file.lines() {
        code ^= line.trim_start().starts_with("```");
        if code {
            continue;
        }
        let targets = line.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
        for (target, _) in targets {
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            let (path, anchor) = match target.split_once('#') {
                Some((path, anchor)) => (path, Some(anchor)),
                None => (target, None),
            };
            found.push((number, path, anchor));
        }
    }
    found
}

/// The anchors that the headings of a document get.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut code = false;
    let mut found = BTreeSet::new();
    for line in text.lines() {
        code ^= line.trim_start().starts_with("```");
        let heading = line.trim_start_matches('#');
        if code || heading.len() == line.len() || !heading.starts_with(' ') {
            continue;
        }
        let kept = heading.trim().to_lowercase();
        let kept = kept.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        found.insert(kept.map(|c| if c == ' ' { '-' } else { c }).collect());
    }
    found
}

#[test]
fn every_document_that_a_text_names_exists() {
    let project = Project::here();
    let paths: BTreeSet<_> = project.paths("").unwrap().into_iter().collect();
    let files = project.files("").unwrap();
    let mut references = 0_usize;
    let mut findings = Vec::new();
    for file in &files {
        for (number, line) in file.lines() {
            let named = named_documents(line);
            references = references.saturating_add(named.len());
            let absent = named.into_iter().filter(|named| !exists(named, &file.path, &paths));
            findings.extend(
                absent.map(|named| Finding::new(file, number, format!("there is no {named}"))),
            );
        }
    }
    assert!(references > 50, "only {references} references were found");
    assert_none(findings);
}

#[test]
fn every_link_of_a_document_leads_to_a_file_and_a_heading() {
    let project = Project::here();
    let paths: BTreeSet<_> = project.paths("").unwrap().into_iter().collect();
    let mut documents = project.files("").unwrap();
    documents.retain(|file| file.has_extension("md"));
    let anchors: BTreeMap<_, _> =
        documents.iter().map(|file| (file.path.clone(), anchors(&file.text))).collect();
    let mut findings = Vec::new();
    for file in &documents {
        for (number, path, anchor) in links(file) {
            let target =
                if path.is_empty() { file.path.clone() } else { resolved(path, &file.path) };
            let folder = format!("{target}/");
            if !paths.contains(&target) && !paths.iter().any(|path| path.starts_with(&folder)) {
                findings.push(Finding::new(file, number, format!("there is no {target}")));
            } else if let Some(anchor) = anchor
                && let Some(headings) = anchors.get(&target)
                && !headings.contains(anchor)
            {
                let message = format!("{target} has no heading for #{anchor}");
                findings.push(Finding::new(file, number, message));
            }
        }
    }
    assert_none(findings);
}

/// The examples below say `EXT` for the extension, because this file is checked as well.
fn example(text: &str) -> String {
    text.replace("EXT", "md")
}

#[test]
fn documents_are_recognized_in_prose_code_and_links() {
    let line =
        example("See `a/b.EXT`, [c](../c.EXT#d). Not https://x.org/e.EXT or *.EXT; f.EXT:3.");
    let named = named_documents(&line);
    assert_eq!(named, [example("a/b.EXT"), example("../c.EXT"), example("f.EXT")]);
    assert!(named_documents(&example("\"{name}.EXT\" or <name>/x.EXTx")).is_empty());
}

#[test]
fn a_reference_is_relative_or_from_the_root_or_the_end_of_a_path() {
    let paths = BTreeSet::from([example("a/b/c.EXT"), example("d.EXT")]);
    let named = |named: &str, from: &str| exists(&example(named), from, &paths);
    assert!(named("a/b/c.EXT", "x.rs") && named("c.EXT", "a/b/x.rs") && named("b/c.EXT", "x.rs"));
    assert!(named("../../d.EXT", "a/b/x.rs"));
    assert!(!named("e.EXT", "x.rs") && !named("bc.EXT", "x.rs"));
}

#[test]
fn headings_have_the_anchors_that_git_hosts_give_them() {
    let text = "# A Title\n## `POST /otp` (new)\n```\n# no heading\n```\n#no heading\n";
    assert_eq!(anchors(text), BTreeSet::from(["a-title".to_owned(), "post-otp-new".to_owned()]));
}
