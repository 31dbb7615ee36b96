//! The modules of the acceptance tests: one for each endpoint, with the same path as its source.

use crate::declarations::{Declarations, Function};
use crate::project::{File, Project};
use crate::text::wrapped;
use anyhow::Result;

const FOLDER: &str = "tests/acceptance/tests/contracts";

/// The width that the format of the code allows (`.rustfmt.toml`).
const WIDTH: usize = 100;

pub(super) fn generate(project: &Project, declarations: &Declarations) -> Result<Vec<File>> {
    let mut files = Vec::new();
    for contract in &declarations.contracts {
        let functions: Vec<_> = declarations.of_contract(Some(contract)).collect();
        let path = format!("{FOLDER}/{contract}/mod.rs");
        let text = functions.iter().fold(project.read(&path)?, |text, function| {
            with_row(&text, &format!("mod {};", function.module()))
        });
        files.push(File { path, text });
        for function in functions {
            let module = format!("{FOLDER}/{contract}/{}", function.module());
            let path = format!("{module}.rs");
            // A module with several files may be a folder.
            if !project.has(&path) && !project.has(&format!("{module}/mod.rs")) {
                files.push(File { path, text: skeleton(function) });
            }
        }
    }
    Ok(files)
}

/// Adds a row to the sorted list of modules, unless it is there.
fn with_row(text: &str, row: &str) -> String {
    let mut lines: Vec<_> = text.lines().collect();
    if lines.contains(&row) {
        return text.to_owned();
    }
    let is_row = |line: &str| line.starts_with("mod ") && line.ends_with(';');
    let greater = lines.iter().position(|line| is_row(line) && *line > row);
    let after_last = lines.iter().rposition(|line| is_row(line)).map(|last| last.saturating_add(1));
    match greater.or(after_last) {
        Some(at) => lines.insert(at, row),
        None => lines.extend(["", row]),
    }
    lines.push("");
    lines.join("\n")
}

/// A module without tests: its author writes them.
fn skeleton(function: &Function) -> String {
    let routes: Vec<_> =
        function.routes().map(|(method, path)| format!("`{method} {path}`")).collect();
    let subject = if routes.is_empty() { function.binary.clone() } else { routes.join(", ") };
    let lines = wrapped(&format!("{subject}: {}.", function.does), "//! ", WIDTH);
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Scratch, declarations};
    use super::*;

    #[test]
    fn modules_are_listed_and_absent_ones_are_begun() {
        let modules = "//! Gotu.\n\nmod fallback;\nmod post_otp;\n\nuse acceptance::Gotu;\n";
        let scratch = Scratch::with(&[
            ("tests/acceptance/tests/contracts/gotu/mod.rs", modules),
            ("tests/acceptance/tests/contracts/gotu/post_otp/mod.rs", "//! `POST /otp`.\n"),
        ]);
        let files = generate(&scratch.project, &declarations()).unwrap();
        let wanted = "//! Gotu.\n\nmod fallback;\nmod get_me;\nmod post_otp;\n\n\
                      use acceptance::Gotu;\n";
        assert_eq!(files[0].text, wanted);
        assert_eq!(files[1].path, "tests/acceptance/tests/contracts/gotu/get_me.rs");
        assert_eq!(files[1].text, "//! `GET /me`, `GET /api/me`: returns the signed-in user.\n");
        assert_eq!(files.len(), 2);
    }

    #[test]
    fn a_row_has_its_place_in_the_order_and_is_not_repeated() {
        assert_eq!(
            with_row("//! A.\n\nmod a;\nmod c;\n", "mod b;"),
            "//! A.\n\nmod a;\nmod b;\nmod c;\n"
        );
        assert_eq!(with_row("mod a;\n\nfn f() {}\n", "mod b;"), "mod a;\nmod b;\n\nfn f() {}\n");
        assert_eq!(with_row("mod a;\n", "mod a;"), "mod a;\n");
        assert_eq!(with_row("//! A.\n", "mod a;"), "//! A.\n\nmod a;\n");
    }
}
