//! The event of an HTTP request, in API Gateway's payload format 2.0.

use super::routes::Route;
use crate::activity::Summary;
use crate::{clock, random};
use axum::http::header::{CONTENT_TYPE, COOKIE, HOST, TRANSFER_ENCODING, USER_AGENT};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName};
use data_encoding::BASE64;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use template::arn::ACCOUNT;

/// A request to the API.
pub(super) struct ApiRequest<'r> {
    pub(super) head: &'r Parts,
    /// The decoded path.
    pub(super) path: &'r str,
    pub(super) body: &'r [u8],
    pub(super) peer: SocketAddr,
    pub(super) domain: &'r str,
    pub(super) route: &'r Route,
    /// The id of the invocation.
    pub(super) id: &'r str,
    /// The time in milliseconds since the Unix epoch.
    pub(super) now: i64,
}

impl ApiRequest<'_> {
    /// Returns the event.
    pub(super) fn event(&self) -> Json {
        let query = self.head.uri.query().unwrap_or_default();
        let source_ip = self.peer.ip().to_string();
        let mut event = json!({
            "version": "2.0",
            "routeKey": self.route.key,
            "rawPath": self.path,
            "rawQueryString": query,
            "headers": self.headers(&source_ip),
            "requestContext": {
                "accountId": ACCOUNT,
                "apiId": "local",
                "domainName": self.domain,
                "domainPrefix": "local",
                "http": {
                    "method": self.head.method.as_str(),
                    "path": self.path,
                    "protocol": format!("{:?}", self.head.version),
                    "sourceIp": source_ip,
                    "userAgent": value(&self.head.headers, &USER_AGENT),
                },
                // Another one than that of the invocation, as on AWS.
                "requestId": random::uuid(),
                "routeKey": self.route.key,
                "stage": "$default",
                "time": clock::access_log(self.now),
                "timeEpoch": self.now,
            },
            "isBase64Encoded": false,
        });
        // Fields that the request does not have are left out.
        let Some(fields) = event.as_object_mut() else { return event };
        let cookies = cookies(&self.head.headers);
        if !cookies.is_empty() {
            fields.insert("cookies".to_owned(), cookies.into());
        }
        let parameters = joined(form_urlencoded::parse(query.as_bytes()));
        if !parameters.is_empty() {
            fields.insert("queryStringParameters".to_owned(), parameters.into());
        }
        if !self.body.is_empty() {
            let (body, encoded) = self.body();
            fields.insert("body".to_owned(), body.into());
            fields.insert("isBase64Encoded".to_owned(), encoded.into());
        }
        event
    }

    /// Returns what is known of the request before it is answered.
    pub(super) fn summary(&self, at: String) -> Summary {
        let function = self.route.function.clone();
        Summary {
            id: self.id.to_owned(),
            at,
            method: self.head.method.to_string(),
            path: self.path.to_owned(),
            query: self.head.uri.query().unwrap_or_default().to_owned(),
            route: self.route.key.clone(),
            contract: function.split_once('-').map(|(contract, _)| contract.to_owned()),
            function,
            ..Summary::default()
        }
    }

    fn headers(&self, source_ip: &str) -> Map<String, Json> {
        let mut own = joined(self.head.headers.iter().filter_map(|(name, value)| {
            // Cookies have their own field, and the body is complete.
            let kept = name != COOKIE && name != TRANSFER_ENCODING;
            kept.then(|| (name.as_str(), String::from_utf8_lossy(value.as_bytes())))
        }));
        let forwarded = match own.get("x-forwarded-for").and_then(Json::as_str) {
            Some(before) => format!("{before}, {source_ip}"),
            None => source_ip.to_owned(),
        };
        let trace = random::uuid().replace('-', "");
        let (time, unique) = trace.split_at(8);
        let port = self.domain.rsplit(':').next().unwrap_or_default();
        for (name, value) in [
            ("content-length", self.body.len().to_string()),
            ("x-amzn-trace-id", format!("Root=1-{time}-{unique}")),
            ("x-forwarded-for", forwarded),
            ("x-forwarded-port", port.to_owned()),
            // The real protocol, because functions build links from it.
            ("x-forwarded-proto", "http".to_owned()),
        ] {
            own.insert(name.to_owned(), value.into());
        }
        own.entry(HOST.as_str()).or_insert_with(|| self.domain.into());
        own
    }

    /// Returns the body, and whether it is in Base64: bodies that have another type than text or
    /// are not UTF-8 are.
    fn body(&self) -> (String, bool) {
        let textual = match value(&self.head.headers, &CONTENT_TYPE) {
            "" => true,
            content_type => is_textual(content_type),
        };
        match std::str::from_utf8(self.body) {
            Ok(text) if textual => (text.to_owned(), false),
            _ => (BASE64.encode(self.body), true),
        }
    }
}

/// Decodes a path. Like API Gateway, it drops the text after an encoded question mark.
pub(super) fn decode_path(path: &str) -> String {
    let decoded = percent_decode_str(path).decode_utf8_lossy();
    decoded.split('?').next().unwrap_or_default().to_owned()
}

/// Tells whether the Host header is a plain host and port. AWS forwards no others to a function,
/// and functions may rely on it when they build URLs.
pub(super) fn is_plain_host(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(HOST) else { return true };
    let Ok(host) = host.to_str() else { return false };
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, Some(port)),
        _ => (host, None),
    };
    let is_name = !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
    (is_name || name == "[::1]") && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

fn is_textual(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind.starts_with("text/")
        || matches!(&*kind, "application/json" | "application/javascript" | "application/xml")
        || kind.ends_with("+json")
        || kind.ends_with("+xml")
}

