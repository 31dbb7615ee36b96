//! Building the functions' binaries with cargo.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use anyhow::{Context, anyhow, bail};
use serde_json::Value as Json;
use tokio::process::Command;
use tokio::sync::Mutex;

use crate::logs::Logs;

/// Executables by function name.
pub(crate) type Binaries = BTreeMap<String, PathBuf>;

/// A build: where, whether for release, and what.
type Build = (PathBuf, bool, Vec<String>);

/// What this process has built already: many stacks in one test process need one build.
static BUILT: Mutex<BTreeMap<Build, Binaries>> = Mutex::const_new(BTreeMap::new());

/// Builds the functions' binaries, or finds the ones built before in this process.
pub(crate) async fn build(
    root: &Path,
    names: &[String],
    release: bool,
    logs: &Logs,
) -> anyhow::Result<Binaries> {
    // Held during the build: whoever comes second waits for the result instead of building again.
    let mut built = BUILT.lock().await;
    let key = (root.to_path_buf(), release, names.to_vec());
    if let Some(binaries) = built.get(&key) {
        return Ok(binaries.clone());
    }
    logs.stack(&format!(
        "building the functions: {} ({})",
        names.join(", "),
        if release { "release" } else { "dev" }
    ));
    let binaries = run_cargo(root, names, release, logs.echoes()).await?;
    built.insert(key, binaries.clone());
    Ok(binaries)
}

/// Finds binaries that somebody else has built.
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
    names
        .iter()
        .map(|name| {
            let executable = folder.join(name);
            if !executable.is_file() {
                bail!("{name} has not been built");
            }
            Ok((name.clone(), executable))
        })
        .collect()
}

async fn run_cargo(
    root: &Path,
    names: &[String],
    release: bool,
    show: bool,
) -> anyhow::Result<Binaries> {
    let mut build = cargo(root);
    build.args(["build", "--message-format=json-render-diagnostics"]);
    if release {
        build.arg("--release");
    }
    // Only these packages, so that the features of their dependencies are the ones of a deployment and not
    // the union with what the tests switch on.
    for name in names {
        build.args(["-p", name]);
    }
    build.stderr(if show { Stdio::inherit() } else { Stdio::piped() });
    let output = finish(build).await?;
    if !output.status.success() {
        if show {
            bail!("cargo build failed ({}), see its messages above", output.status);
        }
        bail!("cargo build failed ({}): {}", output.status, first_error(&output.stderr));
    }
    let mut binaries = Binaries::new();
    for line in output.stdout.split(|byte| *byte == b'\n') {
        let Ok(message) = serde_json::from_slice::<Json>(line) else { continue };
        let name = message.pointer("/target/name").and_then(Json::as_str);
        let executable = message.get("executable").and_then(Json::as_str);
        if let (Some(name), Some(executable)) = (name, executable) {
            binaries.insert(name.to_owned(), PathBuf::from(executable));
        }
    }
    if let Some(name) = names.iter().find(|name| !binaries.contains_key(*name)) {
        bail!("the package {name} has no binary {name}, which template.yaml names");
    }
    Ok(binaries)
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
    async fn binaries_that_are_not_there_are_named() {
        let root = crate::project::root();
        let error = find(&root, &["no-such-function".to_owned()], false).await.unwrap_err();
        assert!(format!("{error:#}").contains("no-such-function"));
    }
}
