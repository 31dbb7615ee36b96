//! The HTTP response that a function's answer describes, in payload format 2.0.

use axum::body::Body;
use axum::http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, SET_COOKIE, TRANSFER_ENCODING};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use data_encoding::BASE64;
use serde_json::Value as Json;

/// Returns the response, or `None` if the answer is malformed.
pub(super) fn render(answer: &[u8]) -> Option<Response<Body>> {
    let answer: Json = serde_json::from_slice(answer).ok()?;
    let status = u16::try_from(answer.get("statusCode")?.as_u64()?).ok()?;
    let status = StatusCode::from_u16(status).ok()?;
    let body = match answer.get("body") {
        None | Some(Json::Null) => Vec::new(),
        Some(Json::String(text)) => match answer.get("isBase64Encoded") {
            Some(Json::Bool(true)) => BASE64.decode(text.as_bytes()).ok()?,
            _ => text.clone().into_bytes(),
        },
        Some(_) => return None,
    };
    let mut headers = headers(&answer)?;
    if !body.is_empty() {
        // API Gateway's default.
        let text = HeaderValue::from_static("text/plain;charset=UTF-8");
        headers.entry(CONTENT_TYPE).or_insert(text);
    }
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Some(response)
}

fn headers(answer: &Json) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    // The format has one value for each header. API Gateway ignores `multiValueHeaders`.
    let declared = answer.get("headers").and_then(Json::as_object);
    for (name, value) in declared.into_iter().flatten() {
        headers.insert(name.parse::<HeaderName>().ok()?, value_of(value)?);
    }
    let cookies = answer.get("cookies").and_then(Json::as_array);
    for cookie in cookies.into_iter().flatten() {
        headers.append(SET_COOKIE, value_of(cookie)?);
    }
    // The server sets these itself.
    for name in [CONTENT_LENGTH, TRANSFER_ENCODING, CONNECTION] {
        headers.remove(name);
    }
    Some(headers)
}

fn value_of(value: &Json) -> Option<HeaderValue> {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    HeaderValue::from_bytes(text.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    async fn rendered(answer: Json) -> (u16, HeaderMap, Vec<u8>) {
        let (head, body) = render(answer.to_string().as_bytes()).unwrap().into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        (head.status.as_u16(), head.headers, body.to_vec())
    }

    fn values(headers: &HeaderMap, name: &str) -> Vec<String> {
        headers.get_all(name).iter().map(|v| v.to_str().unwrap().to_owned()).collect()
    }

    #[tokio::test]
    async fn status_headers_cookies_and_body_are_those_of_the_answer() {
        let (status, headers, body) = rendered(json!({
            "statusCode": 201,
            "headers": { "Content-Type": "application/json", "content-length": "999", "x-one": "a,b" },
            "multiValueHeaders": { "x-many": ["1", "2"] },
            "cookies": ["a=1; Path=/", "b=2"],
            "body": "{}",
            "isBase64Encoded": false,
        }))
        .await;
        assert_eq!((status, body.as_slice()), (201, &b"{}"[..]));
        assert_eq!(values(&headers, "content-type"), ["application/json"]);
        assert_eq!(values(&headers, "x-one"), ["a,b"]);
        assert!(values(&headers, "x-many").is_empty());
        assert_eq!(values(&headers, "set-cookie"), ["a=1; Path=/", "b=2"]);
        assert!(values(&headers, "content-length").is_empty());
    }

    #[tokio::test]
    async fn a_binary_body_is_decoded() {
        let (_, _, body) =
            rendered(json!({ "statusCode": 200, "body": "/w==", "isBase64Encoded": true })).await;
        assert_eq!(body, [0xff]);
    }

    #[tokio::test]
    async fn a_body_without_a_type_is_plain_text_and_an_empty_body_has_no_type() {
        let (_, headers, _) = rendered(json!({ "statusCode": 200, "body": "hi" })).await;
        assert_eq!(values(&headers, "content-type"), ["text/plain;charset=UTF-8"]);
        let (_, headers, _) = rendered(json!({ "statusCode": 204 })).await;
        assert!(values(&headers, "content-type").is_empty());
    }

    #[test]
    fn malformed_answers_are_refused() {
        for answer in [
            json!({ "hello": 1 }),
            json!({ "statusCode": "200" }),
            json!({ "statusCode": 9 }),
            json!({ "statusCode": 200, "body": {} }),
            json!({ "statusCode": 200, "headers": { "a b": "c" } }),
            json!({ "statusCode": 200, "headers": { "a": "b\nc" } }),
            json!({ "statusCode": 200, "body": "%", "isBase64Encoded": true }),
        ] {
            assert!(render(answer.to_string().as_bytes()).is_none(), "{answer}");
        }
        assert!(render(b"not json").is_none());
    }
}
