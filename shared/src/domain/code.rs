//! One-time codes, derived and never stored.

use super::challenge::{ChallengeKey, KeyId, Nonce};
use secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq as _;

/// The codes a contract uses: decimal digits, zero-padded, from a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeFormat {
    /// How many digits a code has.
    pub digits: usize,
    /// The lowest code.
    pub lowest: u64,
    /// How many codes there are.
    pub count: u64,
}

impl CodeFormat {
    /// Every code of `digits` digits, `0…0` included; at most 18 digits.
    #[must_use]
    pub const fn all_of(digits: u32) -> Self {
        let count = 10_u64.pow(if digits > 18 { 18 } else { digits });
        Self { digits: digits as usize, lowest: 0, count }
    }
}

/// The labels that keep derived secrets of different kinds apart.
const CODE: &str = "code";
const EMAIL_LINK: &str = "email-link";

/// Which code is meant: what the derivation is bound to.
#[derive(Clone, Debug)]
pub struct CodeSeed {
    /// Who it was sent to, where and what for.
    pub key: ChallengeKey,
    /// The random value of this one send.
    pub nonce: Nonce,
    /// The key to derive with.
    pub key_id: KeyId,
}

impl CodeSeed {
    /// What a code's MAC is computed over.
    #[must_use]
    pub fn message(&self) -> Vec<u8> {
        self.labelled(CODE)
    }

    /// What the MAC of a mailed link is computed over.
    #[must_use]
    pub fn link_message(&self) -> Vec<u8> {
        self.labelled(EMAIL_LINK)
    }

    /// The bytes to compute the MAC over: label, contract, store, purpose, recipient and nonce,
    /// each preceded by its length, so that no two different seeds make the same bytes.
    fn labelled(&self, label: &str) -> Vec<u8> {
        let parts = [
            label.as_bytes(),
            self.key.realm.contract().as_bytes(),
            self.key.realm.shop().as_bytes(),
            self.key.purpose.as_str().as_bytes(),
            self.key.recipient.kind().as_bytes(),
            self.key.recipient.as_str().as_bytes(),
            self.nonce.as_bytes(),
        ];
        let mut message = Vec::new();
        for part in parts {
            let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
            message.extend_from_slice(&length.to_be_bytes());
            message.extend_from_slice(part);
        }
        message
    }
}

/// A code as a person types it.
pub struct OneTimeCode(SecretString);

impl OneTimeCode {
    /// Cuts a code out of a MAC the way HOTP does (RFC 4226 5.3), but out of 64 bits instead of
    /// 31, so that the bias of the remainder is below 10^-13 for six digits.
    #[must_use]
    pub fn truncate(mac: &[u8; 32], format: CodeFormat) -> Self {
        let offset = usize::from(mac.last().copied().unwrap_or_default() & 0x0f);
        let number = mac
            .iter()
            .skip(offset)
            .take(8)
            .fold(0_u64, |sum, byte| sum.wrapping_shl(8) | u64::from(*byte));
        let code = format.lowest.saturating_add(number.checked_rem(format.count).unwrap_or(0));
        Self(format!("{code:0width$}", width = format.digits).into())
    }

    /// Whether `guess` is this code, in a time that tells nothing about where they differ.
    #[must_use]
    pub fn matches(&self, guess: &str) -> bool {
        self.0.expose_secret().as_bytes().ct_eq(guess.as_bytes()).into()
    }

    /// The digits, for the message that carries them.
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
            key: ChallengeKey {
                realm: Realm::of_contract(contract),
                purpose: Purpose::SignUp,
                recipient: Identifier::from_parts("phone", recipient).unwrap(),
            },
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
    fn codes_are_zero_padded_and_in_range() {
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
        // 20,000 MACs over ten buckets: the expected 2,000 each, give or take five sigma (212).
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
}
