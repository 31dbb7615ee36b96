//! Users and their identifiers.

use super::attributes::Attributes;
use super::id::{DeviceId, UserId};
use super::identifier::{Identifier, IdentifierKind};
use super::password::PasswordHash;
use super::realm::Realm;
use super::time::{HOUR, Timestamp};
use std::time::Duration;

/// How long an unverified user and its unverified identifiers are kept: 24 hours.
pub const UNVERIFIED_LIFETIME: Duration = Duration::from_hours(24);

/// An identifier of a user.
#[derive(Clone, Debug)]
pub struct KnownBy {
    pub identifier: Identifier,
    verified_at: Option<Timestamp>,
    reserved_until: Option<Timestamp>,
}

impl KnownBy {
    /// Returns an identifier that the user did not prove control of.
    #[must_use]
    pub const fn unverified(identifier: Identifier) -> Self {
        Self { identifier, verified_at: None, reserved_until: None }
    }

    /// Returns an identifier that the user proved control of. Only a proof makes one
    /// ([`super::account`]).
    pub(super) const fn verified(identifier: Identifier, at: Timestamp) -> Self {
        Self { identifier, verified_at: Some(at), reserved_until: None }
    }

    /// Returns the identifier with these stored values.
    #[must_use]
    pub const fn from_stored(
        identifier: Identifier,
        verified_at: Option<Timestamp>,
        reserved_until: Option<Timestamp>,
    ) -> Self {
        Self { identifier, verified_at, reserved_until }
    }

    /// The time at which the user first proved control of the identifier.
    #[must_use]
    pub const fn verified_at(&self) -> Option<Timestamp> {
        self.verified_at
    }

    #[must_use]
    pub const fn is_verified(&self) -> bool {
        self.verified_at.is_some()
    }

    /// The time at which the identifier is free again unless it is verified before; `None` for
    /// never.
    #[must_use]
    pub const fn reserved_until(&self) -> Option<Timestamp> {
        if self.is_verified() { None } else { self.reserved_until }
    }

    /// Returns whether the identifier belongs to the user at `now`.
    #[must_use]
    pub fn is_kept(&self, now: Timestamp) -> bool {
        self.reserved_until().is_none_or(|end| end > now)
    }

    pub(super) const fn reserve_until(&mut self, end: Timestamp) {
        self.reserved_until = Some(end);
    }

    /// The canonical form of the identifier.
    #[must_use]
    pub fn text(&self) -> &str {
        self.identifier.as_str()
    }
}

/// The identifiers of a user: at most one of each kind.
#[derive(Clone, Debug, Default)]
pub struct Identifiers(Vec<KnownBy>);

impl Identifiers {
    #[must_use]
    pub const fn new(known_by: Vec<KnownBy>) -> Self {
        Self(known_by)
    }

    /// Returns the identifiers in the order in which they were given.
    pub fn iter(&self) -> impl Iterator<Item = &KnownBy> {
        self.0.iter()
    }

    /// Returns the identifier of this kind.
    #[must_use]
    pub fn of_kind(&self, kind: IdentifierKind) -> Option<&KnownBy> {
        self.0.iter().find(|known| known.identifier.kind() == kind)
    }

    /// Returns this identifier of the user.
    #[must_use]
    pub fn find(&self, identifier: &Identifier) -> Option<&KnownBy> {
        self.0.iter().find(|known| known.identifier == *identifier)
    }

    /// Returns whether the user proved control of at least one of them.
    #[must_use]
    pub fn any_verified(&self) -> bool {
        self.0.iter().any(KnownBy::is_verified)
    }

    /// Returns whether the user may sign in by this identifier: it is verified, or it cannot be
    /// verified and another one is.
    #[must_use]
    pub fn allow_entry_by(&self, identifier: &Identifier) -> bool {
        match self.find(identifier) {
            Some(known) if identifier.receives_codes() => known.is_verified(),
            Some(_) => self.any_verified(),
            None => false,
        }
    }

    /// Returns whether a code to this identifier may set a new password: it is verified, or none is.
    #[must_use]
    pub fn allow_new_password_by(&self, identifier: &Identifier) -> bool {
        self.find(identifier).is_some_and(KnownBy::is_verified) || !self.any_verified()
    }

    pub(super) fn reserve_until(&mut self, end: Timestamp) {
        self.0.iter_mut().for_each(|known| known.reserve_until(end));
    }

