//! A project in a temporary folder, and a script in the place of cargo.

use super::sources::{Change, Sources};
use super::{BuildState, BuildStatus, Watch};
use crate::binary::Build;
use crate::lambda::testing::write_script;
use crate::lambda::{Function, Lambda, Launch};
use crate::logs::Logs;
use crate::random;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{self, UnboundedSender};
use tokio::sync::watch::Receiver;

const LONG: Duration = Duration::from_secs(30);

/// Makes a program of `functions/f.sh`, reports an error if the file contains
/// `broken`, and appends a line to the file `builds`. If there is a pipe `gate`, the build waits for a
/// line from it.
const CARGO: &str = r#"
echo build >> builds
[ ! -p gate ] || { read -r line < gate; rm gate; }
if grep -q broken functions/f.sh; then
  printf '   Compiling f\nerror: f.sh is broken\n' >&2
  exit 101
fi
mkdir -p target
{ echo '#!/bin/sh'; cat functions/f.sh; } > target/next
chmod 700 target/next
# A program that is the same is not linked again.
cmp -s target/next target/all-functions || mv target/next target/all-functions
echo '{"reason":"compiler-artifact","target":{"name":"all-functions"},"executable":"'"$PWD"'/target/all-functions"}'
"#;

/// A project with one function. Deleted at the end.
struct Project(PathBuf);

