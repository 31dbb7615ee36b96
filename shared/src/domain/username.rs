//! Names that people choose for themselves.

use std::fmt;
use std::hash::{Hash, Hasher};

/// The fewest characters (contracts.md C.1).
const MIN_CHARS: usize = 4;
/// The most characters (contracts.md C.1).
const MAX_CHARS: usize = 30;

/// A username: ASCII letters, digits, `_`, `.` and `-`, in the spelling its owner chose. Two that
/// differ in case only are the same.
#[derive(Clone)]
pub struct Username {
    spelling: String,
    canonical: String,
}

/// Why a text is not a username.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UsernameError {
    /// Fewer than four characters, or more than thirty.
    #[error("a username has 4 to 30 characters")]
    Length,
    /// A character that no username has.
    #[error("a username has letters, digits, '_', '.' and '-'")]
    Character,
}

impl Username {
    /// Reads a username.
    ///
    /// # Errors
    /// [`UsernameError`].
    pub fn parse(text: &str) -> Result<Self, UsernameError> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        if !(MIN_CHARS..=MAX_CHARS).contains(&text.chars().count()) {
            Err(UsernameError::Length)
        } else if text.chars().all(allowed) {
            Ok(Self { spelling: text.to_owned(), canonical: text.to_ascii_lowercase() })
        } else {
            Err(UsernameError::Character)
        }
    }

    /// The name as its owner writes it.
    #[must_use]
    pub fn as_written(&self) -> &str {
        &self.spelling
    }

    /// The name in lower case: what must be unique.
    #[must_use]
    pub fn canonical(&self) -> &str {
        &self.canonical
    }
}

impl PartialEq for Username {
    fn eq(&self, other: &Self) -> bool {
        self.canonical == other.canonical
    }
}

impl Eq for Username {}

impl Hash for Username {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.canonical.hash(state);
    }
}

impl fmt::Debug for Username {
    /// Shows the first character only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Username({}…)", self.canonical.chars().next().unwrap_or('?'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spelling_is_kept_and_the_case_ignored() {
        let name = Username::parse("_Saad.A-9").unwrap();
        assert_eq!((name.as_written(), name.canonical()), ("_Saad.A-9", "_saad.a-9"));
        assert_eq!(name, Username::parse("_SAAD.a-9").unwrap());
        assert_eq!(format!("{name:?}"), "Username(_…)");
    }

    #[test]
    fn four_to_thirty_plain_characters() {
        for good in ["abcd", "user_123", &"a".repeat(30)] {
            assert!(Username::parse(good).is_ok(), "{good}");
        }
        for short_or_long in ["", "abc", &"a".repeat(31)] {
            assert_eq!(Username::parse(short_or_long).unwrap_err(), UsernameError::Length);
        }
        for bad in ["ab cd", "abcd ", "nämen", "a@b.co", "abc\n", "ab\u{200b}cd", "١٢٣٤"] {
            assert_eq!(Username::parse(bad).unwrap_err(), UsernameError::Character, "{bad:?}");
        }
    }
}
