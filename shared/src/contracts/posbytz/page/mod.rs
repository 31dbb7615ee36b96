//! The pages that a browser shows to a person who follows the link of a mail.
//!
//! The first one only asks: programs that look at the links of mails follow them, and must not use
//! them up. Its button sends a `POST`. No page contains anything of the request.

use crate::http::{Request, Response, StatusCode, hash_source, header, page};
use std::sync::LazyLock;

const HTML: &str = include_str!("page.html");
const STYLE: &str = include_str!("../../page.css");
/// Without an action, the form is sent to the address of the page, which contains the link's secret.
const FORM: &str = r#"<form method="post"><button id="send">Confirm</button></form>"#;

/// Allows this style, and forms that are sent to this origin.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let style = hash_source(STYLE);
    format!(
        "default-src 'none'; style-src {style}; base-uri 'none'; form-action 'self'; \
         frame-ancestors 'none'"
    )
});

/// A page about a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkPage {
    /// Asks whether to confirm the address.
    Ask,
    Confirmed,
    /// The link was used before.
    AlreadyConfirmed,
    /// The link is not genuine, was replaced, or has expired.
    Ended,
    /// A fault. The link may be used up, if only the answer was lost; then the next page says so.
    Failed,
}

impl LinkPage {
    /// Returns whether the client of this request shows pages: a browser that follows a link says so,
    /// a shop's server and a script do not (RFC 9110, 12.5.1).
    #[must_use]
    pub fn is_wanted(request: &Request) -> bool {
        let accepted = header(request, "accept").unwrap_or_default().split(',');
        let mut types = accepted.filter_map(|range| range.split(';').next());
        types.any(|name| name.trim().eq_ignore_ascii_case("text/html"))
    }

    /// Returns the page.
    #[must_use]
    pub fn response(self) -> Response {
        let (status, state, heading, lead) = match self {
            Self::Ask => (
                StatusCode::OK,
                "entry",
                "Confirm your address",
                "You signed up at a shop with this e-mail address. Not you? Close this page.",
            ),
            Self::Confirmed => (
                StatusCode::OK,
                "done",
                "Your address is confirmed",
                "You can go back to the shop and sign in.",
            ),
            Self::AlreadyConfirmed => (
                StatusCode::OK,
                "done",
                "Your address is already confirmed",
                "This link was used before. You can go back to the shop and sign in.",
            ),
            Self::Ended => (
                StatusCode::UNAUTHORIZED,
                "stopped",
                "This link no longer works",
                "A newer mail may have a newer link. If there is none, go back to the shop and sign \
                 in: you get a new link. If the shop does not know you any more, sign up again.",
            ),
            Self::Failed => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "stopped",
                "That did not work",
                "Please try again in a moment.",
            ),
        };
        let form = if matches!(self, Self::Ask | Self::Failed) { FORM } else { "" };
        let values = [("style", STYLE), ("state", state), ("heading", heading), ("lead", lead)];
        let html = values.iter().chain(&[("form", form)]).fold(HTML.to_owned(), |html, value| {
            html.replace(&format!("{{{{{}}}}}", value.0), value.1)
        });
        // With another policy than this, a browser hides the origin of the form, and the request
        // would look like one of a foreign page.
        page(status, html, &POLICY, "same-origin")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lambda_http::Body;
    use lambda_http::http::header::CONTENT_SECURITY_POLICY;

    const PAGES: [LinkPage; 5] = [
        LinkPage::Ask,
        LinkPage::Confirmed,
        LinkPage::AlreadyConfirmed,
        LinkPage::Ended,
        LinkPage::Failed,
    ];

    fn html(page: LinkPage) -> String {
        match page.response().into_body() {
            Body::Text(text) => text,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_policy_allows_the_inlined_style_and_no_script() {
        for page in PAGES {
            let html = html(page);
            let style = html.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
            let policy = page.response().headers()[CONTENT_SECURITY_POLICY].clone();
            let policy = policy.to_str().unwrap();
            assert!(policy.contains(&format!("style-src {};", hash_source(style))), "{policy}");
            for word in ["<script", " style=", " onclick=", "://", "url(", "<link", "{{"] {
                assert!(!html.contains(word), "{word}");
            }
        }
    }

    #[test]
    fn only_a_page_from_which_one_can_go_on_has_a_button() {
        let buttons = PAGES.map(|page| html(page).contains("<button"));
        assert_eq!(buttons, [true, false, false, false, true]);
    }

    #[test]
    fn a_browser_wants_the_page_and_a_program_does_not() {
        for (accept, wanted) in [
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true),
            ("application/json, TEXT/HTML;q=0.1", true),
            ("*/*", false),
            ("application/json, text/plain, */*", false),
            ("text/html5", false),
            ("", false),
        ] {
            let mut request = Request::new(Body::Empty);
            request.headers_mut().insert("accept", accept.parse().unwrap());
            assert_eq!(LinkPage::is_wanted(&request), wanted, "{accept}");
        }
    }
}
