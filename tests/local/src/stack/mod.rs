//! A running stack: how it comes up and how it goes down.

mod boot;
mod environment;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context;
use tokio::runtime::Runtime;

use crate::aws::{Aws, KeptSecret};
use crate::files::DataFolder;
use crate::logs::Logs;
use crate::options::Options;
use crate::streams::DeadLetter;
use crate::sync::lock;

/// How long the end of all processes is waited for; a stack must be down within two seconds.
const STOP_LIMIT: Duration = Duration::from_secs(1);

/// How long the stack's own tasks may take to end after that.
const TASK_LIMIT: Duration = Duration::from_millis(500);

/// A running local stack. Dropping it kills its processes.
#[derive(Debug)]
pub struct Stack {
    engine: Engine,
    parts: Parts,
}

/// What a running stack consists of.
#[derive(Debug)]
struct Parts {
    api_url: String,
    dynamodb_url: String,
    functions: Vec<String>,
    tables: BTreeMap<String, String>,
    aws: Arc<Aws>,
    logs: Arc<Logs>,
    dead: Arc<Mutex<Vec<DeadLetter>>>,
    /// Keeps the folder locked.
    _folder: Option<DataFolder>,
}

/// The stack's own runtime. With it, a stack outlives the test that started it and works on while a test
/// blocks its thread.
#[derive(Debug)]
struct Engine(Option<Runtime>);

impl Stack {
    /// Builds the functions, boots everything, and returns once all of it answers.
    ///
    /// # Errors
    ///
    /// A taken port, a missing toolchain, functions that do not build, a mistake in the template, an unusable
    /// data folder.
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("local-stack")
            .enable_all()
            .build()
            .context("cannot start the stack's runtime")?;
        let boot = runtime.spawn(boot::boot(options));
        // From here on, whatever happens to this future, the runtime ends in an orderly way.
        let engine = Engine(Some(runtime));
        let parts = boot.await.context("the boot broke off")??;
        Ok(Self { engine, parts })
    }

    /// Where the API and the inspection API answer, `http://127.0.0.1:<port>`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.parts.api_url
    }

    /// Where the embedded DynamoDB answers, without faults and without a record of calls.
    #[must_use]
    pub fn dynamodb_url(&self) -> &str {
        &self.parts.dynamodb_url
    }

    /// The functions' names.
    #[must_use]
    pub fn functions(&self) -> &[String] {
        &self.parts.functions
    }

    /// Every line that the functions and the stack have logged so far, oldest first, as `[function] line`.
    #[must_use]
    pub fn logs(&self) -> Vec<String> {
        match &self.parts.aws.account {
            Some(account) => account.lines(),
            None => self.parts.logs.all(),
        }
    }

    /// The physical name of the table with this logical id.
    #[must_use]
    pub fn table_name(&self, id: &str) -> Option<&str> {
        self.parts.tables.get(id).map(String::as_str)
    }

    /// Every secret of the template as it is kept now.
    ///
    /// # Errors
    ///
    /// The account did not answer.
    pub async fn secrets(&self) -> anyhow::Result<Vec<KeptSecret>> {
        self.parts.aws.kept_secrets().await
    }

    /// The stream records that were given up.
    #[must_use]
    pub fn dead_letters(&self) -> Vec<DeadLetter> {
        lock(&self.parts.dead).clone()
    }

    /// Stops everything and waits until every process is gone.
    pub async fn shutdown(mut self) {
        if let Some(runtime) = &self.engine.0 {
            let aws = Arc::clone(&self.parts.aws);
            let stop = async move {
                aws.faults.clear();
                drop(tokio::time::timeout(STOP_LIMIT, aws.lambda.stop()).await);
                if let Some(account) = &aws.account {
                    account.close().await;
                }
            };
            drop(runtime.spawn(stop).await);
        }
        // Waiting for a runtime blocks, which is nothing for the caller's own one.
        let end = self.engine.end();
        drop(tokio::task::spawn_blocking(move || end.map(std::thread::JoinHandle::join)).await);
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        self.parts.aws.lambda.close();
    }
}

impl Engine {
    /// Ends the runtime, and every task and process with it, on a thread of its own.
    fn end(&mut self) -> Option<std::thread::JoinHandle<()>> {
        let runtime = self.0.take()?;
        Some(std::thread::spawn(move || runtime.shutdown_timeout(TASK_LIMIT)))
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if let Some(ending) = self.end() {
            // A runtime that panics while it ends has ended.
            drop(ending.join());
        }
    }
}
