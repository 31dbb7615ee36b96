//! The files of the project.

use anyhow::{Context as _, Result};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Folders that hold no file of the project: what builds and tools leave behind.
const IGNORED: [&str; 6] =
    [".git", "target", ".aws-sam", "__pycache__", ".pytest_cache", "node_modules"];

/// A folder with the files of the project: the repository, or a copy of a part of it.
#[derive(Clone, Debug)]
pub struct Project {
    root: PathBuf,
}

/// A text file and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// The path below the root, with `/` between its parts.
    pub path: String,
    /// The text.
    pub text: String,
}

impl Project {
    /// The project that the current folder is in.
    #[must_use]
    pub fn here() -> Self {
        Self::at(template::project_root())
    }

    /// The project in this folder.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The text of a file.
    ///
    /// # Errors
    ///
    /// The file does not exist or is not a text; the error names it.
    pub fn read(&self, path: &str) -> Result<String> {
        fs::read_to_string(self.root.join(path)).with_context(|| format!("failed to read {path}"))
    }

    /// The place of a line in a file, for messages: `template.yaml:405`. The line is the first that
    /// begins with this text, spaces left out; without such a line the place is the file.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn place(&self, path: &str, start: &str) -> Result<String> {
        let text = self.read(path)?;
        let line = (1..).zip(text.lines()).find(|(_, line)| line.trim_start().starts_with(start));
        Ok(line.map_or_else(|| path.to_owned(), |(number, _)| format!("{path}:{number}")))
    }

    /// The text of a file that need not exist.
    ///
    /// # Errors
    ///
    /// The file exists and cannot be read.
    pub fn read_if_present(&self, path: &str) -> Result<Option<String>> {
        match fs::read_to_string(self.root.join(path)) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("failed to read {path}")),
        }
    }

    /// Whether a file or folder exists.
    #[must_use]
    pub fn has(&self, path: &str) -> bool {
        self.root.join(path).exists()
    }

    /// Writes a file, and the folders that it is in.
    ///
    /// # Errors
    ///
    /// The file cannot be written; the error names it.
    pub fn write(&self, path: &str, text: &str) -> Result<()> {
        let file = self.root.join(path);
        let folder = file.parent().unwrap_or(&self.root);
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&file, text))
            .with_context(|| format!("failed to write {path}"))
    }

    /// The paths of all files below a folder (`""` is the root), sorted.
    ///
    /// # Errors
    ///
    /// A folder cannot be listed.
    pub fn paths(&self, folder: &str) -> Result<Vec<String>> {
        let mut paths = Vec::new();
        let mut folders = vec![self.root.join(folder)];
        while let Some(folder) = folders.pop() {
            let entries = fs::read_dir(&folder)
                .with_context(|| format!("failed to list {}", folder.display()))?;
            for entry in entries {
                let entry = entry?;
                let ignored = IGNORED.iter().any(|name| entry.file_name() == *name);
                if ignored {
                    continue;
                }
                if entry.file_type()?.is_dir() {
                    folders.push(entry.path());
                } else if let Ok(path) = entry.path().strip_prefix(&self.root) {
                    paths.push(path.to_string_lossy().replace('\\', "/"));
                }
            }
        }
        paths.sort();
        Ok(paths)
    }

    /// The text files below a folder (`""` is the root), sorted by path. Other files are left out.
    ///
    /// # Errors
    ///
    /// A folder cannot be listed.
    pub fn files(&self, folder: &str) -> Result<Vec<File>> {
        let texts = self.paths(folder)?.into_iter().filter_map(|path| {
            let text = fs::read_to_string(self.root.join(&path)).ok()?;
            Some(File { path, text })
        });
        Ok(texts.collect())
    }

    /// The Rust sources below a folder, sorted by path.
    ///
    /// # Errors
    ///
    /// A folder cannot be listed, or there is no source in it.
    pub fn sources(&self, folder: &str) -> Result<Vec<File>> {
        let mut files = self.files(folder)?;
        files.retain(|file| file.has_extension("rs"));
        anyhow::ensure!(!files.is_empty(), "there is no Rust source in {folder}");
        Ok(files)
    }

    /// The names of the contracts: the folders in `shared/src/contracts`, sorted.
    ///
    /// # Errors
    ///
    /// The folder cannot be listed.
    pub fn contracts(&self) -> Result<Vec<String>> {
        let folder = "shared/src/contracts/";
        let paths = self.paths(folder)?;
        let mut names: Vec<_> = paths
            .iter()
            .filter_map(|path| Some(path.strip_prefix(folder)?.split_once('/')?.0.to_owned()))
            .collect();
        names.dedup();
        Ok(names)
    }
}

impl File {
    /// Whether the file's name ends in this extension.
    #[must_use]
    pub fn has_extension(&self, extension: &str) -> bool {
        Path::new(&self.path).extension().is_some_and(|found| found == extension)
    }

    /// The lines of the text, each with its number from 1.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.text.lines())
    }
}
