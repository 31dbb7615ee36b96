//! The files of the project that a stack depends on.

use anyhow::Context;
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{self, UnboundedReceiver};

/// The folders with the sources of the functions.
const FOLDERS: [&str; 2] = ["functions", "shared"];
/// The files in the root that a build reads.
const FILES: [&str; 2] = ["Cargo.toml", "Cargo.lock"];

/// The time without changes before a build: an editor writes a file in several steps, and Git many
/// files.
const PAUSE: Duration = Duration::from_millis(50);

/// Reports changes of the files.
#[derive(Debug)]
pub(super) struct Sources {
    changes: UnboundedReceiver<Change>,
    /// Watches until it is dropped. Absent in tests that report changes themselves.
    _watcher: Option<RecommendedWatcher>,
}

/// Files that changed.
#[derive(Debug)]
pub(super) struct Change {
    /// When the first one changed.
    pub(super) since: Instant,
    /// Relative to the root of the project.
    pub(super) paths: BTreeSet<PathBuf>,
}

impl Sources {
    /// Watches the files of a project.
    pub(super) fn watch(project: &Path) -> anyhow::Result<Self> {
        let failed = || format!("failed to watch {}", project.display());
        // Events name real paths on some systems.
        let root = project.canonicalize().with_context(failed)?;
        let (sender, changes) = mpsc::unbounded_channel();
        let from = root.clone();
        let report = move |event: notify::Result<Event>| {
            // An error is about one file, such as one that was deleted in the meantime.
            if let Some(change) = event.ok().and_then(|event| read(&event, &from)) {
                // Fails when the stack ends.
                drop(sender.send(change));
            }
        };
        let mut watcher = notify::recommended_watcher(report).with_context(failed)?;
        // The folder and not its files: an editor may replace a file by another one.
        watcher.watch(&root, RecursiveMode::NonRecursive).with_context(failed)?;
        for folder in FOLDERS {
            watcher.watch(&root.join(folder), RecursiveMode::Recursive).with_context(failed)?;
        }
        Ok(Self { changes, _watcher: Some(watcher) })
    }

    /// The changes that a test sends.
    #[cfg(test)]
    pub(super) const fn of(changes: UnboundedReceiver<Change>) -> Self {
        Self { changes, _watcher: None }
    }

    /// Waits for changes and for the pause after them. Returns all that happened since the last call;
    /// `None` if there will be no more.
    pub(super) async fn changed(&mut self) -> Option<Change> {
        let mut all = self.changes.recv().await?;
        while let Ok(Some(next)) = tokio::time::timeout(PAUSE, self.changes.recv()).await {
            all.since = all.since.min(next.since);
            all.paths.extend(next.paths);
        }
        Some(all)
    }
}

/// Returns the change of an event, if it is one of the files that matter.
fn read(event: &Event, root: &Path) -> Option<Change> {
    // Builds read the files, too.
    if event.kind.is_access() {
        return None;
    }
    let relative = event.paths.iter().filter_map(|path| path.strip_prefix(root).ok());
    let mut paths: BTreeSet<_> = relative.filter(|path| matters(path)).map(Into::into).collect();
    if event.need_rescan() {
        // The system reported fewer events than there were.
        paths.extend(FOLDERS.map(PathBuf::from));
    }
    (!paths.is_empty()).then_some(Change { since: Instant::now(), paths })
}

fn matters(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // Editors keep copies of a file beside it.
    let copy = name.starts_with('.') || name.ends_with('~');
    let file = || FILES.iter().chain([&template::FILE]).any(|file| path == Path::new(file));
    !copy && (FOLDERS.iter().any(|folder| path.starts_with(folder)) || file())
}
