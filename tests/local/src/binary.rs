//! The binary that the local stack runs every function from.
//!
//! Its first argument names the function. One binary takes one link, instead of one for each function.

use crate::logs::Logs;
use anstream::adapter::strip_str;
use anyhow::{Context, anyhow, bail};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use terminal_size::{Width, terminal_size_of};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;
use tokio::sync::Mutex;

/// The name of the binary.
const ALL_FUNCTIONS: &str = "all-functions";

/// The binaries that this process has built: of the release profile or not. Many stacks in one test
/// process need one build.
static BUILT: Mutex<BTreeMap<bool, PathBuf>> = Mutex::const_new(BTreeMap::new());

/// Builds the binary, unless this process has built it before. Returns its path.
pub(crate) async fn build(release: bool, logs: &Logs) -> anyhow::Result<PathBuf> {
    // Held during the build: a second caller waits for the result instead of building again.
    let mut binaries = BUILT.lock().await;
    if let Some(binary) = binaries.get(&release) {
        return Ok(binary.clone());
    }
    let build = Build::of_project(release, logs);
    logs.stack(&format!("building the functions ({})", build.profile()));
    match build.run().await? {
        Built::Ready(binary) => {
            binaries.insert(release, binary.clone());
            Ok(binary)
        }
        Built::Failed(failure) => bail!(failure.summary),
    }
}

/// The command that builds the binary.
#[derive(Debug, Clone)]
pub(crate) struct Build {
    /// Cargo.
    pub(crate) program: OsString,
    pub(crate) project: PathBuf,
    pub(crate) release: bool,
    /// Whether the messages also go to standard error.
    pub(crate) show: bool,
}

/// The end of a build.
#[derive(Debug)]
pub(crate) enum Built {
    /// The path of the binary.
    Ready(PathBuf),
    Failed(Failure),
}

/// Why a build failed.
#[derive(Debug)]
pub(crate) struct Failure {
    /// One line.
    pub(crate) summary: String,
    /// What cargo and the compiler printed from the first error on, without colours.
    pub(crate) errors: String,
}

impl Build {
    /// The command for the project that this process runs in.
    pub(crate) fn of_project(release: bool, logs: &Logs) -> Self {
        Self {
            program: std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()),
            project: template::project_root(),
            release,
            show: logs.echoes(),
        }
    }

    /// The name of the profile.
    pub(crate) const fn profile(&self) -> &'static str {
        if self.release { "release" } else { "dev" }
    }

    /// Builds the binary.
    ///
    /// # Errors
    ///
    /// If cargo cannot be run.
    pub(crate) async fn run(&self) -> anyhow::Result<Built> {
        let mut child = self.command().spawn().map_err(|error| match error.kind() {
            ErrorKind::NotFound => {
                anyhow!("cargo was not found; install Rust (https://rustup.rs) first")
            }
            _ => anyhow!(error).context("failed to start cargo"),
        })?;
        let stderr = child.stderr.take().context("cargo has no standard error")?;
        let (printed, output) = tokio::join!(self.pass_on(stderr), child.wait_with_output());
        let output = output.context("failed to wait for cargo")?;
        if !output.status.success() {
            return Ok(Built::Failed(self.failure(output.status, &printed)));
        }
        for line in output.stdout.split(|byte| *byte == b'\n') {
            let Ok(message) = serde_json::from_slice::<Json>(line) else { continue };
            let name = message.pointer("/target/name").and_then(Json::as_str);
            let executable = message.get("executable").and_then(Json::as_str);
            if let (Some(ALL_FUNCTIONS), Some(executable)) = (name, executable) {
                return Ok(Built::Ready(executable.into()));
            }
        }
        bail!("cargo built no binary {ALL_FUNCTIONS}")
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        // Of the whole workspace, so that the features of the dependencies are the ones of every other
        // command, and nothing is compiled twice.
        command.args(["build", "--message-format=json-render-diagnostics", "--workspace"]);
        command.args(["--bin", ALL_FUNCTIONS]);
        if self.release {
            command.arg("--release");
        }
        command.current_dir(&self.project);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.kill_on_drop(true);
        if let Some(terminal) = Terminal::of_stderr().filter(|_| self.show) {
            terminal.describe_to(&mut command);
        }
        // Under `cargo run` and `cargo test` these describe this crate. Handed on, they would make build
        // scripts that watch them run again.
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            let ours = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"];
            if ours.iter().any(|prefix| text.starts_with(prefix)) {
                command.env_remove(&name);
            }
        }
        command
    }

    /// Passes what cargo prints on to standard error. Returns all of it.
    async fn pass_on(&self, mut stderr: impl AsyncRead + Unpin) -> Vec<u8> {
        let mut all = Vec::new();
        let mut start = 0;
        while matches!(stderr.read_buf(&mut all).await, Ok(read) if read > 0) {
            if self.show {
                let new = all.get(start..).unwrap_or_default();
                // There is no other place to report that standard error is closed.
                drop(std::io::stderr().lock().write_all(new));
            }
            start = all.len();
        }
        all
    }

    fn failure(&self, status: ExitStatus, printed: &[u8]) -> Failure {
        let printed = without_progress(printed);
        let summary = if self.show {
            format!("cargo build failed ({status}), see its messages above")
        } else {
            format!("cargo build failed ({status}): {}", first_error(&printed))
        };
        Failure { summary, errors: errors(&printed) }
    }
}

