//! `functions/all.rs`: every function in one binary, for the local stack.

use crate::declarations::{Declarations, Function};
use crate::project::{File, Project};
use anyhow::Result;

const HEAD: &str = "\
//! Every function in one binary, for the local stack: one link instead of one for each function.
//! It is also a part of the local stack that needs no Rust, `tests/standalone`.
//!
//! The first argument names the function. The second one, if there is one, is a file with the number of
//! milliseconds that the clock of the local stack is ahead.
//!
//! `cargo xtask sync` writes this file from template.yaml.

use latchkey::adapters::system::SystemClock;
use latchkey::runtime::Error;

/// Makes a module of each file, and `run`, which calls the `main` of a module.
macro_rules! functions {
    ($($path:literal $module:ident,)*) => {
        $(#[path = $path] mod $module;)*

        fn run(module: &str) -> Result<(), Error> {
            $(if module == stringify!($module) {
                return $module::main();
            })*
            Err(format!(\"there is no function {module:?}\").into())
        }
    };
}

functions! {
";

const TAIL: &str = "\
}

/// Returns how far the clock of the local stack is ahead now.
fn ahead() -> i64 {
    let text = std::env::args_os().nth(2).and_then(|file| std::fs::read_to_string(file).ok());
    text.and_then(|text| text.trim().parse().ok()).unwrap_or_default()
}

pub(crate) fn main() -> Result<(), Error> {
    SystemClock::set_ahead(ahead);
    let name = std::env::args().nth(1).unwrap_or_default();
    run(&name.replace('-', \"_\"))
}
";

#[expect(clippy::unnecessary_wraps, reason = "every generator has this type")]
pub(super) fn generate(_: &Project, declarations: &Declarations) -> Result<Vec<File>> {
    Ok(vec![File { path: super::ALL_FUNCTIONS.to_owned(), text: source(&declarations.functions) }])
}

fn source(functions: &[Function]) -> String {
    let mut rows: Vec<_> = functions
        .iter()
        .map(|function| {
            format!("    \"{}\" {},\n", function.source(), function.binary.replace('-', "_"))
        })
        .collect();
    rows.sort();
    [HEAD, &rows.concat(), TAIL].concat()
}

#[cfg(test)]
mod tests {
    use super::super::testing::declarations;
    use super::*;

    #[test]
    fn each_function_has_a_row() {
        let source = source(&declarations().functions);
        let rows = "functions! {\n    \"fallback.rs\" fallback,\n    \
                    \"gotu/get_me.rs\" gotu_get_me,\n    \
                    \"gotu/post_otp.rs\" gotu_post_otp,\n    \
                    \"rotate_keys.rs\" rotate_keys,\n}\n";
        assert!(source.contains(rows), "{source}");
    }
}
