//! Waiting for what happens after an answer.

use crate::TestStack;
use serde_json::Value;
use std::future::{Future, IntoFuture};
use std::time::Duration;

/// The longest time that something may take that happens after an answer.
const PATIENCE: Duration = Duration::from_secs(40);

impl TestStack {
    /// Waits until `look` finds something.
    pub async fn wait_for<T, F>(&self, what: &str, look: impl Fn() -> F) -> T
    where
        F: Future<Output = Option<T>>,
    {
        let mut ticks = tokio::time::interval(Duration::from_millis(10));
        let looking = async {
            loop {
                ticks.tick().await;
                if let Some(found) = look().await {
                    return found;
                }
            }
        };
        let found = tokio::time::timeout(PATIENCE, looking).await;
        found.unwrap_or_else(|_| panic!("never found: {what}"))
    }

    /// Waits until the outbox holds nothing that mentions `text`: every effect of it has been delivered.
    pub async fn wait_until_delivered(&self, text: &str) {
        let empty = || async { self.items_with("Outbox", text).await.is_empty().then_some(()) };
        self.wait_for("an empty outbox", empty).await;
    }

    /// Waits for the message number `count` to a recipient, and returns it.
    pub async fn message(&self, to: &str, count: usize) -> Value {
        let look = || async { self.messages(to).await.get(count.saturating_sub(1)).cloned() };
        self.wait_for("a message", look).await
    }

    /// Waits for the message number `count` to a recipient, and returns its text.
    pub async fn text(&self, to: &str, count: usize) -> String {
        self.message(to, count).await["body"].as_str().unwrap().to_owned()
    }

    /// Waits for `count` events of a user, and returns all of the user's events.
    pub async fn events(&self, user_id: &str, count: usize) -> Vec<Value> {
        let enough = |events: Vec<Value>| (events.len() >= count).then_some(events);
        self.wait_for("the events", || async { enough(self.events_of(user_id).await) }).await
    }
}

/// Runs futures at the same time, on this task, and returns their results in order.
pub async fn all<T, F: IntoFuture<Output = T>>(futures: impl IntoIterator<Item = F>) -> Vec<T> {
    futures_util::future::join_all(futures.into_iter().map(IntoFuture::into_future)).await
}
