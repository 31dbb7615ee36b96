//! One-time codes. They are derived from a key and a nonce, and never stored.

use super::challenge::{ChallengeKey, KeyId, Nonce};
use super::mac_message::mac_message;
use secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq as _;

/// The codes of a contract: decimal numbers from a range, padded with zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeFormat {
    /// The number of digits of a code.
    pub digits: usize,
    /// The lowest code.
    pub lowest: u64,
    /// The number of different codes.
    pub count: u64,
}

impl CodeFormat {
    /// Returns the format with every code of `digits` digits, including `0…0`; at most 19 digits.
    #[must_use]
    pub const fn all_of(digits: u32) -> Self {
        Self { digits: digits as usize, lowest: 0, count: 10_u64.saturating_pow(digits) }
    }

    /// Returns whether a text is a code of this format.
    #[must_use]
    pub fn has(&self, code: &str) -> bool {
        let is_number = code.bytes().all(|byte| byte.is_ascii_digit());
        let number = code.parse::<u64>().ok().and_then(|code| code.checked_sub(self.lowest));
        is_number && code.len() == self.digits && number.is_some_and(|it| it < self.count)
    }
}

/// The labels that separate the derivations of codes and links.
const CODE: &str = "code";
const EMAIL_LINK: &str = "email-link";

/// The input of a code's or a link's derivation.
#[derive(Clone, Debug)]
pub struct CodeSeed {
    /// The challenge that the code belongs to.
    pub key: ChallengeKey,
    /// The random value of this send.
    pub nonce: Nonce,
    /// The id of the key to derive with.
    pub key_id: KeyId,
}

impl CodeSeed {
    /// Returns the message that the MAC of a code is computed over.
    #[must_use]
    pub fn message(&self) -> Vec<u8> {
        self.labelled(CODE)
    }

    /// Returns the message that the MAC of a mailed link is computed over.
    #[must_use]
    pub fn link_message(&self) -> Vec<u8> {
        self.labelled(EMAIL_LINK)
    }

    /// Returns the message of the label, contract, shop, purpose, recipient and nonce.
    fn labelled(&self, label: &str) -> Vec<u8> {
        mac_message([
            label.as_bytes(),
            self.key.realm.contract().as_bytes(),
            self.key.realm.shop().unwrap_or_default().as_bytes(),
            self.key.purpose.as_str().as_bytes(),
            self.key.recipient.kind().as_str().as_bytes(),
            self.key.recipient.as_str().as_bytes(),
            self.nonce.as_bytes(),
        ])
    }
}

/// A code as the recipient types it.
pub struct OneTimeCode(SecretString);

impl OneTimeCode {
    /// Returns the code of a test number, which is not derived.
    #[must_use]
    pub const fn fixed(code: SecretString) -> Self {
        Self(code)
    }

    /// Truncates a MAC to a code like HOTP (RFC 4226, section 5.3), but uses 64 bits instead of 31,
    /// so that the bias of the remainder is below 10^-13 for six digits.
    #[must_use]
    pub fn truncate(mac: &[u8; 32], format: CodeFormat) -> Self {
        let offset = usize::from(mac.last().copied().unwrap_or_default() & 0x0f);
        let bytes = mac.get(offset..).and_then(<[u8]>::first_chunk).copied().unwrap_or_default();
        let number = u64::from_be_bytes(bytes);
        let code = format.lowest.saturating_add(number.checked_rem(format.count).unwrap_or(0));
        Self(format!("{code:0width$}", width = format.digits).into())
    }

    /// Compares the code with `guess` in constant time.
    #[must_use]
    pub fn matches(&self, guess: &str) -> bool {
        self.0.expose_secret().as_bytes().ct_eq(guess.as_bytes()).into()
    }

    /// The digits, for the message to the recipient.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl std::fmt::Debug for OneTimeCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OneTimeCode")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::challenge::Purpose;
    use crate::domain::identifier::Identifier;
    use crate::domain::realm::Realm;

