//! Replacing keys without one refused token or code.
//!
//! A key is first *published*: everybody learns it, nobody uses it. Once no copy of the ring that
//! can still be in use is without it, it is the key that *signs*, and the one before stays in the
//! ring for what it has signed. The next key to sign *retires* that one.

use super::challenge::KeyId;
use super::time::Timestamp;
use data_encoding::BASE64URL_NOPAD;
use secrecy::{ExposeSecret as _, SecretString};
use std::fmt;
use std::time::Duration;

/// A key that is to be replaced from time to time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RotatedKey {
    /// What people call it.
    pub name: String,
    /// What its keeper calls it.
    pub secret: String,
}

/// The text of a new key: 64 characters, 384 random bits, more than any MAC here can use.
pub struct NewKey(SecretString);

impl NewKey {
    /// The key made of these random bytes.
    #[must_use]
    pub fn new(random: &[u8; 48]) -> Self {
        Self(BASE64URL_NOPAD.encode(random).into())
    }

    /// The text, for the keeper.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for NewKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewKey")
    }
}

/// One of the keys that follow each other under one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyVersion {
    /// The id that tokens and codes name it by.
    pub id: KeyId,
    /// What its keeper calls it.
    pub secret_version: String,
}

/// How a key stands.
#[derive(Clone, Debug)]
pub struct KeyStanding {
    /// The one that signs.
    pub current: KeyVersion,
    /// The one that is published and does not sign yet.
    pub next: Option<KeyVersion>,
    /// When anything about the key last changed.
    pub changed_at: Timestamp,
}

/// How fast keys follow each other.
#[derive(Clone, Copy, Debug)]
pub struct RotationPolicy {
    /// How long a key signs before its successor is published. Longer than anything lives that a
    /// key signs or derives: it leaves the ring when its successor's successor begins to sign.
    pub interval: Duration,
    /// How old a copy of a ring may get before it is read again.
    pub copy_lifetime: Duration,
}

/// What is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing.
    Rest,
    /// A new key is to be published.
    Publish,
    /// This key is known everywhere and is to sign.
    Sign(KeyVersion),
}

impl RotationPolicy {
    /// The step that is due at `now`. It follows from the standing alone, so that it may be asked for
    /// and taken any number of times; a change that was no step only delays the next one.
    #[must_use]
    pub fn step(&self, standing: &KeyStanding, now: Timestamp) -> Step {
        let age = now.since(standing.changed_at);
        match &standing.next {
            None if age >= self.interval => Step::Publish,
            Some(next) if age >= self.until_known() => Step::Sign(next.clone()),
            None | Some(_) => Step::Rest,
        }
    }

    /// How long after its publication a key is known everywhere: the lifetime of a copy, and once more
    /// for requests under way, clocks that differ and a reading that failed.
    fn until_known(&self) -> Duration {
        self.copy_lifetime.saturating_mul(2)
    }
}

/// What became of a key's turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Nothing was due.
    Rests,
    /// A new key is published.
    Published,
    /// The published key signs now.
    Signs,
    /// A new key signs at once.
    Replaced,
    /// Somebody else took a step meanwhile; the next look will tell.
    Overtaken,
}

impl Turn {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rests => "rests",
            Self::Published => "published",
            Self::Signs => "signs",
            Self::Replaced => "replaced",
            Self::Overtaken => "overtaken",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACE: RotationPolicy = RotationPolicy {
        interval: Duration::from_secs(1000),
        copy_lifetime: Duration::from_secs(10),
    };

    fn version(name: &str) -> KeyVersion {
        KeyVersion { id: KeyId::new(name), secret_version: name.to_owned() }
    }

    fn step(next: Option<&str>, age: i64) -> Step {
        let changed_at = Timestamp::from_seconds(5000);
        let next = next.map(version);
        let standing = KeyStanding { current: version("a"), next, changed_at };
        PACE.step(&standing, Timestamp::from_seconds(5000_i64.saturating_add(age)))
    }

    #[test]
    fn a_key_signs_for_the_interval_before_its_successor_is_published() {
        assert_eq!(step(None, 999), Step::Rest);
        assert_eq!(step(None, 1000), Step::Publish);
    }

    #[test]
    fn a_published_key_signs_once_no_copy_can_be_without_it() {
        assert_eq!(step(Some("b"), 0), Step::Rest);
        assert_eq!(step(Some("b"), 19), Step::Rest);
        assert_eq!(step(Some("b"), 20), Step::Sign(version("b")));
        assert_eq!(step(Some("b"), 100_000), Step::Sign(version("b")));
    }

    #[test]
    fn a_clock_that_is_slow_only_waits() {
        assert_eq!(step(None, -5000), Step::Rest);
        assert_eq!(step(Some("b"), -1), Step::Rest);
    }

    #[test]
    fn a_new_key_is_64_characters_that_need_no_quoting_and_is_not_shown() {
        let key = NewKey::new(&[0xfb; 48]);
        assert_eq!(key.expose().len(), 64);
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        assert!(key.expose().chars().all(plain));
        assert_eq!(format!("{key:?}"), "NewKey");
    }
}
