//! The API Gateway HTTP API in front of the functions.

mod answer;
mod event;
mod routes;
mod traffic;

use crate::activity::{Activity, Asked};
use crate::lambda::{Lambda, Outcome, PAYLOAD_LIMIT};
use crate::random;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use event::ApiRequest;
use routes::{Route, Routes};
use serde_json::{Map, Value as Json, json};
use std::net::SocketAddr;
use std::sync::Arc;
use template::Function;

pub(crate) use traffic::Traffic;

/// The largest body that API Gateway accepts.
const BODY_LIMIT: usize = 10 * 1024 * 1024;

/// The API: its routes and functions.
#[derive(Debug)]
pub(crate) struct Gateway {
    routes: Routes,
    lambda: Arc<Lambda>,
    activity: Arc<Activity>,
    /// The `host:port` of the API.
    domain: String,
    /// Keeps each request with its answer, if asked to.
    traffic: Option<Traffic>,
}

impl Gateway {
    pub(crate) fn new(
        functions: &[Function],
        lambda: Arc<Lambda>,
        activity: Arc<Activity>,
        (address, traffic): (SocketAddr, Option<Traffic>),
    ) -> Self {
        let (routes, domain) = (Routes::new(functions), address.to_string());
        Self { routes, lambda, activity, domain, traffic }
    }

    /// Invokes the function of a route and returns its response.
    async fn invoke(&self, id: &str, route: &Route, (event, payload): (&Json, Bytes)) -> Response {
        let outcome = self.lambda.invoke_as(id, &route.function, payload).await;
        if let (Some(traffic), Outcome::Answered(answer)) = (&self.traffic, &outcome) {
            traffic.add(event, answer);
        }
        let response = match &outcome {
            Outcome::Answered(answer) => answer::render(answer).unwrap_or_else(internal),
            Outcome::Failed(_) => internal(),
            Outcome::TimedOut(_) => message(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
        };
        self.activity.request_ends(id, response.status().as_u16(), &outcome);
        response
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
    let activity = &gateway.activity;
    let id = random::uuid();
    let request = ApiRequest {
        head: &head,
        path: &path,
        body: &body,
        peer,
        domain: &gateway.domain,
        route: &route,
        id: &id,
        now: activity.clock.millis(),
    };
    let event = request.event();
    let payload = Bytes::from(event.to_string());
    if payload.len() > PAYLOAD_LIMIT {
        return message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
    }
    let kept = gateway.traffic.as_ref().map(|_| event.clone()).unwrap_or_default();
    activity.request_begins(request.summary(activity.clock.stamp()), asked(event));
    // A task of its own: the invocation goes on if the client goes away, as on AWS.
    let gateway = Arc::clone(&gateway);
    let invocation =
        tokio::spawn(async move { gateway.invoke(&id, &route, (&kept, payload)).await });
    invocation.await.unwrap_or_else(|_| internal())
}

fn internal() -> Response {
    message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
}

/// Returns what a client sent, as its event has it.
fn asked(mut event: Json) -> Asked {
    let mut headers = match event.get_mut("headers").map(Json::take) {
        Some(Json::Object(headers)) => headers,
        _ => Map::new(),
    };
    let cookies = event.get("cookies").and_then(Json::as_array).into_iter().flatten();
    let cookies: Vec<_> = cookies.filter_map(Json::as_str).collect();
    if !cookies.is_empty() {
        headers.insert("cookie".to_owned(), cookies.join("; ").into());
    }
    let body_is_base64 = event.get("isBase64Encoded") == Some(&Json::Bool(true));
    let body = event.get("body").and_then(Json::as_str).map(str::to_owned);
    Asked { headers, body, body_is_base64 }
}

/// Returns a response of API Gateway itself.
fn message(status: StatusCode, text: &str) -> Response {
    (status, axum::Json(json!({ "message": text }))).into_response()
}
