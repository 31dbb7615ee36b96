//! The Lambda service: functions as processes that ask a Runtime API for their next event.

mod outcome;
mod pool;
mod process;
mod runtime_api;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Bytes;

pub(crate) use outcome::Outcome;
pub(crate) use pool::{Function, Launch};
pub(crate) use runtime_api::router;

/// All functions of the stack, by name.
#[derive(Debug)]
pub(crate) struct Lambda {
    functions: BTreeMap<String, Arc<Function>>,
}

impl Lambda {
    pub(crate) fn new(functions: impl IntoIterator<Item = Arc<Function>>) -> Self {
        let by_name = |function: Arc<Function>| (function.name().to_owned(), function);
        Self { functions: functions.into_iter().map(by_name).collect() }
    }

    /// The function of this name.
    pub(crate) fn function(&self, name: &str) -> Option<&Arc<Function>> {
        self.functions.get(name)
    }

    /// Invokes a function and waits for what becomes of it.
    pub(crate) async fn invoke(&self, name: &str, payload: Bytes) -> Outcome {
        match self.function(name) {
            Some(function) => function.invoke(payload).await,
            None => {
                Outcome::failed("ResourceNotFoundException", &format!("Function not found: {name}"))
            }
        }
    }

    /// Kills one instance of a function, as a crash in the middle of its work would, and waits for its end.
    pub(crate) async fn crash(&self, name: &str, instance: &str) {
        if let (Some(function), Ok(instance)) = (self.function(name), instance.parse()) {
            function.crash(instance).await;
        }
    }

    /// Kills every process and refuses whatever comes after.
    pub(crate) async fn stop(&self) {
        for function in self.functions.values() {
            function.close();
        }
        for function in self.functions.values() {
            function.emptied().await;
        }
    }

    /// Kills every process without waiting.
    pub(crate) fn close(&self) {
        for function in self.functions.values() {
            function.close();
        }
    }
}
