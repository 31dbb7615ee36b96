//! Cross-origin requests (Fetch standard, CORS protocol): which pages may send requests, read
//! responses, and send cookies.

use super::caller::header;
use super::{Response, StatusCode, empty};
use lambda_http::Request;
use lambda_http::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS, VARY,
};
use lambda_http::http::{HeaderValue, Method};

/// Which pages of other origins may read the responses of a contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CorsPolicy {
    /// Any page. For a contract without cookies: a page gains nothing by it.
    AnyOrigin,
    /// The pages of the configured origins, which may also send cookies.
    AllowedOrigins,
    /// No page. For a contract whose callers are servers.
    NoOrigin,
}

/// A [`CorsPolicy`] with the origins that are configured.
#[derive(Clone, Debug)]
pub struct Cors {
    pub policy: CorsPolicy,
    /// The pages that may send requests. With [`CorsPolicy::AllowedOrigins`], also those that may
    /// read responses.
    pub origins: AllowedOrigins,
}

/// The length of the longest origin that is logged, in bytes.
const LOGGED_ORIGIN: usize = 100;

/// The origins whose pages may send requests.
#[derive(Clone, Debug, Default)]
pub struct AllowedOrigins(Vec<String>);

impl Cors {
    /// Adds no headers: for a function whose responses have them already, or do not need them.
    pub const NONE: Self =
        Self { policy: CorsPolicy::NoOrigin, origins: AllowedOrigins(Vec::new()) };

    /// Returns whether a function may serve the request. A request that can change something is not
    /// served if a foreign page sent it: a page could otherwise make each of its visitors send codes
    /// from an address of their own. CORS does not prevent this, because a form needs no preflight.
    /// Requests that only read are served, because links in pages and mails lead to them.
    #[must_use]
    pub fn accepts(&self, request: &Request) -> bool {
        let reads = [Method::GET, Method::HEAD, Method::OPTIONS].contains(request.method());
        if reads || self.origins.allow(request) {
            return true;
        }
        let origin = header(request, "origin").filter(|origin| origin.len() <= LOGGED_ORIGIN);
        tracing::info!(origin, "a request of a foreign page is refused");
        false
    }

    /// Adds the headers that tell a browser which pages may read the response to `request`.
    #[must_use]
    pub fn apply(&self, request: &Request, mut response: Response) -> Response {
        match self.policy {
            CorsPolicy::AnyOrigin => {
                let any = HeaderValue::from_static("*");
                response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, any);
            }
            CorsPolicy::AllowedOrigins => self.origins.apply(request, &mut response),
            CorsPolicy::NoOrigin => {}
        }
        response
    }
}

impl AllowedOrigins {
    /// Reads a list separated by commas, such as `https://a.example,https://b.example`. The port `*`
    /// is any port, for machines of developers.
    #[must_use]
    pub fn parse(list: &str) -> Self {
        let origins = list.split(',').map(|origin| origin.trim().trim_end_matches('/'));
        Self(origins.filter(|origin| !origin.is_empty()).map(str::to_owned).collect())
    }

    fn contains(&self, origin: &str) -> bool {
        self.0.iter().any(|allowed| match allowed.strip_suffix(":*") {
            Some(host) => origin.strip_prefix(host).is_some_and(is_port),
            None => allowed == origin,
        })
    }

    /// The origin of the page that sent the request, if the page may read the response.
    fn reader(&self, request: &Request) -> Option<HeaderValue> {
        let origin = header(request, "origin").filter(|origin| self.contains(origin));
        origin.and_then(|origin| HeaderValue::from_str(origin).ok())
    }

    /// Returns whether the request comes from a page of the list, from a page of the API's own host,
    /// or from no page at all. A browser names the page's origin in a request that can change
    /// something, and says whether the page belongs to another site (OWASP Cross-Site Request Forgery
    /// Prevention Cheat Sheet; W3C Fetch Metadata). Apps send neither header. The origin of a page
    /// that hides it is `null`; it is allowed to no page.
    fn allow(&self, request: &Request) -> bool {
        let origin = header(request, "origin");
        if origin.is_some_and(|origin| self.contains(origin)) {
            return true;
        }
        if request.headers().contains_key("sec-fetch-site") {
            let site = header(request, "sec-fetch-site").unwrap_or_default();
            if !["same-origin", "same-site", "none"].contains(&site) {
                return false;
            }
        }
        if !request.headers().contains_key("origin") {
            return true;
        }
        let authority = origin.and_then(|origin| Some(origin.split_once("://")?.1));
        authority.is_some() && authority == header(request, "host")
    }

