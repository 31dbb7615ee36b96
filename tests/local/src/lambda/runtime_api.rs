//! The Runtime API, from which the processes of functions get their events.
//!
//! Each instance has its own base URL, `host:port/<function>/<instance>`, to which its runtime
//! client appends the documented paths.

use super::outcome::Outcome;
use super::pool::{Delivery, InstanceId};
use super::{Lambda, PAYLOAD_LIMIT};
use crate::random;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value as Json, json};
use std::sync::Arc;
use template::arn;

/// Returns the routes.
pub(crate) fn router(lambda: Arc<Lambda>) -> Router {
    const BASE: &str = "/{function}/{instance}/2018-06-01/runtime";
    Router::new()
        .route(&format!("{BASE}/invocation/next"), get(next))
        .route(&format!("{BASE}/invocation/{{id}}/response"), post(response))
        .route(&format!("{BASE}/invocation/{{id}}/error"), post(error))
        .route(&format!("{BASE}/init/error"), post(init_error))
        .with_state(lambda)
}

async fn next(
    State(lambda): State<Arc<Lambda>>,
    Path((name, instance)): Path<(String, InstanceId)>,
) -> Response {
    let delivery = match lambda.function(&name) {
        Some(function) => function.next(instance).await,
        None => None,
    };
    let Some(Delivery { request_id, payload, deadline_ms }) = delivery else {
        return refusal(StatusCode::FORBIDDEN, "this instance gets no more events");
    };
    let trace = random::uuid().replace('-', "");
    let (time, unique) = trace.split_at(8);
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("lambda-runtime-aws-request-id", request_id),
        ("lambda-runtime-deadline-ms", deadline_ms.to_string()),
        ("lambda-runtime-invoked-function-arn", arn::function(&name)),
        ("lambda-runtime-trace-id", format!("Root=1-{time}-{unique};Sampled=0")),
    ];
    (headers.map(|(name, value)| (axum::http::HeaderName::from_static(name), value)), payload)
        .into_response()
}

async fn response(
    State(lambda): State<Arc<Lambda>>,
    Path((name, instance, request_id)): Path<(String, InstanceId, String)>,
    body: Body,
) -> Response {
    let outcome = match axum::body::to_bytes(body, PAYLOAD_LIMIT).await {
        Ok(answer) => Outcome::Answered(answer),
        Err(_) => Outcome::failed(
            "Function.ResponseSizeTooLarge",
            "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
        ),
    };
    answer(&lambda, &name, instance, &request_id, outcome)
}

async fn error(
    State(lambda): State<Arc<Lambda>>,
    Path((name, instance, request_id)): Path<(String, InstanceId, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    answer(&lambda, &name, instance, &request_id, reported(&headers, &body))
}

async fn init_error(
    State(lambda): State<Arc<Lambda>>,
    Path((name, instance)): Path<(String, InstanceId)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Some(function) = lambda.function(&name) {
        function.init_failed(instance, reported(&headers, &body));
    }
    accepted()
}

/// Returns the error that a function reports.
fn reported(headers: &HeaderMap, body: &[u8]) -> Outcome {
    match serde_json::from_slice::<Json>(body) {
        Ok(error) if error.is_object() => Outcome::Failed(error),
        _ => {
            let kind =
                headers.get("lambda-runtime-function-error-type").and_then(|v| v.to_str().ok());
            Outcome::failed(kind.unwrap_or("Runtime.Unknown"), "the function gave no details")
        }
    }
}

fn answer(
    lambda: &Lambda,
    name: &str,
    instance: InstanceId,
    request_id: &str,
    outcome: Outcome,
) -> Response {
    match lambda.function(name) {
        Some(function) if function.answer(instance, request_id, outcome) => accepted(),
        _ => refusal(StatusCode::BAD_REQUEST, "no such request"),
    }
}

fn accepted() -> Response {
    (StatusCode::ACCEPTED, axum::Json(json!({ "status": "OK" }))).into_response()
}

fn refusal(status: StatusCode, message: &str) -> Response {
    (status, axum::Json(json!({ "errorType": "InvalidRequestID", "errorMessage": message })))
        .into_response()
}
