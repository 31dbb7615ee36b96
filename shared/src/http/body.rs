//! Request bodies.

use lambda_http::{Body, Request};
use serde_json::{Map, Value};

/// The length of the largest body that is read, in bytes. The longest valid request of any contract
/// is much shorter.
pub const MAX_BODY_BYTES: usize = 16 * 1024;

/// The maximum depth of nested brackets in a form.
const FORM_DEPTH: usize = 5;

/// The reason why a body is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// The body is longer than [`MAX_BODY_BYTES`].
    #[error("the body is too large")]
    TooLarge,
    /// The body is not an object.
    #[error("the body is not an object")]
    Malformed,
}

/// The bytes of the body, unless it is too long.
fn bytes(request: &Request) -> Result<&[u8], BodyError> {
    let bytes = match request.body() {
        Body::Text(text) => text.as_bytes(),
        Body::Binary(bytes) => bytes.as_slice(),
        _ => &[],
    };
    if bytes.len() > MAX_BODY_BYTES { Err(BodyError::TooLarge) } else { Ok(bytes) }
}

fn json(bytes: &[u8]) -> Result<Map<String, Value>, BodyError> {
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(object)) => Ok(object),
        _ => Err(BodyError::Malformed),
    }
}

/// Reads the body as a JSON object. The content type is ignored, so that clients may omit it.
///
/// # Errors
/// The body is too long, or not an object.
pub fn json_object(request: &Request) -> Result<Map<String, Value>, BodyError> {
    json(bytes(request)?)
}

/// Reads the body as an object, from JSON or from a form with nested brackets
/// (`user[address][city]=x`). The first character decides, because no form begins with `{`. An empty
/// body is an empty object.
///
/// # Errors
/// The body is too long, or not an object.
pub fn form_or_json_object(request: &Request) -> Result<Map<String, Value>, BodyError> {
    let bytes = bytes(request)?;
    match bytes.trim_ascii_start().first() {
        None => Ok(Map::new()),
        Some(b'{' | b'[' | b'"') => json(bytes),
        Some(_) => {
            let form = serde_qs::Config::new().use_form_encoding(true).max_depth(FORM_DEPTH);
            form.deserialize_bytes(bytes).map_err(|_| BodyError::Malformed)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: impl Into<Body>) -> Result<Map<String, Value>, BodyError> {
        json_object(&Request::new(body.into()))
    }

    #[test]
    fn only_objects_are_read() {
        assert_eq!(read(r#"{"a":1}"#).unwrap().len(), 1);
        assert_eq!(read(br#"{"a":1}"#.to_vec()).unwrap().len(), 1);
        let deep = "[".repeat(1000);
        for bad in ["", "null", "[]", "\"a\"", "{", "{\"a\":1} x", "{\"a\":\"\\ud800\"}", &deep] {
            assert_eq!(read(bad), Err(BodyError::Malformed), "{bad:?}");
        }
        assert_eq!(read(vec![b'{', 0xff, b'}']), Err(BodyError::Malformed));
    }

    #[test]
    fn a_form_and_json_are_read_as_the_same_object() {
        let json = r#"{"user":{"name":"J X","address":{"district":"1"}},"mobile":"+85261677528"}"#;
        let form = "user[name]=J+X&user%5Baddress%5D%5Bdistrict%5D=1&mobile=%2B85261677528";
        let read = |body: &str| form_or_json_object(&Request::new(body.into()));
        assert_eq!(read(json).unwrap(), read(form).unwrap());
        assert_eq!(read("").unwrap(), Map::new());
        for bad in ["[]", "{", "\"a\"", "a[b=1", "a=%ff", "a[0]=x&a[5]=y", "&&"] {
            assert_eq!(read(bad), Err(BodyError::Malformed), "{bad}");
        }
    }

    #[test]
    fn the_limit_is_16_kib() {
        let body = |size: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(size - 8));
        assert!(read(body(MAX_BODY_BYTES)).is_ok());
        assert_eq!(read(body(MAX_BODY_BYTES + 1)), Err(BodyError::TooLarge));
    }
}
