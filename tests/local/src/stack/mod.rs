//! A running stack: its start and its end.

mod boot;
mod environment;

use crate::aws::{Aws, SecretSnapshot};
use crate::files::DataFolder;
use crate::namespaces::Namespaces;
use crate::options::Options;
use crate::watch::BuildState;
use anyhow::Context;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::sync::watch::Receiver;

/// The time in which the tasks of the stack must end, after its processes have ended.
const TASK_LIMIT: Duration = Duration::from_millis(500);

/// A running local stack. Its processes are killed when it is dropped.
#[derive(Debug)]
pub struct Stack {
    engine: Engine,
    parts: Parts,
}

/// The parts of a running stack.
#[derive(Debug)]
struct Parts {
    api_url: String,
    dynamodb_url: String,
    functions: Vec<String>,
    /// The physical names of the tables, by logical id.
    tables: BTreeMap<String, String>,
    aws: Arc<Aws>,
    build: Receiver<BuildState>,
    /// The stacks of their own behind the same port.
    namespaces: Option<Arc<Namespaces>>,
    /// Locked as long as the stack lives.
    folder: Option<DataFolder>,
}

/// The runtime of the stack. It is separate, so that a stack outlives the test that started it and
/// works while a test blocks its thread.
#[derive(Debug)]
struct Engine(Option<Runtime>);

impl Stack {
    /// Builds the functions, starts everything and returns when all of it answers.
    ///
    /// # Errors
    ///
    /// If the port is taken, the toolchain is missing, the functions do not build, the template has
    /// a mistake or the data folder cannot be used.
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("local-stack")
            .enable_all()
            .build()
            .context("failed to start the runtime of the stack")?;
        let boot = runtime.spawn(boot::boot(options));
        // Ends the runtime also if this future is dropped.
        let engine = Engine(Some(runtime));
        let parts = boot.await.context("the start was interrupted")??;
        Ok(Self { engine, parts })
    }

    /// Returns the URL of the API and the admin API, `http://127.0.0.1:<port>`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.parts.api_url
    }

    /// Returns the URL of DynamoDB, where calls meet no faults and are not recorded.
    #[must_use]
    pub fn dynamodb_url(&self) -> &str {
        &self.parts.dynamodb_url
    }

    /// Returns the names of the functions.
    #[must_use]
    pub fn functions(&self) -> &[String] {
        &self.parts.functions
    }

    /// Returns the environment variables of a function, without those of one instance; nothing in
    /// an account.
    #[must_use]
    pub fn environment(&self, function: &str) -> BTreeMap<String, String> {
        self.parts.aws.backend.environment(function)
    }

    /// Returns the lines that the functions and the stack have logged, oldest first, as
    /// `[function] line`.
    #[must_use]
    pub fn logs(&self) -> Vec<String> {
        self.parts.aws.backend.logs()
    }

    /// Returns the physical name of the table with this logical id.
    #[must_use]
    pub fn table_name(&self, id: &str) -> Option<&str> {
        self.parts.tables.get(id).map(String::as_str)
    }

    /// Returns every secret with all its versions.
    ///
    /// # Errors
    ///
    /// If the account does not answer.
    pub async fn secrets(&self) -> anyhow::Result<Vec<SecretSnapshot>> {
        self.parts.aws.secrets().await
    }

    /// Returns a channel with the state of the functions' build. It closes at the end of the stack,
    /// or at once if the stack does not watch the sources.
    #[must_use]
    pub fn build_state(&self) -> Receiver<BuildState> {
        self.parts.build.clone()
    }

    /// Stops everything and waits until every process has ended.
    pub async fn shutdown(mut self) {
        if let Some(runtime) = &self.engine.0 {
            let (aws, namespaces) = (Arc::clone(&self.parts.aws), self.parts.namespaces.clone());
            let stop = async move {
                aws.faults.clear();
                let others = async {
                    if let Some(namespaces) = namespaces {
                        namespaces.stop().await;
                    }
                };
                tokio::join!(aws.backend.stop(), others);
            };
            drop(runtime.spawn(stop).await);
        }
        // Waiting for the end of a runtime blocks, so another thread does it.
        let end = self.engine.end();
        drop(tokio::task::spawn_blocking(move || end.map(std::thread::JoinHandle::join)).await);
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        self.parts.aws.backend.kill();
        if let Some(namespaces) = &self.parts.namespaces {
            namespaces.kill();
        }
    }
}

impl Engine {
    /// Ends the runtime with all its tasks and processes, on a separate thread.
    fn end(&mut self) -> Option<std::thread::JoinHandle<()>> {
        let runtime = self.0.take()?;
        Some(std::thread::spawn(move || runtime.shutdown_timeout(TASK_LIMIT)))
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if let Some(ending) = self.end() {
            // A runtime that panicked at its end has ended.
            drop(ending.join());
        }
    }
}
