//! The hashes of log lines, for a person who traces an incident.

use latchkey::adapters::trace_hash::trace_hash;
use latchkey::domain::email::EmailAddress;
use latchkey::domain::phone::PhoneNumber;
use latchkey::domain::source::SourceAddress;
use latchkey::domain::username::Username;
use serde_json::Value;
use std::net::IpAddr;

/// The kind and the canonical form of what a person looks for: a network address, an e-mail address, a
/// phone number, a username or, with `user:` before it, the id of a user. `None` if it is nothing of these.
#[must_use]
pub fn subject(text: &str) -> Option<(&'static str, String)> {
    if let Some(id) = text.strip_prefix("user:") {
        return Some(("user", id.to_owned()));
    }
    if text.parse::<IpAddr>().is_ok() {
        return Some(("source", SourceAddress::parse(text).to_string()));
    }
    if let Ok(email) = EmailAddress::parse(text) {
        return Some(("email", email.as_str().to_owned()));
    }
    if let Ok(phone) = PhoneNumber::parse(text) {
        return Some(("phone", phone.as_str().to_owned()));
    }
    let username = Username::parse(text).ok()?;
    Some(("username", username.canonical().to_owned()))
}

/// The kind of a subject, and its hash on a date such as `2026-11-26`. `secret` is the value of the
/// secret, `{"key":"…"}`.
///
/// # Errors
/// The text that says what cannot be read. It shows nothing of the secret.
pub fn hash_of(secret: &str, date: &str, text: &str) -> Result<(&'static str, String), String> {
    let digits =
        |part: &str, length| part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<_> = date.split('-').collect();
    if !matches!(parts[..], [year, month, day] if digits(year, 4) && digits(month, 2) && digits(day, 2))
    {
        return Err(format!("{date} is no date such as 2026-11-26"));
    }
    let (kind, value) = subject(text).ok_or_else(|| {
        format!("{text} is no network address, e-mail address, phone number or username")
    })?;
    let secret: Value = serde_json::from_str(secret).unwrap_or_default();
    let key = secret["key"].as_str().ok_or("standard input is not {\"key\":\"…\"}")?;
    Ok((kind, trace_hash(&key.into(), date, kind, &value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_hashed_in_its_canonical_form() {
        let secret = r#"{"key":"a key of at least thirty-two bytes"}"#;
        let hash = |text| hash_of(secret, "2026-11-26", text).unwrap();
        assert_eq!(hash("+85291234567"), ("phone", "435a83197948dd3c".to_owned()));
        assert_eq!(hash("Ann@Example.com"), hash("ann@example.com"));
        assert_eq!(hash("2001:db8:1:2:3:4:5:6"), hash("2001:db8:1:2::1"));
        assert_eq!(hash("User_1"), hash("user_1"));
        assert_eq!(hash("user:1831").0, "user");
        let kinds = ["203.0.113.9", "2001:db8::1", "a@b.co", "user_1"].map(|text| hash(text).0);
        assert_eq!(kinds, ["source", "source", "email", "username"]);
    }

    #[test]
    fn what_cannot_be_read_is_named_and_the_secret_is_not() {
        let secret = r#"{"key":"a key of at least thirty-two bytes"}"#;
        for (secret, date, text, part) in [
            (secret, "26.11.2026", "a@b.co", "is no date"),
            (secret, "2026-11-26", "a b", "is no network address"),
            ("hunter2", "2026-11-26", "a@b.co", "standard input"),
            (r#"{"secret":"hunter2"}"#, "2026-11-26", "a@b.co", "standard input"),
        ] {
            let error = hash_of(secret, date, text).unwrap_err();
            assert!(error.contains(part) && !error.contains("hunter2"), "{error}");
        }
    }
}
