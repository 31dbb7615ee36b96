//! A consumer of events: the web server of another service.

use acceptance::TestStack;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;

/// A web server that takes events.
pub(crate) struct Hook {
    url: String,
    state: Arc<Mutex<Requests>>,
}

struct Requests {
    /// The status of the next answers.
    status: u16,
    count: usize,
    content_types: Vec<String>,
    /// The events that were taken.
    events: Vec<Value>,
}

impl Hook {
    /// Starts a server that answers 200.
    #[expect(clippy::disallowed_methods, reason = "the server works while the test waits")]
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let requests =
            Requests { status: 200, count: 0, content_types: Vec::new(), events: Vec::new() };
        let state = Arc::new(Mutex::new(requests));
        let router = Router::new().route("/hook", post(take)).with_state(Arc::clone(&state));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, state }
    }

    pub(crate) fn url(&self) -> String {
        self.url.clone()
    }

    /// Answers with this status from now on.
    pub(crate) fn answer(&self, status: u16) {
        self.state.lock().unwrap().status = status;
    }

    /// Returns the events that were taken so far.
    pub(crate) fn taken(&self) -> Vec<Value> {
        self.state.lock().unwrap().events.clone()
    }

    /// Waits for this many events.
    pub(crate) async fn events(&self, stack: &TestStack, count: usize) -> Vec<Value> {
        let enough = || async { Some(self.taken()).filter(|events| events.len() >= count) };
        let events = stack.wait_for("the events of a consumer", enough).await;
        assert_eq!(events.len(), count);
        events
    }

    /// Waits for this many requests, whatever was answered.
    pub(crate) async fn requests(&self, stack: &TestStack, count: usize) {
        let enough = || async { (self.state.lock().unwrap().count >= count).then_some(()) };
        stack.wait_for("the requests to a consumer", enough).await;
    }

    pub(crate) fn content_types(&self) -> Vec<String> {
        self.state.lock().unwrap().content_types.clone()
    }

    /// Forgets the events that were taken so far.
    pub(crate) fn forget(&self) {
        self.state.lock().unwrap().events.clear();
    }
}

async fn take(
    State(state): State<Arc<Mutex<Requests>>>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let mut requests = state.lock().unwrap();
    requests.count = requests.count.saturating_add(1);
    requests.content_types.push(headers["content-type"].to_str().unwrap().to_owned());
    let status = StatusCode::from_u16(requests.status).unwrap();
    if status.is_success() {
        requests.events.push(serde_json::from_slice(&body).unwrap());
    }
    status
}

/// The rules for consumers, as `tests/aws/consumer.py` follows them: each event once, and an older one replaces nothing.
#[derive(Default)]
pub(crate) struct Handler {
    seen: BTreeSet<String>,
    newest: BTreeMap<String, u64>,
    /// The detail types of the events that were handled, sorted.
    pub(crate) handled: BTreeSet<String>,
    /// The detail type of the newest event.
    pub(crate) state: String,
}

impl Handler {
    pub(crate) fn take(&mut self, event: &Value) {
        let detail = &event["detail"];
        assert_eq!(detail["schemaVersion"], 1);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        if !self.seen.insert(text(&detail["eventId"])) {
            return;
        }
        let kind = text(&event["detail-type"]);
        assert!(self.handled.insert(kind.clone()), "{kind} was handled before");
        let version = detail["userVersion"].as_u64().unwrap();
        let newest = self.newest.entry(text(&detail["userId"])).or_default();
        if version > *newest {
            *newest = version;
            self.state = kind;
        }
    }
}
