//! The text of an answer that is kept for repetitions of its request, and the problems of
//! idempotency keys.
//!
//! The text has holes where the answer has secrets: the signatures of tokens, which are made again
//! with the key that the token names, and one secret that is derived again.

use super::Response;
use data_encoding::BASE64URL_NOPAD;
use lambda_http::Body;
use lambda_http::http::{HeaderName, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Marks the place of a signature. JSON text contains no control characters.
const SIGNATURE: char = '\u{1}';
/// Encloses the number of the form in which the secret was written.
const SECRET: char = '\u{2}';
/// Encloses what the successor of the presented refresh token is derived from.
const SUCCESSOR: char = '\u{3}';
/// Divides the family of a refresh token from the key of its successor.
const SEED_PARTS: char = ',';
/// The length of an HS256 signature in base64url.
const SIGNATURE_LENGTH: usize = 43;

/// The problem of an idempotency key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyProblem {
    /// The header is not a string of 1 to 255 characters.
    Malformed,
    /// The key belongs to another request of this caller.
    Reused,
    /// A request with the key is in progress.
    InProgress { retry_after: Duration },
}

impl KeyProblem {
    /// One problem of each kind.
    pub const SAMPLES: [Self; 3] =
        [Self::Malformed, Self::Reused, Self::InProgress { retry_after: Duration::ZERO }];

    /// The status (IETF draft draft-ietf-httpapi-idempotency-key-header, section 2.7).
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::Malformed => StatusCode::BAD_REQUEST,
            Self::Reused => StatusCode::UNPROCESSABLE_ENTITY,
            Self::InProgress { .. } => StatusCode::CONFLICT,
        }
    }

    /// The text of the refusal.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Malformed => "Idempotency-Key must be a string of 1 to 255 characters",
            Self::Reused => "Idempotency-Key was used with another request",
            Self::InProgress { .. } => "a request with this Idempotency-Key is in progress",
        }
    }

    /// Adds `Retry-After`, if a repetition can succeed later.
    #[must_use]
    pub fn complete(self, response: Response) -> Response {
        match self {
            Self::InProgress { retry_after } => super::retry_after(response, retry_after),
            Self::Malformed | Self::Reused => response,
        }
    }
}

/// A refresh token in an answer, the successor of the one in the request.
#[derive(Debug)]
pub struct Successor {
    pub token: String,
    /// The family of both tokens.
    pub family: String,
    /// The id of the key that it is derived with.
    pub key: String,
}

#[derive(Serialize, Deserialize)]
struct Parts {
    status: u16,
    headers: Vec<(String, String)>,
    body: Option<String>,
}

/// Returns the text of a response without its secrets. `secrets` are the forms in which the secret
/// may have been written. `None` for a response that cannot be written as text.
pub(crate) fn answer_text(
    response: &Response,
    secrets: &[String],
    successor: Option<&Successor>,
) -> Option<String> {
    let headers = response.headers().iter();
    let headers = headers
        .map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())));
    let body = match response.body() {
        Body::Empty => None,
        Body::Text(text) => Some(text.clone()),
        _ => return None,
    };
    let status = response.status().as_u16();
    let parts = Parts { status, headers: headers.collect::<Option<_>>()?, body };
    let mut text = serde_json::to_string(&parts).ok()?;
    for (form, secret) in secrets.iter().enumerate() {
        text = text.replace(secret.as_str(), &format!("{SECRET}{form}{SECRET}"));
    }
    if let Some(Successor { token, family, key }) = successor {
        let seed = format!("{SUCCESSOR}{family}{SEED_PARTS}{key}{SUCCESSOR}");
        text = text.replace(token.as_str(), &seed);
    }
    Some(without_signatures(&text))
}

const fn is_token_byte(byte: u8) -> bool {
    matches!(byte, b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.')
}

/// Returns the length of the part of a token that is signed; `None` unless the text is a token whose
/// header names its key.
fn signed_part(token: &str) -> Option<usize> {
    #[derive(Deserialize)]
    struct Header {
        #[serde(rename = "kid")]
        _kid: String,
    }
    let (signed, signature) = token.rsplit_once('.')?;
    let header = BASE64URL_NOPAD.decode(signed.split_once('.')?.0.as_bytes()).ok()?;
    serde_json::from_slice::<Header>(&header).ok()?;
    (signature.len() == SIGNATURE_LENGTH).then_some(signed.len())
}

fn without_signatures(text: &str) -> String {
    let mut result = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let token = rest.bytes().take_while(|byte| is_token_byte(*byte)).count();
        // Token bytes are ASCII, and so is what is cut after them.
        let (token, after) = rest.split_at(token);
        match signed_part(token) {
            Some(signed) => {
                result.push_str(&token[..signed]);
                result.push(SIGNATURE);
            }
            None => result.push_str(token),
        }
        let next = after.chars().next();
        result.extend(next);
        rest = &after[next.map_or(0, char::len_utf8)..];
    }
    result
}

