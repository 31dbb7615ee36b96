//! The name of a release.

use super::parameters::{self, Values};
use crate::project::Project;
use anyhow::{Context as _, Result, ensure};
use serde_json::Value as Json;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The digits of a digest that a name has.
const DIGITS: usize = 8;

/// Returns the name of what is deployed to a stack: the commit, and a digest of the template, the
/// values and the programs. A release of the same commit with another parameter has another name, so
/// that the defects of the version that serves do not count as its own. The same once more has the
/// same name, and changes nothing.
///
/// # Errors
///
/// git does not know the commit, or a function is not built.
pub(super) fn name(
    project: &Project,
    build: &str,
    template: &Json,
    values: &Values,
) -> Result<String> {
    let resources = template.get("Resources").and_then(Json::as_object);
    let code = resources.into_iter().flatten().filter_map(|(_, resource)| {
        Some(project.root().join(build).join(resource.pointer("/Properties/CodeUri")?.as_str()?))
    });
    let programs: Vec<_> = code.map(|folder| folder.join("bootstrap")).collect();
    for program in &programs {
        ensure!(program.is_file(), "{} is not built", program.display());
    }
    let mut content = template.to_string() + &parameters::file(values);
    if !programs.is_empty() {
        content += &digests(project, &programs)?;
    }
    let digest = digest(project, &content)?;
    let digest = digest.get(..DIGITS).context("git computed no digest")?;
    Ok(format!("{}-{digest}", commit(project)?))
}

/// Returns the commit that is deployed, marked if files differ from it.
fn commit(project: &Project) -> Result<String> {
    git(project, &["describe", "--always", "--dirty", "--exclude=*"])
        .context("failed to ask git for the commit: name the release (--release)")
}

fn digests(project: &Project, files: &[PathBuf]) -> Result<String> {
    let paths: Vec<_> = files.iter().map(|file| file.display().to_string()).collect();
    let arguments = ["hash-object", "--no-filters", "--"].into_iter();
    let arguments: Vec<_> = arguments.chain(paths.iter().map(String::as_str)).collect();
    git(project, &arguments)
}

fn git(project: &Project, arguments: &[&str]) -> Result<String> {
    let ran = Command::new("git").args(arguments).current_dir(project.root()).output()?;
    ensure!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr).trim());
    Ok(String::from_utf8(ran.stdout)?.trim().to_owned())
}

fn digest(project: &Project, text: &str) -> Result<String> {
    let mut git = Command::new("git");
    let git = git.args(["hash-object", "--stdin"]).current_dir(project.root());
    let mut git = git.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    git.stdin.take().context("git reads nothing")?.write_all(text.as_bytes())?;
    let ran = git.wait_with_output()?;
    ensure!(ran.status.success(), "failed to compute a digest with git");
    Ok(String::from_utf8(ran.stdout)?)
}
