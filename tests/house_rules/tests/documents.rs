//! The documents: what each must hold.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use house_rules::findings::{Finding, assert_none};
use house_rules::project::{File, Project};
use template::Template;

/// The lines that the README may have.
const MOST_README_LINES: usize = 130;

fn read(path: &str) -> File {
    File { path: path.to_owned(), text: Project::here().read(path).unwrap() }
}

#[test]
fn the_readme_is_short() {
    let count = read("README.md").text.lines().count();
    assert!(
        count <= MOST_README_LINES,
        "README.md:{count}: at most {MOST_README_LINES} lines; move the rest to shared/docs"
    );
}

#[test]
fn every_variable_has_a_row_in_the_configuration() {
    let document = read("shared/docs/configuration.md");
    let template = Template::load().unwrap();
    let variables = template.document().pointer("/Globals/Function/Environment/Variables");
    let variables = variables.unwrap().as_object().unwrap();
    assert!(variables.len() > 25, "{variables:?}");
    // The names of the tables are one row.
    let names = variables.keys().filter(|name| !name.ends_with("_TABLE"));
    assert_none(names.filter_map(|name| {
        let row = |line: &str| line.starts_with('|') && line.contains(&format!("`{name}`"));
        let absent = !document.text.lines().any(row);
        absent.then(|| Finding::new(&document, 1, format!("the variable {name} has no row")))
    }));
}

#[test]
fn the_steps_of_a_deployment_explain_every_parameter_in_order() {
    let document = read("shared/docs/deploying.md");
    let heading = "## Step by step";
    let at = document.text.find(heading).unwrap();
    let mut rest = document.text.get(at..).unwrap();
    for parameter in parameters() {
        let at = rest.find(&format!("`{parameter}`"));
        let message = format!("shared/docs/deploying.md: {parameter} is absent or out of order");
        assert!(at.is_some(), "{message}");
        rest = rest.get(at.unwrap()..).unwrap();
    }
}

/// The names of the parameters, in the order of the template.
fn parameters() -> Vec<String> {
    let text = read("template.yaml").text;
    let section = text.split("\nParameters:\n").nth(1).unwrap();
    let lines = section.lines().take_while(|line| line.is_empty() || line.starts_with([' ', '#']));
    let names = lines.filter_map(|line| {
        let name = line.strip_prefix("  ")?.strip_suffix(':')?;
        name.chars().all(char::is_alphanumeric).then(|| name.to_owned())
    });
    let names: Vec<_> = names.collect();
    assert_eq!(names.len(), Template::load().unwrap().parameters.len());
    names
}
