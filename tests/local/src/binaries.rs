//! The functions' binaries: built with cargo, or found.
//!
//! The local stack runs every function from one binary, `all-functions`, whose first argument names
//! the function. It takes one link instead of one for each function.

use crate::logs::Logs;
use anyhow::{Context, anyhow, bail};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use tokio::process::Command;
use tokio::sync::Mutex;

/// Executables by function name.
pub(crate) type Binaries = BTreeMap<String, PathBuf>;

/// The binary of every function.
const ALL_FUNCTIONS: &str = "all-functions";

/// The binaries that this process has built, by project and profile: many stacks in one test process
/// need one build.
static BUILT: Mutex<BTreeMap<(PathBuf, bool), PathBuf>> = Mutex::const_new(BTreeMap::new());

/// Builds the binary of every function, unless this process has built it before.
pub(crate) async fn build(
    root: &Path,
    names: &[String],
    release: bool,
    logs: &Logs,
) -> anyhow::Result<Binaries> {
    // Held during the build: a second caller waits for the result instead of building again.
    let mut built = BUILT.lock().await;
    let key = (root.to_path_buf(), release);
    let binary = if let Some(binary) = built.get(&key) {
        binary.clone()
    } else {
        let profile = if release { "release" } else { "dev" };
        logs.stack(&format!("building {} functions ({profile})", names.len()));
        let binary = run_cargo(root, release, logs.echoes()).await?;
        built.insert(key, binary.clone());
        binary
    };
    Ok(names.iter().map(|name| (name.clone(), binary.clone())).collect())
}

/// Finds the binary of every function, which an earlier command has built.
pub(crate) async fn find(root: &Path, names: &[String], release: bool) -> anyhow::Result<Binaries> {
    let mut metadata = cargo(root);
    metadata.args(["metadata", "--no-deps", "--offline", "--format-version", "1"]);
    let output = finish(metadata).await?;
    if !output.status.success() {
        bail!("cargo metadata failed: {}", last_line(&output.stderr));
    }
    let metadata: Json =
        serde_json::from_slice(&output.stdout).context("cargo metadata's answer")?;
    let target = metadata
        .get("target_directory")
        .and_then(Json::as_str)
        .ok_or_else(|| anyhow!("cargo metadata names no target directory"))?;
    let folder = Path::new(target).join(if release { "release" } else { "debug" });
    let executable = folder.join(ALL_FUNCTIONS);
    if !executable.is_file() {
        bail!("{ALL_FUNCTIONS} has not been built in {}", folder.display());
    }
    Ok(names.iter().map(|name| (name.clone(), executable.clone())).collect())
}

async fn run_cargo(root: &Path, release: bool, show: bool) -> anyhow::Result<PathBuf> {
    let mut build = cargo(root);
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

fn cargo(root: &Path) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.current_dir(root).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
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
        _ => anyhow!(error).context("cannot start cargo"),
    })?;
    child.wait_with_output().await.context("cargo")
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

    #[tokio::test]
    async fn a_binary_that_was_not_built_is_named() {
        let folder = std::env::temp_dir().join(format!("latchkey-empty-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("src")).unwrap();
        let manifest = "[package]\nname = \"empty\"\n[workspace]\n";
        std::fs::write(folder.join("Cargo.toml"), manifest).unwrap();
        std::fs::write(folder.join("src/lib.rs"), "").unwrap();
        let error = find(&folder, &["some-function".to_owned()], false).await.unwrap_err();
        assert!(format!("{error:#}").contains(ALL_FUNCTIONS), "{error:#}");
        std::fs::remove_dir_all(folder).unwrap();
    }
}
