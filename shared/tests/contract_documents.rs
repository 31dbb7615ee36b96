//! The refusals of each contract against the tables of its `CONTRACT.md`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use latchkey::contracts::{goodcity, gotu, posbytz, urbanfits};
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::path::Path;

/// A refusal as the table has it: name, status and body.
type Row = (String, u16, String);

fn row(refusal: &impl Debug, (status, body): (u16, String)) -> Row {
    let name = format!("{refusal:?}");
    let name = name.split(['(', ' ']).next().unwrap_or_default();
    (name.to_owned(), status, body)
}

/// The numbers and lines of the table's rows: name, then a status of the class 4xx or 5xx.
fn rows(document: &str) -> Vec<(usize, &str)> {
    let lines = (1..).zip(document.lines());
    let is_row = |line: &str| {
        let mut cells = line.split(" | ");
        cells.next().is_some_and(|name| name.starts_with("| `") && name.ends_with('`'))
            && cells.next().is_some_and(|status| {
                status.len() == 3 && status.starts_with(['4', '5']) && status.parse::<u16>().is_ok()
            })
    };
    lines.filter(|(_, line)| is_row(line)).collect()
}

/// Requires that the document of a contract has a row for each refusal, and no other.
#[track_caller]
fn assert_documented(contract: &str, refusals: &[Row]) {
    let path = format!("src/contracts/{contract}/CONTRACT.md");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(&path);
    let document = std::fs::read_to_string(file).unwrap();
    let rows = rows(&document);
    for (name, status, body) in refusals {
        let start = format!("| `{name}` | {status} |");
        let row = rows.iter().find(|(_, row)| row.starts_with(&start));
        let Some((number, row)) = row else { panic!("shared/{path}: there is no row `{start}`") };
        assert!(row.contains(&format!("`{body}`")), "shared/{path}:{number}: {row} lacks {body}");
    }
    let names: BTreeSet<_> = refusals.iter().map(|(name, ..)| format!("| `{name}` |")).collect();
    for (number, row) in rows {
        let known = names.iter().any(|name| row.starts_with(name.as_str()));
        assert!(known, "shared/{path}:{number}: no refusal has this name: {row}");
    }
}

#[test]
fn the_refusals_of_gotu_are_those_of_its_document() {
    let refusals = gotu::Refusal::samples();
    let rows: Vec<_> =
        refusals.iter().map(|refusal| row(refusal, refusal.status_and_body())).collect();
    assert_documented("gotu", &rows);
}

#[test]
fn the_refusals_of_goodcity_are_those_of_its_document() {
    let refusals = goodcity::Refusal::samples();
    let rows: Vec<_> =
        refusals.iter().map(|refusal| row(refusal, refusal.status_and_body())).collect();
    assert_documented("goodcity", &rows);
}

#[test]
fn the_refusals_of_urbanfits_are_those_of_its_document() {
    let refusals = urbanfits::Refusal::samples();
    let rows: Vec<_> =
        refusals.iter().map(|refusal| row(refusal, refusal.status_and_body())).collect();
    assert_documented("urbanfits", &rows);
}

#[test]
fn the_refusals_of_posbytz_are_those_of_its_document() {
    let of_tokens = posbytz::TokenRefusal::samples();
    let of_tokens = of_tokens.iter().map(|refusal| row(refusal, refusal.status_and_body()));
    let others = posbytz::Refusal::samples();
    let others = others.iter().map(|refusal| row(refusal, refusal.status_and_body()));
    assert_documented("posbytz", &of_tokens.chain(others).collect::<Vec<_>>());
}

#[test]
fn only_rows_of_refusals_are_rows() {
    let document = "| `Body` | 400 | `text` |\n| `exp` | in seconds |\n| `n` | 200 | `x` |\n";
    assert_eq!(rows(document), [(1, "| `Body` | 400 | `text` |")]);
}
