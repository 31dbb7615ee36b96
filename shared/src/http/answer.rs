//! Responses.

use lambda_http::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use lambda_http::http::{HeaderValue, StatusCode};
use lambda_http::{Body, Response};
use serde::Serialize;
use std::time::Duration;

/// What a function answers.
pub type Answer = Response<Body>;

/// A JSON answer that no cache keeps: every answer here is about one person.
#[must_use]
pub fn json(status: StatusCode, body: &impl Serialize) -> Answer {
    let (status, text) = match serde_json::to_string(body) {
        Ok(text) => (status, text),
        Err(error) => {
            tracing::error!(%error, "an answer could not be written");
            (StatusCode::INTERNAL_SERVER_ERROR, "{}".to_owned())
        }
    };
    let mut answer = empty(status);
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    *answer.body_mut() = Body::Text(text);
    answer
}

/// An answer in plain text.
#[must_use]
pub fn text(status: StatusCode, text: &str) -> Answer {
    let mut answer = empty(status);
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    answer.headers_mut().insert(CONTENT_TYPE, plain);
    *answer.body_mut() = Body::Text(text.to_owned());
    answer
}

/// An answer without a body.
#[must_use]
pub fn empty(status: StatusCode) -> Answer {
    let mut answer = Response::new(Body::Empty);
    *answer.status_mut() = status;
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// Adds `Retry-After` (RFC 9110 10.2.3): whole seconds, rounded up, at least one.
#[must_use]
pub fn retry_after(mut answer: Answer, wait: Duration) -> Answer {
    let seconds = wait.as_millis().div_ceil(1000).max(1);
    if let Ok(value) = HeaderValue::from_str(&seconds.to_string()) {
        answer.headers_mut().insert(RETRY_AFTER, value);
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_rounded_up() {
        for (millis, seconds) in [(0, "1"), (1, "1"), (1000, "1"), (1001, "2"), (59_999, "60")] {
            let answer = retry_after(empty(StatusCode::OK), Duration::from_millis(millis));
            assert_eq!(answer.headers()[RETRY_AFTER], seconds);
        }
    }
}