    #[must_use]
    pub fn phone(&self) -> Option<&KnownBy> {
        self.of_kind(IdentifierKind::Phone)
    }

    #[must_use]
    pub fn email(&self) -> Option<&KnownBy> {
        self.of_kind(IdentifierKind::Email)
    }
}

/// How long the code of a sign-up that waits can be sent again: one hour after the sign-up began. So
/// no client can keep a sign-up waiting for ever.
const RESENDS_FOR: Duration = HOUR;

/// A sign-up that waits for the code. It reserves nothing.
#[derive(Clone, Debug)]
pub struct PendingSignUp {
    /// The time of the request that stated it.
    pub began_at: Timestamp,
    /// The identifiers besides the recipient of the code.
    pub identifiers: Vec<Identifier>,
    pub password: PasswordHash,
    pub attributes: Attributes,
}

impl PendingSignUp {
    /// The time until which its code can be sent again.
    #[must_use]
    pub fn resends_until(&self) -> Timestamp {
        self.began_at.plus(RESENDS_FOR)
    }
}

/// A user.
#[derive(Clone, Debug)]
pub struct User {
    pub id: UserId,
    pub realm: Realm,
    pub identifiers: Identifiers,
    pub attributes: Attributes,
    pub password: Option<PasswordHash>,
    pub created_at: Timestamp,
    /// The time at which the user is deleted unless an identifier is verified before; `None` for
    /// never.
    pub expires_at: Option<Timestamp>,
    /// The time of the last sign-in.
    pub last_active_at: Option<Timestamp>,
    /// The time of the last change of the password.
    pub password_changed_at: Option<Timestamp>,
    /// The time at which the sessions of the user were ended; sessions that were opened before it
    /// are over.
    pub sessions_since: Option<Timestamp>,
    /// The session that stayed open then: the id of its device.
    pub session_kept: Option<DeviceId>,
    /// The time at which an operator banned the user. A banned user cannot enter.
    pub banned_at: Option<Timestamp>,
}

impl User {
    #[must_use]
    pub const fn is_banned(&self) -> bool {
        self.banned_at.is_some()
    }

    /// Returns whether the user can have a session: only a password or a code opens one, and a code leaves
    /// the time of the visit.
    #[must_use]
    pub const fn may_have_sessions(&self) -> bool {
        self.password.is_some() || self.last_active_at.is_some()
    }

    /// Returns the time that ends all sessions of the user at `at`: those that were opened earlier.
    /// It is later than the last sign-in, even in the same millisecond or by a clock that is ahead.
    #[must_use]
    pub fn end_of_sessions(&self, at: Timestamp) -> Timestamp {
        let known = [Some(self.created_at), self.last_active_at, self.sessions_since];
        let known = known.into_iter().flatten();
        known.fold(at, |end, known| end.max(known.plus(Duration::from_millis(1))))
    }

    /// Returns the time at which a session is opened at `now`. It is not earlier than the time at
    /// which all sessions were ended, even by a clock that is behind.
    #[must_use]
    pub fn opening(&self, now: Timestamp) -> Timestamp {
        self.sessions_since.map_or(now, |since| since.max(now))
    }

    /// Returns the time of issue of a signed token at `now`, which contains it in whole seconds. In
    /// the second in which all sessions were ended it is the next second: the tokens that were
    /// issued earlier in that second are over.
    #[must_use]
    pub fn token_opening(&self, now: Timestamp) -> Timestamp {
        let opening = self.opening(now);
        let whole = Timestamp::from_seconds(opening.as_seconds());
        match self.sessions_since {
            Some(since) if whole < since => {
                Timestamp::from_seconds(since.as_seconds().saturating_add(1))
            }
            _ => opening,
        }
    }

    /// Returns whether a signed token that was issued at this time, in whole seconds, was issued
    /// after the end of the user's sessions.
    #[must_use]
    pub fn keeps_token(&self, issued_at: Timestamp) -> bool {
        self.sessions_since.is_none_or(|since| since <= issued_at)
    }

