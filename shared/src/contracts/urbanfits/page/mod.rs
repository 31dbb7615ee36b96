//! The page that a sign-up's `redirect_url` points to.
//!
//! Every request gets the same page: its script reads `otp_id` from the browser's address, and the
//! response contains nothing of the request. So the page does not tell which sign-ups wait.

use crate::http::{Response, StatusCode, hash_source};
use std::sync::LazyLock;

const HTML: &str = include_str!("page.html");
const STYLE: &str = include_str!("../../page.css");
const SCRIPT: &str = include_str!("page.js");

static PAGE: LazyLock<String> =
    LazyLock::new(|| HTML.replace("{{style}}", STYLE).replace("{{script}}", SCRIPT));

/// Allows this style, this script, and the script's requests to this origin.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    format!(
        "default-src 'none'; script-src {}; style-src {}; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        hash_source(SCRIPT),
        hash_source(STYLE)
    )
});

/// The page where users enter the code that was mailed to them.
#[must_use]
pub fn page() -> Response {
    // Its address contains the id of the sign-up.
    crate::http::page(StatusCode::OK, PAGE.clone(), &POLICY, "no-referrer")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contracts::urbanfits::Refusal;
    use lambda_http::Body;
    use lambda_http::http::header::CONTENT_SECURITY_POLICY;

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
        let script = hash_source(between(&page, "<script type=\"module\">", "</script>"));
        let style = hash_source(between(&page, "<style>", "</style>"));
        let policy = super::page().headers()[CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
        let expected = format!(
            "default-src 'none'; script-src {script}; style-src {style}; connect-src 'self'; \
             base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        );
        assert_eq!(policy, expected);
        // The known hash of the empty text.
        assert_eq!(hash_source(""), "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='");
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
