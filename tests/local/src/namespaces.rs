//! Namespaces: stacks of their own behind the one port, for test workers that run at the same time.
//!
//! The header `x-latchkey-namespace: w1` or the host `w1.localhost` names one. It is made by its first
//! request, in memory, and shares nothing with the others but the programs of the functions.

use crate::admin_api::Names;
use crate::aws::Aws;
use crate::sync::lock;
use anyhow::{Context, ensure};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::HOST;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::future::{BoxFuture, join_all};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tokio::sync::OnceCell;
use tower::ServiceExt as _;

/// The header that names a namespace.
const HEADER: &str = "x-latchkey-namespace";
/// What the host of a namespace ends with.
const LOCALHOST: &str = ".localhost";
/// The most namespaces at the same time. Each has processes of its own.
const MOST: usize = 64;
/// The most characters of a name.
const LONGEST: usize = 32;

/// A namespace that was made.
#[derive(Debug, Clone)]
pub(crate) struct Space {
    pub(crate) router: Router,
    pub(crate) aws: Arc<Aws>,
}

/// Makes a namespace of a name.
pub(crate) type Make =
    Box<dyn Fn(String) -> BoxFuture<'static, anyhow::Result<Space>> + Send + Sync>;

/// The namespaces of a stack.
pub(crate) struct Namespaces {
    names: Names,
    make: Make,
    made: Mutex<BTreeMap<String, Arc<OnceCell<Space>>>>,
}

impl std::fmt::Debug for Namespaces {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(lock(&self.made).keys()).finish()
    }
}

impl Namespaces {
    pub(crate) fn new(names: Names, make: Make) -> Arc<Self> {
        Arc::new(Self { names, make, made: Mutex::default() })
    }

    async fn space(&self, name: &str, headers: &HeaderMap) -> anyhow::Result<Space> {
        let cell = {
            let mut made = lock(&self.made);
            if !made.contains_key(name) {
                ensure!(made.len() < MOST, "a stack has {MOST} namespaces at most");
                // Each starts processes, which a page of another site must not cause.
                let may = self.names.may_cause_work(headers);
                ensure!(may, "a page of another site may not make a namespace");
            }
            Arc::clone(made.entry(name.to_owned()).or_default())
        };
        let make = async || (self.make)(name.to_owned()).await;
        cell.get_or_try_init(make).await.cloned().context("failed to make the namespace")
    }

    fn all(&self) -> Vec<Space> {
        lock(&self.made).values().filter_map(|cell| cell.get().cloned()).collect()
    }

    /// Stops the functions of all namespaces.
    pub(crate) async fn stop(&self) {
        join_all(self.all().iter().map(|space| stop(&space.aws))).await;
    }

    /// Kills the functions of all namespaces without waiting.
    pub(crate) fn kill(&self) {
        for space in self.all() {
            space.aws.backend.kill();
        }
    }
}

async fn stop(aws: &Aws) {
    aws.faults.clear();
    aws.backend.stop().await;
}

/// Returns the route that shows the namespaces.
pub(crate) fn router(namespaces: Arc<Namespaces>) -> Router {
    Router::new().route("/_local/namespaces", get(list)).with_state(namespaces)
}

async fn list(State(namespaces): State<Arc<Namespaces>>) -> Response {
    let names: Vec<_> = lock(&namespaces.made).keys().cloned().collect();
    axum::Json(json!({ "namespaces": names })).into_response()
}

/// Hands a request to the namespace that it names. Other requests go on.
pub(crate) async fn dispatch(
    State(namespaces): State<Arc<Namespaces>>,
    request: Request,
    next: Next,
) -> Response {
    let Some(name) = named(request.headers()) else { return next.run(request).await };
    if !is_name(&name) {
        let problem = "a namespace has up to 32 lower-case letters, digits and hyphens";
        return error(StatusCode::BAD_REQUEST, problem);
    }
    match namespaces.space(&name, request.headers()).await {
        Ok(space) => space.router.oneshot(request).await.unwrap_or_else(|never| match never {}),
        Err(problem) => error(StatusCode::SERVICE_UNAVAILABLE, &format!("{problem:#}")),
    }
}

/// Returns the namespace that a request names.
fn named(headers: &HeaderMap) -> Option<String> {
    if let Some(name) = headers.get(HEADER) {
        return Some(String::from_utf8_lossy(name.as_bytes()).into_owned());
    }
    let host = headers.get(HOST)?.to_str().ok()?.to_ascii_lowercase();
    let host = host.split(':').next()?;
    host.strip_suffix(LOCALHOST).map(str::to_owned)
}

fn is_name(name: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=LONGEST).contains(&name.len()) && name.bytes().all(is_part)
}

fn error(status: StatusCode, message: &str) -> Response {
    (status, axum::Json(json!({ "error": message }))).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderName;

    #[test]
    fn a_header_or_a_host_names_a_namespace() {
        let of = |name: HeaderName, value: &str| {
            named(&[(name, value.parse().unwrap())].into_iter().collect())
        };
        assert_eq!(of(HOST, "w1.localhost:9000").as_deref(), Some("w1"));
        assert_eq!(of(HOST, "W1.Localhost").as_deref(), Some("w1"));
        assert_eq!(of(HeaderName::from_static(HEADER), "w2").as_deref(), Some("w2"));
        for host in ["localhost:9000", "127.0.0.1:9000", "api.example"] {
            assert_eq!(of(HOST, host), None, "{host}");
        }
        for name in ["", "a.b", "W1", "w_1", &"w".repeat(33)] {
            assert!(!is_name(name), "{name}");
        }
        assert!(is_name("worker-1"));
    }
}