    /// Names the page's origin if the page may read the response. Never `*`, which a browser
    /// refuses for a request with cookies.
    fn apply(&self, request: &Request, response: &mut Response) {
        let headers = response.headers_mut();
        headers.append(VARY, HeaderValue::from_static("Origin"));
        if let Some(origin) = self.reader(request) {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
    }

    /// The response to a preflight. It allows the methods, and the headers that the page asks for, if
    /// the page may read responses.
    #[must_use]
    pub fn preflight(&self, request: &Request, methods: &[&str]) -> Response {
        if self.reader(request).is_none() {
            return empty(StatusCode::NO_CONTENT);
        }
        let requested = request.headers().get(ACCESS_CONTROL_REQUEST_HEADERS).cloned();
        preflight(&methods.join(", "), requested)
    }
}

/// Returns whether the end of an origin is a port, or the port of its scheme, which is not written.
fn is_port(text: &str) -> bool {
    let digits = |port: &str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    text.is_empty() || text.strip_prefix(':').is_some_and(digits)
}

/// The response to a preflight: the methods and the headers that a page may send, for ten minutes.
#[must_use]
pub fn preflight(methods: &str, request_headers: Option<HeaderValue>) -> Response {
    let mut response = empty(StatusCode::NO_CONTENT);
    let headers = response.headers_mut();
    if let Ok(methods) = HeaderValue::from_str(methods) {
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
    }
    if let Some(request_headers) = request_headers {
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, request_headers);
    }
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use lambda_http::Body;

    fn from(origin: &'static str) -> Request {
        let mut request = Request::new(Body::Empty);
        request.headers_mut().insert("host", HeaderValue::from_static("api.example:9000"));
        request.headers_mut().insert("origin", HeaderValue::from_static(origin));
        request
    }

    #[test]
    fn only_the_exact_configured_origins_may_read() {
        let origins = AllowedOrigins::parse("https://a.example, https://b.example/,");
        let reader = |origin| {
            let cors = Cors { policy: CorsPolicy::AllowedOrigins, origins: origins.clone() };
            let response = cors.apply(&from(origin), empty(StatusCode::OK));
            assert_eq!(response.headers()[VARY], "Origin");
            let allowed = response.headers().get(ACCESS_CONTROL_ALLOW_ORIGIN);
            allowed.map(|origin| origin.to_str().unwrap().to_owned())
        };
        assert_eq!(reader("https://a.example").as_deref(), Some("https://a.example"));
        assert_eq!(reader("https://b.example").as_deref(), Some("https://b.example"));
        for other in
            ["http://a.example", "https://a.example.evil", "https://A.example", "null", "*"]
        {
            assert_eq!(reader(other), None, "{other}");
        }
    }

    #[test]
    fn requests_of_pages_of_other_origins_are_not_allowed() {
        let origins = AllowedOrigins::parse("https://a.example");
        assert!(origins.allow(&Request::new(Body::Empty)));
        assert!(origins.allow(&from("https://a.example")));
        assert!(origins.allow(&from("http://api.example:9000")));
        for other in ["https://evil.example", "null", "", "api.example:9000", "https://api.example"]
        {
            assert!(!origins.allow(&from(other)), "{other}");
        }
    }

    #[test]
    fn a_page_of_another_site_is_allowed_only_if_it_is_configured() {
        let origins = AllowedOrigins::parse("https://a.example");
        let sent = |origin: Option<&'static str>, site: &'static str| {
            let mut request = origin.map_or_else(|| Request::new(Body::Empty), from);
            request.headers_mut().insert("sec-fetch-site", HeaderValue::from_static(site));
            origins.allow(&request)
        };
        for site in ["same-origin", "same-site", "none"] {
            assert!(sent(None, site) && sent(Some("http://api.example:9000"), site), "{site}");
            assert!(!sent(Some("https://evil.example"), site), "{site}");
        }
        for site in ["cross-site", "", "CROSS-SITE", "same-origin, cross-site"] {
            assert!(!sent(None, site) && !sent(Some("http://api.example:9000"), site), "{site}");
            assert!(sent(Some("https://a.example"), site), "{site}");
        }
    }

    #[test]
    fn the_port_of_an_origin_may_be_any() {
        let origins = AllowedOrigins::parse("http://localhost:*,http://127.0.0.1:*");
        for origin in ["http://localhost", "http://localhost:3000", "http://127.0.0.1:9"] {
            assert!(origins.allow(&from(origin)), "{origin}");
        }
        for origin in [
            "http://localhost:",
            "http://localhost:3000x",
            "http://localhost.evil.example:3000",
            "http://localhost:3000.evil.example",
            "https://localhost:3000",
            "http://localhost:*",
        ] {
            assert!(!origins.allow(&from(origin)), "{origin}");
        }
    }

    #[test]
    fn requests_that_only_read_are_accepted_from_every_page() {
        let cors = Cors { policy: CorsPolicy::AnyOrigin, origins: AllowedOrigins::default() };
        let accepted = |method: &Method| {
            let mut request = from("https://evil.example");
            *request.method_mut() = method.clone();
            cors.accepts(&request)
        };
        assert!([Method::GET, Method::HEAD, Method::OPTIONS].iter().all(accepted));
        assert!(![Method::POST, Method::PATCH, Method::PUT, Method::DELETE].iter().any(accepted));
    }
}
