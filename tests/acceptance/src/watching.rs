//! The news of the local stack, as its console gets them.

use crate::TestStack;
use reqwest::Response;
use serde_json::Value;
use std::time::Duration;

/// The longest wait for news.
const PATIENCE: Duration = Duration::from_mins(1);

/// A connection that gets news.
pub struct Watcher {
    response: Response,
    buffer: String,
}

impl TestStack {
    /// Connects for the news from now on, or for those after the one with this number.
    pub async fn watch(&self, after: Option<&str>) -> Watcher {
        let mut request = self.client().get(format!("{}/_local/stream", self.url()));
        if let Some(after) = after {
            request = request.header("last-event-id", after);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        let mut watcher = Watcher { response, buffer: String::new() };
        // The connection stands when its first comment is there.
        watcher.block().await;
        watcher
    }
}

impl Watcher {
    /// The next block of lines.
    async fn block(&mut self) -> String {
        loop {
            if let Some((block, rest)) = self.buffer.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.buffer = rest;
                return block;
            }
            let chunk = tokio::time::timeout(PATIENCE, self.response.chunk()).await;
            let chunk = chunk.expect("news in time").unwrap().expect("an open connection");
            self.buffer.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// Waits for news of a kind. Returns their number and what they say.
    pub async fn next(&mut self, kind: &str) -> (String, Value) {
        loop {
            let block = self.block().await;
            let line = |name: &str| block.lines().find_map(|line| line.strip_prefix(name));
            let (Some(number), Some(data)) = (line("id: "), line("data: ")) else { continue };
            let news: Value = serde_json::from_str(data).unwrap();
            if news["kind"] == kind {
                return (number.to_owned(), news);
            }
        }
    }
}
