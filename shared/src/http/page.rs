//! HTML pages that load nothing: their style and their script are part of them.

use super::{Response, StatusCode, empty};
use data_encoding::BASE64;
use lambda_http::Body;
use lambda_http::http::header::{
    CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, VARY, X_FRAME_OPTIONS,
};
use lambda_http::http::{HeaderName, HeaderValue, Uri};
use ring::digest::{SHA256, digest};

/// The address of another page that a page leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageUrl(String);

impl PageUrl {
    /// Returns the address; `None` unless it is a URL with the scheme `https` and a host, without a
    /// user.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"\"'<>\\^`{|}".contains(&byte);
        let url: Uri = text.bytes().all(is_plain).then(|| text.parse().ok()).flatten()?;
        let host = url.authority().filter(|authority| !authority.as_str().contains('@'))?.host();
        (text.starts_with("https://") && !host.is_empty()).then(|| Self(text.to_owned()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The scheme, the host and the port.
    #[must_use]
    pub fn origin(&self) -> &str {
        let path = self.0.char_indices().skip("https://".len());
        let end = path.into_iter().find(|(_, letter)| matches!(letter, '/' | '?' | '#'));
        end.and_then(|(end, _)| self.0.get(..end)).unwrap_or(&self.0)
    }
}

/// Returns a text as HTML, also for the value of an attribute in quotes.
#[must_use]
pub fn escape(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    escaped.replace('"', "&quot;").replace('\'', "&#39;")
}

/// The hash source of an inlined text (Content Security Policy Level 3, 2.3.1).
#[must_use]
pub fn hash_source(inlined: &str) -> String {
    format!("'sha256-{}'", BASE64.encode(digest(&SHA256, inlined.as_bytes()).as_ref()))
}

/// A response with a page in a language, which depends on the caller, that no other page may frame or
/// open. A `policy` that cannot be a header is replaced by the Content Security Policy that allows nothing.
#[must_use]
pub fn page(
    status: StatusCode,
    (language, html): (&'static str, String),
    policy: &str,
    referrer: &'static str,
) -> Response {
    let mut response = empty(status);
    let policy = HeaderValue::from_str(policy)
        .unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'"));
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    let fixed = [
        (CONTENT_LANGUAGE, language),
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (REFERRER_POLICY, referrer),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (VARY, "accept-language"),
        (X_FRAME_OPTIONS, "DENY"),
    ];
    for (name, value) in fixed {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    *response.body_mut() = Body::Text(html);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_url_is_https_with_a_host_and_no_user() {
        for good in [
            "https://urbanfits.ae",
            "https://www.urbanfits.ae:8443/auth/signup?from=mail&lang=en#top",
            "https://[2001:db8::1]/",
        ] {
            assert_eq!(PageUrl::parse(good).as_ref().map(PageUrl::as_str), Some(good), "{good}");
        }
        for (url, origin) in [
            ("https://urbanfits.ae", "https://urbanfits.ae"),
            ("https://a.example:8443/b?c#d", "https://a.example:8443"),
            ("https://a.example?c;d,e", "https://a.example"),
        ] {
            assert_eq!(PageUrl::parse(url).unwrap().origin(), origin);
        }
        for bad in [
            "",
            "urbanfits.ae",
            "/auth/signup",
            "//urbanfits.ae",
            "http://urbanfits.ae",
            "HTTPS://urbanfits.ae",
            "javascript:alert(1)",
            "https:",
            "https://",
            "https:///path",
            "https://user@urbanfits.ae",
            "https://urbanfits.ae/a b",
            "https://urbanfits.ae/\"onclick=",
            "https://urbanfits.ae/<b>",
            "https://urbanfits.ae/{{style}}",
            "https://urbanfits.ae/é",
        ] {
            assert_eq!(PageUrl::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn an_escaped_text_is_no_markup() {
        assert_eq!(escape("a&b<c>\"d'"), "a&amp;b&lt;c&gt;&quot;d&#39;");
    }
}
