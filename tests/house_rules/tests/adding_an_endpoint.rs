//! Follows the how-to of `shared/docs/contributing.md` in a copy of the project: declares
//! `GET /health` of GoodCity, and looks at what the author and what `cargo xtask sync` write.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use house_rules::declarations::TEMPLATE;
use house_rules::project::Project;
use house_rules::sync;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The files that the author of an endpoint writes by hand, with `*` for a contract or an endpoint.
/// `wire.rs` only gets a type if the endpoint has a body.
const BY_HAND: [&str; 5] = [
    "template.yaml",
    "functions/*/*.rs",
    "shared/src/contracts/*/wire.rs",
    "shared/src/contracts/*/CONTRACT.md",
    "tests/acceptance/tests/contracts/*/*.rs",
];

/// The route of the example.
const PATH: &str = "/health";

/// What its author writes into `template.yaml`.
const DECLARATION: &str = r#"  GoodcityGetHealthFunction:
    Type: AWS::Serverless::Function
    Metadata:
      BuildMethod: rust-cargolambda
      BuildProperties: { Binary: goodcity-get-health }
    Properties:
      Description: "GoodCity: says that the API answers"
      Events:
        Route:
          Type: HttpApi
          Properties: { ApiId: !Ref Api, Method: GET, Path: /health }

"#;

/// The files that sync changes or makes for the new endpoint.
const BY_SYNC: [&str; 9] = [
    "README.md",
    "functions/Cargo.toml",
    "functions/all.rs",
    "functions/goodcity/get_health.rs",
    "shared/src/contracts/goodcity/CONTRACT.md",
    "shared/src/contracts/goodcity/routes.rs",
    "template.yaml",
    "tests/acceptance/tests/contracts/goodcity/get_health.rs",
    "tests/acceptance/tests/contracts/goodcity/mod.rs",
];

/// A copy of the parts of the project that an endpoint touches; removed at the end.
struct Copy {
    root: PathBuf,
    project: Project,
}

impl Copy {
    fn of(original: &Project) -> Self {
        let root = std::env::temp_dir().join(format!("an-endpoint-{}", std::process::id()));
        let project = Project::at(&root);
        for folder in [
            "functions",
            "shared/docs/events",
            "shared/src/contracts",
            "tests/acceptance/tests/contracts",
        ] {
            for file in original.files(folder).unwrap() {
                project.write(&file.path, &file.text).unwrap();
            }
        }
        for path in [TEMPLATE, "README.md", "shared/events.yaml"] {
            project.write(path, &original.read(path).unwrap()).unwrap();
        }
        Self { root, project }
    }

    /// The texts of all files.
    fn files(&self) -> BTreeMap<String, String> {
        let files = self.project.files("").unwrap().into_iter();
        files.map(|file| (file.path, file.text)).collect()
    }

    /// The paths of the files that were changed or made since.
    fn changed_since(&self, before: &BTreeMap<String, String>) -> Vec<String> {
        let files = self.files().into_iter();
        let changed = files.filter(|(path, text)| before.get(path) != Some(text));
        changed.map(|(path, _)| path).collect()
    }

    fn sync(&self) -> usize {
        let changes = sync::plan(&self.project).unwrap();
        sync::apply(&self.project, &changes).unwrap();
        changes.len()
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.root).unwrap();
    }
}

#[test]
fn one_declaration_is_enough_for_everything_that_follows_from_it() {
    let copy = Copy::of(&Project::here());
    copy.sync();
    let template = copy.project.read(TEMPLATE).unwrap();
    let next = "  GoodcitySignupFunction:\n";
    assert!(template.contains(next));
    let declared = template.replace(next, &format!("{DECLARATION}{next}"));
    copy.project.write(TEMPLATE, &declared).unwrap();
    let before = copy.files();
    let route = format!("GET {PATH}`");
    assert!(!before.values().any(|text| text.contains(&route)));

    copy.sync();

    assert_eq!(copy.changed_since(&before), BY_SYNC);
    let after = copy.files();
    let text = |path: &str| after.get(path).unwrap();
    // The author wrote the route once.
    assert_eq!(DECLARATION.matches(PATH).count(), 1);
    for path in BY_SYNC {
        let names_the_module_only =
            ["Cargo.toml", "all.rs", "mod.rs"].iter().any(|name| path.ends_with(name));
        assert_eq!(text(path).contains(PATH), !names_the_module_only, "{path}");
    }
    assert!(text("template.yaml").contains("!Ref GoodcityGetHealthFunction }"));
    assert!(
        text("functions/goodcity/get_health.rs").starts_with("//! `GET /health` (GoodCity): says")
    );
    assert_eq!(copy.sync(), 0, "a second run changes nothing");
    let begun = |by_hand: &&str| BY_SYNC.iter().any(|path| is_like(path, by_hand));
    let left: Vec<_> = BY_HAND.iter().filter(|by_hand| !begun(by_hand)).collect();
    assert_eq!(left, [&"shared/src/contracts/*/wire.rs"], "sync begins the other files");
}

#[test]
fn the_how_to_names_every_file_that_is_written_by_hand() {
    const HOW_TO: &str = "shared/docs/contributing.md";
    let text = Project::here().read(HOW_TO).unwrap();
    let words: Vec<_> = text.split(|c: char| c.is_whitespace() || "`()[],;".contains(c)).collect();
    for by_hand in BY_HAND {
        // The name of a file is enough where each contract has one.
        let name = by_hand.rsplit('/').next().filter(|name| !name.contains('*'));
        let named = words.iter().map(|word| word.trim_end_matches(['.', ':']));
        let named = named.into_iter().any(|word| Some(word) == name || is_like(word, by_hand));
        assert!(named, "{HOW_TO}: {by_hand} is not named");
    }
}

/// Whether a path is like a pattern, part by part: `functions/<contract>/<endpoint>.rs` and
/// `functions/goodcity/get_health.rs` are like `functions/*/*.rs`.
fn is_like(path: &str, pattern: &str) -> bool {
    let (path, pattern) = (Path::new(path), Path::new(pattern));
    path.components().count() == pattern.components().count()
        && path.components().zip(pattern.components()).all(|(part, pattern)| {
            let (part, pattern) = (part.as_os_str().to_str(), pattern.as_os_str().to_str());
            part.zip(pattern).is_some_and(|(part, pattern)| match pattern.split_once('*') {
                Some((start, end)) => part.starts_with(start) && part.ends_with(end),
                None => part == pattern,
            })
        })
}
