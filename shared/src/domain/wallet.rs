//! Wallets: a card and the points that are credited to it.

use super::time::Timestamp;

/// The number of a wallet's card.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CardNumber(String);

impl CardNumber {
    /// The most digits of a card number. ISO/IEC 7812 allows 19; one contract has 20.
    const MAX_DIGITS: usize = 20;

    /// Parses a card number: 1 to 20 ASCII digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        (digits && (1..=Self::MAX_DIGITS).contains(&text.len())).then(|| Self(text.to_owned()))
    }

    /// Returns a number of `digits` random digits after `prefix`. With 17 digits, the bias of the
    /// remainder of the 128 random bits is below 10^-21.
    #[must_use]
    pub fn random(prefix: &str, digits: u32, random: [u8; 16]) -> Option<Self> {
        let number = u128::from_be_bytes(random).checked_rem(10_u128.checked_pow(digits)?)?;
        Self::parse(&format!("{prefix}{number:0width$}", width = usize::try_from(digits).ok()?))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Points that are credited to a user's wallet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credit {
    /// The id of the ledger entry. A user has at most one entry with this id.
    pub entry: String,
    pub points: u32,
    /// The reason for the credit.
    pub source: &'static str,
    pub at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_random_number_has_the_prefix_and_the_length() {
        let card = |byte| CardNumber::random("705", 17, [byte; 16]).unwrap();
        assert_eq!(card(0).as_str(), "70500000000000000000");
        assert_eq!(card(255).as_str().len(), 20);
        assert_ne!(card(1), card(2));
        assert_eq!(CardNumber::random("705", 18, [0; 16]), None);
    }

    #[test]
    fn a_card_number_has_only_ascii_digits() {
        for bad in ["", "7 5", "٧٠٥", "-70", "123456789012345678901"] {
            assert_eq!(CardNumber::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_card_number_has_at_most_20_digits() {
        for good in ["7", "12345678901234567890"] {
            assert_eq!(CardNumber::parse(good).unwrap().as_str(), good);
        }
    }
}
