//! Responses.

use lambda_http::Body;
use lambda_http::http::header::{
    CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};
use lambda_http::http::{HeaderValue, StatusCode};
use serde::Serialize;
use std::time::Duration;

/// An HTTP response with a body that Lambda can return.
pub type Response = lambda_http::Response<Body>;

/// A JSON response with `Cache-Control: no-store`, because every response is about one user.
#[must_use]
pub fn json(status: StatusCode, body: &impl Serialize) -> Response {
    let (status, text) = match serde_json::to_string(body) {
        Ok(text) => (status, text),
        Err(error) => {
            tracing::error!(%error, "failed to write a response");
            (StatusCode::INTERNAL_SERVER_ERROR, "{}".to_owned())
        }
    };
    let mut response = empty(status);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    *response.body_mut() = Body::Text(text);
    response
}

/// A response in plain text.
#[must_use]
pub fn text(status: StatusCode, text: &str) -> Response {
    let mut response = empty(status);
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, plain);
    *response.body_mut() = Body::Text(text.to_owned());
    response
}

/// A response without a body.
#[must_use]
pub fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = status;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Adds `Retry-After` (RFC 9110 10.2.3): whole seconds, rounded up, at least one.
#[must_use]
pub fn retry_after(mut response: Response, wait: Duration) -> Response {
    let seconds = wait.as_millis().div_ceil(1000).max(1);
    if let Ok(value) = HeaderValue::from_str(&seconds.to_string()) {
        response.headers_mut().insert(RETRY_AFTER, value);
    }
    response
}

/// Adds what every response says to a browser: to use HTTPS alone for a year (RFC 6797; OWASP ASVS
/// 5.0, 3.4.1), and not to guess another type for the body (Fetch standard; ASVS 3.4.4).
#[must_use]
pub fn secured(mut response: Response) -> Response {
    let https_only = HeaderValue::from_static("max-age=31536000; includeSubDomains");
    response.headers_mut().insert(STRICT_TRANSPORT_SECURITY, https_only);
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_rounded_up() {
        for (millis, seconds) in [(0, "1"), (1, "1"), (1000, "1"), (1001, "2"), (59_999, "60")] {
            let response = retry_after(empty(StatusCode::OK), Duration::from_millis(millis));
            assert_eq!(response.headers()[RETRY_AFTER], seconds);
        }
    }
}
