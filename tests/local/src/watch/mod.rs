//! Edit and see: when a source of the functions changes, they are built and replaced.

mod copies;
mod sources;
#[cfg(test)]
mod tests;

use crate::binary::{Build, Built};
use crate::lambda::Lambda;
use crate::logs::Logs;
use anyhow::Context;
use copies::Copies;
use serde::Serialize;
use sources::{Change, Sources};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::watch::{self, Receiver, Sender};

/// What has become of the newest sources of the functions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BuildState {
    pub status: BuildStatus,
    /// The errors of cargo and of the compiler if the build failed, as they print them. Else what
    /// a developer should know besides.
    pub message: Option<String>,
}

/// The status of a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum BuildStatus {
    /// The functions are being built. The build before serves.
    Building,
    /// The functions could not be built. The build before serves.
    Failed,
    /// The newest build serves.
    Ready,
}

impl BuildState {
    /// The state of a stack that does not build again.
    pub(crate) const READY: Self = Self { status: BuildStatus::Ready, message: None };

    /// Returns a channel that has the state of a stack that does not build again.
    pub(crate) fn fixed() -> Receiver<Self> {
        watch::channel(Self::READY).1
    }
}

/// Builds the functions again when their sources change.
#[derive(Debug)]
pub(crate) struct Watch {
    build: Build,
    sources: Sources,
    copies: Copies,
    template: Template,
    state: Sender<BuildState>,
    logs: Arc<Logs>,
}

/// The template that the stack was started with.
#[derive(Debug)]
struct Template {
    file: PathBuf,
    text: String,
    /// What to tell if the file has changed since then.
    notice: Option<String>,
}

/// The end of one build.
#[derive(Debug)]
enum Step {
    /// There is a new program.
    New(PathBuf),
    /// The changes did not change the program.
    Same,
    Failed,
}

impl Watch {
    /// Watches the sources and builds the functions for the first time: until it succeeds. Returns
    /// the program. No two stacks that run have the same name.
    ///
    /// # Errors
    ///
    /// If the sources cannot be watched, or cargo cannot be run.
    pub(crate) async fn open(
        build: Build,
        name: &str,
        logs: Arc<Logs>,
    ) -> anyhow::Result<(Self, PathBuf)> {
        // Before the build, so that no change is missed.
        let sources = Sources::watch(&build.project)?;
        Self::over(sources, build, name, logs).await
    }

    async fn over(
        sources: Sources,
        build: Build,
        name: &str,
        logs: Arc<Logs>,
    ) -> anyhow::Result<(Self, PathBuf)> {
        let (copies, template) = (Copies::of(name), Template::read(&build.project)?);
        let (state, _) = watch::channel(BuildState::READY);
        let mut watch = Self { build, sources, copies, template, state, logs };
        watch.logs.stack(&format!("building the functions ({})", watch.build.profile()));
        loop {
            if let Step::New(program) = watch.step().await? {
                watch.set(BuildStatus::Ready, None);
                return Ok((watch, program));
            }
            watch.logs.stack("waiting for a change of the sources");
            watch.sources.changed().await.context("the sources are no longer watched")?;
        }
    }

    /// Returns a channel with the state.
    pub(crate) fn state(&self) -> Receiver<BuildState> {
        self.state.subscribe()
    }

    /// Replaces the program of the functions after each build that succeeds.
    pub(crate) async fn run(mut self, lambda: Arc<Lambda>) {
        while let Some(change) = self.sources.changed().await {
            let (template, sources): (Vec<_>, Vec<_>) =
                change.paths.iter().partition(|path| path.as_path() == Path::new(template::FILE));
            if !template.is_empty() && self.template.changed() {
                if let Some(notice) = &self.template.notice {
                    self.logs.stack(notice);
                }
                self.state.send_modify(|state| {
                    if state.status == BuildStatus::Ready {
                        state.message.clone_from(&self.template.notice);
                    }
                });
            }
            if let Some(first) = sources.first() {
                self.rebuild(&lambda, &change, first).await;
            }
        }
    }

    async fn rebuild(&mut self, lambda: &Lambda, change: &Change, first: &Path) {
        self.logs.stack(&format!("building the functions: {} changed", first.display()));
        match self.step().await {
            Ok(Step::New(program)) => {
                lambda.replace(&program);
                self.copies.delete_old();
                let seconds = change.since.elapsed().as_secs_f64();
                self.logs.stack(&format!("new functions, {seconds:.1} s after the change"));
                self.set(BuildStatus::Ready, None);
            }
            Ok(Step::Same) => {
                self.logs.stack("the functions are the same");
                self.set(BuildStatus::Ready, None);
            }
            Ok(Step::Failed) => {}
            Err(error) => self.fail(&format!("{error:#}"), format!("{error:#}")),
        }
    }

    async fn step(&mut self) -> anyhow::Result<Step> {
        self.set(BuildStatus::Building, None);
        Ok(match self.build.run().await? {
            Built::Ready(binary) => self.copies.take(&binary).await?.map_or(Step::Same, Step::New),
            Built::Failed(failure) => {
                self.fail(&failure.summary, failure.errors);
                Step::Failed
            }
        })
    }

    fn fail(&self, summary: &str, errors: String) {
        self.logs.stack(summary);
        self.set(BuildStatus::Failed, Some(errors));
    }

    fn set(&self, status: BuildStatus, message: Option<String>) {
        let notice = || match status {
            BuildStatus::Ready => self.template.notice.clone(),
            BuildStatus::Building | BuildStatus::Failed => None,
        };
        self.state.send_replace(BuildState { status, message: message.or_else(notice) });
    }
}

impl Template {
    fn read(project: &Path) -> anyhow::Result<Self> {
        let file = project.join(template::FILE);
        let text = std::fs::read_to_string(&file)
            .with_context(|| format!("failed to read {}", file.display()))?;
        Ok(Self { file, text, notice: None })
    }

    /// Reads the file again. Returns whether there is something else to tell now.
    fn changed(&mut self) -> bool {
        // An editor may be replacing the file; there is an event when it is there again.
        let Ok(text) = std::fs::read_to_string(&self.file) else { return false };
        let notice = format!("{} has changed; restart the stack to apply it", template::FILE);
        let notice = (text != self.text).then_some(notice);
        let changed = notice != self.notice;
        self.notice = notice;
        changed
    }
}
