//! The schemas of the events: what consumers of the last release can rely on.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use event_schemas::compatibility::Break;
use house_rules::events::{self, Consumers, FOLDER, RELEASED};
use house_rules::project::Project;
use std::fs;
use std::path::PathBuf;

#[test]
fn the_schemas_break_no_consumer_of_the_last_release() {
    let project = Project::here();
    assert!(events::released(&project).unwrap().len() > 25);
    let broken = events::broken(&project).unwrap();
    let lines: Vec<_> = broken.iter().map(Break::to_string).collect();
    assert!(
        lines.is_empty(),
        "these changes break consumers; see {FOLDER}/README.md:\n{}",
        lines.join("\n")
    );
}

/// A folder with one schema, which is deleted at the end.
struct Copy(PathBuf);

impl Copy {
    fn new(name: &str) -> Self {
        let root = std::env::temp_dir().join(format!("latchkey-{name}-{}", std::process::id()));
        fs::create_dir_all(root.join(FOLDER).join("gotu")).unwrap();
        Self(root)
    }

    fn write(&self, schema: &str) {
        fs::write(self.0.join(FOLDER).join("gotu/ENDED.schema.json"), schema).unwrap();
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

#[test]
fn a_release_is_recorded_unless_it_breaks_consumers() {
    let copy = Copy::new("released-events");
    let project = Project::at(&copy.0);
    let field = |name: &str| format!(r#"{{"properties": {{"{name}": {{"type": "string"}}}}}}"#);
    copy.write(&field("a"));
    assert_eq!(events::release(&project, Consumers::MustSurvive).unwrap(), 1);
    let recorded = project.read(RELEASED).unwrap();
    assert_eq!(events::broken(&project).unwrap(), []);

    copy.write(&field("b"));
    let refused = events::release(&project, Consumers::MustSurvive).unwrap_err().to_string();
    assert!(refused.contains("gotu/ENDED/a: the field is removed"), "{refused}");
    assert_eq!(project.read(RELEASED).unwrap(), recorded);
    assert_eq!(events::broken(&project).unwrap().len(), 1);

    events::release(&project, Consumers::MayBreak).unwrap();
    assert_eq!(events::broken(&project).unwrap(), []);
}

#[test]
fn the_types_of_the_events_follow_from_the_schemas() {
    let project = Project::here();
    for file in events::types(&project).unwrap() {
        let current = project.read(&file.path).unwrap_or_default() == file.text;
        assert!(current, "{} is not current; run `cargo xtask event-types`", file.path);
    }
}
