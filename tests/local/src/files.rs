//! The folder in which a stack keeps its state.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

/// A data folder that this stack has for itself.
#[derive(Debug)]
pub(crate) struct DataFolder {
    pub(crate) path: PathBuf,
    /// Locked as long as the stack lives.
    _lock: File,
}

impl DataFolder {
    /// Makes the folder if need be, and makes sure that no other stack uses it.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let cannot = || format!("cannot use {} as the data folder", path.display());
        DirBuilder::new().recursive(true).mode(0o700).create(path).with_context(cannot)?;
        let lock = private(OpenOptions::new().write(true).create(true).truncate(false))
            .open(path.join("lock"))
            .with_context(cannot)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_path_buf(), _lock: lock }),
            Err(std::fs::TryLockError::WouldBlock) => {
                bail!("{} is in use by another local stack", path.display())
            }
            Err(std::fs::TryLockError::Error(error)) => Err(error).with_context(cannot),
        }
    }
}

/// Files of a stack hold codes and keys; they are nobody else's to read.
pub(crate) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options.mode(0o600)
}

/// A file's bytes; empty where there is no file yet.
pub(crate) fn read_if_there(file: &Path) -> anyhow::Result<Option<Vec<u8>>> {
    match std::fs::read(file) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", file.display())),
    }
}

/// Replaces a file as a whole: a crash leaves the old content or the new, never a mixture.
pub(crate) fn replace(file: &Path, content: &[u8]) -> anyhow::Result<()> {
    let next = file.with_extension("next");
    private(OpenOptions::new().write(true).create(true).truncate(true))
        .open(&next)
        .and_then(|mut open| open.write_all(content))
        .and_then(|()| std::fs::rename(&next, file))
        .with_context(|| format!("cannot write {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_folder_has_one_stack_at_a_time() {
        let path = std::env::temp_dir().join(format!("local-folder-{}", crate::random::uuid()));
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
        let path = std::env::temp_dir().join(format!("local-file-{}", crate::random::uuid()));
        assert!(read_if_there(&path).unwrap().is_none());
        replace(&path, b"one").unwrap();
        replace(&path, b"two").unwrap();
        assert_eq!(read_if_there(&path).unwrap().unwrap(), b"two");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::remove_file(&path).unwrap();
    }
}
