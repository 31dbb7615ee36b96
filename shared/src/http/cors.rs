//! Cross-origin requests (Fetch standard, CORS protocol): which pages may read responses, and send
//! cookies.

use super::caller::header;
use super::{Response, StatusCode, empty};
use lambda_http::Request;
use lambda_http::http::HeaderValue;
use lambda_http::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS, VARY,
};

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
    /// Read by [`CorsPolicy::AllowedOrigins`] only.
    pub origins: AllowedOrigins,
}

/// The origins whose pages may read responses and send cookies.
#[derive(Clone, Debug, Default)]
pub struct AllowedOrigins(Vec<String>);

impl Cors {
    /// Adds no headers: for a function whose responses have them already, or do not need them.
    pub const NONE: Self =
        Self { policy: CorsPolicy::NoOrigin, origins: AllowedOrigins(Vec::new()) };

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
    /// Reads a list separated by commas, such as `https://a.example,https://b.example`.
    #[must_use]
    pub fn parse(list: &str) -> Self {
        let origins = list.split(',').map(|origin| origin.trim().trim_end_matches('/'));
        Self(origins.filter(|origin| !origin.is_empty()).map(str::to_owned).collect())
    }

    fn contains(&self, origin: &str) -> bool {
        self.0.iter().any(|allowed| allowed == origin)
    }

    /// The origin of the page that sent the request, if the page may read the response.
    fn reader(&self, request: &Request) -> Option<HeaderValue> {
        let origin = header(request, "origin").filter(|origin| self.contains(origin));
        origin.and_then(|origin| HeaderValue::from_str(origin).ok())
    }

    /// Whether the request comes from a page of the list, from a page of the API's own host, or
    /// from no page at all. A browser always names the page's origin when it sends a request that
    /// can change something (OWASP Cross-Site Request Forgery Prevention Cheat Sheet).
    #[must_use]
    pub fn allow(&self, request: &Request) -> bool {
        if !request.headers().contains_key("origin") {
            return true;
        }
        let Some(origin) = header(request, "origin") else { return false };
        let authority = origin.split_once("://").map(|(_, authority)| authority);
        let own = header(request, "host").is_some_and(|host| authority == Some(host));
        own || self.contains(origin)
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
}
