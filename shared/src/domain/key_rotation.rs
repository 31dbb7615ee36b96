//! The rotation of keys. No token or code is refused because of it.
//!
//! A new key is first *published*: every process reads it, and none uses it. Once every copy of the
//! key ring in use contains it, the key is *promoted*: it becomes the current key, which signs. The
//! key before it stays in the ring and still verifies what it signed. It is *retired* when the next
//! key is promoted.

use super::challenge::KeyId;
use super::time::Timestamp;
use data_encoding::BASE64URL_NOPAD;
use secrecy::{ExposeSecret as _, SecretString};
use std::fmt;
use std::time::Duration;

/// A key that is rotated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RotatedKey {
    /// The name that operators use.
    pub name: String,
    /// The id of the secret that holds the key.
    pub secret: String,
}

/// The text of a new key: 64 characters, 384 random bits, more than any MAC here can use.
pub struct NewKey(SecretString);

impl NewKey {
    #[must_use]
    pub fn new(random: &[u8; 48]) -> Self {
        Self(BASE64URL_NOPAD.encode(random).into())
    }

    /// The text, for the secret.
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

/// One version of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyVersion {
    /// The id by which tokens and codes refer to this version.
    pub id: KeyId,
    /// The id of this version of the secret.
    pub secret_version: String,
}

/// The state of a key.
#[derive(Clone, Debug)]
pub struct KeyState {
    /// The version that signs.
    pub current: KeyVersion,
    /// The version that is published and does not sign yet.
    pub next: Option<KeyVersion>,
    /// The time of the last change to the key.
    pub changed_at: Timestamp,
}

/// The speed of the rotation.
#[derive(Clone, Copy, Debug)]
pub struct RotationPolicy {
    /// How long a key signs before its successor is published. It must be longer than the lifetime
    /// of anything that a key signs or derives, because a key leaves the ring when the second key
    /// after it is promoted.
    pub interval: Duration,
    /// The age at which a process reads its copy of a key ring again.
    pub copy_lifetime: Duration,
}

/// The step that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RotationStep {
    /// Nothing is due.
    Wait,
    /// A new key has to be published.
    Publish,
    /// This version is known to every process and has to be promoted.
    Promote(KeyVersion),
}

impl RotationPolicy {
    /// Returns the step that is due at `now`. It follows from the state alone, so it may be asked
    /// for and taken any number of times. A change to the key by other means only delays the next
    /// step.
    #[must_use]
    pub fn step(&self, state: &KeyState, now: Timestamp) -> RotationStep {
        let age = now.since(state.changed_at);
        match &state.next {
            None if age >= self.interval => RotationStep::Publish,
            Some(next) if age >= self.until_known() => RotationStep::Promote(next.clone()),
            None | Some(_) => RotationStep::Wait,
        }
    }

    /// The time from the publication of a key until every process knows it: the lifetime of a copy,
    /// and the same again for requests in progress, differences between clocks and failed reads.
    fn until_known(&self) -> Duration {
        self.copy_lifetime.saturating_mul(2)
    }
}

/// The outcome of one run of the rotation for one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyRotationOutcome {
    /// No step was due.
    Unchanged,
    /// A new key was published.
    Published,
    /// The published key was promoted.
    Promoted,
    /// A new key became the current key at once.
    Replaced,
    /// Another process took a step at the same time. The next run continues from there.
    Conflict,
}

impl KeyRotationOutcome {
    /// The name of the outcome in logs and answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unchanged => "rests",
            Self::Published => "published",
            Self::Promoted => "signs",
            Self::Replaced => "replaced",
            Self::Conflict => "overtaken",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: RotationPolicy = RotationPolicy {
        interval: Duration::from_secs(1000),
        copy_lifetime: Duration::from_secs(10),
    };

    fn version(name: &str) -> KeyVersion {
        KeyVersion { id: KeyId::new(name), secret_version: name.to_owned() }
    }

    fn step(next: Option<&str>, age: i64) -> RotationStep {
        let changed_at = Timestamp::from_seconds(5000);
        let next = next.map(version);
        let state = KeyState { current: version("a"), next, changed_at };
        POLICY.step(&state, Timestamp::from_seconds(5000_i64.saturating_add(age)))
    }

    #[test]
    fn a_key_signs_for_the_interval_before_its_successor_is_published() {
        assert_eq!(step(None, 999), RotationStep::Wait);
        assert_eq!(step(None, 1000), RotationStep::Publish);
    }

    #[test]
    fn a_published_key_is_promoted_once_every_copy_contains_it() {
        assert_eq!(step(Some("b"), 0), RotationStep::Wait);
        assert_eq!(step(Some("b"), 19), RotationStep::Wait);
        assert_eq!(step(Some("b"), 20), RotationStep::Promote(version("b")));
        assert_eq!(step(Some("b"), 100_000), RotationStep::Promote(version("b")));
    }

    #[test]
    fn a_slow_clock_only_delays_the_next_step() {
        assert_eq!(step(None, -5000), RotationStep::Wait);
        assert_eq!(step(Some("b"), -1), RotationStep::Wait);
    }

    #[test]
    fn a_new_key_has_64_plain_characters_and_is_not_shown() {
        let key = NewKey::new(&[0xfb; 48]);
        assert_eq!(key.expose().len(), 64);
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        assert!(key.expose().chars().all(plain));
        assert_eq!(format!("{key:?}"), "NewKey");
    }

    #[test]
    fn each_outcome_has_a_name_of_its_own() {
        use KeyRotationOutcome::*;
        let names =
            [Unchanged, Published, Promoted, Replaced, Conflict].map(KeyRotationOutcome::as_str);
        assert_eq!(names, ["rests", "published", "signs", "replaced", "overtaken"]);
    }
}
