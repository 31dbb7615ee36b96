//! How a stack is started.

use std::path::PathBuf;

/// What to start, and how. The default is what tests want: a free port, everything in memory, quiet.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct Options {
    /// The one HTTP port, on loopback; 0 picks a free one.
    pub port: u16,
    /// Where to keep tables, messages and events between runs; in memory if absent.
    pub data: Option<PathBuf>,
    /// Environment variables that override those of every function.
    pub env: Vec<(String, String)>,
    /// Run release builds of the functions.
    pub release: bool,
    /// Keep log lines for [`Stack::logs`](crate::Stack::logs) only, and do not copy them to stderr.
    pub quiet: bool,
    /// Build the functions first. Without it, they must have been built before.
    pub build: bool,
    /// Write the rights that the functions' calls needed to a new file in this folder.
    pub rights: Option<PathBuf>,
    /// Deploy with this command into an account of its own instead of running the functions here; see
    /// `tests/aws/account.py`.
    pub account: Option<Vec<String>>,
    /// Invoke functions by the template's schedules.
    pub schedules: bool,
    /// The folder of `template.yaml`; if absent, the nearest one at or above the current folder.
    pub root: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 0,
            data: None,
            env: Vec::new(),
            release: false,
            quiet: true,
            build: true,
            rights: None,
            account: None,
            schedules: true,
            root: None,
        }
    }
}
