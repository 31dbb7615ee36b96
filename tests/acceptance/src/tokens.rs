//! Tokens, keys and hashes, as a test looks at them from outside.

use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD};
use serde_json::Value;

/// The header and the claims of a JWT. The signature is not checked.
#[must_use]
pub fn token_parts(token: &str) -> (Value, Value) {
    let mut parts = token.split('.').map(|part| {
        let bytes = BASE64URL_NOPAD.decode(part.as_bytes()).unwrap_or_default();
        serde_json::from_slice(&bytes).unwrap_or(Value::Null)
    });
    (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
}

/// The number of seconds between the `iat` and the `exp` of a token's claims.
#[must_use]
pub fn lifetime(claims: &Value) -> i64 {
    let seconds = |name: &str| claims[name].as_i64().unwrap();
    seconds("exp").checked_sub(seconds("iat")).unwrap()
}

/// The number of seconds between two times of a stored item.
#[must_use]
pub fn seconds_between(item: &Value, start: &str, end: &str) -> f64 {
    item[end].as_f64().unwrap() - item[start].as_f64().unwrap()
}

/// The token with another signature.
#[must_use]
pub fn forged(token: &str) -> String {
    let (start, signature) = token.rsplit_once('.').unwrap();
    let other = if signature.starts_with('A') { 'B' } else { 'A' };
    format!("{start}.{other}{}", &signature[1..])
}

/// A JSON text as a part of a JWT.
#[must_use]
pub fn part(json: &str) -> String {
    BASE64URL_NOPAD.encode(json.as_bytes())
}

/// The compact form of a signed JWT, from its first two parts and the key for HS256.
#[must_use]
pub fn hs256(input: &str, key: &str) -> String {
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, key.as_bytes());
    let signature = ring::hmac::sign(&key, input.as_bytes());
    format!("{input}.{}", BASE64URL_NOPAD.encode(signature.as_ref()))
}

/// Whether a text consists of `length` lower-case hexadecimal digits.
#[must_use]
pub fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The output of argon2id with one lane, in the encoding of a PHC string.
#[must_use]
pub fn argon2id(password: &str, salt: &[u8], memory_kib: u32, iterations: u32) -> String {
    let params = argon2::Params::new(memory_kib, iterations, 1, None).unwrap();
    let hasher = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    let mut output = [0; 32];
    hasher.hash_password_into(password.as_bytes(), salt, &mut output).unwrap();
    BASE64_NOPAD.encode(&output)
}

/// The key in the value of a secret.
#[must_use]
pub fn key_in(value: &str) -> String {
    let value: Value = serde_json::from_str(value).unwrap();
    value["key"].as_str().unwrap().to_owned()
}

/// The hash that stands for a value in the lines of a day: HMAC-SHA-256, cut to 16 hex digits. The
/// key is that of the version `v1` of an inline ring.
#[must_use]
pub fn trace_hash(ring: &str, day: &str, kind: &str, value: &str) -> String {
    let ring: Value = serde_json::from_str(ring).unwrap();
    let key = ring["v1"]["key"].as_str().unwrap();
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, key.as_bytes());
    let mac = ring::hmac::sign(&key, format!("{day}|{kind}|{value}").as_bytes());
    data_encoding::HEXLOWER.encode(&mac.as_ref()[..8])
}
