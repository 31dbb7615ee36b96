//! A Runtime API for one process, which gives it events one at a time.

use anyhow::{Context as _, bail};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::Value;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc, watch};

/// The time that a process has for its start or for an answer. Under an instruction counter it takes a hundred times longer than
/// without.
const PATIENCE: Duration = Duration::from_mins(1);
/// The time that a function is told it has for an event.
const DEADLINE: Duration = Duration::from_mins(5);
/// The largest answer of a function, in bytes.
const ANSWER_LIMIT: usize = 6 * 1024 * 1024;

/// The Runtime API of one process.
pub(crate) struct Runtime {
    /// The `host:port`, as the variable `AWS_LAMBDA_RUNTIME_API` has it.
    pub(crate) address: String,
    events: mpsc::Sender<Bytes>,
    answers: mpsc::Receiver<Bytes>,
    polls: watch::Receiver<u64>,
}

struct Shared {
    events: Mutex<mpsc::Receiver<Bytes>>,
    answers: mpsc::Sender<Bytes>,
    /// How often the process has asked for an event.
    polls: watch::Sender<u64>,
}

impl Runtime {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("failed to listen")?;
        let address = listener.local_addr()?.to_string();
        let (events, events_of_process) = mpsc::channel(1);
        let (answers_of_process, answers) = mpsc::channel(1);
        let (counter, polls) = watch::channel(0);
        let shared = Arc::new(Shared {
            events: Mutex::new(events_of_process),
            answers: answers_of_process,
            polls: counter,
        });
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(response))
            .with_state(shared);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, events, answers, polls })
    }

    /// Waits until the process has asked for `count` events.
    pub(crate) async fn polled(&mut self, count: u64) -> anyhow::Result<()> {
        let asked = self.polls.wait_for(|polls| *polls >= count);
        tokio::time::timeout(PATIENCE, asked).await.context("the process asked for no event")??;
        Ok(())
    }

    /// Invokes the function and returns its answer, which must have this status.
    pub(crate) async fn invoke(&mut self, event: &Value, status: u16) -> anyhow::Result<Value> {
        self.events.send(event.to_string().into()).await.context("the Runtime API has ended")?;
        let answer = tokio::time::timeout(PATIENCE, self.answers.recv());
        let answer = answer.await.context("the process gave no answer")?;
        let answer: Value = serde_json::from_slice(&answer.context("the Runtime API has ended")?)?;
        if answer.get("statusCode").and_then(Value::as_u64) != Some(status.into()) {
            bail!("the function answered {answer} and not {status}");
        }
        Ok(answer)
    }
}

async fn next(State(shared): State<Arc<Shared>>) -> Response {
    shared.polls.send_modify(|polls| *polls = polls.saturating_add(1));
    let Some(event) = shared.events.lock().await.recv().await else {
        return StatusCode::FORBIDDEN.into_response();
    };
    let deadline = SystemTime::now().checked_add(DEADLINE).unwrap_or_else(SystemTime::now);
    let deadline = deadline.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("lambda-runtime-aws-request-id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd".to_owned()),
        ("lambda-runtime-deadline-ms", deadline.as_millis().to_string()),
        ("lambda-runtime-invoked-function-arn", template::arn::function("bench")),
        (
            "lambda-runtime-trace-id",
            "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0".to_owned(),
        ),
    ];
    (headers.map(|(name, value)| (HeaderName::from_static(name), value)), event).into_response()
}

async fn response(
    State(shared): State<Arc<Shared>>,
    Path(_id): Path<String>,
    body: Body,
) -> StatusCode {
    let Ok(answer) = axum::body::to_bytes(body, ANSWER_LIMIT).await else {
        return StatusCode::PAYLOAD_TOO_LARGE;
    };
    match shared.answers.send(answer).await {
        Ok(()) => StatusCode::ACCEPTED,
        Err(_) => StatusCode::GONE,
    }
}
