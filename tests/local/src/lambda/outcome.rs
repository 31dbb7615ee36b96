//! What becomes of an invocation.

use std::time::Duration;

use axum::body::Bytes;
use serde_json::{Value as Json, json};

/// The end of an invocation.
#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    /// The function answered.
    Answered(Bytes),
    /// The function reported an error, or its process ended.
    Failed(Json),
    /// The function took longer than its Timeout.
    TimedOut(Json),
}

impl Outcome {
    /// A failure in Lambda's words.
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

    /// The stack is going down.
    pub(super) fn stopping() -> Self {
        Self::failed("ServiceException", "the local stack is stopping")
    }

    /// The error of an outcome that is none, in one line.
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
