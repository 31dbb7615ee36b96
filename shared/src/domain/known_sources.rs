//! Known sources: those that an account was entered from. Limits that strangers can use up do not
//! apply to them.

use super::challenge::ChallengeKey;
use super::id::{UserId, hex};
use super::source::Source;
use super::time::Timestamp;
use ring::digest::{SHA256, digest};
use std::collections::BTreeMap;
use std::time::Duration;

/// The time for which a source stays known after the last entry from it: 90 days.
pub const KNOWN_FOR: Duration = Duration::from_hours(90 * 24);
/// The age from which an entry renews a mark. A younger mark costs no write.
const RENEW_AFTER: Duration = Duration::from_hours(7 * 24);
/// The most marks that an account keeps. The oldest one goes first.
const MOST: usize = 12;

/// Returns the name of a mark: the first 12 hex digits of a SHA-256 over it and over what it belongs
/// to, so that equal networks of two accounts look different.
fn hashed(owner: &[u8], mark: &str) -> String {
    let digest = digest(&SHA256, &[owner, b"|", mark.as_bytes()].concat());
    hex(digest.as_ref().get(..6).unwrap_or_default())
}

/// Returns what the marks of a challenge belong to.
fn opened(key: &ChallengeKey) -> Vec<u8> {
    let ChallengeKey { realm, purpose, recipient, .. } = key;
    let shop = realm.shop().unwrap_or_default();
    let text = [realm.contract(), shop, purpose.as_str(), recipient.as_str()].join("#");
    text.into_bytes()
}

/// The marks of one source, as a challenge stores them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceMarks(Vec<String>);

impl SourceMarks {
    /// Returns the marks of `source` for what `owner` names.
    fn of(owner: &[u8], source: &Source) -> Self {
        Self(source.marks().iter().map(|mark| hashed(owner, mark)).collect())
    }

    /// Returns the marks of a source that asks for a code of a challenge. They are the same in all
    /// lanes.
    #[must_use]
    pub fn of_opener(key: &ChallengeKey, source: &Source) -> Self {
        Self::of(&opened(key), source)
    }

    /// Returns whether `source` has one of the marks of the source that asked for a code.
    #[must_use]
    pub fn are_of_opener(&self, key: &ChallengeKey, source: &Source) -> bool {
        self.include(&opened(key), source)
    }

    /// Returns the marks with this stored text.
    #[must_use]
    pub fn from_stored(text: &str) -> Self {
        Self(text.split(' ').filter(|mark| !mark.is_empty()).map(str::to_owned).collect())
    }

    /// The text that is stored.
    #[must_use]
    pub fn to_stored(&self) -> String {
        self.0.join(" ")
    }

    /// Returns whether `source` has one of the marks.
    fn include(&self, owner: &[u8], source: &Source) -> bool {
        Self::of(owner, source).0.iter().any(|mark| self.0.contains(mark))
    }
}

/// The sources that an account knows: their marks, with the time of the last entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownSources(BTreeMap<String, Timestamp>);

impl KnownSources {
    /// Returns the sources with these stored marks.
    #[must_use]
    pub fn from_stored(marks: impl IntoIterator<Item = (String, Timestamp)>) -> Self {
        Self(marks.into_iter().collect())
    }