/// The pieces of a text of [`answer_text`], in order.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    Text(&'a str),
    /// The signed part of a token, which is followed by its signature.
    Token(&'a str),
    /// The secret in the form with this number.
    Secret(usize),
    /// The successor of a refresh token, of this family and derived with this key.
    Successor {
        family: &'a str,
        key: &'a str,
    },
}

/// Returns the pieces of a text; `None` if it is malformed.
pub(crate) fn pieces(text: &str) -> Option<Vec<Piece<'_>>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find([SIGNATURE, SECRET, SUCCESSOR]) {
        let (before, hole) = rest.split_at(at);
        let mark = hole.chars().next()?;
        let after = &hole[mark.len_utf8()..];
        if mark == SIGNATURE {
            let token = before.bytes().rev().take_while(|byte| is_token_byte(*byte)).count();
            let (text, token) = before.split_at(before.len().saturating_sub(token));
            pieces.extend([Piece::Text(text), Piece::Token(token)]);
            rest = after;
        } else {
            let (recipe, after) = after.split_once(mark)?;
            pieces.push(Piece::Text(before));
            pieces.push(if mark == SECRET {
                Piece::Secret(recipe.parse().ok()?)
            } else {
                let (family, key) = recipe.split_once(SEED_PARTS)?;
                Piece::Successor { family, key }
            });
            rest = after;
        }
    }
    pieces.push(Piece::Text(rest));
    Some(pieces)
}

/// Returns the response with this text, whose holes are filled; `None` if it is malformed.
pub(crate) fn answer_of_text(text: &str) -> Option<Response> {
    let Parts { status, headers, body } = serde_json::from_str(text).ok()?;
    let mut response = Response::new(body.map_or(Body::Empty, Body::Text));
    *response.status_mut() = StatusCode::from_u16(status).ok()?;
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        response.headers_mut().append(name, HeaderValue::from_str(&value).ok()?);
    }
    Some(response)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http;
    use serde_json::json;

    fn token(header: &str, signature: usize) -> String {
        let [header, claims] =
            [header, r#"{"sub":"1"}"#].map(|part| BASE64URL_NOPAD.encode(part.as_bytes()));
        format!("{header}.{claims}.{}", "s".repeat(signature))
    }

    #[test]
    fn a_kept_answer_has_neither_signatures_nor_the_secret() {
        let jwt = token(r#"{"alg":"HS256","kid":"k1"}"#, SIGNATURE_LENGTH);
        let body = json!({"token": jwt, "refresh": "secret-2", "next": "successor-1",
            "name": "Ann \u{1f600}"});
        let mut response = http::json(StatusCode::OK, &body);
        for cookie in [format!("t={jwt}; Path=/"), "u=1".to_owned()] {
            response.headers_mut().append("set-cookie", cookie.parse().unwrap());
        }
        let secrets = ["secret-1".to_owned(), "secret-2".to_owned()];
        let successor = Successor {
            token: "successor-1".to_owned(),
            family: "a".to_owned(),
            key: "b".to_owned(),
        };
        let text = answer_text(&response, &secrets, Some(&successor)).unwrap();
        for hidden in ["sssss", "secret", "successor"] {
            assert!(!text.contains(hidden), "{text}");
        }
        let filled: String = pieces(&text)
            .unwrap()
            .into_iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.to_owned(),
                Piece::Token(signed) => format!("{signed}.{}", "s".repeat(SIGNATURE_LENGTH)),
                Piece::Secret(form) => secrets[form].clone(),
                Piece::Successor { family, key } => {
                    assert_eq!((family, key), ("a", "b"));
                    successor.token.clone()
                }
            })
            .collect();
        let again = answer_of_text(&filled).unwrap();
        assert_eq!(again.status(), response.status());
        assert_eq!(again.headers(), response.headers());
        assert_eq!(again.body(), response.body());
    }

    #[test]
    fn a_signature_without_the_name_of_its_key_stays() {
        for text in [
            token(r#"{"alg":"HS256"}"#, SIGNATURE_LENGTH),
            token("{}", 3),
            "a.b.c".to_owned(),
            String::new(),
        ] {
            assert_eq!(without_signatures(&text), text);
        }
    }

    #[test]
    fn an_answer_without_a_body_stays_without_one() {
        let text = answer_text(&http::empty(StatusCode::NO_CONTENT), &[], None).unwrap();
        assert_eq!(pieces(&text).unwrap(), [Piece::Text(&text)]);
        assert!(matches!(answer_of_text(&text).unwrap().body(), Body::Empty));
    }
}
