//! The table of OWASP ASVS: each requirement has a row, and each row has tests that exist or a reason.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use house_rules::findings::{Finding, assert_none};
use house_rules::project::{File, Project};
use std::collections::BTreeMap;

/// The document with the table.
const TABLE: &str = "shared/docs/asvs.md";

/// The requirements of the chapters V2, V3, V6, V7, V9, V10 and V16 of OWASP ASVS 5.0.0 at the levels
/// 1 and 2, each with its level. The source is
/// `OWASP_Application_Security_Verification_Standard_5.0.0_en.csv` in the repository OWASP/ASVS.
const REQUIREMENTS: [(u8, &str); 13] = [
    (1, "2.1.1 2.2.1 2.2.2 2.3.1"),
    (2, "2.1.2 2.1.3 2.2.3 2.3.2 2.3.3 2.3.4 2.4.1"),
    (1, "3.2.1 3.2.2 3.3.1 3.4.1 3.4.2 3.5.1 3.5.2 3.5.3"),
    (2, "3.3.2 3.3.3 3.3.4 3.4.3 3.4.4 3.4.5 3.4.6 3.5.4 3.5.5 3.7.1 3.7.2"),
    (1, "6.1.1 6.2.1 6.2.2 6.2.3 6.2.4 6.2.5 6.2.6 6.2.7 6.2.8 6.3.1 6.3.2 6.4.1 6.4.2"),
    (
        2,
        "6.1.2 6.1.3 6.2.9 6.2.10 6.2.11 6.2.12 6.3.3 6.3.4 6.4.3 6.4.4 6.5.1 6.5.2 6.5.3 6.5.4 6.5.5 \
         6.6.1 6.6.2 6.6.3 6.8.1 6.8.2 6.8.3 6.8.4",
    ),
    (1, "7.2.1 7.2.2 7.2.3 7.2.4 7.4.1 7.4.2"),
    (2, "7.1.1 7.1.2 7.1.3 7.3.1 7.3.2 7.4.3 7.4.4 7.4.5 7.5.1 7.5.2 7.6.1 7.6.2"),
    (1, "9.1.1 9.1.2 9.1.3 9.2.1"),
    (2, "9.2.2 9.2.3 9.2.4"),
    (1, "10.4.1 10.4.2 10.4.3 10.4.4 10.4.5"),
    (
        2,
        "10.1.1 10.1.2 10.2.1 10.2.2 10.3.1 10.3.2 10.3.3 10.3.4 10.4.6 10.4.7 10.4.8 10.4.9 10.4.10 \
         10.4.11 10.5.1 10.5.2 10.5.3 10.5.4 10.5.5 10.6.1 10.6.2 10.7.1 10.7.2 10.7.3",
    ),
    (
        2,
        "16.1.1 16.2.1 16.2.2 16.2.3 16.2.4 16.2.5 16.3.1 16.3.2 16.3.3 16.3.4 16.4.1 16.4.2 16.4.3 \
         16.5.1 16.5.2 16.5.3",
    ),
];

/// What a row must have in its last cell, besides the tests that it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Needs {
    Tests,
    TestsAndReason,
    Reason,
    /// A link to the document that the requirement asks for.
    Link,
}

/// The states of a row. The document explains them.
const STATES: [(&str, Needs); 7] = [
    ("holds", Needs::Tests),
    ("in part", Needs::TestsAndReason),
    ("documented", Needs::Link),
    ("absent", Needs::Reason),
    ("not applicable", Needs::Reason),
    ("not met", Needs::Reason),
    ("in progress", Needs::Reason),
];

/// The number of words from which a text counts as a reason.
const WORDS_OF_A_REASON: usize = 4;

/// The number of a requirement: chapter, section, requirement.
type Id = Vec<u32>;

fn id(text: &str) -> Option<Id> {
    let parts: Option<Id> = text.split('.').map(|part| part.parse().ok()).collect();
    parts.filter(|parts| parts.len() == 3)
}

fn shown(id: &[u32]) -> String {
    id.iter().map(ToString::to_string).collect::<Vec<_>>().join(".")
}

fn listed(requirements: &[(u8, &str)]) -> BTreeMap<Id, u8> {
    let all = requirements
        .iter()
        .flat_map(|(level, ids)| ids.split_whitespace().map(|text| (id(text).unwrap(), *level)));
    all.collect()
}

/// The references to tests in a cell: the texts in backticks with `::`.
fn references(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).filter(|text| text.contains("::")).collect()
}

/// Whether the cell says something in words, references to tests left out.
fn has_reason(cell: &str) -> bool {
    let outside =
        references(cell).into_iter().fold(cell.to_owned(), |text, it| text.replace(it, ""));
    let words = outside.split_whitespace().filter(|word| word.chars().any(char::is_alphabetic));
    words.count() >= WORDS_OF_A_REASON
}

