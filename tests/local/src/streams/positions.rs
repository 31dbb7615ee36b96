//! The positions of the functions in the streams, kept between runs.

use crate::files;
use crate::sync::lock;
use anyhow::Context;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// The sequence number of each stream up to which all records are processed.
#[derive(Debug, Default)]
pub(crate) struct Positions {
    positions: Mutex<BTreeMap<String, String>>,
    file: Option<PathBuf>,
}

impl Positions {
    /// Reads the positions of an earlier run in `folder`.
    pub(crate) fn open(folder: &Path) -> anyhow::Result<Self> {
        let file = folder.join("streams.json");
        let positions = match files::read_if_exists(&file)? {
            Some(text) => serde_json::from_slice(&text)
                .with_context(|| format!("failed to read {}", file.display()))?,
            None => BTreeMap::new(),
        };
        Ok(Self { positions: Mutex::new(positions), file: Some(file) })
    }

    pub(super) fn get(&self, key: &str) -> Option<String> {
        lock(&self.positions).get(key).cloned()
    }

    pub(super) fn set(&self, key: &str, sequence: &str) -> anyhow::Result<()> {
        let mut positions = lock(&self.positions);
        positions.insert(key.to_owned(), sequence.to_owned());
        // Written under the lock, so that an older state cannot replace a newer one.
        match &self.file {
            Some(file) => files::replace(file, &serde_json::to_vec(&*positions)?),
            None => Ok(()),
        }
    }
}
