//! The documents in the repository.

use anyhow::Context as _;
use serde_json::Value;
use std::fs;
use std::path::PathBuf;

/// The folder of the documents.
#[derive(Clone, Debug)]
pub struct Files(PathBuf);

impl Files {
    /// The documents of the code as it is.
    #[must_use]
    pub fn current() -> Self {
        Self(template::project_root().join("shared/docs/openapi"))
    }

    /// The documents of the last release.
    #[must_use]
    pub fn released() -> Self {
        Self(template::project_root().join("shared/docs/openapi/released"))
    }

    /// Reads the document of a contract; `null` if there is no file.
    ///
    /// # Errors
    /// The file cannot be read, or is not JSON.
    pub fn read(&self, contract: &str) -> anyhow::Result<Value> {
        let path = self.path(contract);
        if !path.exists() {
            return Ok(Value::Null);
        }
        let failed = || format!("failed to read {}", path.display());
        let text = fs::read_to_string(&path).with_context(failed)?;
        serde_json::from_str(&text).with_context(failed)
    }

    /// Writes the document of a contract.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, contract: &str, document: &Value) -> anyhow::Result<()> {
        let path = self.path(contract);
        fs::create_dir_all(&self.0)?;
        fs::write(&path, text(document))
            .with_context(|| format!("failed to write {}", path.display()))
    }

    fn path(&self, contract: &str) -> PathBuf {
        self.0.join(format!("{contract}.json"))
    }
}

/// A document as its file contains it: with its members in the order of their names.
#[must_use]
pub fn text(document: &Value) -> String {
    let mut document = document.clone();
    document.sort_all_objects();
    format!("{document:#}\n")
}
