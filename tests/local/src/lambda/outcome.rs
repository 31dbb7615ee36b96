//! The outcome of an invocation.

use axum::body::Bytes;
use serde_json::{Value as Json, json};
use std::time::Duration;

/// The type of the error of an invocation whose process the stack ended.
const RESTART: &str = "Local.Restart";

/// The outcome of an invocation.
#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    /// The function answered.
    Answered(Bytes),
    /// The function reported an error, or its process ended.
    Failed(Json),
    /// The function took longer than its timeout.
    TimedOut(Json),
}

impl Outcome {
    /// Returns a failure in the format of Lambda.
    pub(crate) fn failed(kind: &str, message: &str) -> Self {
        Self::Failed(json!({ "errorType": kind, "errorMessage": message }))
    }

    pub(super) fn timed_out(request_id: &str, timeout: Duration) -> Self {
        let message = format!(
            "RequestId: {request_id} Error: Task timed out after {:.2} seconds",
            timeout.as_secs_f64()
        );
        Self::TimedOut(json!({ "errorType": "Sandbox.Timedout", "errorMessage": message }))
    }

    /// Returns the failure of an invocation while the stack stops.
    pub(super) fn stopping() -> Self {
        Self::failed("ServiceException", "the local stack is stopping")
    }

    /// Returns the failure of an invocation whose process the stack ended.
    pub(super) fn restarted() -> Self {
        Self::failed(RESTART, "the data of the local stack was deleted")
    }

    /// Returns whether the stack ended the process.
    pub(super) fn is_restart(&self) -> bool {
        let Self::Failed(error) = self else { return false };
        error.get("errorType").and_then(Json::as_str) == Some(RESTART)
    }

    /// Returns the error in one line; `None` if the function answered.
    pub(crate) fn error(&self) -> Option<String> {
        match self {
            Self::Answered(_) => None,
            Self::Failed(error) | Self::TimedOut(error) => {
                let part = |name: &str| error.get(name).and_then(Json::as_str).unwrap_or("unknown");
                Some(format!("{}: {}", part("errorType"), part("errorMessage")))
            }
        }
    }
}
