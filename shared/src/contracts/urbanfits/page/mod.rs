//! The page that a sign-up's `redirect_url` points to.
//!
//! Every request gets the same page: its script reads `otp_id` from the browser's address, and the
//! response contains nothing of the request. So the page does not tell which sign-ups wait.

use crate::http::{PageUrl, Response, StatusCode, escape, hash_source};
use std::sync::LazyLock;
use std::time::Duration;

const HTML: &str = include_str!("page.html");
const STYLE: &str = concat!(include_str!("../../page.css"), include_str!("page.css"));
const SCRIPT: &str = include_str!("page.js");

/// Allows this style, this script, and the script's requests to this origin.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    format!(
        "default-src 'none'; script-src {}; style-src {}; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        hash_source(SCRIPT),
        hash_source(STYLE)
    )
});

/// The pages that the page leads to. An absent one has no link.
#[derive(Clone, Debug, Default)]
pub struct PageLinks {
    pub sign_up: Option<PageUrl>,
    pub sign_in: Option<PageUrl>,
    pub shop: Option<PageUrl>,
}

impl PageLinks {
    /// Returns the links as HTML.
    fn html(&self) -> String {
        let links = [
            ("sign-up", "Sign up again", &self.sign_up),
            ("sign-in", "Sign in", &self.sign_in),
            ("shop", "Go to the shop", &self.shop),
        ];
        let links = links.into_iter().filter_map(|(id, text, url)| {
            let url = escape(url.as_ref()?.as_str());
            Some(format!("<a id=\"{id}\" href=\"{url}\">{text}</a>\n"))
        });
        let links: String = links.collect();
        if links.is_empty() { links } else { format!("<nav aria-label=\"More\">\n{links}</nav>\n") }
    }
}

/// The page where users enter the code that was mailed to them. `pause` is the shortest time between
/// two mails.
#[must_use]
pub fn page(pause: Duration, links: &PageLinks) -> Response {
    let html = HTML.replace("{{style}}", STYLE).replace("{{script}}", SCRIPT);
    let html = html.replace("{{pause}}", &pause.as_secs().to_string());
    let html = html.replace("{{links}}", &links.html());
    // Its address contains the id of the sign-up.
    crate::http::page(StatusCode::OK, html, &POLICY, "no-referrer")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contracts::urbanfits::Refusal;
    use lambda_http::Body;
    use lambda_http::http::header::CONTENT_SECURITY_POLICY;

    fn served() -> Response {
        page(Duration::from_secs(75), &PageLinks::default())
    }

    fn text() -> String {
        match served().into_body() {
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
        let policy = served().headers()[CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
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
    fn the_page_sends_requests_to_its_own_origin_and_stores_one_thing() {
        let page = text();
        for word in ["://", "url(", "@import", "src=", "<link", "sessionStorage", "document.cookie"]
        {
            assert!(!page.contains(word), "{word}");
        }
        assert!(!page.contains("{{"), "a placeholder was not replaced");
        assert_eq!(SCRIPT.matches("fetch(").count(), 1);
        assert_eq!(SCRIPT.matches("post(\"").count(), 2);
        assert_eq!(SCRIPT.matches("localStorage.setItem(\"sign-up\"").count(), 1);
        assert!(page.contains("data-pause=\"75\""));
    }

    #[test]
    fn the_page_links_to_configured_pages_only() {
        assert!(!text().contains("<a ") && !text().contains("<nav"));
        let url = |text| PageUrl::parse(text);
        let links = PageLinks {
            sign_up: url("https://shop.example/signup?a=1&b=2"),
            sign_in: None,
            shop: url("https://shop.example"),
        };
        let linked = page(Duration::ZERO, &links);
        let Body::Text(html) = linked.body() else { panic!("a text") };
        assert_eq!(html.matches("<a ").count(), 2);
        let sign_up = "<a id=\"sign-up\" href=\"https://shop.example/signup?a=1&amp;b=2\">";
        assert!(html.contains(sign_up));
        assert!(html.contains("<a id=\"shop\" href=\"https://shop.example\">"));
        // The policy does not change: it allows the same script and style.
        let policy = |page: &Response| page.headers()[CONTENT_SECURITY_POLICY].clone();
        assert_eq!(policy(&linked), policy(&served()));
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
        let response = served();
        assert!(text().len() < 20_000, "{} bytes", text().len());
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
