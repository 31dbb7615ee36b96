//! Hashes that stand for addresses and identifiers in log lines.

use crate::domain::time::Timestamp;
use data_encoding::HEXLOWER;
use ring::hmac;
use secrecy::{ExposeSecret as _, SecretString};

/// The number of bytes of a hash that a line contains. Eight are enough to tell the people of one day
/// apart.
const BYTES: usize = 8;

/// The date of a time in UTC, such as `2026-11-26`.
#[must_use]
pub fn date_of(at: Timestamp) -> String {
    let time = jiff::Timestamp::from_millisecond(at.as_millis()).unwrap_or_default();
    time.to_string().chars().take(10).collect()
}

/// The hash of a value on a date: the first 16 hex digits of HMAC-SHA-256 over
/// `<date>|<kind>|<value>`. The date makes it another one the next day, so that lines of different
/// days cannot be joined without the key.
#[must_use]
pub fn trace_hash(key: &SecretString, date: &str, kind: &str, value: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.expose_secret().as_bytes());
    let mac = hmac::sign(&key, format!("{date}|{kind}|{value}").as_bytes());
    HEXLOWER.encode(mac.as_ref().get(..BYTES).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::DAY;
    use std::time::Duration;

    #[test]
    fn a_hash_is_the_same_for_a_day_and_another_one_the_next_day() {
        let key = SecretString::from("a key of at least thirty-two bytes");
        let other_key = SecretString::from("another key of thirty-two bytes..");
        // 2026-11-26T00:00:00Z
        let start = Timestamp::from_seconds(1_795_651_200);
        let millisecond = Duration::from_millis(1);
        let (end, next) = (start.plus(DAY).minus(millisecond), start.plus(DAY));
        let hash = |at| trace_hash(&key, &date_of(at), "phone", "+85291234567");
        assert_eq!(date_of(start), "2026-11-26");
        assert_eq!(hash(start), hash(end));
        // printf '2026-11-26|phone|+85291234567' | openssl dgst -sha256 -hmac "$key"
        assert_eq!(hash(start), "435a83197948dd3c");
        for other in [
            hash(next),
            hash(start.minus(millisecond)),
            trace_hash(&key, "2026-11-26", "source", "+85291234567"),
            trace_hash(&key, "2026-11-26", "phone", "+85291234568"),
            trace_hash(&other_key, "2026-11-26", "phone", "+85291234567"),
        ] {
            assert_ne!(other, hash(start));
        }
    }
}
