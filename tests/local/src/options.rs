//! The options of a stack.

use crate::consumers::{Retries, WebConsumer};
use std::path::PathBuf;

/// The most lanes of an event source, unless told otherwise: a developer's machine has few cores.
pub const LANES: usize = 2;

/// What goes to standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Log {
    Off,
    /// A line for each request, for a person.
    Text,
    /// Each log line of the functions.
    Json,
}

/// The options of a stack. The defaults are for tests: a free port, everything in memory, no
/// output.
#[derive(Debug, Clone)]
pub struct Options {
    /// The HTTP port on loopback; 0 picks a free one.
    pub port: u16,
    /// The folder that keeps tables, messages and events between runs; in memory if absent.
    pub data: Option<PathBuf>,
    /// Environment variables that override those of every function.
    pub env: Vec<(String, String)>,
    /// Refuses variables that no function reads, and values that they cannot have. A test may want them.
    pub checks_env: bool,
    /// The program of the functions.
    pub functions: Functions,
    /// The text of the template; if absent, that of the project's file.
    pub template: Option<String>,
    /// What goes to standard error. [`Stack::logs`](crate::Stack::logs) has every line anyway.
    pub log: Log,
    /// The address to listen on besides loopback, or the name under which others reach this machine.
    pub host: Option<String>,
    /// Whether the limits of recipients, sources and clients hold.
    pub limits: bool,
    /// The most lanes of an event source. Each starts a process of its function.
    pub lanes: usize,
    /// The folder in which a new file gets the rights that the calls of the functions need.
    pub rights: Option<PathBuf>,
    /// The folder in which a new file gets each request to the API with its answer.
    pub traffic: Option<PathBuf>,
    /// The command that deploys the template into an AWS account, such as `tests/aws/account.py`.
    /// If absent, the functions run as processes of this stack.
    pub account: Option<Vec<String>>,
    /// Invokes functions by the schedules of the template.
    pub schedules: bool,
    /// The consumers that get events by HTTP.
    pub consumers: Vec<WebConsumer>,
    /// The templates of other teams, whose rules and queues run here.
    pub with: Vec<PathBuf>,
    /// When a delivery to a consumer that failed is tried again.
    pub retries: Retries,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 0,
            data: None,
            env: Vec::new(),
            checks_env: false,
            functions: Functions::Built { release: false, watch: false },
            template: None,
            log: Log::Off,
            host: None,
            limits: true,
            lanes: LANES,
            rights: None,
            traffic: None,
            account: None,
            schedules: true,
            consumers: Vec::new(),
            with: Vec::new(),
            retries: Retries::default(),
        }
    }
}

/// The program of the functions. Its first argument names the function.
#[derive(Debug, Clone)]
pub enum Functions {
    /// What cargo builds of the project's sources, of the release profile or not. With `watch`, each
    /// change of a source builds and replaces it.
    Built { release: bool, watch: bool },
    /// This file.
    Executable(PathBuf),
}
