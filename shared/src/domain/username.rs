//! Usernames: names that users choose.

use std::fmt;
use std::hash::{Hash, Hasher};

const MIN_CHARS: usize = 4;
const MAX_CHARS: usize = 30;

/// A username: 4 to 30 ASCII letters, digits, `_`, `.` and `-`, as the user wrote it. Names that
/// differ only in case are equal.
#[derive(Clone)]
pub struct Username {
    written: String,
    canonical: String,
}

/// The error for a text that is not a username.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UsernameError {
    /// It has fewer than 4 or more than 30 characters.
    #[error("a username has 4 to 30 characters")]
    Length,
    /// It contains a character that is not allowed.
    #[error("a username has only ASCII letters, digits, '_', '.' and '-'")]
    Character,
}

impl Username {
    pub fn parse(text: &str) -> Result<Self, UsernameError> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        if !(MIN_CHARS..=MAX_CHARS).contains(&text.chars().count()) {
            Err(UsernameError::Length)
        } else if text.chars().all(allowed) {
            Ok(Self { written: text.to_owned(), canonical: text.to_ascii_lowercase() })
        } else {
            Err(UsernameError::Character)
        }
    }

    /// The name as the user wrote it.
    #[must_use]
    pub fn as_written(&self) -> &str {
        &self.written
    }

    /// The name in lower case, which must be unique.
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
    /// Shows only the first character.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Username({}…)", self.canonical.chars().next().unwrap_or('?'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hash::DefaultHasher;

    #[test]
    fn a_name_keeps_its_case_and_compares_without_it() {
        let name = Username::parse("_Saad.A-9").unwrap();
        assert_eq!((name.as_written(), name.canonical()), ("_Saad.A-9", "_saad.a-9"));
        assert_eq!(name, Username::parse("_SAAD.a-9").unwrap());
        assert_ne!(name, Username::parse("_saad.a-8").unwrap());
        assert_eq!(format!("{name:?}"), "Username(_…)");
    }

    #[test]
    fn a_name_has_four_to_thirty_plain_characters() {
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

    #[test]
    fn the_hash_of_a_name_does_not_depend_on_its_case() {
        let hash = |text| {
            let mut hasher = DefaultHasher::new();
            Username::parse(text).unwrap().hash(&mut hasher);
            hasher.finish()
        };
        assert_eq!(hash("Ann-1"), hash("ann-1"));
        assert_ne!(hash("ann-1"), hash("ann-2"));
    }
}
