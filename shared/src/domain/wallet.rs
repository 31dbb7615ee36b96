//! Wallets: a card, and the points that were credited to it.

use super::time::Timestamp;

/// The digits of a wallet's card.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CardNumber(String);

impl CardNumber {
    /// Digits that a card may have: ISO/IEC 7812 allows 19, and a contract may have one more.
    const MAX_DIGITS: usize = 20;

    /// Reads a card's number: ASCII digits, at least one, at most twenty.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        (digits && (1..=Self::MAX_DIGITS).contains(&text.len())).then(|| Self(text.to_owned()))
    }

    /// A number of `digits` random digits behind `prefix`, made of 128 random bits: with 17 digits
    /// the bias of the remainder is below 10^-21.
    #[must_use]
    pub fn random(prefix: &str, digits: u32, random: [u8; 16]) -> Option<Self> {
        let number = u128::from_be_bytes(random).checked_rem(10_u128.checked_pow(digits)?)?;
        Self::parse(&format!("{prefix}{number:0width$}", width = usize::try_from(digits).ok()?))
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Points credited to a user's wallet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credit {
    /// The entry's id: one user has at most one entry of each.
    pub entry: String,
    /// How many points.
    pub points: u32,
    /// What for.
    pub source: &'static str,
    /// When.
    pub at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_digits_fill_up_behind_the_prefix() {
        let card = |byte| CardNumber::random("705", 17, [byte; 16]).unwrap();
        assert_eq!(card(0).as_str(), "70500000000000000000");
        assert_eq!(card(255).as_str().len(), 20);
        assert_ne!(card(1), card(2));
        assert_eq!(CardNumber::random("705", 18, [0; 16]), None);
    }

    #[test]
    fn only_digits_are_read() {
        for bad in ["", "7 5", "٧٠٥", "-70", "123456789012345678901"] {
            assert_eq!(CardNumber::parse(bad), None, "{bad}");
        }
    }
}
