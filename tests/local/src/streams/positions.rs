//! How far each function has read each stream, kept between runs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use anyhow::Context;

use crate::files;
use crate::sync::lock;

/// The last record of each stream before which nothing is left to do.
#[derive(Debug, Default)]
pub(crate) struct Positions {
    positions: Mutex<BTreeMap<String, String>>,
    file: Option<PathBuf>,
}

impl Positions {
    /// Reads the positions of an earlier run in `folder`.
    pub(crate) fn open(folder: &Path) -> anyhow::Result<Self> {
        let file = folder.join("streams.json");
        let positions = match files::read_if_there(&file)? {
            Some(text) => serde_json::from_slice(&text)
                .with_context(|| format!("cannot read {}", file.display()))?,
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
        // Under the lock, so that an older state never overwrites a newer one.
        match &self.file {
            Some(file) => files::replace(file, &serde_json::to_vec(&*positions)?),
            None => Ok(()),
        }
    }
}
