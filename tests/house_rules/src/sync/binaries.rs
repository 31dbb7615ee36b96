//! The `[[bin]]` rows of `functions/Cargo.toml`, one for each function.

use crate::declarations::{Declarations, Function};
use crate::project::{File, Project};
use crate::text::replace_section;
use anyhow::Result;

const PATH: &str = "functions/Cargo.toml";
const MARKERS: (&str, &str) = ("# sync: binaries", "# sync: end");

pub(super) fn generate(project: &Project, declarations: &Declarations) -> Result<Vec<File>> {
    let manifest = project.read(PATH)?;
    let text = replace_section(PATH, &manifest, MARKERS, rows(&declarations.functions))?;
    Ok(vec![File { path: PATH.to_owned(), text }])
}

/// A binary has no unit tests: an endpoint is tested through its wire format, in `tests/acceptance`.
fn rows(functions: &[Function]) -> Vec<String> {
    let row = |function: &Function| {
        [
            "[[bin]]".to_owned(),
            format!("name = \"{}\"", function.binary),
            format!("path = \"{}\"", function.source()),
            "test = false".to_owned(),
            "bench = false".to_owned(),
            "doc = false".to_owned(),
        ]
    };
    let rows: Vec<_> = functions.iter().map(|function| row(function).join("\n")).collect();
    rows.join("\n\n").lines().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Scratch, declarations};
    use super::*;

    #[test]
    fn each_function_has_its_row_in_the_order_of_the_template() {
        let manifest =
            "[package]\nname = \"functions\"\n\n# sync: binaries\n# sync: end\n\n[lints]\n";
        let scratch = Scratch::with(&[(PATH, manifest)]);
        let files = generate(&scratch.project, &declarations()).unwrap();
        let text = &files[0].text;
        let first = "# sync: binaries\n[[bin]]\nname = \"gotu-post-otp\"\npath = \"gotu/post_otp.rs\"\n\
                     test = false\nbench = false\ndoc = false\n\n[[bin]]\nname = \"gotu-get-me\"\n";
        assert!(text.contains(first), "{text}");
        let last =
            "path = \"rotate_keys.rs\"\ntest = false\nbench = false\ndoc = false\n# sync: end\n";
        assert!(text.contains(last), "{text}");
    }
}
