//! The admin API, under `/_local/`, and the Invoke API of Lambda.

use crate::aws::{self, Aws, Fault};
use crate::lambda::PAYLOAD_LIMIT;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use template::Table;

/// The state of the API.
#[derive(Debug)]
pub(crate) struct AdminApi {
    pub(crate) api_url: String,
    pub(crate) dynamodb_url: String,
    /// The names of the functions.
    pub(crate) functions: Vec<String>,
    pub(crate) tables: Vec<Table>,
    pub(crate) aws: Arc<Aws>,
}

type Stack = State<Arc<AdminApi>>;

/// Returns the routes.
pub(crate) fn router(api: Arc<AdminApi>) -> Router {
    Router::new()
        .route("/_local/health", get(health))
        .route("/_local/messages", get(messages))
        .route("/_local/events", get(events))
        .route("/_local/tables", get(tables))
        .route("/_local/tables/{table}", get(table))
        .route("/_local/calls", get(calls))
        .route("/_local/sms-webhook", post(sms_webhook))
        .route("/_local/faults", post(add_fault).delete(clear_faults))
        .route("/_local", any(not_found))
        .route("/_local/", any(not_found))
        .route("/_local/{*rest}", any(not_found))
        .route("/2015-03-31/functions/{function}/invocations", post(invoke))
        .layer(DefaultBodyLimit::max(PAYLOAD_LIMIT))
        .with_state(api)
}

async fn health(State(stack): Stack) -> Response {
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

async fn messages(State(stack): Stack, Query(filter): Query<MessageFilter>) -> Response {
    page("messages", stack.aws.backend.messages(filter.to.as_deref()).await)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct EventFilter {
    detail_type: Option<String>,
}

async fn events(State(stack): Stack, Query(filter): Query<EventFilter>) -> Response {
    page("events", stack.aws.backend.events(filter.detail_type.as_deref()).await)
}

async fn tables(State(stack): Stack) -> Response {
    page("tables", Ok(stack.tables.iter().map(|table| &table.id).collect()))
}

async fn table(State(stack): Stack, Path(id): Path<String>) -> Response {
    match stack.tables.iter().find(|table| table.id == id) {
        Some(table) => page("items", stack.aws.backend.items(&table.name).await),
        None => error(StatusCode::NOT_FOUND, "the template has no such table"),
    }
}

#[derive(Debug, Deserialize)]
struct CallFilter {
    function: Option<String>,
}

async fn calls(State(stack): Stack, Query(filter): Query<CallFilter>) -> Response {
    page("calls", Ok(stack.aws.calls.list(filter.function.as_deref())))
}

async fn add_fault(State(stack): Stack, body: Bytes) -> Response {
    // The content type is ignored, because curl does not send that of JSON.
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

/// Plays the operator's webhook for texts.
async fn sms_webhook(State(stack): Stack, request: Request) -> Response {
    aws::handle_webhook(&stack.aws, request).await
}

async fn clear_faults(State(stack): Stack) -> Response {
    stack.aws.faults.clear();
    StatusCode::NO_CONTENT.into_response()
}

async fn not_found() -> Response {
    error(StatusCode::NOT_FOUND, "the local stack has nothing here")
}

/// Answers Lambda's `Invoke`, which names a function by its name or its ARN.
async fn invoke(
    State(stack): Stack,
    Path(name): Path<String>,
    headers: HeaderMap,
    payload: Bytes,
) -> Response {
    let name = name.rsplit_once(":function:").map_or(name.as_str(), |(_, name)| name);
    let name = name.split(':').next().unwrap_or_default();
    stack.aws.backend.invoke(name, &headers, payload).await
}

/// Returns an object with the entries under one name.
fn page(name: &str, entries: anyhow::Result<Vec<impl Serialize>>) -> Response {
    match entries {
        Ok(entries) => axum::Json(BTreeMap::from([(name, entries)])).into_response(),
        Err(problem) => error(StatusCode::INTERNAL_SERVER_ERROR, &format!("{problem:#}")),
    }
}

fn error(status: StatusCode, message: &str) -> Response {
    (status, axum::Json(json!({ "error": message }))).into_response()
}
