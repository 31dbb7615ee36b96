//! Who may use the admin API: programs of this machine, and pages that this machine serves. It shows
//! codes and can delete everything, so no page of another site may call it, whatever name leads here.

use axum::extract::{Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, HOST, ORIGIN, VARY,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::net::IpAddr;
use std::sync::Arc;

/// The names under which the stack may be called, besides those of this machine.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names(Arc<Vec<String>>);

impl Names {
    pub(crate) fn new(names: Vec<String>) -> Self {
        Self(Arc::new(names))
    }

    /// Returns whether a host is this machine. A site with a name of its own can let that name lead to this machine
    /// (DNS rebinding), so names must be known. An IP address is not looked up.
    fn is_ours(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        let is_local = host == "localhost" || host.ends_with(".localhost");
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        is_local || bare.parse::<IpAddr>().is_ok() || self.0.contains(&host)
    }

    /// Returns whether the pages of an origin may call the API.
    fn allows(&self, origin: &str) -> bool {
        let rest = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        rest.is_some_and(|rest| self.is_ours(host_of(rest)))
    }
}

impl Names {
    /// Returns whether a request comes from a program or from a page that may call the API. A browser sends no
    /// origin with a request whose answer the page cannot read, but says that the page is of another site.
    pub(crate) fn may_cause_work(&self, headers: &HeaderMap) -> bool {
        match text(headers, &ORIGIN) {
            Some(origin) => self.allows(origin),
            None => headers.get("sec-fetch-site").is_none_or(|site| site != "cross-site"),
        }
    }
}

/// Returns the host without its port.
fn host_of(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => host,
        _ => authority,
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &axum::http::HeaderName) -> Option<&'h str> {
    headers.get(name).map(|value| value.to_str().unwrap_or("?"))
}

/// Refuses requests of foreign pages, and lets the pages of this machine read the answers.
pub(super) async fn check(State(names): State<Names>, request: Request, next: Next) -> Response {
    let origin = text(request.headers(), &ORIGIN).map(str::to_owned);
    let host = text(request.headers(), &HOST).map_or("", host_of);
    if !host.is_empty() && !names.is_ours(host) {
        let problem = format!("the stack has no name {host}; start it with --host {host}");
        return super::error(StatusCode::FORBIDDEN, &problem);
    }
    if let Some(origin) = origin.as_deref().filter(|origin| !names.allows(origin)) {
        let problem = format!("pages of {origin} may not use the local stack");
        return super::error(StatusCode::FORBIDDEN, &problem);
    }
    let mut response = match (request.method(), &origin) {
        (&Method::OPTIONS, Some(_)) => StatusCode::NO_CONTENT.into_response(),
        _ => next.run(request).await,
    };
    let headers = response.headers_mut();
    headers.insert(VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = origin.and_then(|origin| HeaderValue::from_str(&origin).ok()) {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        for (name, value) in [
            (ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, DELETE"),
            (ACCESS_CONTROL_ALLOW_HEADERS, "content-type, last-event-id, x-amz-invocation-type"),
            (ACCESS_CONTROL_EXPOSE_HEADERS, "x-amz-function-error"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_and_names_that_were_given_are_ours() {
        let names = Names::new(vec!["build-box".to_owned()]);
        for host in [
            "localhost",
            "LOCALHOST",
            "w1.localhost",
            "127.0.0.1",
            "[::1]",
            "10.0.2.2",
            "build-box",
        ] {
            assert!(names.is_ours(host), "{host}");
        }
        for host in ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", ""] {
            assert!(!names.is_ours(host), "{host}");
        }
        for origin in ["http://localhost:5173", "https://127.0.0.1", "http://[::1]:3000"] {
            assert!(names.allows(origin), "{origin}");
        }
        let may = |name: &'static str, value: &str| {
            let name = axum::http::HeaderName::from_static(name);
            names.may_cause_work(&[(name, value.parse().unwrap())].into_iter().collect())
        };
        assert!(names.may_cause_work(&HeaderMap::new()));
        assert!(may("sec-fetch-site", "none") && may("origin", "http://localhost:5173"));
        assert!(!may("sec-fetch-site", "cross-site") && !may("origin", "https://evil.example"));
        for origin in ["null", "https://evil.example", "file://localhost", "http://evil.example:80"]
        {
            assert!(!names.allows(origin), "{origin}");
        }
    }
}
