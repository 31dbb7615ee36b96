//! The binary that the local stack runs every function from.
//!
//! Its first argument names the function. One binary takes one link, instead of one for each function.

use crate::logs::Logs;
use anyhow::{Context, anyhow, bail};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::{Output, Stdio};
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
    let mut built = BUILT.lock().await;
    if let Some(binary) = built.get(&release) {
        return Ok(binary.clone());
    }
    let profile = if release { "release" } else { "dev" };
    logs.stack(&format!("building the functions ({profile})"));
    let binary = run_cargo(release, logs.echoes()).await?;
    built.insert(release, binary.clone());
    Ok(binary)
}

async fn run_cargo(release: bool, show: bool) -> anyhow::Result<PathBuf> {
    let mut build = cargo();
    // Of the whole workspace, so that the features of the dependencies are the ones of every other
    // command, and nothing is compiled twice.
    build.args(["build", "--message-format=json-render-diagnostics", "--workspace"]);
    build.args(["--bin", ALL_FUNCTIONS]);
    if release {
        build.arg("--release");
    }
    build.stderr(if show { Stdio::inherit() } else { Stdio::piped() });
    let output = finish(build).await?;
    if !output.status.success() {
        if show {
            bail!("cargo build failed ({}), see its messages above", output.status);
        }
        bail!("cargo build failed ({}): {}", output.status, first_error(&output.stderr));
    }
    for line in output.stdout.split(|byte| *byte == b'\n') {
        let Ok(message) = serde_json::from_slice::<Json>(line) else { continue };
        let name = message.pointer("/target/name").and_then(Json::as_str);
        let executable = message.get("executable").and_then(Json::as_str);
        if let (Some(ALL_FUNCTIONS), Some(executable)) = (name, executable) {
            return Ok(executable.into());
        }
    }
    bail!("cargo built no binary {ALL_FUNCTIONS}")
}

fn cargo() -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.current_dir(template::project_root());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.kill_on_drop(true);
    // Under `cargo run` and `cargo test` these describe this crate. Handed on, they would make build scripts
    // that watch them run again.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let ours = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"];
        if ours.iter().any(|prefix| text.starts_with(prefix)) {
            command.env_remove(&name);
        }
    }
    command
}

async fn finish(mut command: Command) -> anyhow::Result<Output> {
    let child = command.spawn().map_err(|error| match error.kind() {
        ErrorKind::NotFound => {
            anyhow!("cargo was not found; install Rust (https://rustup.rs) first")
        }
        _ => anyhow!(error).context("failed to start cargo"),
    })?;
    child.wait_with_output().await.context("failed to wait for cargo")
}

fn first_error(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let error = text.lines().find(|line| line.starts_with("error"));
    error.map_or_else(|| last_line(stderr), str::to_owned)
}

fn last_line(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("no message").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_error_is_the_one_to_show() {
        let stderr =
            b"   Compiling a\nerror: package ID specification `x` did not match\n\nhelp: y\n";
        assert_eq!(first_error(stderr), "error: package ID specification `x` did not match");
        assert_eq!(first_error(b"oh\n\n"), "oh");
    }
}