    /// The marks and times.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Timestamp)> {
        self.0.iter().map(|(mark, at)| (mark.as_str(), *at))
    }

    /// Returns the sources of a user who was entered for the first time, from `source`.
    #[must_use]
    pub fn only(user: &UserId, source: &Source, now: Timestamp) -> Self {
        let SourceMarks(marks) = SourceMarks::of(user.as_str().as_bytes(), source);
        Self(marks.into_iter().map(|mark| (mark, now)).collect())
    }

    /// Returns whether the account of `user` was entered from `source` in the last 90 days.
    #[must_use]
    pub fn contain(&self, user: &UserId, source: &Source, now: Timestamp) -> bool {
        let SourceMarks(marks) = SourceMarks::of(user.as_str().as_bytes(), source);
        marks.iter().any(|mark| self.0.get(mark).is_some_and(|at| now.since(*at) < KNOWN_FOR))
    }

    /// Returns the sources after an entry from `source`; `None` if nothing is to be written,
    /// because all marks are a few days old at most.
    #[must_use]
    pub fn with(&self, user: &UserId, source: &Source, now: Timestamp) -> Option<Self> {
        let SourceMarks(marks) = SourceMarks::of(user.as_str().as_bytes(), source);
        let is_fresh =
            |mark: &String| self.0.get(mark).is_some_and(|at| now.since(*at) < RENEW_AFTER);
        if marks.iter().all(is_fresh) {
            return None;
        }
        let mut known: Vec<_> = self.0.clone().into_iter().collect();
        known.retain(|(mark, at)| now.since(*at) < KNOWN_FOR && !marks.contains(mark));
        known.sort_by_key(|(_, at)| std::cmp::Reverse(*at));
        known.truncate(MOST.saturating_sub(marks.len()));
        known.extend(marks.into_iter().map(|mark| (mark, now)));
        Some(Self(known.into_iter().collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::source::SourceAddress;
    use crate::domain::time::DAY;

    const START: Timestamp = Timestamp::from_seconds(1_000_000);

    fn user() -> UserId {
        UserId::from_stored("7")
    }

    fn source(text: &str) -> Source {
        Source::of_address(SourceAddress::parse(text))
    }

    #[test]
    fn a_source_is_known_for_ninety_days() {
        let known = KnownSources::only(&user(), &source("203.0.113.9"), START);
        assert!(known.contain(&user(), &source("203.0.113.77"), START));
        assert!(!known.contain(&user(), &source("198.51.100.7"), START));
        assert!(!known.contain(&UserId::from_stored("8"), &source("203.0.113.9"), START));
        let almost = START.plus(KNOWN_FOR).minus(Duration::from_millis(1));
        assert!(known.contain(&user(), &source("203.0.113.9"), almost));
        assert!(!known.contain(&user(), &source("203.0.113.9"), START.plus(KNOWN_FOR)));
    }

    #[test]
    fn a_device_is_known_in_every_network() {
        let phone = source("203.0.113.9").with_device(Some("d-1"));
        let known = KnownSources::only(&user(), &phone, START);
        let elsewhere = source("198.51.100.7");
        assert!(known.contain(&user(), &elsewhere.clone().with_device(Some("d-1")), START));
        assert!(!known.contain(&user(), &elsewhere.with_device(Some("d-2")), START));
    }

    #[test]
    fn a_mark_is_renewed_once_a_week() {
        let known = KnownSources::only(&user(), &source("203.0.113.9"), START);
        assert_eq!(known.with(&user(), &source("203.0.113.9"), START.plus(DAY)), None);
        let later = START.plus(RENEW_AFTER);
        let renewed = known.with(&user(), &source("203.0.113.9"), later).unwrap();
        assert!(renewed.contain(&user(), &source("203.0.113.9"), START.plus(KNOWN_FOR)));
    }

    #[test]
    fn the_newest_marks_stay() {
        let mut known = KnownSources::default();
        for index in 0..20_u8 {
            let at = START.plus(Duration::from_secs(index.into()));
            known = known.with(&user(), &source(&format!("203.0.{index}.1")), at).unwrap();
        }
        assert_eq!(known.iter().count(), MOST);
        let now = START.plus(DAY);
        assert!(known.contain(&user(), &source("203.0.19.1"), now));
        assert!(!known.contain(&user(), &source("203.0.7.1"), now));
        assert!(known.contain(&user(), &source("203.0.8.1"), now));
    }

    #[test]
    fn marks_are_stored_as_a_text() {
        let phone = source("203.0.113.9").with_device(Some("d-1"));
        let marks = SourceMarks::of(b"n", &phone);
        assert_eq!(SourceMarks::from_stored(&marks.to_stored()), marks);
        assert!(marks.include(b"n", &source("203.0.113.1")));
        assert!(!marks.include(b"m", &source("203.0.113.1")));
        assert!(!SourceMarks::from_stored("").include(b"n", &source("203.0.113.1")));
    }
}
