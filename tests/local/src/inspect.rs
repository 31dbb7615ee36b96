//! The stack's own API, under `/_local/`, and Lambda's Invoke API.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::aws::{Aws, Fault};
use crate::database;
use crate::deployed::Passed;
use crate::lambda::Outcome;
use crate::streams::DatabaseHandle;
use crate::template::TableSpec;

/// Lambda takes no larger payload.
const PAYLOAD_LIMIT: usize = 6 * 1024 * 1024;

/// What can be looked at.
#[derive(Debug)]
pub(crate) struct Inspection {
    pub(crate) api_url: String,
    pub(crate) dynamodb_url: String,
    pub(crate) functions: Vec<String>,
    pub(crate) tables: Vec<TableSpec>,
    /// Absent where the functions are deployed elsewhere.
    pub(crate) database: Option<DatabaseHandle>,
    pub(crate) aws: Arc<Aws>,
}

type Shared = State<Arc<Inspection>>;

/// The routes that are not the API's.
pub(crate) fn router(inspection: Arc<Inspection>) -> Router {
    Router::new()
        .route("/_local/health", get(health))
        .route("/_local/messages", get(messages))
        .route("/_local/events", get(events))
        .route("/_local/tables", get(tables))
        .route("/_local/tables/{table}", get(table))
        .route("/_local/calls", get(calls))
        .route("/_local/faults", post(add_fault).delete(clear_faults))
        .route("/_local", any(nothing))
        .route("/_local/", any(nothing))
        .route("/_local/{*rest}", any(nothing))
        .route("/2015-03-31/functions/{function}/invocations", post(invoke))
        .layer(DefaultBodyLimit::max(PAYLOAD_LIMIT))
        .with_state(inspection)
}

async fn health(State(stack): Shared) -> Response {
    axum::Json(json!({
        "api": stack.api_url,
        "dynamodb": stack.dynamodb_url,
        "functions": stack.functions,
    }))
    .into_response()
}

#[derive(Debug, Deserialize)]
struct MessageFilter {
    to: Option<String>,
}

async fn messages(State(stack): Shared, Query(filter): Query<MessageFilter>) -> Response {
    match &stack.aws.account {
        Some(account) => found("messages", account.messages(filter.to.as_deref()).await),
        None => listing("messages", stack.aws.records.messages(filter.to.as_deref())),
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct EventFilter {
    detail_type: Option<String>,
}

async fn events(State(stack): Shared, Query(filter): Query<EventFilter>) -> Response {
    let kind = filter.detail_type.as_deref();
    match &stack.aws.account {
        Some(account) => found("events", account.events(kind).await),
        None => listing("events", stack.aws.records.events(kind)),
    }
}

async fn tables(State(stack): Shared) -> Response {
    let ids: Vec<_> = stack.tables.iter().map(|table| &table.id).collect();
    axum::Json(json!({ "tables": ids })).into_response()
}

async fn table(State(stack): Shared, Path(id): Path<String>) -> Response {
    let Some(table) = stack.tables.iter().find(|table| table.id == id) else {
        return error(StatusCode::NOT_FOUND, "the template has no such table");
    };
    match (&stack.aws.account, &stack.database) {
        (Some(account), _) => found("items", account.items(&table.name).await),
        (_, Some(database)) => found("items", database::items(&database.0, &table.name)),
        _ => error(StatusCode::NOT_FOUND, "there is no database"),
    }
}

#[derive(Debug, Deserialize)]
struct CallFilter {
    function: Option<String>,
}

async fn calls(State(stack): Shared, Query(filter): Query<CallFilter>) -> Response {
    listing("calls", stack.aws.calls.list(filter.function.as_deref()))
}

async fn add_fault(State(stack): Shared, body: Bytes) -> Response {
    // Whatever content type it comes with: this is for people with curl.
    let fault: Fault = match serde_json::from_slice(&body) {
        Ok(fault) => fault,
        Err(problem) => return error(StatusCode::BAD_REQUEST, &problem.to_string()),
    };
    if let Some(mistake) = fault.mistake() {
        return error(StatusCode::BAD_REQUEST, mistake);
    }
    stack.aws.faults.add(fault);
    StatusCode::NO_CONTENT.into_response()
}

async fn clear_faults(State(stack): Shared) -> Response {
    stack.aws.faults.clear();
    StatusCode::NO_CONTENT.into_response()
}

async fn nothing() -> Response {
    error(StatusCode::NOT_FOUND, "the local stack has nothing here")
}

/// Lambda's `Invoke`. A function is named by its name or its ARN.
async fn invoke(
    State(stack): Shared,
    Path(name): Path<String>,
    headers: HeaderMap,
    payload: Bytes,
) -> Response {
    let name = name.rsplit_once(":function:").map_or(name.as_str(), |(_, name)| name);
    let name = name.split(':').next().unwrap_or_default().to_owned();
    if let Some(account) = &stack.aws.account {
        return match account.invoke(&name, payload).await {
            Ok(Passed { status, headers, body }) => (status, headers, body).into_response(),
            Err(problem) => error(StatusCode::BAD_GATEWAY, &format!("{problem:#}")),
        };
    }
    let lambda = Arc::clone(&stack.aws.lambda);
    if lambda.function(&name).is_none() {
        return lambda_error(
            StatusCode::NOT_FOUND,
            "ResourceNotFoundException",
            &format!("Function not found: {}", crate::template::function_arn(&name)),
        );
    }
    // Lambda gives a function an empty object when nobody gives it anything.
    let payload = if payload.is_empty() { Bytes::from_static(b"{}") } else { payload };
    if serde_json::from_slice::<serde::de::IgnoredAny>(&payload).is_err() {
        return lambda_error(
            StatusCode::BAD_REQUEST,
            "InvalidRequestContentException",
            "Could not parse request body into json",
        );
    }
    let version = (HeaderName::from_static("x-amz-executed-version"), "$LATEST");
    match headers.get("x-amz-invocation-type").map(HeaderValue::as_bytes) {
        Some(b"Event") => {
            tokio::spawn(async move { lambda.invoke(&name, payload).await });
            StatusCode::ACCEPTED.into_response()
        }
        Some(b"DryRun") => StatusCode::NO_CONTENT.into_response(),
        _ => match lambda.invoke(&name, payload).await {
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

/// Entries under one name; each keeps the order of its fields.
fn listing(name: &str, entries: Vec<impl Serialize>) -> Response {
    axum::Json(BTreeMap::from([(name, entries)])).into_response()
}

/// The same, where looking can fail.
fn found(name: &str, entries: anyhow::Result<Vec<impl Serialize>>) -> Response {
    match entries {
        Ok(entries) => listing(name, entries),
        Err(problem) => error(StatusCode::INTERNAL_SERVER_ERROR, &format!("{problem:#}")),
    }
}

fn error(status: StatusCode, message: &str) -> Response {
    (status, axum::Json(json!({ "error": message }))).into_response()
}

fn lambda_error(status: StatusCode, kind: &'static str, message: &str) -> Response {
    let body = axum::Json(json!({ "Type": "User", "Message": message }));
    (status, [(HeaderName::from_static("x-amzn-errortype"), kind)], body).into_response()
}
