//! Request bodies.

use lambda_http::{Body, Request};
use serde_json::{Map, Value};

/// The largest body that is read, in bytes. No contract's longest request comes near it.
pub const MAX_BODY_BYTES: usize = 16 * 1024;

/// Why a body is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// It is longer than [`MAX_BODY_BYTES`].
    #[error("the body is too large")]
    TooLarge,
    /// It is not a JSON object.
    #[error("the body is not a JSON object")]
    Malformed,
}

/// The body as a JSON object, whatever the content type says: clients that forget the header are
/// answered like those that send it.
///
/// # Errors
/// [`BodyError`].
pub fn json_object(request: &Request) -> Result<Map<String, Value>, BodyError> {
    let bytes = match request.body() {
        Body::Text(text) => text.as_bytes(),
        Body::Binary(bytes) => bytes.as_slice(),
        _ => &[],
    };
    if bytes.len() > MAX_BODY_BYTES {
        return Err(BodyError::TooLarge);
    }
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(object)) => Ok(object),
        _ => Err(BodyError::Malformed),
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
    fn the_limit_is_16_kib() {
        let body = |size: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(size - 8));
        assert!(read(body(MAX_BODY_BYTES)).is_ok());
        assert_eq!(read(body(MAX_BODY_BYTES + 1)), Err(BodyError::TooLarge));
    }
}