/// Whether a source has a test of this name. A test of the browser has no attribute: the macro `trials!` of its `main.rs`
/// lists it, and a function that is not in the list does not compile.
fn has_test(source: &File, name: &str) -> bool {
    let lines: Vec<_> = source.text.lines().collect();
    let declares = |line: &str| line.contains(&format!("fn {name}("));
    let attributes = |at: usize| {
        let before = lines.get(..at).unwrap_or_default().iter().rev();
        before
            .map(|line| line.trim())
            .take_while(|line| line.starts_with("#[") || line.starts_with("//"))
    };
    let is_test = |line: &str| line == "#[test]" || line.starts_with("#[tokio::test");
    let mut found = lines.iter().enumerate().filter(|(_, line)| declares(line));
    found.any(|(at, _)| attributes(at).any(is_test) || source.path.contains("/tests/browser/"))
}

/// What is wrong with a reference to a test, `<end of the path of a file>::<name of the test>`.
fn wrong_reference(reference: &str, sources: &[File]) -> Option<String> {
    let Some((path, name)) = reference.split_once(".rs::") else {
        return Some(format!("`{reference}` is not of the form `file.rs::test`"));
    };
    let path = format!("{path}.rs");
    let is_meant = |file: &&File| file.path == path || file.path.ends_with(&format!("/{path}"));
    let files: Vec<_> = sources.iter().filter(is_meant).collect();
    match files.as_slice() {
        [] => Some(format!("there is no file {path}")),
        [file] => (!has_test(file, name)).then(|| format!("{} has no test {name}", file.path)),
        _ => Some(format!("{path} is the end of several paths; write more of the path")),
    }
}

/// What is wrong with the state and the last cell of a row.
fn wrong_answer(state: &str, cell: &str) -> Option<String> {
    let Some((_, needs)) = STATES.iter().find(|(name, _)| *name == state) else {
        return Some(format!("`{state}` is not a state"));
    };
    let (tests, reason) = (!references(cell).is_empty(), has_reason(cell));
    match needs {
        Needs::Tests if !tests => Some(format!("`{state}` needs a test")),
        Needs::TestsAndReason if !(tests && reason) => {
            Some(format!("`{state}` needs a test and a reason"))
        }
        Needs::Reason if !reason => Some(format!("`{state}` needs a reason")),
        Needs::Link if !cell.contains("](") => {
            Some(format!("`{state}` needs a link to the document"))
        }
        _ => None,
    }
}

/// What is wrong with the table: a row that is duplicate, unsorted, not of the list or without its answer, and a
/// requirement without a row.
fn check(table: &File, requirements: &BTreeMap<Id, u8>, sources: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut absent = requirements.clone();
    let mut last = Id::new();
    for (number, line) in table.lines() {
        let mut find = |message: String| findings.push(Finding::new(table, number, message));
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let Some(id) = cells.get(1).and_then(|cell| id(cell)) else { continue };
        if id == last {
            find(format!("{} has a row already", shown(&id)));
        } else if id < last {
            find(format!("{} is below {}: sort the rows by their ids", shown(&id), shown(&last)));
        }
        absent.remove(&id);
        let level = requirements.get(&id);
        last.clone_from(&id);
        let ["", _, stated, summary, state, answer, ""] = cells.as_slice() else {
            find("a row has five cells: id, level, requirement, state, tests or reason".to_owned());
            continue;
        };
        match level {
            None => find(format!("{} is not in the list of requirements", shown(&id))),
            Some(level) if level.to_string() != *stated => {
                find(format!("{} is of level {level}", shown(&id)));
            }
            Some(_) => {}
        }
        if summary.is_empty() {
            find("the requirement has no summary".to_owned());
        }
        let wrong = references(answer).into_iter().filter_map(|it| wrong_reference(it, sources));
        wrong_answer(state, answer).into_iter().chain(wrong).for_each(find);
    }
    let absent = absent.keys().map(|id| format!("{} has no row", shown(id)));
    findings.extend(absent.map(|message| Finding::new(table, 1, message)));
    findings
}

#[test]
fn each_requirement_of_asvs_has_tests_or_a_reason() {
    let project = Project::here();
    let table = File { path: TABLE.to_owned(), text: project.read(TABLE).unwrap() };
    assert_none(check(&table, &listed(&REQUIREMENTS), &project.sources("").unwrap()));
}

#[test]
fn the_list_has_every_requirement_of_level_1_and_2_once() {
    let count = |level: u8| {
        let of_level = REQUIREMENTS.iter().filter(|(it, _)| *it == level);
        of_level.map(|(_, ids)| ids.split_whitespace().count()).sum::<usize>()
    };
    assert_eq!((count(1), count(2)), (40, 95));
    assert_eq!(listed(&REQUIREMENTS).len(), 135);
}

/// What the check finds in these rows, for a list of two requirements and one source with a test and a function.
fn findings_of(rows: &[&str]) -> Vec<String> {
    let table = File { path: "asvs".to_owned(), text: rows.join("\n") };
    let source = |path: &str, text: &str| File { path: path.to_owned(), text: text.to_owned() };
    let sources = [
        source("a/tests/b.rs", "#[tokio::test]\nasync fn it_holds() {}\n\nfn helper() {}\n"),
        source("a/tests/same.rs", "#[test]\nfn it_holds() {}\n"),
        source("b/tests/same.rs", "#[test]\n// why\n#[ignore]\nfn it_holds() {}\n"),
        source("a/tests/browser/c.rs", "pub(super) async fn it_is_shown() {}\n"),
    ];
    let found = check(&table, &listed(&[(1, "2.1.1"), (2, "2.10.1")]), &sources);
    found.into_iter().map(|finding| finding.to_string()).collect()
}

