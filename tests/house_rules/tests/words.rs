//! The language of the project: what no text may say, and what each source says first.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use house_rules::findings::{Finding, assert_none};
use house_rules::project::{File, Project};

/// How a phrase is compared with a text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Case {
    Any,
    /// Python's `is None` is code, and "there is none" says what is absent.
    Lower,
}

/// The phrases that occur nowhere, and what to write instead. Each is joined from parts, so that
/// this file does not contain it.
const BANNED: [(&str, Case, &str); 9] = [
    (concat!("some", "body"), Case::Any, "name the role: a caller, an attacker, a customer"),
    (concat!("no", "body"), Case::Any, "name the role: no user, no client"),
    (concat!("who", " comes"), Case::Any, "name the role and the action"),
    (concat!("the world", " broke"), Case::Any, "say: an internal failure"),
    (concat!("told", " the world"), Case::Any, "say: published an event"),
    (concat!("is", " none"), Case::Lower, "say what is absent or invalid"),
    (concat!("contracts", ".md"), Case::Any, "cite a document that the repository holds"),
    (concat!("design", ".md"), Case::Any, "cite a document that the repository holds"),
    (concat!("style", ".md"), Case::Any, "cite a document that the repository holds"),
];

/// Texts that clients receive. They are part of a contract, so they stay as they are.
const WIRE_TEXTS: [(&str, &str); 2] = [
    ("shared/texts/urbanfits/en.ftl", concat!("Share the code with no", "body.")),
    (
        "shared/texts/urbanfits/en.ftl",
        concat!("In the meantime some", "body registered with this e-mail address or username."),
    ),
];

/// The beginnings of paths that exist only on the machine of an author.
const MACHINES: [&str; 5] = [
    concat!("/wo", "rk/"),
    concat!("/ho", "me/"),
    concat!("/ro", "ot/."),
    concat!("/Us", "ers/"),
    concat!("C:", "\\Users"),
];

/// Names of crates and versions, a license, and passwords, which others chose.
const NOT_OURS: [&str; 3] = ["Cargo.lock", "LICENSE", "shared/src/domain/common_passwords.txt"];

fn files() -> Vec<File> {
    let mut files = Project::here().files("").unwrap();
    files.retain(|file| !NOT_OURS.contains(&file.path.as_str()));
    assert!(files.len() > 200, "only {} files", files.len());
    files
}

fn banned(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    let wire_texts: Vec<_> = WIRE_TEXTS.iter().filter(|(path, _)| *path == file.path).collect();
    for (number, line) in file.lines() {
        let line =
            wire_texts.iter().fold(line.to_owned(), |line, (_, text)| line.replace(text, ""));
        let lower = line.to_lowercase();
        for (phrase, case, instead) in BANNED {
            let found = match case {
                Case::Any => lower.contains(phrase),
                Case::Lower => line.replace(&format!("there {phrase}"), "").contains(phrase),
            };
            if found {
                let message = format!("`{phrase}` is banned; {instead}");
                findings.push(Finding::new(file, number, message));
            }
        }
    }
    findings
}

#[test]
fn no_text_has_a_banned_phrase() {
    assert_none(files().iter().flat_map(banned));
}

#[test]
fn a_banned_phrase_is_found_in_any_case_with_its_line() {
    let text = format!("fine\nIf {} calls\n{} is None:\n", "Some".to_owned() + "body", "x");
    let findings = banned(&File { path: "a.py".to_owned(), text });
    assert_eq!(findings.len(), 1);
    assert!(findings.first().unwrap().to_string().starts_with("a.py:2: `some"));
}

#[test]
fn no_text_has_a_path_of_one_machine() {
    assert_none(files().iter().flat_map(|file| {
        let found = file.lines().filter_map(|(number, line)| {
            let path = MACHINES.iter().find(|path| line.contains(*path))?;
            Some(Finding::new(file, number, format!("`{path}` exists on one machine only")))
        });
        found.collect::<Vec<_>>()
    }));
}

#[test]
fn each_source_says_first_what_it_holds() {
    let sources = Project::here().sources("").unwrap();
    assert_none(sources.iter().filter_map(|file| {
        let first = file.text.lines().next().unwrap_or_default();
        let says = first.strip_prefix("//! ").is_some_and(|text| !text.trim().is_empty());
        (!says)
            .then(|| Finding::new(file, 1, "the first line must be `//! ` and what the file holds"))
    }));
}
