//! HTML pages that load nothing: their style and their script are part of them.

use super::{Response, StatusCode, empty};
use data_encoding::BASE64;
use lambda_http::Body;
use lambda_http::http::header::{
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_FRAME_OPTIONS,
};
use lambda_http::http::{HeaderName, HeaderValue};
use ring::digest::{SHA256, digest};

/// The hash source of an inlined text (Content Security Policy Level 3, 2.3.1).
#[must_use]
pub fn hash_source(inlined: &str) -> String {
    format!("'sha256-{}'", BASE64.encode(digest(&SHA256, inlined.as_bytes()).as_ref()))
}

/// A response with a page that no other page may frame or open. A `policy` that cannot be a header is
/// replaced by the Content Security Policy that allows nothing.
#[must_use]
pub fn page(status: StatusCode, html: String, policy: &str, referrer: &'static str) -> Response {
    let mut response = empty(status);
    let policy = HeaderValue::from_str(policy)
        .unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'"));
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    let fixed = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (REFERRER_POLICY, referrer),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (X_FRAME_OPTIONS, "DENY"),
    ];
    for (name, value) in fixed {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    *response.body_mut() = Body::Text(html);
    response
}
