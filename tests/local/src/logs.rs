//! What the functions and the stack itself have to say.

use std::collections::VecDeque;
use std::io::Write;
use std::sync::Mutex;

use crate::sync::lock;

/// How many lines are remembered; a long-running stack must not eat the machine.
const KEPT_LINES: usize = 100_000;

/// The name under which the stack itself speaks.
const STACK: &str = "local";

/// Keeps every line and, unless it was asked to be quiet, copies it to stderr.
#[derive(Debug)]
pub(crate) struct Logs {
    lines: Mutex<VecDeque<String>>,
    echo: bool,
}

impl Logs {
    pub(crate) fn new(echo: bool) -> Self {
        Self { lines: Mutex::new(VecDeque::new()), echo }
    }

    /// Whether lines go to stderr as well.
    pub(crate) fn echoes(&self) -> bool {
        self.echo
    }

    /// Takes one line that `source`, a function, wrote.
    pub(crate) fn line(&self, source: &str, text: &str) {
        let line = format!("[{source}] {text}");
        if self.echo {
            // Nobody is left to tell when stderr is closed.
            drop(writeln!(std::io::stderr().lock(), "{line}"));
        }
        let mut lines = lock(&self.lines);
        if lines.len() >= KEPT_LINES {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    /// Takes one line of the stack itself.
    pub(crate) fn stack(&self, text: &str) {
        self.line(STACK, text);
    }

    /// Every remembered line, oldest first.
    pub(crate) fn all(&self) -> Vec<String> {
        lock(&self.lines).iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_newest_lines_are_kept() {
        let logs = Logs::new(false);
        for n in 0..=KEPT_LINES {
            logs.line("f", &n.to_string());
        }
        let all = logs.all();
        assert_eq!(all.len(), KEPT_LINES);
        assert_eq!(all.first().map(String::as_str), Some("[f] 1"));
    }
}
