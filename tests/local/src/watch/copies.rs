//! Copies of the builds.

use anyhow::{Context, ensure};
use std::fs::Metadata;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use tokio::process::Command;

/// The folder beside the binary that holds a folder for each stack.
const FOLDER: &str = "local-stack";

/// Copies of the builds, because cargo replaces the file that instances start from. A linker may
/// write into the file that exists, so a hard link would not do.
#[derive(Debug)]
pub(super) struct Copies {
    /// The name of the stack.
    name: String,
    /// The folder of this stack. Deleted at the end.
    folder: Option<PathBuf>,
    count: u64,
    /// The file that was copied last.
    original: Option<Identity>,
    newest: Option<PathBuf>,
    old: Option<PathBuf>,
}

/// Tells one build of a file from another.
#[derive(Debug, PartialEq, Eq)]
struct Identity {
    inode: u64,
    size: u64,
    seconds: i64,
    nanoseconds: i64,
}

impl Identity {
    fn of(file: &Metadata) -> Self {
        Self {
            inode: file.ino(),
            size: file.size(),
            seconds: file.mtime(),
            nanoseconds: file.mtime_nsec(),
        }
    }
}

impl Copies {
    /// The copies of a stack; no two stacks that run have the same name.
    pub(super) fn of(name: &str) -> Self {
        let name = name.to_owned();
        Self { name, folder: None, count: 0, original: None, newest: None, old: None }
    }

    /// Copies a build. Returns the path of the copy; `None` if it is the build that was copied last.
    pub(super) async fn take(&mut self, binary: &Path) -> anyhow::Result<Option<PathBuf>> {
        let failed = || format!("failed to copy {}", binary.display());
        let identity = Identity::of(&binary.metadata().with_context(failed)?);
        if self.original.as_ref() == Some(&identity) {
            return Ok(None);
        }
        self.count = self.count.saturating_add(1);
        let file = binary.file_name().unwrap_or_default().to_string_lossy();
        let file = format!("{file}-{}", self.count);
        let copy = self.folder(binary).with_context(failed)?.join(file);
        // Another process writes the file: a file that is open for writing cannot be executed, and
        // an instance that starts at this moment would inherit the open file.
        let mut command = Command::new("cp");
        let output = command.arg(binary).arg(&copy).output().await.with_context(failed)?;
        let problem = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{}: {}", failed(), problem.trim());
        self.original = Some(identity);
        self.old = self.newest.replace(copy.clone());
        Ok(Some(copy))
    }

    /// Deletes the copy before the newest one.
    pub(super) fn delete_old(&mut self) {
        if let Some(old) = self.old.take() {
            // It stays until the end of the stack then.
            drop(std::fs::remove_file(old));
        }
    }

    /// Returns the folder of the copies, which does not exist before the first one.
    fn folder(&mut self, binary: &Path) -> std::io::Result<PathBuf> {
        if let Some(folder) = &self.folder {
            return Ok(folder.clone());
        }
        let beside = binary.parent().unwrap_or(Path::new("/"));
        let folder = beside.join(FOLDER).join(&self.name);
        // A stack of this name that was killed could not delete it.
        match std::fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        std::fs::create_dir_all(&folder)?;
        Ok(self.folder.insert(folder).clone())
    }
}

impl Drop for Copies {
    fn drop(&mut self) {
        if let Some(folder) = &self.folder {
            // The next stack of this name deletes it otherwise.
            drop(std::fs::remove_dir_all(folder));
        }
    }
}
