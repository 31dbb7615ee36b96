//! Passwords and their hashes.

use super::common_passwords;
use secrecy::{ExposeSecret as _, SecretString};
use std::fmt;
use unicode_normalization::UnicodeNormalization as _;

/// The length limit of a password, in bytes. It bounds the work that an attacker can cause. The
/// OWASP Authentication Cheat Sheet asks for a limit of at least 64 characters.
const MAX_BYTES: usize = 1024;

/// A password. Devices write the same characters in different ways (`é` is one Unicode scalar value
/// or two), so a password is hashed and measured in Unicode's normalization form C (NFC), as
/// NIST SP 800-63B, section 3.1.1.2, asks.
#[derive(Clone)]
pub struct Password {
    normal: SecretString,
    /// The text as the user typed it, unless it is the same as in NFC.
    typed: Option<SecretString>,
}

/// The error for a text that is not accepted as a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// It has fewer characters than the contract requires.
    #[error("the password is too short")]
    TooShort,
    /// It has more than 1024 bytes.
    #[error("the password is too long")]
    TooLong,
    /// It is one of the most common passwords, which attackers try first.
    #[error("the password is too common")]
    TooCommon,
}

/// The number of characters of a password: the Unicode scalar values in NFC.
#[must_use]
pub fn length(text: &str) -> usize {
    text.nfc().count()
}

impl Password {
    /// Parses a password of at least `least` Unicode scalar values in NFC.
    ///
    /// # Errors
    /// [`PasswordError`] when it is shorter than that, or longer than 1024 bytes.
    pub fn parse(text: &str, least: usize) -> Result<Self, PasswordError> {
        let normal: String = text.nfc().collect();
        if normal.len().min(text.len()) > MAX_BYTES {
            return Err(PasswordError::TooLong);
        }
        if normal.chars().count() < least {
            return Err(PasswordError::TooShort);
        }
        let typed = (normal != text).then(|| text.into());
        Ok(Self { normal: normal.into(), typed })
    }

    /// Parses a password that a user chooses. It must not be one of the most common ones (OWASP
    /// ASVS 5.0, 6.2.4), in upper or lower case; only `sample`, the password of the contract's
    /// documented sample, is accepted all the same.
    ///
    /// # Errors
    /// [`PasswordError`] as for [`Self::parse`], and when it is a common one.
    pub fn parse_new(
        text: &str,
        least: usize,
        sample: Option<&str>,
    ) -> Result<Self, PasswordError> {
        let password = Self::parse(text, least)?;
        let chosen = password.expose();
        if sample != Some(chosen) && common_passwords::contain(&chosen.to_lowercase()) {
            return Err(PasswordError::TooCommon);
        }
        Ok(password)
    }

    /// The text in NFC, for the hash function.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.normal.expose_secret()
    }

    /// The text as the user typed it, unless it is the same as in NFC. Hashes that are older than
    /// the rule were made of it.
    #[must_use]
    pub fn expose_typed(&self) -> Option<&str> {
        self.typed.as_ref().map(SecretString::expose_secret)
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password")
    }
}

/// The hash of a password as a PHC string (`$argon2id$v=19$…`).
#[derive(Clone)]
pub struct PasswordHash(String);

impl PasswordHash {
    #[must_use]
    pub const fn new(phc: String) -> Self {
        Self(phc)
    }

    /// The PHC string, for the table.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_minimum_is_in_characters_and_the_maximum_in_bytes() {
        assert!(Password::parse("пароль78", 8).is_ok());
        assert_eq!(Password::parse("1234567", 8).unwrap_err(), PasswordError::TooShort);
        assert_eq!(Password::parse("ééééééé", 8).unwrap_err(), PasswordError::TooShort);
        assert!(Password::parse(&"a".repeat(1024), 8).is_ok());
        assert_eq!(Password::parse(&"a".repeat(1025), 8).unwrap_err(), PasswordError::TooLong);
    }

    #[test]
    fn the_same_characters_are_the_same_password() {
        // "é" as one scalar value, and as "e" with a combining accent.
        let (composed, decomposed) = ("caf\u{e9} au lait", "cafe\u{301} au lait");
        let one = Password::parse(composed, 8).unwrap();
        let other = Password::parse(decomposed, 8).unwrap();
        assert_eq!((one.expose(), other.expose()), (composed, composed));
        assert_eq!((one.expose_typed(), other.expose_typed()), (None, Some(decomposed)));
        // A ligature and a digit in a circle are not letters and digits typed in another way.
        for other in ["\u{fb01}rst horse", "white horse \u{2460}"] {
            assert_eq!(Password::parse(other, 8).unwrap().expose(), other);
        }
    }

    #[test]
    fn lengths_are_those_of_the_normal_form() {
        assert_eq!((length("e\u{301}"), length("\u{e9}"), length("")), (1, 1, 0));
        let short = "e\u{301}".repeat(7);
        assert_eq!(Password::parse(&short, 8).unwrap_err(), PasswordError::TooShort);
        assert!(Password::parse(&"e\u{301}".repeat(8), 8).is_ok());
        // 512 times two bytes, typed in three bytes each.
        assert!(Password::parse(&"e\u{301}".repeat(512), 8).is_ok());
        let long = "e\u{301}".repeat(513);
        assert_eq!(Password::parse(&long, 8).unwrap_err(), PasswordError::TooLong);
        // Characters that NFC writes in more bytes: a password that was accepted stays accepted.
        assert!(Password::parse(&"\u{958}".repeat(341), 8).is_ok());
    }

    #[test]
    fn a_new_password_is_not_a_common_one() {
        let new = |text: &str| Password::parse_new(text, 8, Some("password")).map(|_| ());
        for common in ["12345678", "qwertyuiop", "QWERTYuiop", "Password", "password1"] {
            assert_eq!(new(common), Err(PasswordError::TooCommon), "{common}");
        }
        for good in ["password", "correct horse", "qwertyuiop and more"] {
            assert_eq!(new(good), Ok(()), "{good}");
        }
        assert_eq!(new("1234567"), Err(PasswordError::TooShort));
        let without_sample = Password::parse_new("password", 8, None);
        assert_eq!(without_sample.unwrap_err(), PasswordError::TooCommon);
        // An account that has one already can still sign in.
        assert!(Password::parse("12345678", 1).is_ok());
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", Password::parse("password", 8)), "Ok(Password)");
        assert_eq!(format!("{:?}", PasswordHash::new("$argon2id$".into())), "PasswordHash");
    }
}
