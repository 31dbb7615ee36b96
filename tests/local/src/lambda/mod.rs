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

use axum::body::Bytes;
use std::collections::BTreeMap;
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
        match self.function(name) {
            Some(function) => function.invoke(payload).await,
            None => {
                Outcome::failed("ResourceNotFoundException", &format!("Function not found: {name}"))
            }
        }
    }

    /// Kills an instance of a function during its work, and waits for its end.
    pub(crate) async fn crash(&self, name: &str, instance: &str) {
        if let (Some(function), Ok(instance)) = (self.function(name), instance.parse()) {
            function.crash(instance).await;
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
