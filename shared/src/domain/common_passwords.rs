//! The list of common passwords.

use std::cmp::Ordering;

/// The file: a header, an empty line, and the passwords, sorted by byte.
const FILE: &str = include_str!("common_passwords.txt");

/// Returns whether a text in lower case is one of the common passwords. The search reads the text of
/// the file as it is in the binary; it builds no index.
pub(super) fn contain(text: &str) -> bool {
    let Some((_, mut left)) = FILE.split_once("\n\n") else { return false };
    // `left` begins at the start of a line. Each round compares the line in its middle.
    while !left.is_empty() {
        let middle = left.len() / 2;
        let Some((before, _)) = left.split_at_checked(middle) else { return false };
        let start = before.rfind('\n').map_or(0, |end| end.saturating_add(1));
        let Some((before, rest)) = left.split_at_checked(start) else { return false };
        let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
        match text.cmp(line) {
            Ordering::Equal => return true,
            Ordering::Less => left = before,
            Ordering::Greater => left = after,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed() -> Vec<&'static str> {
        FILE.split_once("\n\n").unwrap().1.lines().collect()
    }

    #[test]
    fn the_list_is_sorted_and_lists_each_password_once() {
        let listed = listed();
        assert!(listed.is_sorted_by(|one, next| one < next));
        assert!(listed.len() > 8000 && FILE.len() < 100_000, "{} {}", listed.len(), FILE.len());
        for password in listed {
            assert!(password.len() >= 8 && password.is_ascii(), "{password:?}");
            assert_eq!(password, password.to_lowercase());
        }
    }

    #[test]
    fn every_listed_password_is_found_and_nothing_else() {
        let listed = listed();
        for password in &listed {
            assert!(contain(password), "{password:?}");
            for other in [format!("{password}~"), format!("~{password}"), password.to_uppercase()] {
                assert_eq!(contain(&other), listed.binary_search(&other.as_str()).is_ok());
            }
        }
        for known in ["password", "12345678", "qwertyuiop", "iloveyou1", "football", "trustno1"] {
            assert_eq!(contain(known), known.len() >= 8, "{known}");
        }
        for other in ["", "~", "correct horse", "# The common passwords", "пароль123", "all rights"]
        {
            assert!(!contain(other), "{other}");
        }
    }
}