    /// Returns whether the end of the user's sessions left the session of a device open that was
    /// opened at `opened_at`.
    #[must_use]
    pub fn keeps_session(&self, device: &DeviceId, opened_at: Timestamp) -> bool {
        self.sessions_since.is_none_or(|since| since <= opened_at)
            || self.session_kept.as_ref() == Some(device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_found_by_its_kind() {
        let phone = Identifier::from_parts("phone", "+85291234567").unwrap();
        let email = Identifier::from_parts("email", "ann@example.com").unwrap();
        let other = Identifier::from_parts("email", "ben@example.com").unwrap();
        let at = Timestamp::from_seconds(7);
        let known = vec![KnownBy::verified(phone, at), KnownBy::unverified(email.clone())];
        let both = Identifiers::new(known);
        assert_eq!(both.phone().map(KnownBy::text), Some("+85291234567"));
        assert_eq!(both.email().map(KnownBy::text), Some("ann@example.com"));
        assert_eq!(both.of_kind(IdentifierKind::Card).map(KnownBy::text), None);
        assert_eq!(both.find(&email).map(KnownBy::text), Some("ann@example.com"));
        assert_eq!(both.find(&other).map(KnownBy::text), None);
        let times: Vec<_> = both.iter().map(KnownBy::verified_at).collect();
        assert_eq!(times, [Some(at), None]);
        assert!(both.any_verified());
        assert!(!Identifiers::new(vec![KnownBy::unverified(email)]).any_verified());
    }

    fn user(known: [i64; 3]) -> User {
        let [created_at, active, since] = known.map(Timestamp::from_millis);
        let some = |at: Timestamp| (at.as_millis() > 0).then_some(at);
        User {
            id: UserId::number(1),
            realm: Realm::of_contract("plain"),
            identifiers: Identifiers::default(),
            attributes: Attributes::default(),
            password: None,
            created_at,
            expires_at: None,
            last_active_at: some(active),
            password_changed_at: None,
            sessions_since: some(since),
            session_kept: None,
            banned_at: None,
        }
    }

    #[test]
    fn the_end_of_all_sessions_is_after_each_of_them() {
        for (known, now, end) in [
            ([1, 0, 0], 5, 5),
            ([5, 0, 0], 5, 6),
            ([1, 5, 0], 5, 6),
            ([1, 9, 0], 5, 10),
            ([1, 2, 9], 5, 10),
            ([1, 2, 3], 5, 5),
        ] {
            let end_of_sessions = user(known).end_of_sessions(Timestamp::from_millis(now));
            assert_eq!(end_of_sessions, Timestamp::from_millis(end), "{known:?}");
        }
    }

    #[test]
    fn a_session_opens_after_the_end_of_all_earlier_ones() {
        for (since, now, opened) in [(0, 5, 5), (4, 5, 5), (5, 5, 5), (9, 5, 9)] {
            let opening = user([1, 0, since]).opening(Timestamp::from_millis(now));
            assert_eq!(opening, Timestamp::from_millis(opened), "{since}");
        }
    }

    #[test]
    fn a_token_is_kept_exactly_if_it_is_issued_after_the_end_of_all_earlier_ones() {
        let at = Timestamp::from_millis;
        for (since, now, issued) in [
            (0, 1999, 1999),
            (1001, 1001, 2000),
            (1001, 1999, 2000),
            (1999, 1000, 2000),
            (1001, 2000, 2000),
            (2000, 2000, 2000),
            (2000, 1999, 2000),
            (1001, 2500, 2500),
        ] {
            let user = user([1, 0, since]);
            let opening = user.token_opening(at(now));
            assert_eq!(opening, at(issued), "{since} {now}");
            assert!(user.keeps_token(Timestamp::from_seconds(opening.as_seconds())));
            // A token of the second of the end is not kept.
            let earlier = Timestamp::from_seconds(since.saturating_sub(1) / 1000);
            assert!(since == 0 || !user.keeps_token(earlier), "{since}");
        }
    }

    #[test]
    fn the_end_of_all_sessions_keeps_later_ones_and_one_device() {
        let mut user = user([1, 2, 5]);
        let (one, other) = (DeviceId::number(1), DeviceId::number(2));
        let at = Timestamp::from_millis;
        assert!(!user.keeps_session(&one, at(4)) && user.keeps_session(&one, at(5)));
        user.session_kept = Some(one.clone());
        assert!(user.keeps_session(&one, at(4)) && !user.keeps_session(&other, at(4)));
        user.sessions_since = None;
        assert!(user.keeps_session(&other, at(4)));
    }
}
