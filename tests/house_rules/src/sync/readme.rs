//! The table of the API in `README.md`.

use crate::declarations::{Declarations, Function, Trigger};
use crate::project::{File, Project};
use crate::text::replace_section;
use anyhow::Result;

const PATH: &str = "README.md";
const MARKERS: (&str, &str) = ("<!-- sync: routes -->", "<!-- sync: end -->");

pub(super) fn generate(project: &Project, declarations: &Declarations) -> Result<Vec<File>> {
    let text =
        replace_section(PATH, &project.read(PATH)?, MARKERS, table(&declarations.functions))?;
    Ok(vec![File { path: PATH.to_owned(), text }])
}

fn table(functions: &[Function]) -> Vec<String> {
    let head = ["| route | function | what it does |", "| --- | --- | --- |"].map(str::to_owned);
    let rows = functions.iter().map(|function| {
        format!("| {} | {} | {} |", invoked_by(function), function.binary, function.does)
    });
    head.into_iter().chain(rows).collect()
}

/// The routes of a function, or what else invokes it, in parentheses.
fn invoked_by(function: &Function) -> String {
    if function.triggers.is_empty() {
        // What every contract shares is no task of an administrator: subscriptions and rules of the template invoke it.
        let by = if function.contract.is_some() {
            "an administrator invokes it"
        } else {
            "logs and events of AWS"
        };
        return format!("(no route: {by})");
    }
    let mut triggers: Vec<_> = function.triggers.iter().map(trigger).collect();
    // The relay reads the stream of its table twice, each time a part of it.
    triggers.dedup();
    let triggers = triggers.join(", ");
    if function.routes().next().is_some() { triggers } else { format!("({triggers})") }
}

fn trigger(trigger: &Trigger) -> String {
    match trigger {
        Trigger::Route { method, path } => format!("`{method} {path}`"),
        Trigger::EveryOtherRequest => "every other request".to_owned(),
        Trigger::Stream(table) => format!("stream of the table {table}"),
        Trigger::Schedule(period) => match period.as_secs().div_ceil(60) {
            1 => "every minute".to_owned(),
            minutes => format!("every {minutes} minutes"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::declarations;
    use super::*;
    use std::time::Duration;

    #[test]
    fn each_function_has_a_row_that_says_what_invokes_it() {
        let wanted = [
            "| route | function | what it does |",
            "| --- | --- | --- |",
            "| `POST /otp` | gotu-post-otp | sends a code |",
            "| `GET /me`, `GET /api/me` | gotu-get-me | returns the signed-in user |",
            "| (every other request) | fallback | answers requests that no route serves |",
            "| (stream of the table Outbox, every minute) | rotate-keys | replaces keys |",
        ];
        assert_eq!(table(&declarations().functions), wanted);
        let mut function = declarations().functions.remove(0);
        function.triggers.clear();
        assert_eq!(invoked_by(&function), "(no route: an administrator invokes it)");
        function.contract = None;
        assert_eq!(invoked_by(&function), "(no route: logs and events of AWS)");
        assert_eq!(trigger(&Trigger::Schedule(Duration::from_mins(15))), "every 15 minutes");
    }
}
