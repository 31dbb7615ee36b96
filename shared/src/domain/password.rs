//! Passwords and their hashes.

use secrecy::{ExposeSecret as _, SecretString};
use std::fmt;

/// The longest password that is hashed, in bytes: a bound on the work a stranger can ask for
/// (OWASP Authentication Cheat Sheet asks for a maximum, and for at least 64 characters).
const MAX_BYTES: usize = 1024;

/// A password somebody typed.
#[derive(Clone)]
pub struct Password(SecretString);

/// Why a text is not taken as a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Fewer characters than the contract asks for.
    #[error("password is too short")]
    TooShort,
    /// More bytes than are hashed.
    #[error("password is too long")]
    TooLong,
}

impl Password {
    /// Takes a password of at least `least` Unicode scalar values.
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

/// A password's hash as a PHC string (`$argon2id$v=19$…`).
#[derive(Clone)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// The hash `phc`.
    #[must_use]
    pub const fn new(phc: String) -> Self {
        Self(phc)
    }

    /// The PHC string, for the store.
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
    fn length_is_counted_in_characters_and_capped_in_bytes() {
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