const GOOD: &str = "| 2.1.1 | 1 | x | holds | `tests/b.rs::it_holds` |";
const ALSO_GOOD: &str = "| 2.10.1 | 2 | x | not met | The contract forces it. |";

#[test]
fn a_table_with_tests_and_reasons_is_accepted() {
    let none: [&str; 0] = [];
    assert_eq!(findings_of(&["# A", "| id | b |", "| --- | --- |", GOOD, "", ALSO_GOOD]), none);
    for answer in [
        "holds | `b.rs::it_holds`, `browser/c.rs::it_is_shown`",
        "holds | `b/tests/same.rs::it_holds`",
        "in part | `b.rs::it_holds` The contract forces it.",
        "documented | [here](x)",
        "absent | There is no such thing.",
        "in progress | Others work on it. `b.rs::it_holds`",
    ] {
        let row = format!("| 2.1.1 | 1 | x | {answer} |");
        assert_eq!(findings_of(&[&row, ALSO_GOOD]), none, "{answer}");
    }
}

#[test]
fn a_row_without_its_test_or_its_reason_is_found() {
    for (answer, message) in [
        ("holds | It holds, as all can see.", "`holds` needs a test"),
        ("holds | ", "`holds` needs a test"),
        ("in part | `b.rs::it_holds`", "`in part` needs a test and a reason"),
        ("in part | The contract forces it.", "`in part` needs a test and a reason"),
        ("not met | ", "`not met` needs a reason"),
        ("not met | n/a, see 2.1.2 - 3.4.5", "`not met` needs a reason"),
        ("absent | `b.rs::it_holds`", "`absent` needs a reason"),
        ("not applicable | No.", "`not applicable` needs a reason"),
        ("in progress | ", "`in progress` needs a reason"),
        (
            "documented | It is documented somewhere here.",
            "`documented` needs a link to the document",
        ),
        ("unknown | The contract forces it.", "`unknown` is not a state"),
    ] {
        let row = format!("| 2.1.1 | 1 | x | {answer} |");
        assert_eq!(findings_of(&[&row, ALSO_GOOD]), [format!("asvs:1: {message}")], "{answer}");
    }
}

#[test]
fn a_test_that_does_not_exist_is_found() {
    for (reference, message) in [
        ("b.rs::it_held", "a/tests/b.rs has no test it_held"),
        ("b.rs::it_hold", "a/tests/b.rs has no test it_hold"),
        ("b.rs::helper", "a/tests/b.rs has no test helper"),
        ("d.rs::it_holds", "there is no file d.rs"),
        ("same.rs::it_holds", "same.rs is the end of several paths; write more of the path"),
        ("b::it_holds", "`b::it_holds` is not of the form `file.rs::test`"),
    ] {
        let row = format!("| 2.1.1 | 1 | x | not met | The contract forces it. `{reference}` |");
        assert_eq!(findings_of(&[&row, ALSO_GOOD]), [format!("asvs:1: {message}")], "{reference}");
    }
}

#[test]
fn an_id_that_is_duplicate_unsorted_missing_or_unknown_is_found() {
    assert_eq!(findings_of(&[GOOD, GOOD, ALSO_GOOD]), ["asvs:2: 2.1.1 has a row already"]);
    let unsorted = "asvs:2: 2.1.1 is below 2.10.1: sort the rows by their ids";
    assert_eq!(findings_of(&[ALSO_GOOD, GOOD]), [unsorted]);
    assert_eq!(findings_of(&[GOOD]), ["asvs:1: 2.10.1 has no row"]);
    let unknown = "| 2.9.9 | 1 | x | not met | The contract forces it. |";
    let message = "asvs:2: 2.9.9 is not in the list of requirements";
    assert_eq!(findings_of(&[GOOD, unknown, ALSO_GOOD]), [message]);
}

#[test]
fn a_row_with_another_level_or_without_a_cell_is_found() {
    let level = GOOD.replace("| 1 |", "| 2 |");
    assert_eq!(findings_of(&[&level, ALSO_GOOD]), ["asvs:1: 2.1.1 is of level 1"]);
    let empty = GOOD.replace("| x |", "|  |");
    assert_eq!(findings_of(&[&empty, ALSO_GOOD]), ["asvs:1: the requirement has no summary"]);
    let cells = "asvs:1: a row has five cells: id, level, requirement, state, tests or reason";
    for row in ["| 2.1.1 | 1 | holds | `b.rs::it_holds` |", "| 2.1.1 | 1 | x | y | holds | z |"] {
        assert_eq!(findings_of(&[row, ALSO_GOOD]), [cells], "{row}");
    }
}
