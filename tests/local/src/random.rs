//! Random bytes and identifiers.

use anyhow::anyhow;
use ring::rand::{SecureRandom, SystemRandom};

/// Fills an array from the system's generator.
pub(crate) fn bytes<const N: usize>() -> anyhow::Result<[u8; N]> {
    let mut bytes = [0; N];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| anyhow!("the system's random number generator failed"))?;
    Ok(bytes)
}

/// A random UUID. These only name things (requests, messages, events), so should the generator ever fail, the
/// nil UUID that comes back costs a duplicate name and no secret.
pub(crate) fn uuid() -> String {
    let bytes = bytes::<16>().unwrap_or_default();
    uuid::Builder::from_random_bytes(bytes).into_uuid().hyphenated().to_string()
}

/// `length` characters of `alphabet`, each equally likely.
pub(crate) fn text(alphabet: &[u8], length: usize) -> anyhow::Result<String> {
    let size = u8::try_from(alphabet.len()).unwrap_or(0);
    // Bytes from the largest multiple of the alphabet's size on would favour its first characters.
    let fair = u8::MAX.checked_div(size).and_then(|times| times.checked_mul(size));
    let Some(fair) = fair else {
        return Err(anyhow!("no characters are left to make a random text of"));
    };
    let mut text = String::with_capacity(length);
    while text.len() < length {
        let usable = bytes::<64>()?.into_iter().filter(|byte| *byte < fair);
        let letters = usable.filter_map(|byte| alphabet.get(usize::from(byte.checked_rem(size)?)));
        text.extend(letters.copied().map(char::from).take(length.saturating_sub(text.len())));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_the_length_and_the_letters_asked_for() {
        let text = text(b"abc", 500).unwrap();
        assert_eq!(text.len(), 500);
        assert!(text.bytes().all(|b| b"abc".contains(&b)));
        assert!(b"abc".iter().all(|b| text.bytes().any(|t| t == *b)));
    }

    #[test]
    fn an_empty_alphabet_is_refused() {
        assert!(text(b"", 4).is_err());
    }

    #[test]
    fn two_uuids_differ() {
        assert_ne!(uuid(), uuid());
    }
}
