//! Pages of other origins, where answers go with cookies (Fetch standard, CORS protocol).

use super::Answer;
use super::caller::header;
use lambda_http::Request;
use lambda_http::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS, VARY,
};
use lambda_http::http::{HeaderMap, HeaderValue};

/// The origins whose pages may read answers and send cookies.
#[derive(Clone, Debug, Default)]
pub struct Origins(Vec<String>);

/// Who may read an answer, of those who asked.
#[derive(Clone, Debug)]
pub struct Readers {
    origin: Option<HeaderValue>,
}

impl Origins {
    /// Reads a list separated by commas, such as `https://a.example,https://b.example`.
    #[must_use]
    pub fn parse(list: &str) -> Self {
        let origins = list.split(',').map(|origin| origin.trim().trim_end_matches('/'));
        Self(origins.filter(|origin| !origin.is_empty()).map(str::to_owned).collect())
    }

    fn contains(&self, origin: &str) -> bool {
        self.0.iter().any(|known| known == origin)
    }

    /// Who may read the answer to this request.
    #[must_use]
    pub fn readers(&self, request: &Request) -> Readers {
        let origin = header(request, "origin").filter(|origin| self.contains(origin));
        Readers { origin: origin.and_then(|origin| HeaderValue::from_str(origin).ok()) }
    }

    /// Whether the request comes from a page of the list, from one of our own, or from no page at
    /// all. A browser always names the page's origin when it sends a request that can change
    /// something (OWASP Cross-Site Request Forgery Prevention Cheat Sheet).
    #[must_use]
    pub fn admit(&self, request: &Request) -> bool {
        if !request.headers().contains_key("origin") {
            return true;
        }
        let Some(origin) = header(request, "origin") else { return false };
        let authority = origin.split_once("://").map(|(_, authority)| authority);
        let own = header(request, "host").is_some_and(|host| authority == Some(host));
        own || self.contains(origin)
    }
}

impl Readers {
    /// Names the reader, if there is one. Never `*`: with cookies that is no answer.
    #[must_use]
    pub fn tell(&self, mut answer: Answer) -> Answer {
        let headers = answer.headers_mut();
        headers.append(VARY, HeaderValue::from_static("Origin"));
        if let Some(origin) = &self.origin {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
        answer
    }

    /// Tells a reader what it may send: these methods, and the headers that it asked for.
    #[must_use]
    pub fn tell_methods(&self, answer: Answer, methods: &[&str], asked: &HeaderMap) -> Answer {
        let mut answer = self.tell(answer);
        let headers = answer.headers_mut();
        headers.append(VARY, HeaderValue::from_static("Access-Control-Request-Headers"));
        if self.origin.is_none() {
            return answer;
        }
        if let Ok(methods) = HeaderValue::from_str(&methods.join(", ")) {
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
        }
        if let Some(asked) = asked.get(ACCESS_CONTROL_REQUEST_HEADERS) {
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, asked.clone());
        }
        headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::empty;
    use lambda_http::Body;
    use lambda_http::http::StatusCode;

    fn from(origin: &'static str) -> Request {
        let mut request = Request::new(Body::Empty);
        request.headers_mut().insert("host", HeaderValue::from_static("api.example:9000"));
        request.headers_mut().insert("origin", HeaderValue::from_static(origin));
        request
    }

    #[test]
    fn only_listed_origins_read_and_only_exactly() {
        let origins = Origins::parse("https://a.example, https://b.example/,");
        let told = |origin| {
            let answer = origins.readers(&from(origin)).tell(empty(StatusCode::OK));
            assert_eq!(answer.headers()[VARY], "Origin");
            let allowed = answer.headers().get(ACCESS_CONTROL_ALLOW_ORIGIN);
            allowed.map(|origin| origin.to_str().unwrap().to_owned())
        };
        assert_eq!(told("https://a.example").as_deref(), Some("https://a.example"));
        assert_eq!(told("https://b.example").as_deref(), Some("https://b.example"));
        for other in
            ["http://a.example", "https://a.example.evil", "https://A.example", "null", "*"]
        {
            assert_eq!(told(other), None, "{other}");
        }
    }

    #[test]
    fn pages_of_strangers_are_not_admitted() {
        let origins = Origins::parse("https://a.example");
        assert!(origins.admit(&Request::new(Body::Empty)));
        assert!(origins.admit(&from("https://a.example")));
        assert!(origins.admit(&from("http://api.example:9000")));
        for stranger in
            ["https://evil.example", "null", "", "api.example:9000", "https://api.example"]
        {
            assert!(!origins.admit(&from(stranger)), "{stranger}");
        }
    }
}
