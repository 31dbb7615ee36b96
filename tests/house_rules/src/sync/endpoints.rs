//! The first paragraph of each `functions/<contract>/<endpoint>.rs`, which says the route and what
//! the endpoint does; and the file of an endpoint that is only declared.

use crate::declarations::{Declarations, Function, Trigger};
use crate::project::{File, Project};
use crate::text::wrapped;
use anyhow::Result;

/// The width that the format of the code allows (`.rustfmt.toml`).
const WIDTH: usize = 100;

pub(super) fn generate(project: &Project, declarations: &Declarations) -> Result<Vec<File>> {
    let files = declarations.functions.iter().map(|function| {
        let path = format!("functions/{}", function.source());
        let text = match project.read_if_present(&path)? {
            Some(text) => with_first_paragraph(&text, function),
            None => skeleton(function, declarations),
        };
        Ok(File { path, text })
    });
    files.collect()
}

/// The route and what the endpoint does: `` `POST /otp` (Gotu): sends a one-time code. ``
fn paragraph(function: &Function) -> Vec<String> {
    let routes: Vec<_> =
        function.routes().map(|(method, path)| format!("`{method} {path}`")).collect();
    let trigger = if function.triggers.contains(&Trigger::EveryOtherRequest) {
        "`$default`".to_owned()
    } else if routes.is_empty() {
        "No route".to_owned()
    } else {
        routes.join(", ")
    };
    let sentence = format!("{trigger} ({}): {}.", function.product, function.does);
    wrapped(&sentence, "//! ", WIDTH)
}

fn with_first_paragraph(source: &str, function: &Function) -> String {
    let has_text = |line: &&str| line.starts_with("//!") && line.trim() != "//!";
    let paragraph = paragraph(function);
    let rest = source.lines().skip_while(has_text).map(str::to_owned);
    let mut lines: Vec<_> = paragraph.into_iter().chain(rest).collect();
    lines.push(String::new());
    lines.join("\n")
}

/// A file without a handler: it does not compile until its author writes one.
fn skeleton(function: &Function, declarations: &Declarations) -> String {
    let nearest = declarations
        .of_contract(function.contract.as_deref())
        .find(|other| *other != function)
        .map_or_else(
            || "another function".to_owned(),
            |other| format!("functions/{}", other.source()),
        );
    let mut lines = paragraph(function);
    lines.push(String::new());
    lines.push(format!("// Write the handler, then `main`, as in {nearest}."));
    lines.push(String::new());
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Scratch, declarations};
    use super::*;

    #[test]
    fn the_first_paragraph_is_replaced_and_the_rest_is_kept() {
        let declarations = declarations();
        let source =
            "//! `POST /otp`: an old text\n//! in two lines.\n//!\n//! More.\n\nfn main() {}\n";
        let wanted = "//! `POST /otp` (Gotu): sends a code.\n//!\n//! More.\n\nfn main() {}\n";
        assert_eq!(with_first_paragraph(source, &declarations.functions[0]), wanted);
        assert_eq!(with_first_paragraph(wanted, &declarations.functions[0]), wanted);
    }

    #[test]
    fn a_file_without_a_first_paragraph_gets_one() {
        let declarations = declarations();
        let text = with_first_paragraph("\nfn main() {}\n", &declarations.functions[0]);
        assert_eq!(text, "//! `POST /otp` (Gotu): sends a code.\n\nfn main() {}\n");
    }

    #[test]
    fn every_kind_of_trigger_is_said() {
        let lines: Vec<_> = declarations().functions.iter().flat_map(paragraph).collect();
        let wanted = [
            "//! `POST /otp` (Gotu): sends a code.",
            "//! `GET /me`, `GET /api/me` (Gotu): returns the signed-in user.",
            "//! `$default` (Latchkey): answers requests that no route serves.",
            "//! No route (Latchkey): replaces keys.",
        ];
        assert_eq!(lines, wanted);
    }

    #[test]
    fn an_endpoint_that_is_only_declared_gets_a_file_that_says_what_to_write() {
        let path = "functions/gotu/post_otp.rs";
        let source = "//! `POST /otp` (Gotu): sends a code.\n";
        let scratch = Scratch::with(&[(path, source)]);
        let files = generate(&scratch.project, &declarations()).unwrap();
        assert_eq!(files[0], File { path: path.to_owned(), text: source.to_owned() });
        assert_eq!(files[1].path, "functions/gotu/get_me.rs");
        let wanted = "//! `GET /me`, `GET /api/me` (Gotu): returns the signed-in user.\n\n\
                      // Write the handler, then `main`, as in functions/gotu/post_otp.rs.\n";
        assert_eq!(files[1].text, wanted);
    }
}
