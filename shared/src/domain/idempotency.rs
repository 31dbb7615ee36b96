//! Idempotency keys: names of requests that may be repeated (IETF draft
//! draft-ietf-httpapi-idempotency-key-header).

use super::id::hex;
use super::mac_message::mac_message;
use ring::digest::{SHA256, digest};
use secrecy::{ExposeSecret as _, SecretString};
use std::time::Duration;

/// The longest key, in characters.
const MOST: usize = 255;
/// How long an answer is kept for repetitions: 24 hours.
pub const ANSWER_LIFETIME: Duration = Duration::from_hours(24);

/// The key of a request. Who repeats the request with its key gets the same answer.
#[derive(Clone, Debug)]
pub struct IdempotencyKey(SecretString);

impl IdempotencyKey {
    /// Parses the value of a header: a string in quotes (RFC 8941, section 3.3.3), or the same
    /// characters bare. `None` unless it has 1 to 255 characters of visible ASCII; a string in quotes
    /// may also contain spaces, and a bare one no comma.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        // A comma joins two headers.
        let is_bare = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b',');
        let key = if let Some(quoted) = text.strip_prefix('"') {
            unquoted(quoted)?
        } else {
            text.bytes().all(is_bare).then(|| text.to_owned())?
        };
        (1..=MOST).contains(&key.len()).then(|| Self(key.into()))
    }

    /// Returns the name of a request with this key: a hash of its endpoint, its caller and the key.
    #[must_use]
    pub fn request_name(&self, endpoint: &str, caller: &str) -> String {
        let parts = [endpoint, caller, self.expose()].map(str::as_bytes);
        hex(digest(&SHA256, &mac_message(parts)).as_ref())
    }

    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// Returns the content of a string whose opening quote was removed.
fn unquoted(text: &str) -> Option<String> {
    let mut content = String::new();
    let mut characters = text.chars();
    loop {
        match characters.next()? {
            '"' => return characters.as_str().is_empty().then_some(content),
            '\\' => content.push(characters.next().filter(|next| matches!(next, '"' | '\\'))?),
            plain @ ' '..='~' => content.push(plain),
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Option<String> {
        IdempotencyKey::parse(text).map(|key| key.expose().to_owned())
    }

    #[test]
    fn a_quoted_and_a_bare_key_are_the_same() {
        for text in ["8e03978e-40d5-43dd-bc93-6894a57f9324", "a", "a-b_c:d"] {
            assert_eq!(parsed(text).as_deref(), Some(text));
            assert_eq!(parsed(&format!("\"{text}\"")).as_deref(), Some(text));
        }
        assert_eq!(parsed(r#""a \"b\" \\""#).as_deref(), Some(r#"a "b" \"#));
    }

    #[test]
    fn a_key_belongs_to_its_endpoint_and_its_caller() {
        let key = IdempotencyKey::parse("k").unwrap();
        let name = key.request_name("POST /a", "b");
        assert_eq!(name, IdempotencyKey::parse("\"k\"").unwrap().request_name("POST /a", "b"));
        for (endpoint, caller) in [("POST /b", "b"), ("POST /a", "a"), ("POST /", "ab")] {
            assert_ne!(key.request_name(endpoint, caller), name);
        }
    }

    #[test]
    fn a_key_has_1_to_255_visible_characters() {
        let most = "x".repeat(MOST);
        assert_eq!(parsed(&most), parsed(&format!("\"{most}\"")));
        assert!(parsed(&most).is_some());
        for text in [
            "a,b",
            "",
            "\"\"",
            "a b",
            "\"a",
            "a\"",
            "\"a\"b",
            "\"\\a\"",
            "\"a\\",
            "\u{e9}",
            "\"\u{e9}\"",
            "\"\t\"",
        ] {
            assert_eq!(parsed(text), None, "{text:?}");
        }
        assert_eq!(parsed(&"x".repeat(MOST + 1)), None);
    }
}
