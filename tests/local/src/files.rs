//! The data folder and its files.

use crate::random;
use anyhow::{Context, bail};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// A data folder that only this stack uses.
#[derive(Debug)]
pub(crate) struct DataFolder {
    pub(crate) path: PathBuf,
    /// Locked until the stack ends.
    _lock: File,
}

impl DataFolder {
    /// Creates the folder if it does not exist, and locks it against other stacks.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let failed = || format!("failed to use {} as the data folder", path.display());
        DirBuilder::new().recursive(true).mode(0o700).create(path).with_context(failed)?;
        let lock = private(OpenOptions::new().write(true).create(true).truncate(false))
            .open(path.join("lock"))
            .with_context(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_path_buf(), _lock: lock }),
            Err(std::fs::TryLockError::WouldBlock) => {
                bail!("{} is in use by another local stack", path.display())
            }
            Err(std::fs::TryLockError::Error(error)) => Err(error).with_context(failed),
        }
    }
}

/// Makes a file readable for its owner only, because files of a stack hold codes and keys.
pub(crate) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options.mode(0o600)
}

/// Creates a file of lines with a new name in a folder.
pub(crate) fn new_record(folder: &Path) -> anyhow::Result<File> {
    let path = folder.join(format!("{}.jsonl", random::uuid()));
    let failed = || format!("failed to write {}", path.display());
    std::fs::create_dir_all(folder).with_context(failed)?;
    private(OpenOptions::new().append(true).create(true)).open(&path).with_context(failed)
}

/// Reads a file. Returns `None` if there is none.
pub(crate) fn read_if_exists(file: &Path) -> anyhow::Result<Option<Vec<u8>>> {
    match std::fs::read(file) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("failed to read {}", file.display())),
    }
}

/// Replaces a file atomically: after a crash it has the old content or the new.
pub(crate) fn replace(file: &Path, content: &[u8]) -> anyhow::Result<()> {
    let next = file.with_extension("next");
    private(OpenOptions::new().write(true).create(true).truncate(true))
        .open(&next)
        .and_then(|mut open| open.write_all(content))
        .and_then(|()| std::fs::rename(&next, file))
        .with_context(|| format!("failed to write {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_belongs_to_one_stack_at_a_time() {
        let path = std::env::temp_dir().join(format!("local-folder-{}", random::uuid()));
        let first = DataFolder::open(&path).unwrap();
        let message = format!("{:#}", DataFolder::open(&path).unwrap_err());
        assert!(message.contains("in use"), "{message}");
        drop(first);
        drop(DataFolder::open(&path).unwrap());
        std::fs::remove_dir_all(&path).unwrap();
    }

    #[test]
    fn replaced_files_are_private() {
        use std::os::unix::fs::PermissionsExt;
        let path = std::env::temp_dir().join(format!("local-file-{}", random::uuid()));
        assert!(read_if_exists(&path).unwrap().is_none());
        replace(&path, b"one").unwrap();
        replace(&path, b"two").unwrap();
        assert_eq!(read_if_exists(&path).unwrap().unwrap(), b"two");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::remove_file(&path).unwrap();
    }
}
