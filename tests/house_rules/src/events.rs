//! The schemas of the events, and the record of those of the last release.

use crate::project::{File, Project};
use anyhow::{Context as _, Result, bail};
use event_schemas::END;
use event_schemas::compatibility::{Break, Schemas, breaks};
use event_schemas::types::TypesFile;
use serde_json::Value as Json;
use std::fs;

/// The folder of the schemas.
pub const FOLDER: &str = "shared/docs/events";
/// The schemas of the last release, by contract and type.
pub const RELEASED: &str = "shared/docs/events/released.json";

/// The folder of the types that consumers can copy.
pub const TYPES: &str = "shared/docs/events/types";

/// Whether a release may break consumers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consumers {
    /// It must not.
    MustSurvive,
    /// It may: they were told.
    MayBreak,
}

/// Reads the current schemas.
///
/// # Errors
///
/// A file cannot be read, or is not JSON.
pub fn current(project: &Project) -> Result<Schemas> {
    let mut schemas = Schemas::new();
    for folder in fs::read_dir(project.root().join(FOLDER))? {
        let folder = folder?.path();
        if !folder.is_dir() {
            continue;
        }
        for file in fs::read_dir(&folder)? {
            let file = file?.path();
            let name = |path: &std::path::Path| Some(path.file_name()?.to_str()?.to_owned());
            let (Some(contract), Some(file)) = (name(&folder), name(&file)) else { continue };
            let Some(kind) = file.strip_suffix(END) else { continue };
            let path = format!("{FOLDER}/{contract}/{file}");
            let json = serde_json::from_str(&project.read(&path)?);
            let json = json.with_context(|| format!("{path} is not JSON"))?;
            schemas.insert(format!("{contract}/{kind}"), json);
        }
    }
    Ok(schemas)
}

/// Reads the schemas of the last release.
///
/// # Errors
///
/// The record cannot be read.
pub fn released(project: &Project) -> Result<Schemas> {
    serde_json::from_str(&project.read(RELEASED)?).context("the record of a release is not JSON")
}

/// Returns what in the current schemas breaks consumers of the last release.
///
/// # Errors
///
/// A file cannot be read.
pub fn broken(project: &Project) -> Result<Vec<Break>> {
    Ok(breaks(&released(project)?, &current(project)?))
}

/// Records the current schemas as those of a release. Returns their number.
///
/// # Errors
///
/// They break consumers who must survive, or a file cannot be read or written.
pub fn release(project: &Project, consumers: Consumers) -> Result<usize> {
    let path = project.root().join(RELEASED);
    if consumers == Consumers::MustSurvive && path.exists() {
        let broken = broken(project)?;
        if !broken.is_empty() {
            let lines: Vec<_> = broken.iter().map(Break::to_string).collect();
            bail!("these changes break consumers:\n{}", lines.join("\n"));
        }
    }
    let current = current(project)?;
    let json: Json = serde_json::to_value(&current)?;
    fs::write(&path, format!("{}\n", serde_json::to_string_pretty(&json)?))?;
    Ok(current.len())
}

/// Returns the paths and texts of the files with the types of the events, which follow from the schemas.
///
/// # Errors
///
/// A schema cannot be read, or uses what the types cannot say.
pub fn types(project: &Project) -> Result<Vec<File>> {
    let files = event_schemas::types::files(&current(project)?).map_err(anyhow::Error::msg)?;
    let file = |file: TypesFile| File { path: format!("{TYPES}/{}", file.name), text: file.text };
    Ok(files.into_iter().map(file).collect())
}
