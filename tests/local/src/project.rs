//! Where the project is.

use std::path::{Path, PathBuf};

/// The file that makes a folder the project's root.
pub(crate) const TEMPLATE: &str = "template.yaml";

/// The nearest folder at or above the current one that has a template. Outside any project, the one this
/// program was compiled in.
pub(crate) fn root() -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    here.ancestors().find(|folder| folder.join(TEMPLATE).is_file()).map_or_else(
        || {
            let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
            crate_folder.ancestors().nth(2).unwrap_or(crate_folder).to_path_buf()
        },
        Path::to_path_buf,
    )
}