/// A terminal that cargo can show its progress in. Cargo writes to a pipe, so it does not find out
/// itself.
struct Terminal {
    width: u16,
}

impl Terminal {
    fn of_stderr() -> Option<Self> {
        // Where cargo shows no progress either.
        let dumb = std::env::var_os("TERM").is_none_or(|name| name == "dumb");
        let (Width(width), _) = terminal_size_of(std::io::stderr())?;
        (!dumb).then_some(Self { width })
    }

    fn describe_to(&self, command: &mut Command) {
        let width = self.width.to_string();
        for (name, value) in [
            ("CARGO_TERM_COLOR", "always"),
            ("CARGO_TERM_PROGRESS_WHEN", "always"),
            ("CARGO_TERM_PROGRESS_WIDTH", &width),
        ] {
            // The developer's own choice wins.
            if std::env::var_os(name).is_none() {
                command.env(name, value);
            }
        }
    }
}

/// Returns what remains on a terminal: each line without colours, and without what was written over.
fn without_progress(printed: &[u8]) -> String {
    let text = String::from_utf8_lossy(printed);
    let last = |line: &str| strip_str(line.rsplit('\r').next().unwrap_or_default()).to_string();
    text.lines().map(|line| last(line) + "\n").collect()
}

/// Returns the lines from the first error on; all lines if there is none.
fn errors(printed: &str) -> String {
    let is_error = |line: &&str| line.starts_with("error");
    let all: Vec<_> = printed.lines().collect();
    let first = all.iter().position(is_error).unwrap_or_default();
    all.get(first..).unwrap_or_default().join("\n")
}

/// Returns the line with the first error, or else the last one.
fn first_error(printed: &str) -> &str {
    let error = printed.lines().find(|line| line.starts_with("error"));
    let last = || printed.lines().rev().find(|line| !line.trim().is_empty());
    error.or_else(last).unwrap_or("no message")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_error_is_the_one_to_show() {
        let printed =
            "   Compiling a\nerror: package ID specification `x` did not match\n\nhelp: y\n";
        assert_eq!(first_error(printed), "error: package ID specification `x` did not match");
        assert_eq!(first_error("oh\n\n"), "oh");
        assert_eq!(first_error(""), "no message");
    }

    #[test]
    fn the_errors_have_neither_colours_nor_progress() {
        let printed = b"\x1b[1m\x1b[92m   Compiling\x1b[0m a\n\
            \x1b[1m    Building\x1b[0m [==>  ] 1/2: a\r\x1b[K\x1b[1m\x1b[91merror\x1b[0m: no such type\n\
            \x1b[94m -->\x1b[0m a.rs:1:1\n\
            \x1b[1m    Building\x1b[0m [==>  ] 1/2: a\r\x1b[K\x1b[91merror\x1b[0m: could not compile `a`\n";
        let printed = without_progress(printed);
        assert_eq!(
            errors(&printed),
            "error: no such type\n --> a.rs:1:1\nerror: could not compile `a`"
        );
        assert_eq!(errors("warning: x\nkilled\n"), "warning: x\nkilled");
    }
}
