//! Phone numbers in E.164.

use std::fmt;

/// The fewest digits of a number, its country's code included: one and four.
const SHORTEST: usize = 5;
/// The fewest digits of a number that is read in one piece.
const USUAL: usize = 7;
/// The most digits of a number (ITU-T E.164).
const LONGEST: usize = 15;

/// A phone number in E.164: `+`, a digit from 1 to 9, and more digits, 15 at most in all.
///
/// The pattern is the whole rule. No numbering plan is asked, so that a real new range is never
/// refused.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PhoneNumber(String);

/// Why a text is not a phone number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a phone number in E.164")]
pub struct PhoneNumberError;

impl PhoneNumber {
    /// Reads a phone number of at least seven digits; nothing is trimmed or completed.
    ///
    /// # Errors
    /// [`PhoneNumberError`] when `text` does not match the pattern.
    pub fn parse(text: &str) -> Result<Self, PhoneNumberError> {
        let number = Self::from_stored(text)?;
        // The `+` is one more.
        if number.0.len() > USUAL { Ok(number) } else { Err(PhoneNumberError) }
    }

    /// The number made of a country's code (`+` and digits) and the digits behind it; a short one
    /// too, where the contract takes it.
    ///
    /// # Errors
    /// [`PhoneNumberError`] when that is more than E.164 allows, or no number at all.
    pub fn international(code: &str, number: &str) -> Result<Self, PhoneNumberError> {
        Self::from_stored(&format!("{code}{number}"))
    }

    /// Reads a number that was stored.
    ///
    /// # Errors
    /// [`PhoneNumberError`] when it is none.
    pub fn from_stored(text: &str) -> Result<Self, PhoneNumberError> {
        let digits = text.strip_prefix('+').ok_or(PhoneNumberError)?;
        let well_formed = (SHORTEST..=LONGEST).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && !digits.starts_with('0');
        if well_formed { Ok(Self(text.to_owned())) } else { Err(PhoneNumberError) }
    }

    /// The number with its `+`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PhoneNumber {
    /// Shows the last two digits only: a full number never reaches a log line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tail = self.0.get(self.0.len().saturating_sub(2)..).unwrap_or_default();
        write!(f, "PhoneNumber(…{tail})")
    }
}

/// The countries that texts may be sent to, by dial code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DialCodes {
    /// Every country.
    All,
    /// The numbers that start with one of these (`+852`, `+62`, …).
    Only(Vec<String>),
}

impl DialCodes {
    /// Reads a comma list of dial codes; `*` means all of them.
    #[must_use]
    pub fn parse(list: &str) -> Self {
        if list.trim() == "*" {
            return Self::All;
        }
        let codes = list.split(',').map(str::trim).filter(|code| !code.is_empty());
        Self::Only(codes.map(str::to_owned).collect())
    }

    /// Whether a text to `phone` may be sent.
    #[must_use]
    pub fn allow(&self, phone: &PhoneNumber) -> bool {
        match self {
            Self::All => true,
            Self::Only(codes) => codes.iter().any(|code| phone.as_str().starts_with(code.as_str())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pattern_is_the_whole_rule() {
        for good in ["+6282243350992", "+1234567", "+123456789012345", "+999999999"] {
            assert!(PhoneNumber::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "+",
            "6282243350992",
            "+0123456789",
            "+123456",
            "+1234567890123456",
            "+62 822433509",
            " +6282243350992",
            "+6282243350992\n",
            "+62822433509a",
            "+٦٢٨٢٢٤٣٣٥٠٩٩",
        ] {
            assert!(PhoneNumber::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn two_parts_may_make_a_shorter_number() {
        assert_eq!(PhoneNumber::international("+1", "2345").unwrap().as_str(), "+12345");
        assert!(PhoneNumber::parse("+12345").is_err());
        assert!(PhoneNumber::from_stored("+12345").is_ok());
        for (code, number) in [("+1", "234"), ("+1234", "123456789012"), ("1", "23456"), ("+", "0")]
        {
            assert!(PhoneNumber::international(code, number).is_err(), "{code} {number}");
        }
    }

    #[test]
    fn debug_shows_a_tail_only() {
        let phone = PhoneNumber::parse("+6282243350992").unwrap();
        assert_eq!(format!("{phone:?}"), "PhoneNumber(…92)");
    }

    #[test]
    fn dial_codes_allow_by_prefix() {
        let phone = PhoneNumber::parse("+6282243350992").unwrap();
        assert!(DialCodes::parse("*").allow(&phone));
        assert!(DialCodes::parse("+852, +62").allow(&phone));
        assert!(!DialCodes::parse("+852").allow(&phone));
        assert!(!DialCodes::parse("").allow(&phone));
    }
}
