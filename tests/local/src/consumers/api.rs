//! The pages of the consumers, under `/_local/`.

use super::delivery::Mode;
use super::{Consumers, Counts, Place, sqs};
use crate::sync::lock;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json as Body, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use std::sync::Arc;

/// The path of the endpoint of the queues.
const SQS: &str = "/_local/sqs";

#[derive(Debug)]
struct Api {
    consumers: Arc<Consumers>,
    sqs_url: String,
}

type Stack = State<Arc<Api>>;

/// Returns the routes. `url` is that of the stack.
pub(crate) fn router(consumers: Arc<Consumers>, url: &str) -> Router {
    Router::new()
        .route("/_local/consumers", get(list).post(change))
        .route(SQS, post(answer))
        .route("/_local/sqs/", post(answer))
        // Some clients send a request to the URL of its queue.
        .route("/_local/sqs/{account}/{queue}", post(answer))
        .with_state(Arc::new(Api { consumers, sqs_url: format!("{url}{SQS}") }))
}

#[derive(Serialize)]
struct Page<'c> {
    mode: Mode,
    consumers: Vec<ConsumerPage<'c>>,
    queues: Vec<QueuePage<'c>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ConsumerPage<'c> {
    name: &'c str,
    /// The URL, or that of the queue.
    target: String,
    pattern: Option<&'c Json>,
    #[serde(flatten)]
    counts: Counts,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct QueuePage<'c> {
    name: &'c str,
    url: String,
    /// The messages that can be received.
    visible: usize,
    /// The messages that were received and not deleted.
    in_flight: usize,
    delayed: usize,
}

async fn list(State(api): Stack) -> Response {
    let consumers = api.consumers.inlets.iter().map(|inlet| {
        let consumer = &inlet.consumer;
        ConsumerPage {
            name: &consumer.name,
            target: match &consumer.place {
                Place::Url(url) => url.to_string(),
                Place::Queue(name) => sqs::queue_url(&api.sqs_url, name),
            },
            pattern: consumer.pattern.as_ref().map(super::Pattern::text),
            counts: lock(&consumer.counts).clone(),
        }
    });
    let now = api.consumers.clock.millis();
    let queues = api.consumers.queues.all().map(|queue| {
        let counts = queue.counts(now);
        QueuePage {
            name: &queue.settings.name,
            url: sqs::queue_url(&api.sqs_url, &queue.settings.name),
            visible: counts.visible,
            in_flight: counts.in_flight,
            delayed: counts.delayed,
        }
    });
    let mode = *api.consumers.mode.borrow();
    Body(Page { mode, consumers: consumers.collect(), queues: queues.collect() }).into_response()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewMode {
    mode: Mode,
}

async fn change(State(api): Stack, body: Bytes) -> Response {
    // The content type is ignored, because curl does not send that of JSON.
    match serde_json::from_slice::<NewMode>(&body) {
        Ok(new) => {
            api.consumers.mode.send_replace(new.mode);
            StatusCode::NO_CONTENT.into_response()
        }
        Err(problem) => {
            let error = Body(json!({ "error": problem.to_string() }));
            (StatusCode::BAD_REQUEST, error).into_response()
        }
    }
}

async fn answer(State(api): Stack, headers: HeaderMap, body: Bytes) -> Response {
    let Consumers { queues, clock, .. } = &*api.consumers;
    sqs::Call { queues, clock, base: &api.sqs_url, body: &body }.respond(&headers).await
}
