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

/// Returns a short name for a secret, for the memory of the process.
#[must_use]
pub fn fingerprint(secret: &str) -> String {
    hashed(b"secret", secret)
}

/// The marks of one source, as a challenge stores them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceMarks(Vec<String>);

impl SourceMarks {
    /// Returns the marks of `source` for what `owner` names.
    fn of(owner: &[u8], source: &Source) -> Self {
        Self(source.marks().iter().map(|mark| hashed(owner, mark)).collect())
    }

    /// Returns the mark of a source that asks for a code of a challenge: the device, or else the
    /// network. So a neighbour is not taken for the person with a device. The mark is the same in all
    /// lanes.
    #[must_use]
    pub fn of_opener(key: &ChallengeKey, source: &Source) -> Self {
        let mark = source.device_mark().or_else(|| source.network_mark());
        Self(mark.iter().map(|mark| hashed(&opened(key), mark)).collect())
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

/// How an account was entered from a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Entrance {
    /// With a password, before anybody had proved an identifier of the account. A stranger may have
    /// made the account.
    Unproved,
    /// With a code, or with the password of an account that has a verified identifier.
    Proved,
}

/// By what an account knows a source. A device is stronger than a network, which neighbours share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SourcePart {
    /// The network (/24 or /48), or the client.
    Network,
    /// The device that the caller names.
    Device,
}

/// What an account knows of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tie {
    pub by: SourcePart,
    pub entrance: Entrance,
}

/// The start of the name of a mark whose entrance was not proved.
const UNPROVED: &str = "?";

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
    pub fn only(user: &UserId, source: &Source, entrance: Entrance, now: Timestamp) -> Self {
        Self::default().with(user, source, entrance, now).unwrap_or_default()
    }

    fn has(&self, mark: &str, within: Duration, now: Timestamp) -> bool {
        self.0.get(mark).is_some_and(|at| now.since(*at) < within)
    }

    /// Returns what the account of `user` knows of `source` from entries of the last 90 days. A proved
    /// entrance counts more than an unproved one, and a device more than a network.
    #[must_use]
    pub fn tie(&self, user: &UserId, source: &Source, now: Timestamp) -> Option<Tie> {
        let owner = user.as_str().as_bytes();
        let marks = [
            (source.device_mark(), SourcePart::Device),
            (source.network_mark(), SourcePart::Network),
        ];
        let ties = marks.iter().filter_map(|(mark, by)| {
            let mark = hashed(owner, mark.as_deref()?);
            let unproved = format!("{UNPROVED}{mark}");
            let entrance = match (self.has(&mark, KNOWN_FOR, now), &unproved) {
                (true, _) => Entrance::Proved,
                (false, unproved) if self.has(unproved, KNOWN_FOR, now) => Entrance::Unproved,
                _ => return None,
            };
            Some(Tie { by: *by, entrance })
        });
        ties.max_by_key(|tie| (tie.entrance, tie.by))
    }

    /// Returns the sources after an entry from `source`; `None` if nothing is to be written,
    /// because all marks are a few days old at most.
    #[must_use]
    pub fn with(
        &self,
        user: &UserId,
        source: &Source,
        entrance: Entrance,
        now: Timestamp,
    ) -> Option<Self> {
        let SourceMarks(plain) = SourceMarks::of(user.as_str().as_bytes(), source);
        let named = |mark: &String| match entrance {
            Entrance::Proved => mark.clone(),
            Entrance::Unproved => format!("{UNPROVED}{mark}"),
        };
        let marks: Vec<_> = plain.iter().map(named).collect();
        if marks.iter().all(|mark| self.has(mark, RENEW_AFTER, now)) {
            return None;
        }
        let mut known: Vec<_> = self.0.clone().into_iter().collect();
        let is_replaced = |mark: &String| {
            marks.contains(mark)
                || mark
                    .strip_prefix(UNPROVED)
                    .is_some_and(|mark| marks.iter().any(|new| new == mark))
        };
        known.retain(|(mark, at)| now.since(*at) < KNOWN_FOR && !is_replaced(mark));
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

    fn proved(known: &KnownSources, source: &Source, now: Timestamp) -> Option<SourcePart> {
        let tie = known.tie(&user(), source, now)?;
        (tie.entrance == Entrance::Proved).then_some(tie.by)
    }

    #[test]
    fn a_source_is_known_for_ninety_days() {
        let known = KnownSources::only(&user(), &source("203.0.113.9"), Entrance::Proved, START);
        let network = Some(SourcePart::Network);
        assert_eq!(proved(&known, &source("203.0.113.77"), START), network);
        assert_eq!(proved(&known, &source("198.51.100.7"), START), None);
        assert_eq!(known.tie(&UserId::from_stored("8"), &source("203.0.113.9"), START), None);
        let almost = START.plus(KNOWN_FOR).minus(Duration::from_millis(1));
        assert_eq!(proved(&known, &source("203.0.113.9"), almost), network);
        assert_eq!(proved(&known, &source("203.0.113.9"), START.plus(KNOWN_FOR)), None);
    }

    #[test]
    fn a_device_is_known_in_every_network_and_before_it() {
        let phone = source("203.0.113.9").with_device(Some("d-1"));
        let known = KnownSources::only(&user(), &phone, Entrance::Proved, START);
        let elsewhere = source("198.51.100.7");
        let device = Some(SourcePart::Device);
        assert_eq!(proved(&known, &phone, START), device);
        assert_eq!(proved(&known, &elsewhere.clone().with_device(Some("d-1")), START), device);
        assert_eq!(proved(&known, &elsewhere.with_device(Some("d-2")), START), None);
        let neighbour = source("203.0.113.9").with_device(Some("d-2"));
        assert_eq!(proved(&known, &neighbour, START), Some(SourcePart::Network));
    }

    #[test]
    fn a_proved_entrance_replaces_an_unproved_one() {
        let source = source("203.0.113.9");
        let known = KnownSources::only(&user(), &source, Entrance::Unproved, START);
        let tie = known.tie(&user(), &source, START).unwrap();
        assert_eq!(tie.entrance, Entrance::Unproved);
        assert_eq!(known.with(&user(), &source, Entrance::Unproved, START), None);
        let known = known.with(&user(), &source, Entrance::Proved, START).unwrap();
        assert_eq!(proved(&known, &source, START), Some(SourcePart::Network));
        assert_eq!(known.iter().count(), 1);
    }

    #[test]
    fn a_mark_is_renewed_once_a_week() {
        let source = source("203.0.113.9");
        let known = KnownSources::only(&user(), &source, Entrance::Proved, START);
        assert_eq!(known.with(&user(), &source, Entrance::Proved, START.plus(DAY)), None);
        let later = START.plus(RENEW_AFTER);
        let renewed = known.with(&user(), &source, Entrance::Proved, later).unwrap();
        assert!(proved(&renewed, &source, START.plus(KNOWN_FOR)).is_some());
    }

    #[test]
    fn the_newest_marks_stay() {
        let mut known = KnownSources::default();
        for index in 0..20_u8 {
            let (at, source) = (
                START.plus(Duration::from_secs(index.into())),
                source(&format!("203.0.{index}.1")),
            );
            known = known.with(&user(), &source, Entrance::Proved, at).unwrap();
        }
        assert_eq!(known.iter().count(), MOST);
        let now = START.plus(DAY);
        assert!(proved(&known, &source("203.0.19.1"), now).is_some());
        assert_eq!(proved(&known, &source("203.0.7.1"), now), None);
        assert!(proved(&known, &source("203.0.8.1"), now).is_some());
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
