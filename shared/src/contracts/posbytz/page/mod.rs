//! The pages that a browser shows to a person who follows the link of a mail.
//!
//! The first one only asks: programs that look at the links of mails follow them, and must not use
//! them up. Its button sends a `POST`. No page contains anything of the request.

use super::messages::{LANGUAGES, LOCALES};
use crate::contracts::pages::{Look, filled, header as head, links};
use crate::contracts::texts::Voice;
use crate::http::{Brand, Request, Response, StatusCode, header, locale, page};

const HTML: &str = include_str!("page.html");
const STYLE: &str = include_str!("../../page.css");
/// Without an action, the form is sent to the address of the page, which contains the link's secret.
const FORM: &str = r#"<form method="post"><button id="send">{{page-confirm}}</button></form>"#;

/// The pages in all languages, with a brand.
pub struct LinkPages {
    brand: Brand,
    look: Look,
    /// Allows the style, the logo, and forms that are sent to this origin.
    policy: String,
}

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

    /// The status and the state of the page, and the ids of its texts without their ends.
    const fn parts(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::Ask => (StatusCode::OK, "entry", "page-ask"),
            Self::Confirmed => (StatusCode::OK, "done", "page-confirmed"),
            Self::AlreadyConfirmed => (StatusCode::OK, "done", "page-already"),
            Self::Ended => (StatusCode::UNAUTHORIZED, "stopped", "page-ended"),
            Self::Failed => (StatusCode::INTERNAL_SERVER_ERROR, "stopped", "page-failed"),
        }
    }
}

impl LinkPages {
    #[must_use]
    pub fn new(brand: Brand) -> Self {
        let look = Look::new(STYLE, &brand);
        let policy = format!(
            "default-src 'none'; {}; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
            look.policy
        );
        Self { brand, look, policy }
    }

    /// Returns a page in the language of the caller.
    #[must_use]
    pub fn response(&self, of: LinkPage, request: &Request) -> Response {
        self.in_language(of, locale(request, &LOCALES))
    }

    fn in_language(&self, of: LinkPage, tag: &str) -> Response {
        let (status, state, texts) = of.parts();
        let html = Voice::new(&LANGUAGES, tag, super::CONTRACT.product, &self.brand).map(|voice| {
            let [heading, lead] = ["heading", "lead"].map(|end| format!("{texts}-{end}"));
            let [heading, lead] = [heading, lead].map(|id| format!("{{{{{id}}}}}"));
            let form = if matches!(of, LinkPage::Ask | LinkPage::Failed) { FORM } else { "" };
            let [heading, lead, form] =
                [&*heading, &*lead, form].map(|part| filled(part, &voice, &[]));
            // Customers know their shop, and not the product.
            let is_branded = self.brand.name.is_some() || self.brand.logo.is_some();
            let head = if is_branded { format!("{}\n", head(&voice)) } else { String::new() };
            let attributes = voice.html_attributes();
            let parts = [
                ("attributes", &*attributes),
                ("style", &*self.look.style),
                ("head", &*head),
                ("state", state),
                ("heading", &*heading),
                ("lead", &*lead),
                ("form", &*form),
                ("links", &links(&voice)),
            ];
            (voice.language.tag(), filled(HTML, &voice, &parts))
        });
        // With another policy than this, a browser hides the origin of the form, and the request
        // would look like one of a foreign page.
        page(status, html.unwrap_or_default(), &self.policy, "same-origin")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::hash_source;
    use lambda_http::Body;
    use lambda_http::http::header::{CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY};

    const PAGES: [LinkPage; 5] = [
        LinkPage::Ask,
        LinkPage::Confirmed,
        LinkPage::AlreadyConfirmed,
        LinkPage::Ended,
        LinkPage::Failed,
    ];

    fn served(page: LinkPage, tag: &str) -> Response {
        LinkPages::new(Brand::default()).in_language(page, tag)
    }

    fn html(page: LinkPage, tag: &str) -> String {
        match served(page, tag).into_body() {
            Body::Text(text) => text,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_policy_allows_the_inlined_style_and_no_script() {
        for (page, tag) in PAGES.iter().flat_map(|page| LOCALES.map(|tag| (*page, tag))) {
            let html = html(page, tag);
            let style = html.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
            let policy = served(page, tag).headers()[CONTENT_SECURITY_POLICY].clone();
            let policy = policy.to_str().unwrap();
            assert!(policy.contains(&format!("style-src {};", hash_source(style))), "{policy}");
            for word in ["<script", " style=", " onclick=", "://", "url(", "<link", "{{"] {
                assert!(!html.contains(word), "{word}");
            }
        }
    }

    #[test]
    fn only_a_page_from_which_one_can_go_on_has_a_button() {
        for tag in LOCALES {
            let buttons = PAGES.map(|page| html(page, tag).contains("<button"));
            assert_eq!(buttons, [true, false, false, false, true], "{tag}");
        }
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

    #[test]
    fn a_page_has_the_language_of_the_caller() {
        let pages = LinkPages::new(Brand::default());
        let mut request = Request::new(Body::Empty);
        request.headers_mut().insert("accept-language", "en;q=0.5, hi-IN".parse().unwrap());
        let hindi = pages.response(LinkPage::Ask, &request);
        assert_eq!(hindi.headers()[CONTENT_LANGUAGE], "hi");
        let Body::Text(html) = hindi.body() else { panic!("a text") };
        assert!(html.contains("<html lang=\"hi\">") && html.contains("अपने पते की पुष्टि करें"));
        let plain = pages.response(LinkPage::Ask, &Request::new(Body::Empty));
        assert_eq!(plain.headers()[CONTENT_LANGUAGE], "en");
    }
}
