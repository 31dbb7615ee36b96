//! `shared/src/contracts/<contract>/routes.rs`: the routes of a contract as a table in the code.

use crate::declarations::Declarations;
use crate::project::{File, Project};
use anyhow::Result;

/// The width that the format of the code allows (`.rustfmt.toml`).
const WIDTH: usize = 100;

#[expect(clippy::unnecessary_wraps, reason = "every generator has this type")]
pub(super) fn generate(_: &Project, declarations: &Declarations) -> Result<Vec<File>> {
    let files = declarations.contracts.iter().map(|contract| File {
        path: format!("shared/src/contracts/{contract}/routes.rs"),
        text: module(contract, declarations),
    });
    Ok(files.collect())
}

fn module(contract: &str, declarations: &Declarations) -> String {
    let functions: Vec<_> = declarations.of_contract(Some(contract)).collect();
    let product = functions.first().map_or(contract, |function| function.product.as_str());
    let rows: Vec<_> = functions
        .iter()
        .flat_map(|function| {
            let binary = function.binary.as_str();
            function.routes().map(move |(method, path)| Row { method, path, binary })
        })
        .collect();
    format!(
        "//! The routes of {product}, written by `cargo xtask sync` from template.yaml.\n\n\
         use crate::contracts::Route;\n\n{}",
        table(&rows)
    )
}

struct Row<'a> {
    method: &'a str,
    path: &'a str,
    binary: &'a str,
}

/// The table in the form that rustfmt leaves.
fn table(rows: &[Row<'_>]) -> String {
    const START: &str = "pub(super) const ROUTES: &[Route] =";
    match rows {
        [] => format!("{START} &[];\n"),
        // rustfmt does not break the list around a single row.
        [row] => {
            let Row { method, path, binary } = row;
            let one_line = one_line(row);
            let (same, next) = (format!("{START} &[{one_line}];\n"), format!("    &[{one_line}];"));
            if same.trim_end().len() <= WIDTH {
                same
            } else if next.len() <= WIDTH {
                format!("{START}\n{next}\n")
            } else {
                format!(
                    "{START} &[Route {{\n    method: \"{method}\",\n    path: \"{path}\",\n    \
                     function: \"{binary}\",\n}}];\n"
                )
            }
        }
        rows => {
            let rows: String = rows.iter().map(several_rows).collect();
            format!("{START} &[\n{rows}];\n")
        }
    }
}

fn several_rows(row: &Row<'_>) -> String {
    let line = format!("    {},\n", one_line(row));
    if line.trim_end().len() <= WIDTH {
        return line;
    }
    let Row { method, path, binary } = row;
    format!(
        "    Route {{\n        method: \"{method}\",\n        path: \"{path}\",\n        \
         function: \"{binary}\",\n    }},\n"
    )
}

fn one_line(Row { method, path, binary }: &Row<'_>) -> String {
    format!("Route {{ method: \"{method}\", path: \"{path}\", function: \"{binary}\" }}")
}

#[cfg(test)]
mod tests {
    use super::super::testing::declarations;
    use super::*;
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    /// What rustfmt leaves of a text; `None` where the toolchain has no rustfmt.
    fn formatted(text: &str) -> Option<String> {
        let mut rustfmt = Command::new("rustfmt")
            .args(["--edition", "2024", "--config-path"])
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../../.rustfmt.toml"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        rustfmt.stdin.take()?.write_all(text.as_bytes()).unwrap();
        let output = rustfmt.wait_with_output().unwrap();
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
    }

    #[test]
    fn the_module_has_a_row_for_each_route() {
        let wanted = r#"//! The routes of Gotu, written by `cargo xtask sync` from template.yaml.

use crate::contracts::Route;

pub(super) const ROUTES: &[Route] = &[
    Route { method: "POST", path: "/otp", function: "gotu-post-otp" },
    Route { method: "GET", path: "/me", function: "gotu-get-me" },
    Route { method: "GET", path: "/api/me", function: "gotu-get-me" },
];
"#;
        assert_eq!(module("gotu", &declarations()), wanted);
    }

    #[test]
    fn rustfmt_changes_nothing_whatever_the_number_and_the_length_of_the_rows() {
        let short = || Row { method: "GET", path: "/a", binary: "a-get-a" };
        let middle =
            || Row { method: "POST", path: "/sessions/of/a", binary: "a-post-sessions-of-a" };
        let long = || Row {
            method: "GET",
            path: "/api/v1/auth/current_user_profile",
            binary: "goodcity-current-user-profile",
        };
        let tables = [
            vec![],
            vec![short()],
            vec![middle()],
            vec![long()],
            vec![short(), short()],
            vec![short(), long(), middle()],
        ];
        for rows in tables {
            let text = format!("use crate::contracts::Route;\n\n{}", table(&rows));
            assert_eq!(formatted(&text).unwrap_or_else(|| text.clone()), text);
        }
    }
}
