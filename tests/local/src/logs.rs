//! The log lines of the functions and of the stack.

use crate::sync::lock;
use crate::terminal::{self, Colours};
use serde_json::Value as Json;
use std::collections::{BTreeSet, VecDeque};
use std::sync::Mutex;

/// The number of lines that are kept.
const KEPT_LINES: usize = 100_000;

/// The source of the lines of the stack itself.
const STACK: &str = "local";

/// Tells where log lines go besides [`Logs::all`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Echo {
    #[default]
    Off,
    /// To standard error, without the scheduled invocations that found nothing to do.
    Stderr,
    /// What matters to a person, to standard error.
    People(Colours),
}

/// The newest lines.
#[derive(Debug, Default)]
pub(crate) struct Logs {
    lines: Mutex<VecDeque<String>>,
    echo: Echo,
    /// The functions that a schedule invokes.
    scheduled: BTreeSet<String>,
}

impl Logs {
    pub(crate) fn new(echo: Echo, scheduled: BTreeSet<String>) -> Self {
        Self { lines: Mutex::default(), echo, scheduled }
    }

    /// Tells whether the lines also go to standard error.
    pub(crate) fn echoes(&self) -> bool {
        self.echo != Echo::Off
    }

    /// Adds a line of a source, such as a function.
    pub(crate) fn line(&self, source: &str, text: &str) {
        let line = format!("[{source}] {text}");
        let quiet = self.scheduled.contains(source) && found_nothing_to_do(text);
        match self.echo {
            Echo::Stderr if !quiet => terminal::print(&line),
            Echo::People(colours) => {
                if let Some(readable) = terminal::readable(colours, source, text) {
                    terminal::print(&readable);
                }
            }
            Echo::Stderr | Echo::Off => {}
        }
        let mut lines = lock(&self.lines);
        if lines.len() >= KEPT_LINES {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    /// Adds a line of the stack itself.
    pub(crate) fn stack(&self, text: &str) {
        self.line(STACK, text);
    }

    /// Returns the kept lines, oldest first.
    pub(crate) fn all(&self) -> Vec<String> {
        lock(&self.lines).iter().cloned().collect()
    }
}

/// Tells whether a line is the summary of an invocation that succeeded and had nothing to do, or counts a sweep.
fn found_nothing_to_do(line: &str) -> bool {
    let Ok(Json::Object(fields)) = serde_json::from_str::<Json>(line) else { return false };
    if fields.contains_key("Sweeps") {
        return true;
    }
    let work = ["records", "delivered", "waiting"];
    fields.contains_key("duration_ms")
        && fields.get("outcome").and_then(Json::as_str) == Some("ok")
        && work.iter().all(|name| fields.get(*name).is_none_or(Json::is_null))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_newest_lines_are_kept() {
        let logs = Logs::default();
        for n in 0..=KEPT_LINES {
            logs.line("f", &n.to_string());
        }
        let all = logs.all();
        assert_eq!(all.len(), KEPT_LINES);
        assert_eq!(all.first().map(String::as_str), Some("[f] 1"));
    }

    #[test]
    fn an_invocation_without_work_or_errors_is_quiet() {
        assert!(found_nothing_to_do(r#"{"outcome":"ok","duration_ms":1.5,"calls":2}"#));
        assert!(found_nothing_to_do(r#"{"Sweeps":1,"Part":"0","_aws":{}}"#));
        for line in [
            r#"{"outcome":"fault","duration_ms":1.5}"#,
            r#"{"outcome":"ok","duration_ms":1.5,"records":1}"#,
            r#"{"outcome":"ok","duration_ms":1.5,"delivered":1}"#,
            r#"{"outcome":"ok","duration_ms":1.5,"waiting":1}"#,
            r#"{"message":"swept overdue entries"}"#,
            "a panic",
        ] {
            assert!(!found_nothing_to_do(line), "{line}");
        }
    }
}
