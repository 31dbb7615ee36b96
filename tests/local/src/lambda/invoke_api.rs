//! The Invoke API of Lambda.

use super::{Lambda, Outcome};
use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::sync::Arc;
use template::arn;

/// Invokes a function and waits for its result, unless the caller asks for another invocation type.
pub(crate) async fn invoke(
    lambda: &Arc<Lambda>,
    name: &str,
    headers: &HeaderMap,
    payload: Bytes,
) -> Response {
    if lambda.function(name).is_none() {
        return refusal(
            StatusCode::NOT_FOUND,
            "ResourceNotFoundException",
            &format!("Function not found: {}", arn::function(name)),
        );
    }
    // Lambda replaces an empty payload with an empty object.
    let payload = if payload.is_empty() { Bytes::from_static(b"{}") } else { payload };
    if serde_json::from_slice::<serde::de::IgnoredAny>(&payload).is_err() {
        return refusal(
            StatusCode::BAD_REQUEST,
            "InvalidRequestContentException",
            "Could not parse request body into json",
        );
    }
    let version = (HeaderName::from_static("x-amz-executed-version"), "$LATEST");
    match headers.get("x-amz-invocation-type").map(HeaderValue::as_bytes) {
        Some(b"Event") => {
            let (lambda, name) = (Arc::clone(lambda), name.to_owned());
            tokio::spawn(async move { lambda.invoke(&name, payload).await });
            StatusCode::ACCEPTED.into_response()
        }
        Some(b"DryRun") => StatusCode::NO_CONTENT.into_response(),
        _ => match lambda.invoke(name, payload).await {
            Outcome::Answered(answer) => {
                let json = (HeaderName::from_static("content-type"), "application/json");
                ([version, json], answer).into_response()
            }
            Outcome::Failed(problem) | Outcome::TimedOut(problem) => {
                let unhandled = (HeaderName::from_static("x-amz-function-error"), "Unhandled");
                ([version, unhandled], axum::Json(problem)).into_response()
            }
        },
    }
}

fn refusal(status: StatusCode, kind: &'static str, message: &str) -> Response {
    let body = axum::Json(json!({ "Type": "User", "Message": message }));
    (status, [(HeaderName::from_static("x-amzn-errortype"), kind)], body).into_response()
}