impl Project {
    fn new(function: &str) -> Self {
        let root = std::env::temp_dir().join(format!("local-project-{}", random::uuid()));
        for folder in ["functions", "shared/src", "tests"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        let project = Self(root.canonicalize().unwrap());
        write_script(&project.0.join("cargo"), CARGO);
        project.edit("functions/f.sh", function);
        project.edit("template.yaml", "Resources: {}\n");
        project
    }

    /// Replaces a file at once, as editors do.
    fn edit(&self, path: &str, text: &str) {
        let next = self.0.join("tests/next");
        fs::write(&next, text).unwrap();
        fs::rename(&next, self.0.join(path)).unwrap();
    }

    fn build(&self) -> Build {
        Build {
            program: self.0.join("cargo").into(),
            project: self.0.clone(),
            release: false,
            show: false,
        }
    }

    /// The number of builds so far.
    fn builds(&self) -> usize {
        fs::read_to_string(self.0.join("builds")).unwrap().lines().count()
    }

    /// Makes the next build wait for [`Project::open_gate`].
    async fn close_gate(&self) {
        let mut command = tokio::process::Command::new("mkfifo");
        assert!(command.arg(self.0.join("gate")).status().await.unwrap().success());
    }

    /// Lets the build that waits end.
    async fn open_gate(&self) {
        let gate = self.0.join("gate");
        tokio::task::spawn_blocking(move || fs::write(gate, "go\n")).await.unwrap().unwrap();
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

/// A function that runs the program of a project.
struct Running {
    lambda: Arc<Lambda>,
    logs: Arc<Logs>,
    state: Receiver<BuildState>,
}

impl Running {
    fn start(watch: Watch, program: PathBuf) -> Self {
        let (logs, state) = (Arc::clone(&watch.logs), watch.state());
        let launch = Launch {
            name: "f".to_owned(),
            timeout: LONG,
            environment: [].into(),
            runtime_api: "127.0.0.1:1".to_owned(),
        };
        let function = Function::new(launch, program, Arc::clone(&logs), Arc::default());
        let lambda = Arc::new(Lambda::new([function]));
        tokio::spawn(watch.run(Arc::clone(&lambda)));
        Self { lambda, logs, state }
    }

    /// Invokes the function, whose program exits at once. Returns what it printed.
    async fn output(&self) -> String {
        let before = self.logs.all().len();
        self.lambda.invoke("f", "{}".into()).await;
        let lines = self.logs.all();
        let mut output = lines.iter().skip(before).filter_map(|line| line.strip_prefix("[f] "));
        output.next().unwrap().to_owned()
    }

    /// Waits until a build has this status.
    async fn becomes(&mut self, status: BuildStatus) -> BuildState {
        let state = self.state.wait_for(|state| state.status == status);
        tokio::time::timeout(LONG, state).await.unwrap().unwrap().clone()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.lambda.close();
    }
}

fn change(path: &str) -> Change {
    Change { since: Instant::now(), paths: [PathBuf::from(path)].into() }
}

/// Starts a watch whose changes the test sends.
async fn by_hand(project: &Project) -> (UnboundedSender<Change>, Running) {
    let (sender, changes) = mpsc::unbounded_channel();
    let logs = Arc::new(Logs::default());
    let sources = Sources::of(changes);
    let (watch, program) = Watch::over(sources, project.build(), "test", logs).await.unwrap();
    (sender, Running::start(watch, program))
}

#[tokio::test]
async fn an_edit_replaces_the_program() {
    let project = Project::new("echo one");
    let logs = Arc::new(Logs::default());
    let (watch, program) = Watch::open(project.build(), "test", logs).await.unwrap();
    let mut running = Running::start(watch, program);
    assert_eq!(running.output().await, "one");
    running.state.mark_unchanged();
    project.edit("functions/f.sh", "echo two");
    tokio::time::timeout(LONG, running.state.changed()).await.unwrap().unwrap();
    running.becomes(BuildStatus::Ready).await;
    assert_eq!(running.output().await, "two");
    let lines = running.logs.all();
    let told = |text: &str| lines.iter().any(|line| line.contains(text));
    assert!(told("[local] building the functions: functions/f.sh changed"), "{lines:?}");
    assert!(told(" s after the change"), "{lines:?}");
}

#[tokio::test]
async fn the_program_before_serves_until_a_mistake_is_corrected() {
    let project = Project::new("echo one");
    let (sender, mut running) = by_hand(&project).await;
    project.edit("functions/f.sh", "echo broken");
    sender.send(change("functions/f.sh")).unwrap();
    let failed = running.becomes(BuildStatus::Failed).await;
    assert_eq!(failed.message.as_deref(), Some("error: f.sh is broken"));
    assert_eq!(running.output().await, "one");
    project.edit("functions/f.sh", "echo two");
    sender.send(change("functions/f.sh")).unwrap();
    assert_eq!(running.becomes(BuildStatus::Ready).await, BuildState::READY);
    assert_eq!(running.output().await, "two");
}

#[tokio::test]
async fn edits_during_a_build_cause_one_more_build() {
    let project = Project::new("echo one");
    let (sender, mut running) = by_hand(&project).await;
    project.close_gate().await;
    project.edit("functions/f.sh", "echo two");
    sender.send(change("functions/f.sh")).unwrap();
    running.becomes(BuildStatus::Building).await;
    for path in ["shared/src/lib.rs", "functions/g.rs", "Cargo.toml"] {
        sender.send(change(path)).unwrap();
    }
    project.edit("functions/f.sh", "echo three");
    project.open_gate().await;
    // All changes are in this build, because it is the last one.
    drop(sender);
    while running.state.changed().await.is_ok() {}
    assert_eq!(project.builds(), 3, "the first build and two more");
    assert!(running.logs.all().iter().any(|line| line.contains("Cargo.toml changed")));
}

#[tokio::test]
async fn a_program_that_is_the_same_is_not_replaced() {
    let project = Project::new("echo one");
    let (sender, mut running) = by_hand(&project).await;
    running.state.mark_unchanged();
    sender.send(change("shared/docs/tour.md")).unwrap();
    tokio::time::timeout(LONG, running.state.changed()).await.unwrap().unwrap();
    running.becomes(BuildStatus::Ready).await;
    let lines = running.logs.all();
    assert!(lines.iter().any(|line| line.contains("the functions are the same")), "{lines:?}");
    assert_eq!(running.output().await, "one");
}

#[tokio::test]
async fn a_build_has_a_file_of_its_own_and_none_is_left() {
    let project = Project::new("echo one");
    let (sender, mut running) = by_hand(&project).await;
    let folder = project.0.join("target/local-stack/test");
    let files = || {
        let names = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name());
        names.map(|name| name.into_string().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(files(), ["all-functions-1"]);
    // What cargo does during a build does not reach the instances.
    fs::write(project.0.join("target/all-functions"), "half a prog").unwrap();
    assert_eq!(running.output().await, "one");
    project.edit("functions/f.sh", "echo two");
    running.state.mark_unchanged();
    sender.send(change("functions/f.sh")).unwrap();
    tokio::time::timeout(LONG, running.state.changed()).await.unwrap().unwrap();
    running.becomes(BuildStatus::Ready).await;
    assert_eq!(files(), ["all-functions-2"]);
    drop(sender);
    while running.state.changed().await.is_ok() {}
    assert!(!folder.exists());
}

#[tokio::test]
async fn a_change_of_the_template_asks_for_a_restart_until_it_is_undone() {
    let project = Project::new("echo one");
    let (sender, mut running) = by_hand(&project).await;
    for (text, expected) in [
        (
            "Resources: {}\n# more\n",
            Some("template.yaml has changed; restart the stack to apply it"),
        ),
        ("Resources: {}\n", None),
    ] {
        running.state.mark_unchanged();
        project.edit("template.yaml", text);
        sender.send(change("template.yaml")).unwrap();
        tokio::time::timeout(LONG, running.state.changed()).await.unwrap().unwrap();
        let state = running.becomes(BuildStatus::Ready).await;
        assert_eq!(state.message.as_deref(), expected);
    }
    assert_eq!(project.builds(), 1);
}

#[tokio::test]
async fn a_first_build_that_fails_waits_for_a_change() {
    let project = Project::new("echo broken");
    let logs = Arc::new(Logs::default());
    let opening = Watch::open(project.build(), "test", Arc::clone(&logs));
    let correct = async {
        while !logs.all().iter().any(|line| line.contains("waiting for a change")) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        project.edit("functions/f.sh", "echo one");
    };
    let (opened, ()) = tokio::join!(opening, correct);
    let (watch, program) = opened.unwrap();
    assert_eq!(Running::start(watch, program).output().await, "one");
}

#[tokio::test]
async fn only_the_files_that_matter_are_reported() {
    let project = Project::new("echo one");
    let mut sources = Sources::watch(&project.0).unwrap();
    let path = |text: &str| PathBuf::from(text);
    // A build reads the sources and writes other files.
    fs::read(project.0.join("functions/f.sh")).unwrap();
    fs::create_dir(project.0.join("target")).unwrap();
    fs::write(project.0.join("target/all-functions"), "").unwrap();
    fs::write(project.0.join("README.md"), "").unwrap();
    fs::write(project.0.join("functions/.f.sh.swp"), "").unwrap();
    fs::write(project.0.join("functions/f.sh~"), "").unwrap();
    for file in ["functions/f.sh", "shared/src/lib.rs", "Cargo.toml", "Cargo.lock", "template.yaml"]
    {
        let before = Instant::now();
        project.edit(file, "new");
        let change = tokio::time::timeout(LONG, sources.changed()).await.unwrap().unwrap();
        assert_eq!(change.paths, [path(file)].into());
        assert!(change.since >= before);
    }
    // A folder that is new.
    fs::create_dir(project.0.join("functions/contract")).unwrap();
    let change = tokio::time::timeout(LONG, sources.changed()).await.unwrap().unwrap();
    assert_eq!(change.paths, [path("functions/contract")].into());
    project.edit("functions/contract/new.rs", "new");
    let change = tokio::time::timeout(LONG, sources.changed()).await.unwrap().unwrap();
    assert_eq!(change.paths, [path("functions/contract/new.rs")].into());
    fs::remove_file(project.0.join("functions/contract/new.rs")).unwrap();
    let change = tokio::time::timeout(LONG, sources.changed()).await.unwrap().unwrap();
    assert_eq!(change.paths, [path("functions/contract/new.rs")].into());
}

#[test]
fn a_folder_without_sources_cannot_be_watched() {
    let error = Sources::watch(Path::new("/nonexistent")).unwrap_err();
    assert!(format!("{error:#}").starts_with("failed to watch /nonexistent"), "{error:#}");
}
