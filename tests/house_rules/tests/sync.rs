//! What `cargo xtask sync` writes is current: the rows of the binaries, the first lines of the
//! functions, the routes of the contracts, the metrics of the alarms, the table of the README, the
//! headings of the contracts' documents, the modules of the acceptance tests, the schemas of the event
//! registry and the `AsyncAPI` document.

use house_rules::project::Project;
use house_rules::sync;

#[test]
fn everything_that_follows_from_the_template_is_current() {
    let changes = sync::plan(&Project::here()).unwrap();
    let lines: Vec<_> = changes.iter().map(ToString::to_string).collect();
    assert!(lines.is_empty(), "run `cargo xtask sync`:\n{}", lines.join("\n"));
}
