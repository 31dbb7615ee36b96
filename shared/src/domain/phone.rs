//! Phone numbers in E.164.

use std::fmt;

/// The fewest digits of a number that is given in two parts: one for the country, four behind it.
const MIN_DIGITS_INTERNATIONAL: usize = 5;
/// The fewest digits of a number that is given in one part.
const MIN_DIGITS: usize = 7;
/// The most digits of a number (ITU-T E.164).
const MAX_DIGITS: usize = 15;

/// A phone number in E.164: `+`, a digit from 1 to 9, and more digits, at most 15 in all.
///
/// There is no check against numbering plans, so that numbers of a new range are never refused.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PhoneNumber(String);

/// The error for a text that is not a phone number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a phone number in E.164")]
pub struct PhoneNumberError;

impl PhoneNumber {
    /// Parses a phone number of at least seven digits. Nothing is trimmed or completed.
    ///
    /// # Errors
    /// [`PhoneNumberError`] when `text` does not match the pattern.
    pub fn parse(text: &str) -> Result<Self, PhoneNumberError> {
        let number = Self::from_e164(text)?;
        // One character more, for the `+`.
        if number.0.len() > MIN_DIGITS { Ok(number) } else { Err(PhoneNumberError) }
    }

    /// Parses a number from a country code (`+` and digits) and the digits that follow it. Numbers
    /// of five and six digits are accepted too.
    ///
    /// # Errors
    /// [`PhoneNumberError`] when the two parts are not a number in E.164.
    pub fn international(code: &str, number: &str) -> Result<Self, PhoneNumberError> {
        Self::from_e164(&format!("{code}{number}"))
    }

    /// Parses a number of five to fifteen digits, which is what the tables contain.
    ///
    /// # Errors
    /// [`PhoneNumberError`] when `text` does not match the pattern.
    pub fn from_e164(text: &str) -> Result<Self, PhoneNumberError> {
        let digits = text.strip_prefix('+').ok_or(PhoneNumberError)?;
        let well_formed = (MIN_DIGITS_INTERNATIONAL..=MAX_DIGITS).contains(&digits.len())
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
    /// Shows only the last two digits, so that no log line contains a full number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tail = self.0.get(self.0.len().saturating_sub(2)..).unwrap_or_default();
        write!(f, "PhoneNumber(…{tail})")
    }
}

/// Returns whether a text is what phone numbers begin with: a plus sign and one to seven digits.
#[must_use]
pub fn is_dial_code(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or_default();
    (1..=7).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// The countries that text messages may be sent to, by dial code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DialCodes {
    All,
    /// Numbers that start with one of these dial codes, such as `+852`.
    Only(Vec<String>),
}

impl DialCodes {
    /// Parses a list of dial codes, separated by commas; `*` means every country.
    #[must_use]
    pub fn parse(list: &str) -> Self {
        if list.trim() == "*" {
            return Self::All;
        }
        let codes = list.split(',').map(str::trim).filter(|code| !code.is_empty());
        Self::Only(codes.map(str::to_owned).collect())
    }

    /// Returns whether a text message may be sent to `phone`.
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
    fn only_numbers_in_e164_are_accepted() {
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
    fn a_number_in_two_parts_may_be_shorter() {
        assert_eq!(PhoneNumber::international("+1", "2345").unwrap().as_str(), "+12345");
        assert!(PhoneNumber::parse("+12345").is_err());
        assert!(PhoneNumber::from_e164("+12345").is_ok());
        for (code, number) in [("+1", "234"), ("+1234", "123456789012"), ("1", "23456"), ("+", "0")]
        {
            assert!(PhoneNumber::international(code, number).is_err(), "{code} {number}");
        }
    }

    #[test]
    fn debug_shows_the_last_two_digits_only() {
        let phone = PhoneNumber::parse("+6282243350992").unwrap();
        assert_eq!(format!("{phone:?}"), "PhoneNumber(…92)");
    }

    #[test]
    fn dial_codes_are_prefixes() {
        let phone = PhoneNumber::parse("+6282243350992").unwrap();
        assert!(DialCodes::parse("*").allow(&phone));
        assert!(DialCodes::parse("+852, +62").allow(&phone));
        assert!(!DialCodes::parse("+852").allow(&phone));
        assert!(!DialCodes::parse("").allow(&phone));
    }
}
