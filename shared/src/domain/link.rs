//! Links in mails. Opening a link proves control of the e-mail address. Like codes, links are
//! derived and never stored.

use super::id::hex;
use super::time::DAY;
use secrecy::{ExposeSecret as _, SecretString};
use std::fmt;
use std::time::Duration;
use subtle::ConstantTimeEq as _;

/// The lifetime of a link: a recipient may read the mail on the next day.
pub const LINK_LIFETIME: Duration = DAY;

/// The secret of a link: 64 hex digits. Its 256 bits cannot be guessed, so guesses are not counted.
pub struct LinkToken(SecretString);

impl LinkToken {
    #[must_use]
    pub fn new(mac: &[u8; 32]) -> Self {
        Self(hex(mac).into())
    }

    /// Compares the secret with `presented` in constant time.
    #[must_use]
    pub fn matches(&self, presented: &str) -> bool {
        self.0.expose_secret().as_bytes().ct_eq(presented.as_bytes()).into()
    }

    /// The text, for the mail.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for LinkToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkToken")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_64_digits_match() {
        let link = LinkToken::new(&[0xab; 32]);
        assert!(link.matches(&"ab".repeat(32)));
        for other in ["", "ab", &"AB".repeat(32), &"ab".repeat(33), &"ac".repeat(32)] {
            assert!(!link.matches(other), "{other}");
        }
        assert_eq!(format!("{link:?}"), "LinkToken");
    }

    #[test]
    fn the_text_of_a_link_is_the_hex_digits_of_its_mac() {
        assert_eq!(LinkToken::new(&[0xab; 32]).expose(), "ab".repeat(32));
    }
}
