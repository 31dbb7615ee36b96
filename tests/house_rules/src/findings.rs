//! What a rule finds: places in files, and what is wrong there.

use crate::project::File;
use std::fmt;

/// A place that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The path of the file.
    pub path: String,
    /// The number of the line, from 1.
    pub line: usize,
    /// What is wrong, and what to do.
    pub message: String,
}

impl Finding {
    /// A finding in a line of a file.
    #[must_use]
    pub fn new(file: &File, line: usize, message: impl Into<String>) -> Self {
        Self { path: file.path.clone(), line, message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}: {}", self.path, self.line, self.message)
    }
}

/// Fails a test that found something, with a line for each finding.
///
/// # Panics
///
/// There is a finding.
#[track_caller]
pub fn assert_none(findings: impl IntoIterator<Item = Finding>) {
    let lines: Vec<_> = findings.into_iter().map(|finding| finding.to_string()).collect();
    assert!(lines.is_empty(), "{} places break this rule:\n{}", lines.len(), lines.join("\n"));
}
