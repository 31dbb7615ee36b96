//! The events that API Gateway sends to a function.

use acceptance::route;
use serde_json::{Value, json};

/// The event of a request to the endpoint that a function serves, as a phone's app sends it.
pub(crate) fn request(function: &str, body: &Value) -> Value {
    let route = route(function);
    event(route.method, route.path, body)
}

/// The event of a request that has no route.
pub(crate) fn without_route() -> Value {
    let mut event = event("GET", "/no/such/path", &Value::Null);
    event["routeKey"] = "$default".into();
    event["requestContext"]["routeKey"] = "$default".into();
    event
}

fn event(method: &str, path: &str, body: &Value) -> Value {
    let key = format!("{method} {path}");
    let text = if body.is_null() { String::new() } else { body.to_string() };
    let domain = "abcdefghij.execute-api.us-east-1.amazonaws.com";
    let agent = "okhttp/4.12.0";
    json!({
        "version": "2.0",
        "routeKey": key,
        "rawPath": path,
        "rawQueryString": "",
        "headers": {
            "accept": "application/json",
            "accept-encoding": "gzip",
            "accept-language": "en-HK,en;q=0.9",
            "content-length": text.len().to_string(),
            "content-type": "application/json; charset=utf-8",
            "host": domain,
            "user-agent": agent,
            "x-amzn-trace-id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700",
            "x-forwarded-for": "198.51.100.7",
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https"
        },
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "abcdefghij",
            "domainName": domain,
            "domainPrefix": "abcdefghij",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "198.51.100.7",
                "userAgent": agent
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": key,
            "stage": "$default",
            "time": "10/Mar/2026:05:16:23 +0000",
            "timeEpoch": 1_773_119_783_216_u64
        },
        "body": text,
        "isBase64Encoded": false
    })
}
