//! The sections and the table of endpoints of `shared/src/contracts/<contract>/CONTRACT.md`: each
//! function with a route has a heading that names a route of it, and a row. The text below a heading
//! and the last cell of a row are written by hand.

use crate::declarations::{Declarations, Function};
use crate::project::{File, Project};
use anyhow::Result;

/// The head of the table of endpoints.
const TABLE: &str = "| endpoint | function |";

pub(super) fn generate(project: &Project, declarations: &Declarations) -> Result<Vec<File>> {
    let files = declarations.contracts.iter().map(|contract| {
        let path = format!("shared/src/contracts/{contract}/CONTRACT.md");
        let mut text = project.read(&path)?;
        let functions: Vec<_> = declarations.of_contract(Some(contract)).collect();
        for function in &functions {
            if let Some(route) = routes(function).next()
                && heading_of(&text, function).is_none()
            {
                text = with_heading(&text, &route, function, &functions);
                text = with_row(&text, &route, function);
            }
        }
        Ok(File { path, text })
    });
    files.collect()
}

/// The routes as they are written in a document.
fn routes(function: &Function) -> impl Iterator<Item = String> {
    function.routes().map(|(method, path)| format!("`{method} {path}`"))
}

/// The level of a heading: the number of `#` that it begins with.
fn level(line: &str) -> Option<usize> {
    let text = line.trim_start_matches('#');
    let level = line.len().saturating_sub(text.len());
    (level > 0 && text.starts_with(' ')).then_some(level)
}

/// The index of the line and the level of the heading that names a route of a function.
fn heading_of(document: &str, function: &Function) -> Option<(usize, usize)> {
    let mut code = false;
    document.lines().enumerate().find_map(|(index, line)| {
        code ^= line.starts_with("```");
        let level = level(line).filter(|_| !code)?;
        routes(function).any(|route| line.contains(&route)).then_some((index, level))
    })
}

/// Adds a section after the sections of the other functions, or else at the end.
fn with_heading(
    document: &str,
    route: &str,
    function: &Function,
    functions: &[&Function],
) -> String {
    let lines: Vec<_> = document.lines().collect();
    let last = functions.iter().filter_map(|function| heading_of(document, function)).max();
    let (line, own_level) = last.unwrap_or((lines.len(), 2));
    let next = lines
        .iter()
        .skip(line.saturating_add(1))
        .position(|line| level(line).is_some_and(|level| level <= own_level));
    let at = next.map_or(lines.len(), |next| line.saturating_add(1).saturating_add(next));
    let (before, after) = lines.split_at_checked(at).unwrap_or((&lines, &[]));
    let mut result: Vec<String> = before.iter().map(|&line| line.to_owned()).collect();
    if result.last().is_some_and(|line| !line.is_empty()) {
        result.push(String::new());
    }
    result.push(format!("{} {route}", "#".repeat(own_level)));
    result.push(String::new());
    result.push(sentence(&function.does));
    if !after.is_empty() {
        result.push(String::new());
    }
    result.extend(after.iter().map(|&line| line.to_owned()));
    result.push(String::new());
    result.join("\n")
}

/// Adds a row at the end of the table of endpoints, if the document has the table and not the row.
fn with_row(document: &str, route: &str, function: &Function) -> String {
    let names_it = |line: &str| line.contains(&format!("| {} |", function.binary));
    let lines: Vec<_> = document.lines().collect();
    let Some(head) = lines.iter().position(|line| line.starts_with(TABLE)) else {
        return document.to_owned();
    };
    let rows = lines.iter().skip(head).take_while(|line| line.starts_with('|'));
    if rows.clone().any(|line| names_it(line)) {
        return document.to_owned();
    }
    let end = head.saturating_add(rows.count());
    let row = format!("| {route} | {} | {} |", function.binary, function.does);
    let (before, after) = lines.split_at_checked(end).unwrap_or((&lines, &[]));
    let lines = before.iter().copied().chain([row.as_str()]).chain(after.iter().copied());
    lines.map(|line| format!("{line}\n")).collect::<Vec<_>>().concat()
}

fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), characters.as_str())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Scratch, declarations};
    use super::*;

    const PATH: &str = "shared/src/contracts/gotu/CONTRACT.md";

    fn generated(document: &str) -> String {
        let scratch = Scratch::with(&[(PATH, document)]);
        generate(&scratch.project, &declarations()).unwrap().remove(0).text
    }

    #[test]
    fn a_section_follows_those_of_the_other_endpoints() {
        let document =
            "# Gotu\n\n## `POST /otp`\n\nText.\n\n### Details\n\n## Refusals\n\nTable.\n";
        let wanted = "# Gotu\n\n## `POST /otp`\n\nText.\n\n### Details\n\n## `GET /me`\n\n\
                      Returns the signed-in user.\n\n## Refusals\n\nTable.\n";
        assert_eq!(generated(document), wanted);
    }

    #[test]
    fn a_new_section_comes_with_a_row_of_the_table() {
        let head = "# Gotu\n\n| endpoint | function | answers |\n| --- | --- | --- |\n";
        let row = "| `POST /otp` | gotu-post-otp | 204 |\n";
        let rest = "\nText.\n\n## `POST /otp`\n";
        let wanted = "| `GET /me` | gotu-get-me | returns the signed-in user |\n";
        let text = generated(&format!("{head}{row}{rest}"));
        assert!(text.starts_with(&format!("{head}{row}{wanted}{rest}")), "{text}");
    }

    #[test]
    fn a_heading_with_one_route_of_a_function_is_enough() {
        let document = "# Gotu\n\n## `POST /otp`\n\n## `GET /api/me` and `GET /me`\n";
        assert_eq!(generated(document), document);
    }

    #[test]
    fn a_document_without_sections_of_endpoints_gets_them_at_its_end() {
        let document = "# Gotu\n\n```sh\n# `POST /otp` in code is no heading\n```\n";
        let added =
            "\n## `POST /otp`\n\nSends a code.\n\n## `GET /me`\n\nReturns the signed-in user.\n";
        assert_eq!(generated(document), format!("{document}{added}"));
    }
}
