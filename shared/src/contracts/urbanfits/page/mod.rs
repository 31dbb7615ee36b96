//! The page that a sign-up's `redirect_url` points to.
//!
//! It is the same for everybody: its script reads `otp_id` where the browser has it, and nothing of
//! the request is in the response. So it tells nobody which sign-ups are pending.

use crate::http::Response;
use data_encoding::BASE64;
use lambda_http::Body;
use lambda_http::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use lambda_http::http::{HeaderName, HeaderValue};
use ring::digest::{SHA256, digest};
use std::sync::LazyLock;

const HTML: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

static PAGE: LazyLock<String> =
    LazyLock::new(|| HTML.replace("{{style}}", STYLE).replace("{{script}}", SCRIPT));

/// Nothing but this style, this script, and what the script asks of this origin. Without a policy
/// the page would be open, so one that cannot be written is one that allows nothing.
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

/// A hash source (Content Security Policy Level 3, 2.3.1).
fn source(inlined: &str) -> String {
    format!("'sha256-{}'", BASE64.encode(digest(&SHA256, inlined.as_bytes()).as_ref()))
}

/// The page where a person enters the code that was mailed to them.
#[must_use]
pub fn page() -> Response {
    let mut response = Response::new(Body::Text(PAGE.clone()));
    let fixed = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // The address holds the sign-up's id.
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

    /// What stands between two tags, each of which is there once.
    fn between<'a>(page: &'a str, open: &str, close: &str) -> &'a str {
        assert_eq!((page.matches(open).count(), page.matches(close).count()), (1, 1), "{open}");
        page.split_once(open).unwrap().1.split_once(close).unwrap().0
    }

    #[test]
    fn the_policy_lets_exactly_the_inlined_script_and_style_run() {
        let page = text();
        let script = source(between(&page, "<script type=\"module\">", "</script>"));
        let style = source(between(&page, "<style>", "</style>"));
        let policy = super::page().headers()[CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
        let expected = format!(
            "default-src 'none'; script-src {script}; style-src {style}; connect-src 'self'; \
             base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        );
        assert_eq!(policy, expected);
        // A hash that is known from elsewhere: the empty string's.
        assert_eq!(source(""), "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='");
        // A hash allows no attribute that is a script or a style.
        for attribute in [" style=", " onclick=", " onsubmit=", " onload=", "javascript:"] {
            assert!(!page.contains(attribute), "{attribute}");
        }
    }

    #[test]
    fn it_asks_nobody_else_for_anything_and_keeps_nothing() {
        let page = text();
        for word in ["://", "url(", "@import", "src=", "<link", "Storage", "document.cookie"] {
            assert!(!page.contains(word), "{word}");
        }
        assert!(!page.contains("{{"), "something was not filled in");
        assert_eq!(SCRIPT.matches("fetch(").count(), 1);
    }

    #[test]
    fn the_script_knows_a_wrong_code_by_the_contracts_words() {
        let (_, text) = Refusal::Incorrect.status_and_text();
        assert_eq!(SCRIPT.matches(&format!("\"{text}\"")).count(), 1);
    }

    #[test]
    fn no_text_becomes_markup() {
        for word in ["innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval"] {
            assert!(!SCRIPT.contains(word), "{word}");
        }
    }

    #[test]
    fn it_is_small_whole_and_the_same_for_everybody() {
        let response = page();
        assert!(text().len() < 10_000, "{} bytes", text().len());
        assert_eq!(text(), text());
        let header = |name: &str| response.headers()[name].to_str().unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(header("content-type"), "text/html; charset=utf-8");
        assert_eq!(header("cache-control"), "no-store");
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert_eq!(header("cross-origin-opener-policy"), "same-origin");
        assert_eq!(header("x-frame-options"), "DENY");
    }
}