    fn seed(contract: &str, recipient: &str, nonce: u8) -> CodeSeed {
        CodeSeed {
            key: ChallengeKey::new(
                Realm::of_contract(contract),
                Purpose::SignUp,
                Identifier::from_parts("phone", recipient).unwrap(),
            ),
            nonce: Nonce::new([nonce; 16]),
            key_id: KeyId::new("k"),
        }
    }

    #[test]
    fn different_seeds_make_different_messages() {
        let one = seed("ab", "+1234567", 0).message();
        assert_ne!(one, seed("a", "+1234567", 0).message());
        assert_ne!(one, seed("ab", "+1234568", 0).message());
        assert_ne!(one, seed("ab", "+1234567", 1).message());
        assert_ne!(one, seed("ab", "+1234567", 0).link_message());
    }

    #[test]
    fn a_message_is_each_part_behind_its_length() {
        let mut seed = seed("acme", "+1234567", 0xab);
        let (head, tail) = ("\0\0\0\x04acme", "\0\0\0\x05phone\0\0\0\x08+1234567\0\0\0\x10");
        let expected = |start: &str, shop: &str| {
            let text = format!("{start}{head}{shop}\0\0\0\x07sign_up{tail}");
            [text.as_bytes(), &[0xab; 16]].concat()
        };
        assert_eq!(seed.message(), expected("\0\0\0\x04code", "\0\0\0\0"));
        assert_eq!(seed.link_message(), expected("\0\0\0\x0aemail-link", "\0\0\0\0"));
        seed.key.realm = Realm::of_shop("acme", "S1");
        assert_eq!(seed.message(), expected("\0\0\0\x04code", "\0\0\0\x02S1"));
    }

    #[test]
    fn codes_are_padded_with_zeros_and_in_the_range() {
        assert_eq!(OneTimeCode::truncate(&[0; 32], CodeFormat::all_of(5)).expose(), "00000");
        let format = CodeFormat { digits: 5, lowest: 10_000, count: 90_000 };
        assert_eq!(OneTimeCode::truncate(&[0; 32], format).expose(), "10000");
        for byte in 0..=255 {
            let code = OneTimeCode::truncate(&[byte; 32], format);
            assert!(code.expose().len() == 5 && !code.expose().starts_with('0'));
        }
    }

    #[test]
    fn codes_are_spread_evenly() {
        // 20,000 MACs in ten buckets: 2,000 are expected in each, within five sigma (212).
        let mut buckets = [0_i32; 10];
        for number in 0..20_000_u32 {
            let digest = ring::digest::digest(&ring::digest::SHA256, &number.to_be_bytes());
            let mac: [u8; 32] = digest.as_ref().try_into().unwrap();
            let code = OneTimeCode::truncate(&mac, CodeFormat::all_of(4));
            let first = code.expose().chars().next().unwrap().to_digit(10).unwrap();
            buckets[first as usize] += 1;
        }
        assert!(buckets.iter().all(|count| (1788..=2212).contains(count)), "{buckets:?}");
    }

    #[test]
    fn only_the_same_digits_match() {
        let code = OneTimeCode::truncate(&[0; 32], CodeFormat::all_of(5));
        assert!(code.matches("00000"));
        for guess in ["", "0000", "000000", "00001", " 00000"] {
            assert!(!code.matches(guess), "{guess:?}");
        }
        assert_eq!(format!("{code:?}"), "OneTimeCode");
    }

    #[test]
    fn the_last_four_bits_of_the_mac_say_where_the_number_of_the_code_begins() {
        // The last byte is 0x1f, so the number is made of the bytes 0x0f to 0x16.
        let mac = std::array::from_fn(|index| u8::try_from(index).unwrap());
        let code = OneTimeCode::truncate(&mac, CodeFormat::all_of(19));
        assert_eq!(code.expose(), "1085386279523456278");
        assert_eq!(OneTimeCode::truncate(&mac, CodeFormat::all_of(6)).expose(), "456278");
    }

    #[test]
    fn a_format_has_every_code_of_its_digits() {
        let all = CodeFormat { digits: 4, lowest: 0, count: 10_000 };
        assert_eq!(CodeFormat::all_of(4), all);
    }
}
