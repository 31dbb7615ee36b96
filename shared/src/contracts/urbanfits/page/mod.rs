//! The page that a sign-up's `redirect_url` points to.
//!
//! Every request gets the same page: its script reads `otp_id` from the browser's address, and the
//! response contains nothing of the request. So the page does not tell which sign-ups wait.

use crate::http::Response;
use data_encoding::BASE64;
use lambda_http::Body;
use lambda_http::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_FRAME_OPTIONS,
};
use lambda_http::http::{HeaderName, HeaderValue};
use ring::digest::{SHA256, digest};
use std::sync::LazyLock;

const HTML: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

static PAGE: LazyLock<String> =
    LazyLock::new(|| HTML.replace("{{style}}", STYLE).replace("{{script}}", SCRIPT));

/// The Content Security Policy: allows this style, this script, and the script's requests to this
/// origin. If it cannot be written, the policy allows nothing.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let policy = format!(
        "default-src 'none'; script-src {}; style-src {}; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        source(SCRIPT),
        source(STYLE)
    );
    HeaderValue::from_str(&policy)
        .unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'"))
});

/// The hash source of an inlined text (Content Security Policy Level 3, 2.3.1).
fn source(inlined: &str) -> String {
    format!("'sha256-{}'", BASE64.encode(digest(&SHA256, inlined.as_bytes()).as_ref()))
}

/// The page where users enter the code that was mailed to them.
#[must_use]
pub fn page() -> Response {
    let mut response = Response::new(Body::Text(PAGE.clone()));
    let fixed = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CACHE_CONTROL, "no-store"),
        // The address contains the id of the sign-up.
        (REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (X_FRAME_OPTIONS, "DENY"),
    ];
    for (name, value) in fixed {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, POLICY.clone());
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contracts::urbanfits::Refusal;

    fn text() -> String {
        match page().into_body() {
            Body::Text(text) => text,
            other => panic!("{other:?}"),
        }
    }

    /// The text between two tags, each of which occurs once.
    fn between<'a>(page: &'a str, open: &str, close: &str) -> &'a str {
        assert_eq!((page.matches(open).count(), page.matches(close).count()), (1, 1), "{open}");
        page.split_once(open).unwrap().1.split_once(close).unwrap().0
    }

    #[test]
    fn the_policy_allows_exactly_the_inlined_script_and_style() {
        let page = text();
        let script = source(between(&page, "<script type=\"module\">", "</script>"));
        let style = source(between(&page, "<style>", "</style>"));
        let policy = super::page().headers()[CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
        let expected = format!(
            "default-src 'none'; script-src {script}; style-src {style}; connect-src 'self'; \
             base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        );
        assert_eq!(policy, expected);
        // The known hash of the empty text.
        assert_eq!(source(""), "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='");
        // A hash does not allow attributes that are scripts or styles.
        for attribute in [" style=", " onclick=", " onsubmit=", " onload=", "javascript:"] {
            assert!(!page.contains(attribute), "{attribute}");
        }
    }

    #[test]
    fn the_page_sends_one_request_to_its_own_origin_and_stores_nothing() {
        let page = text();
        for word in ["://", "url(", "@import", "src=", "<link", "Storage", "document.cookie"] {
            assert!(!page.contains(word), "{word}");
        }
        assert!(!page.contains("{{"), "a placeholder was not replaced");
        assert_eq!(SCRIPT.matches("fetch(").count(), 1);
    }

    #[test]
    fn the_script_recognizes_a_wrong_code_by_the_text_of_the_refusal() {
        let (_, text) = Refusal::Incorrect.status_and_text();
        assert_eq!(SCRIPT.matches(&format!("\"{text}\"")).count(), 1);
    }

    #[test]
    fn the_script_never_writes_markup() {
        for word in ["innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval"] {
            assert!(!SCRIPT.contains(word), "{word}");
        }
    }

    #[test]
    fn the_page_is_small_and_the_same_for_every_request() {
        let response = page();
        assert!(text().len() < 10_000, "{} bytes", text().len());
        assert_eq!(text(), text());
        let header = |name: &str| response.headers()[name].to_str().unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(header("content-type"), "text/html; charset=utf-8");
        assert_eq!(header("cache-control"), "no-store");
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert_eq!(header("cross-origin-opener-policy"), "same-origin");
        assert_eq!(header("x-frame-options"), "DENY");
    }
}
