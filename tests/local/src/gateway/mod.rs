//! The API Gateway HTTP API in front of the functions.

mod answer;
mod event;
mod routes;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::lambda::{Lambda, Outcome};
use crate::template::FunctionSpec;
use event::Call;
use routes::Routes;

/// API Gateway takes no larger body.
const BODY_LIMIT: usize = 10 * 1024 * 1024;

/// Lambda takes no larger event.
const EVENT_LIMIT: usize = 6 * 1024 * 1024;

/// The front: routes and the functions behind them.
#[derive(Debug)]
pub(crate) struct Gateway {
    routes: Routes,
    lambda: Arc<Lambda>,
    /// The front's own `host:port`.
    domain: String,
}

impl Gateway {
    pub(crate) fn new(
        functions: &[FunctionSpec],
        lambda: Arc<Lambda>,
        address: SocketAddr,
    ) -> anyhow::Result<Self> {
        Ok(Self { routes: Routes::new(functions)?, lambda, domain: address.to_string() })
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
    let Some(found) = gateway.routes.find(head.method.as_str(), &path) else {
        return message(StatusCode::NOT_FOUND, "Not Found");
    };
    if !event::is_plain_host(&head.headers) {
        return message(StatusCode::BAD_REQUEST, "Bad Request");
    }
    let Ok(body) = axum::body::to_bytes(body, BODY_LIMIT).await else {
        return message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
    };
    let call = Call {
        head: &head,
        path: &path,
        body: &body,
        peer,
        domain: &gateway.domain,
        route: &found,
    };
    let payload = Bytes::from(call.event().to_string());
    if payload.len() > EVENT_LIMIT {
        return message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
    }
    match gateway.lambda.invoke(&found.function, payload).await {
        Outcome::Answered(answer) => answer::render(&answer)
            .unwrap_or_else(|| message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")),
        Outcome::Failed(_) => message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"),
        Outcome::TimedOut(_) => message(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
    }
}

/// API Gateway's own answers all look like this.
fn message(status: StatusCode, text: &str) -> Response {
    (status, axum::Json(json!({ "message": text }))).into_response()
}
