//! `functions/all.rs`: every function in one binary, for the local stack.

use crate::declarations::{Declarations, Function};
use crate::project::{File, Project};
use anyhow::Result;

const HEAD: &str = "\
//! Every function in one binary, for the local stack: one link instead of one for each function.
//!
//! The first argument names the function. `cargo xtask sync` writes this file from template.yaml.

use latchkey::runtime::Error;

";

const MAIN: &str = "
fn main() -> Result<(), Error> {
    let name = std::env::args().nth(1).unwrap_or_default();
    match name.as_str() {
";

const TAIL: &str = "        _ => Err(format!(\"no function is called {name:?}\").into()),
    }
}
";

#[expect(clippy::unnecessary_wraps, reason = "every generator has this type")]
pub(super) fn generate(_: &Project, declarations: &Declarations) -> Result<Vec<File>> {
    Ok(vec![File { path: super::ALL_FUNCTIONS.to_owned(), text: source(&declarations.functions) }])
}

fn source(functions: &[Function]) -> String {
    let module = |function: &Function| function.binary.replace('-', "_");
    let mut modules: Vec<_> = functions
        .iter()
        .map(|function| (module(function), format!("#[path = \"{}\"]\n", function.source())))
        .collect();
    modules.sort();
    let modules: String =
        modules.into_iter().map(|(module, path)| path + "mod " + &module + ";\n").collect();
    let arm = |function: &Function| {
        format!("        \"{}\" => {}::main(),\n", function.binary, module(function))
    };
    let arms: String = functions.iter().map(arm).collect();
    [HEAD, &modules, MAIN, &arms, TAIL].concat()
}

#[cfg(test)]
mod tests {
    use super::super::testing::declarations;
    use super::*;

    #[test]
    fn each_function_is_a_module_and_an_arm() {
        let source = source(&declarations().functions);
        let modules = "use latchkey::runtime::Error;\n\n#[path = \"fallback.rs\"]\nmod fallback;\n\
                       #[path = \"gotu/get_me.rs\"]\nmod gotu_get_me;\n";
        assert!(source.contains(modules), "{source}");
        let arms = "    match name.as_str() {\n        \
                    \"gotu-post-otp\" => gotu_post_otp::main(),\n        \
                    \"gotu-get-me\" => gotu_get_me::main(),\n        \
                    \"fallback\" => fallback::main(),\n        \
                    \"rotate-keys\" => rotate_keys::main(),\n        _ => Err(";
        assert!(source.contains(arms), "{source}");
    }
}
