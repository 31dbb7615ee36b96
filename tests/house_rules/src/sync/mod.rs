//! Writes what follows from the declarations of `template.yaml`.
//!
//! Each generator knows one kind of file. It returns the whole text that each of its files must
//! have; [`plan`] compares the texts with the files. To add a generator, write its module and add
//! it to [`GENERATORS`]. No two generators may write the same file.

mod acceptance;
mod alarms;
mod all_functions;
mod binaries;
mod contract_documents;
mod endpoints;
mod events;
mod readme;
mod routes;

use crate::declarations::Declarations;
use crate::project::{File, Project};
use crate::text::first_difference;
use anyhow::{Context as _, Result, ensure};
use std::collections::BTreeSet;
use std::fmt;

/// The source of the binary with every function, which is not deployed.
pub const ALL_FUNCTIONS: &str = "functions/all.rs";

/// A part of the project that follows from the declarations.
#[derive(Clone, Copy, Debug)]
pub struct Generator {
    /// What it writes, for messages: `routes of each contract`.
    pub name: &'static str,
    /// Returns the files, with the texts that they must have.
    pub generate: fn(&Project, &Declarations) -> Result<Vec<File>>,
}

/// Every generator.
pub const GENERATORS: [Generator; 10] = [
    Generator { name: "binaries of the package functions", generate: binaries::generate },
    Generator { name: "binary with every function", generate: all_functions::generate },
    Generator { name: "first lines of the endpoints", generate: endpoints::generate },
    Generator { name: "routes of each contract", generate: routes::generate },
    Generator { name: "headings of each CONTRACT.md", generate: contract_documents::generate },
    Generator { name: "metrics of the error alarms", generate: alarms::generate },
    Generator { name: "table of the API in the README", generate: readme::generate },
    Generator { name: "modules of the acceptance tests", generate: acceptance::generate },
    Generator { name: "schemas of the event registry", generate: events::registry::generate },
    Generator { name: "AsyncAPI document of the events", generate: events::asyncapi::generate },
];

/// A file that is not what the declarations ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The file with the text that it must have.
    pub file: File,
    /// The name of the generator.
    pub generator: &'static str,
    /// The number of the first line that differs; `None` if there is no such file.
    pub line: Option<usize>,
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, generator, line } = self;
        match line {
            Some(line) => write!(formatter, "{}:{line}: {generator}: not current", file.path),
            None => write!(formatter, "{}: {generator}: does not exist", file.path),
        }
    }
}

/// Returns the changes that make the files of a project current.
///
/// # Errors
///
/// The template is not readable, or a file lacks the markers between which a generator writes.
pub fn plan(project: &Project) -> Result<Vec<Change>> {
    let declarations = Declarations::of(project)?;
    let mut changes = Vec::new();
    let mut owned = BTreeSet::new();
    for Generator { name, generate } in GENERATORS {
        let files = generate(project, &declarations)
            .with_context(|| format!("failed to generate the {name}"))?;
        for file in files {
            ensure!(owned.insert(file.path.clone()), "two generators write {}", file.path);
            let present = project.read_if_present(&file.path)?;
            if present.as_deref() != Some(file.text.as_str()) {
                let line = present.map(|present| first_difference(&present, &file.text));
                changes.push(Change { file, generator: name, line });
            }
        }
    }
    Ok(changes)
}

/// Writes the changes.
///
/// # Errors
///
/// A file cannot be written.
pub fn apply(project: &Project, changes: &[Change]) -> Result<()> {
    changes.iter().try_for_each(|change| project.write(&change.file.path, &change.file.text))
}

#[cfg(test)]
mod testing {
    //! A small project for the tests of the generators.

    use super::{Change, Declarations};
    use crate::project::Project;
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicU32, Ordering};

    pub(super) const TEMPLATE: &str = include_str!("../fixtures/template.yaml");

    /// What the template of the fixtures declares.
    pub(super) fn declarations() -> Declarations {
        Declarations::parse(TEMPLATE, vec!["gotu".to_owned()]).unwrap()
    }

    /// A folder with files, which is removed at the end.
    pub(super) struct Scratch {
        root: PathBuf,
        pub(super) project: Project,
    }

    impl Scratch {
        pub(super) fn with(files: &[(&str, &str)]) -> Self {
            static NEXT: AtomicU32 = AtomicU32::new(0);
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let name = format!("house-rules-{}-{number}", std::process::id());
            let root = std::env::temp_dir().join(name);
            let project = Project::at(&root);
            for (path, text) in files {
                project.write(path, text).unwrap();
            }
            Self { root, project }
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            std::fs::remove_dir_all(&self.root).unwrap();
        }
    }

    #[test]
    fn a_change_says_the_file_the_line_and_the_generator() {
        let file = super::File { path: "a/b.rs".to_owned(), text: String::new() };
        let change = Change { file, generator: "routes", line: Some(3) };
        assert_eq!(change.to_string(), "a/b.rs:3: routes: not current");
        let change = Change { line: None, ..change };
        assert_eq!(change.to_string(), "a/b.rs: routes: does not exist");
    }
}
