//! The modules of the acceptance tests: one for each endpoint, with the same path as its source.

use crate::declarations::{Declarations, Function};
use crate::project::{File, Project};
use crate::text::{replace_section, wrapped};
use anyhow::Result;

const FOLDER: &str = "tests/acceptance/tests/contracts";
const MARKERS: (&str, &str) = ("// sync: modules", "// sync: end");

/// The width that the format of the code allows (`.rustfmt.toml`).
const WIDTH: usize = 100;

pub(super) fn generate(project: &Project, declarations: &Declarations) -> Result<Vec<File>> {
    let mut files = Vec::new();
    for contract in &declarations.contracts {
        let functions: Vec<_> = declarations.of_contract(Some(contract)).collect();
        let path = format!("{FOLDER}/{contract}/mod.rs");
        let mut modules: Vec<_> =
            functions.iter().map(|function| format!("mod {};", function.module())).collect();
        modules.sort();
        let text = replace_section(&path, &project.read(&path)?, MARKERS, modules)?;
        files.push(File { path, text });
        for function in functions {
            let module = format!("{FOLDER}/{contract}/{}", function.module());
            let path = format!("{module}.rs");
            // A module with several files is a folder.
            if !project.has(&path) && !project.has(&format!("{module}/mod.rs")) {
                files.push(File { path, text: skeleton(function) });
            }
        }
    }
    Ok(files)
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
        let modules = "//! Gotu.\n\nmod fallback;\n\n// sync: modules\nmod gone;\n// sync: end\n";
        let scratch = Scratch::with(&[
            ("tests/acceptance/tests/contracts/gotu/mod.rs", modules),
            ("tests/acceptance/tests/contracts/gotu/post_otp/mod.rs", "//! `POST /otp`.\n"),
        ]);
        let files = generate(&scratch.project, &declarations()).unwrap();
        let wanted = "//! Gotu.\n\nmod fallback;\n\n// sync: modules\nmod get_me;\nmod post_otp;\n\
                      // sync: end\n";
        assert_eq!(files[0].text, wanted);
        assert_eq!(files[1].path, "tests/acceptance/tests/contracts/gotu/get_me.rs");
        assert_eq!(files[1].text, "//! `GET /me`, `GET /api/me`: returns the signed-in user.\n");
        assert_eq!(files.len(), 2);
    }
}
