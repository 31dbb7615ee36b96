//! Passwords and their hashes.

use secrecy::{ExposeSecret as _, SecretString};
use std::fmt;

/// The length limit of a password, in bytes. It bounds the work that an attacker can cause. The
/// OWASP Authentication Cheat Sheet asks for a limit of at least 64 characters.
const MAX_BYTES: usize = 1024;

/// A password as the user typed it.
#[derive(Clone)]
pub struct Password(SecretString);

/// The error for a text that is not accepted as a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// It has fewer characters than the contract requires.
    #[error("the password is too short")]
    TooShort,
    /// It has more than 1024 bytes.
    #[error("the password is too long")]
    TooLong,
}

impl Password {
    /// Parses a password of at least `least` Unicode scalar values.
    ///
    /// # Errors
    /// [`PasswordError`] when it is shorter than that, or longer than 1024 bytes.
    pub fn parse(text: &str, least: usize) -> Result<Self, PasswordError> {
        if text.len() > MAX_BYTES {
            Err(PasswordError::TooLong)
        } else if text.chars().count() < least {
            Err(PasswordError::TooShort)
        } else {
            Ok(Self(text.into()))
        }
    }

    /// The text, for the hash function.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
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
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", Password::parse("password", 8)), "Ok(Password)");
        assert_eq!(format!("{:?}", PasswordHash::new("$argon2id$".into())), "PasswordHash");
    }
}
