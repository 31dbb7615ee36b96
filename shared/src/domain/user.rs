//! Users and their identifiers.

use super::id::UserId;
use super::identifier::Identifier;
use super::password::PasswordHash;
use super::realm::Realm;
use super::time::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long an unverified user is kept: 24 hours.
pub const UNVERIFIED_LIFETIME: Duration = Duration::from_hours(24);

/// The attributes that a contract stores with a user. Only the contract interprets them.
pub type Attributes = BTreeMap<String, String>;

/// An identifier of a user.
#[derive(Clone, Debug)]
pub struct KnownBy {
    pub identifier: Identifier,
    /// Whether the user proved control of the identifier.
    pub verified: bool,
}

impl KnownBy {
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

    /// Returns one verified identifier.
    #[must_use]
    pub fn verified(identifier: Identifier) -> Self {
        Self(vec![KnownBy { identifier, verified: true }])
    }

    /// Returns one identifier that is not verified.
    #[must_use]
    pub fn unverified(identifier: Identifier) -> Self {
        Self(vec![KnownBy { identifier, verified: false }])
    }

    /// Returns the identifiers in the order in which they were given.
    pub fn iter(&self) -> impl Iterator<Item = &KnownBy> {
        self.0.iter()
    }

    /// Returns the identifier of this kind; see [`Identifier::kind`].
    #[must_use]
    pub fn of_kind(&self, kind: &str) -> Option<&KnownBy> {
        self.0.iter().find(|known| known.identifier.kind() == kind)
    }

    #[must_use]
    pub fn phone(&self) -> Option<&KnownBy> {
        self.of_kind("phone")
    }

    #[must_use]
    pub fn email(&self) -> Option<&KnownBy> {
        self.of_kind("email")
    }
}

/// A user to be created.
#[derive(Clone, Debug)]
pub struct NewUser {
    pub id: UserId,
    pub realm: Realm,
    pub identifiers: Identifiers,
    pub password: Option<PasswordHash>,
    pub attributes: Attributes,
    pub created_at: Timestamp,
    /// The time at which the user is deleted unless an identifier is verified before; `None` for
    /// never.
    pub expires_at: Option<Timestamp>,
}

/// A sign-up that waits for the code. It reserves nothing.
#[derive(Clone, Debug)]
pub struct PendingSignUp {
    /// The identifiers besides the recipient of the code.
    pub identifiers: Vec<Identifier>,
    pub password: PasswordHash,
    pub attributes: Attributes,
}

/// A stored user.
#[derive(Clone, Debug)]
pub struct User {
    pub id: UserId,
    pub realm: Realm,
    pub identifiers: Identifiers,
    pub attributes: Attributes,
    pub password: Option<PasswordHash>,
    pub created_at: Timestamp,
    /// The time of the last sign-in.
    pub last_active_at: Option<Timestamp>,
    /// The time of the last change of the password.
    pub password_changed_at: Option<Timestamp>,
    /// The time at which all sessions were ended; sessions that were opened before it are over.
    pub sessions_since: Option<Timestamp>,
}
