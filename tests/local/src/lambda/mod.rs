//! The Lambda service: processes of functions, which get their events from a Runtime API.

pub(crate) mod invoke_api;
mod outcome;
mod pool;
mod process;
mod runtime_api;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use crate::random;
use axum::body::Bytes;
use futures_util::future::join_all;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

pub(crate) use outcome::Outcome;
pub(crate) use pool::{Function, Launch};
pub(crate) use runtime_api::router;

/// The largest payload and the largest answer of an invocation.
pub(crate) const PAYLOAD_LIMIT: usize = 6 * 1024 * 1024;

/// The functions of the stack, by name.
#[derive(Debug)]
pub(crate) struct Lambda {
    functions: BTreeMap<String, Arc<Function>>,
}

impl Lambda {
    pub(crate) fn new(functions: impl IntoIterator<Item = Arc<Function>>) -> Self {
        let by_name = |function: Arc<Function>| (function.name().to_owned(), function);
        Self { functions: functions.into_iter().map(by_name).collect() }
    }

    /// Returns the function with this name.
    pub(crate) fn function(&self, name: &str) -> Option<&Arc<Function>> {
        self.functions.get(name)
    }

    /// Invokes a function and waits for the outcome.
    pub(crate) async fn invoke(&self, name: &str, payload: Bytes) -> Outcome {
        self.invoke_as(&random::uuid(), name, payload).await
    }

    /// Invokes a function with a request of this id and waits for the outcome.
    pub(crate) async fn invoke_as(&self, id: &str, name: &str, payload: Bytes) -> Outcome {
        match self.function(name) {
            Some(function) => function.invoke(id, payload).await,
            None => {
                Outcome::failed("ResourceNotFoundException", &format!("Function not found: {name}"))
            }
        }
    }

    /// Returns the invocation that an instance of a function processes, or has answered last.
    pub(crate) fn invocation_of(&self, name: &str, instance: &str) -> Option<String> {
        self.function(name)?.invocation_of(instance.parse().ok()?)
    }

    /// Kills an instance of a function during its work, and waits for its end.
    pub(crate) async fn crash(&self, name: &str, instance: &str) {
        if let (Some(function), Ok(instance)) = (self.function(name), instance.parse()) {
            function.crash(instance).await;
        }
    }

    /// Ends every process with what it remembers, and waits for the ends.
    pub(crate) async fn restart(&self) {
        join_all(self.functions.values().map(|function| function.restart())).await;
    }

    /// Replaces the program of every function.
    pub(crate) fn replace(&self, executable: &Path) {
        for function in self.functions.values() {
            function.replace(executable);
        }
    }

    /// Kills every process, refuses further invocations and waits for the end of the processes.
    pub(crate) async fn stop(&self) {
        for function in self.functions.values() {
            function.close();
        }
        for function in self.functions.values() {
            function.wait_until_empty().await;
        }
    }

    /// Kills every process and refuses further invocations.
    pub(crate) fn close(&self) {
        for function in self.functions.values() {
            function.close();
        }
    }
}
