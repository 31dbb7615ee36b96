//! Random texts and identifiers.

use anyhow::anyhow;
use ring::rand::{SecureRandom, SystemRandom};

/// Returns bytes of the system's random number generator.
fn bytes<const N: usize>() -> anyhow::Result<[u8; N]> {
    let mut bytes = [0; N];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| anyhow!("failed to get random bytes from the system"))?;
    Ok(bytes)
}

/// Returns two random bytes, for an address.
pub(crate) fn two_bytes() -> [u8; 2] {
    bytes().unwrap_or_default()
}

/// Returns a random UUID, for names of requests, messages and events. If the generator fails, it is
/// the nil UUID: a duplicate name reveals no secret.
pub(crate) fn uuid() -> String {
    let bytes = bytes::<16>().unwrap_or_default();
    uuid::Builder::from_random_bytes(bytes).into_uuid().hyphenated().to_string()
}

/// Returns this many random letters and digits, each equally likely.
pub(crate) fn alphanumeric(length: usize) -> anyhow::Result<String> {
    const ALPHABET: &[u8; 62] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    let mut text = String::with_capacity(length);
    while text.len() < length {
        // Larger values are skipped: a remainder would make some characters more likely.
        let letters = bytes::<64>()?.map(|byte| ALPHABET.get(usize::from(byte >> 2)));
        let letters = letters.into_iter().flatten().copied().map(char::from);
        text.extend(letters.take(length.saturating_sub(text.len())));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_random_text_has_the_requested_length_and_all_letters_and_digits() {
        let text = alphanumeric(5_000).unwrap();
        assert_eq!(text.len(), 5_000);
        assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert_eq!(text.bytes().collect::<std::collections::BTreeSet<_>>().len(), 62);
    }

    #[test]
    fn two_uuids_differ() {
        assert_ne!(uuid(), uuid());
    }
}
