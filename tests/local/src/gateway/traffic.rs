//! The record of requests and answers, for programs that compare them with the documents of the API.

use crate::files;
use crate::sync::lock;
use serde_json::{Value as Json, json};
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::Mutex;

/// The length of the longest body of a request that is kept, in bytes.
const LONGEST_BODY: usize = 32 * 1024;
/// The parts of an event that are kept.
const PARTS: [&str; 7] =
    ["routeKey", "rawPath", "rawQueryString", "headers", "cookies", "body", "isBase64Encoded"];

/// A file of requests and answers, one JSON object per line.
#[derive(Debug)]
pub(crate) struct Traffic(Mutex<File>);

impl Traffic {
    /// Creates a new file in a folder.
    pub(crate) fn create(folder: &Path) -> anyhow::Result<Self> {
        Ok(Self(Mutex::new(files::new_record(folder)?)))
    }

    /// Adds the event of a request and the answer of its function. A line that is lost because the disk
    /// is full makes an answer look as if no request had produced it, which the comparison reports.
    pub(super) fn add(&self, event: &Json, answer: &[u8]) {
        let Ok(answer) = serde_json::from_slice::<Json>(answer) else { return };
        let part = |name: &&str| Some(((*name).to_owned(), event.get(*name)?.clone()));
        let mut request: serde_json::Map<_, _> = PARTS.iter().filter_map(part).collect();
        request.insert("method".to_owned(), method(event));
        let is_long = |body: &Json| body.as_str().is_some_and(|body| body.len() > LONGEST_BODY);
        if request.get("body").is_some_and(is_long) {
            request.remove("body");
        }
        let line = json!({ "request": request, "answer": answer });
        drop(lock(&self.0).write_all(format!("{line}\n").as_bytes()));
    }
}

fn method(event: &Json) -> Json {
    event.pointer("/requestContext/http/method").cloned().unwrap_or_default()
}
