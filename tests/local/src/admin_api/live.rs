//! The news of the stack as server-sent events, and waiting for a message or an event.

use super::{Stack, error};
use crate::activity::{Feed, News};
use crate::backend::Changes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream as NewsStream, StreamExt as _, stream};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// The longest wait of a request.
const LONGEST_WAIT: Duration = Duration::from_mins(1);
/// The pause between two looks at what tells of no change.
const POLL: Duration = Duration::from_millis(20);
/// How often a silent connection gets a comment.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// The place of a watcher in the news.
struct Place {
    stack: Arc<super::AdminApi>,
    changes: watch::Receiver<u64>,
    last: u64,
    ready: VecDeque<Event>,
}

/// Sends the news from now on, or those after `Last-Event-ID`.
pub(super) async fn stream_news(State(stack): Stack, headers: HeaderMap) -> Response {
    let feed = &stack.aws.activity.feed;
    let (changes, newest) = feed.watch();
    let given = headers.get("last-event-id").map(|value| value.to_str().ok()?.parse().ok());
    let last = match given {
        None => newest,
        Some(Some(last)) => last,
        Some(None) => return error(StatusCode::BAD_REQUEST, "Last-Event-ID must be a number"),
    };
    let place = Place { stack: Arc::clone(&stack), changes, last, ready: VecDeque::new() };
    let keep_alive = KeepAlive::new().interval(KEEP_ALIVE);
    // The first line tells a watcher that the connection stands.
    let hello = Event::default().comment("watching").retry(Duration::from_secs(1));
    let news = stream::iter([Ok::<_, Infallible>(hello)]).chain(news(place));
    Sse::new(news).keep_alive(keep_alive).into_response()
}

fn news(place: Place) -> impl NewsStream<Item = Result<Event, Infallible>> {
    stream::unfold(place, async |mut place| {
        loop {
            if let Some(event) = place.ready.pop_front() {
                return Some((Ok(event), place));
            }
            place.changes.borrow_and_update();
            fill(&mut place);
            if place.ready.is_empty() && place.changes.changed().await.is_err() {
                return None;
            }
        }
    })
}

fn fill(place: &mut Place) {
    let feed: &Feed = &place.stack.aws.activity.feed;
    match feed.after(place.last) {
        News::These(these) => {
            for (number, text) in these {
                place.last = number;
                place.ready.push_back(Event::default().id(number.to_string()).data(text));
            }
        }
        News::Lost(newest) => {
            place.last = newest;
            let reload = r#"{"kind":"reload"}"#;
            place.ready.push_back(Event::default().id(newest.to_string()).data(reload));
        }
    }
}

/// Waits for the next message or event, until the time is up.
pub(super) struct Waiting {
    changes: Changes,
    end: Instant,
}

impl Waiting {
    /// Notes the changes from now on, so that none is missed between a read and a wait.
    pub(super) fn new(stack: &super::AdminApi, wait: Duration) -> Self {
        let now = Instant::now();
        let end = now.checked_add(wait.min(LONGEST_WAIT)).unwrap_or(now);
        Self { changes: stack.aws.backend.changes(), end }
    }

    /// Waits for a moment. Returns `false` if the time is up.
    pub(super) async fn polls(&self) -> bool {
        let left = self.end.saturating_duration_since(Instant::now());
        tokio::time::sleep(left.min(POLL)).await;
        !left.is_zero()
    }

    /// Waits for a change. Returns `false` if the time is up.
    pub(super) async fn goes_on(&mut self) -> bool {
        let left = self.end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return false;
        }
        self.changes.next(left).await;
        true
    }
}
