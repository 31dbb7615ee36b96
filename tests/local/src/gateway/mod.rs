//! The API Gateway HTTP API in front of the functions.

mod answer;
mod event;
mod routes;

use crate::lambda::{Lambda, Outcome, PAYLOAD_LIMIT};
use axum::body::Bytes;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use event::ApiRequest;
use routes::Routes;
use serde_json::json;
use std::net::SocketAddr;
use std::sync::Arc;
use template::Function;

/// The largest body that API Gateway accepts.
const BODY_LIMIT: usize = 10 * 1024 * 1024;

/// The API: its routes and functions.
#[derive(Debug)]
pub(crate) struct Gateway {
    routes: Routes,
    lambda: Arc<Lambda>,
    /// The `host:port` of the API.
    domain: String,
}

impl Gateway {
    pub(crate) fn new(functions: &[Function], lambda: Arc<Lambda>, address: SocketAddr) -> Self {
        Self { routes: Routes::new(functions), lambda, domain: address.to_string() }
    }
}

/// Answers one request of a client.
pub(crate) async fn handle(
    State(gateway): State<Arc<Gateway>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let path = event::decode_path(head.uri.path());
    let Some(route) = gateway.routes.find(head.method.as_str(), &path) else {
        return message(StatusCode::NOT_FOUND, "Not Found");
    };
    if !event::is_plain_host(&head.headers) {
        return message(StatusCode::BAD_REQUEST, "Bad Request");
    }
    let Ok(body) = axum::body::to_bytes(body, BODY_LIMIT).await else {
        return message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
    };
    let request = ApiRequest {
        head: &head,
        path: &path,
        body: &body,
        peer,
        domain: &gateway.domain,
        route: &route,
    };
    let payload = Bytes::from(request.event().to_string());
    if payload.len() > PAYLOAD_LIMIT {
        return message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
    }
    match gateway.lambda.invoke(&route.function, payload).await {
        Outcome::Answered(answer) => answer::render(&answer)
            .unwrap_or_else(|| message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")),
        Outcome::Failed(_) => message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"),
        Outcome::TimedOut(_) => message(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
    }
}

/// Returns a response of API Gateway itself.
fn message(status: StatusCode, text: &str) -> Response {
    (status, axum::Json(json!({ "message": text }))).into_response()
}