fn cookies(headers: &HeaderMap) -> Vec<String> {
    headers
        .get_all(COOKIE)
        .iter()
        .flat_map(|value| {
            String::from_utf8_lossy(value.as_bytes())
                .split(';')
                .map(|cookie| cookie.trim().to_owned())
                .collect::<Vec<_>>()
        })
        .filter(|cookie| !cookie.is_empty())
        .collect()
}

/// Collects pairs by name. The values of a repeated name are joined with commas.
fn joined<K: AsRef<str>, V: AsRef<str>>(pairs: impl Iterator<Item = (K, V)>) -> Map<String, Json> {
    let mut together = BTreeMap::<String, String>::new();
    for (name, value) in pairs {
        together
            .entry(name.as_ref().to_owned())
            .and_modify(|before| {
                before.push(',');
                before.push_str(value.as_ref());
            })
            .or_insert_with(|| value.as_ref().to_owned());
    }
    together.into_iter().map(|(name, value)| (name, value.into())).collect()
}

fn value<'h>(headers: &'h HeaderMap, name: &HeaderName) -> &'h str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    fn event(request: axum::http::request::Builder, body: &[u8]) -> Json {
        let (head, ()) = request.body(()).unwrap().into_parts();
        let path = decode_path(head.uri.path());
        let route = Route { function: "f".into(), key: "POST /p".into() };
        let peer = "127.0.0.9:50000".parse().unwrap();
        let (domain, id, now) = ("127.0.0.1:9000", "1", 0);
        let request =
            ApiRequest { head: &head, path: &path, body, peer, domain, route: &route, id, now };
        request.event()
    }

    #[test]
    fn an_event_has_every_part_of_the_request() {
        let request = Request::post("/p/a%20b?x=1&y=a%20b&x=2")
            .header("Host", "localhost:9000")
            .header("X-Two", "one")
            .header("x-two", "two")
            .header("Cookie", "a=1; b=2")
            .header("User-Agent", "curl/8")
            .header("Content-Type", "application/json; charset=utf-8")
            .header("X-Forwarded-For", "10.0.0.1");
        let event = event(request, "{\"é\":1}".as_bytes());
        let at = |pointer: &str| event.pointer(pointer).cloned().unwrap_or_default();
        assert_eq!(at("/version"), "2.0");
        assert_eq!(at("/routeKey"), "POST /p");
        assert_eq!(at("/rawPath"), "/p/a b");
        assert_eq!(at("/rawQueryString"), "x=1&y=a%20b&x=2");
        assert_eq!(at("/cookies"), json!(["a=1", "b=2"]));
        assert_eq!(at("/queryStringParameters"), json!({ "x": "1,2", "y": "a b" }));
        assert_eq!(at("/headers/host"), "localhost:9000");
        assert_eq!(at("/headers/x-two"), "one,two");
        assert_eq!(at("/headers/x-forwarded-for"), "10.0.0.1, 127.0.0.9");
        assert_eq!(at("/headers/content-length"), "8");
        assert_eq!(at("/headers/cookie"), Json::Null);
        assert_eq!(at("/requestContext/http/method"), "POST");
        assert_eq!(at("/requestContext/http/sourceIp"), "127.0.0.9");
        assert_eq!(at("/requestContext/http/userAgent"), "curl/8");
        assert_eq!(at("/requestContext/http/protocol"), "HTTP/1.1");
        assert_eq!(at("/requestContext/stage"), "$default");
        assert_eq!(at("/requestContext/domainName"), "127.0.0.1:9000");
        assert_eq!(at("/body"), "{\"é\":1}");
        assert_eq!(at("/isBase64Encoded"), false);
    }

    #[test]
    fn absent_parts_of_a_request_are_left_out() {
        let event = event(Request::get("/p/7"), b"");
        for name in ["cookies", "queryStringParameters", "body"] {
            assert!(event.get(name).is_none(), "{name}");
        }
        assert_eq!(event.pointer("/headers/host").unwrap(), "127.0.0.1:9000");
    }

    #[test]
    fn bodies_that_are_not_text_are_in_base64() {
        for (content_type, body, expected, encoded) in [
            (Some("application/x-www-form-urlencoded"), &b"a=1"[..], "YT0x", true),
            (Some("application/json"), b"\xff", "/w==", true),
            (Some("application/problem+json"), b"{}", "{}", false),
            (Some("Text/Plain"), b"hi", "hi", false),
            (None, b"hi", "hi", false),
            (None, b"\xff", "/w==", true),
        ] {
            let mut request = Request::post("/p/7");
            if let Some(content_type) = content_type {
                request = request.header("Content-Type", content_type);
            }
            let event = event(request, body);
            assert_eq!(event.pointer("/body").unwrap(), expected, "{content_type:?}");
            assert_eq!(event.pointer("/isBase64Encoded").unwrap(), encoded, "{content_type:?}");
        }
    }

    #[test]
    fn a_path_is_decoded_up_to_a_question_mark() {
        assert_eq!(decode_path("/a%2Fb%C3%A9"), "/a/bé");
        assert_eq!(decode_path("/a%3Fb=c"), "/a");
        assert_eq!(decode_path("/a%FF"), "/a\u{fffd}");
    }

    #[test]
    fn only_plain_hosts_are_forwarded() {
        let plain =
            |host: &str| is_plain_host(&[(HOST, host.parse().unwrap())].into_iter().collect());
        for host in ["localhost", "127.0.0.1:9000", "[::1]:9000", "a-b.example"] {
            assert!(plain(host), "{host}");
        }
        for host in ["", "a b", "a:99999", "user@host", "[bad", "%zz", ":80"] {
            assert!(!plain(host), "{host}");
        }
    }
}
