//! Users.

use super::id::UserId;
use super::identifier::Identifier;
use super::password::PasswordHash;
use super::realm::Realm;
use super::time::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a user who has proved nothing is kept: 24 hours (contracts.md B.2).
pub const UNVERIFIED_LIFETIME: Duration = Duration::from_hours(24);

/// What a contract keeps with a user and the core carries without reading.
pub type Attributes = BTreeMap<String, String>;

/// Something that a user is known by.
#[derive(Clone, Debug)]
pub struct KnownBy {
    /// What.
    pub identifier: Identifier,
    /// Whether they proved that it is theirs.
    pub verified: bool,
}

impl KnownBy {
    /// The identifier in canonical form.
    #[must_use]
    pub fn text(&self) -> &str {
        self.identifier.as_str()
    }
}

/// Everything that a user is known by: at most one of each kind.
#[derive(Clone, Debug, Default)]
pub struct Identifiers(Vec<KnownBy>);

impl Identifiers {
    /// These identifiers.
    #[must_use]
    pub const fn new(known_by: Vec<KnownBy>) -> Self {
        Self(known_by)
    }

    /// One identifier alone.
    #[must_use]
    pub fn one(identifier: Identifier, verified: bool) -> Self {
        Self(vec![KnownBy { identifier, verified }])
    }

    /// All of them, in the order in which they were given.
    pub fn iter(&self) -> impl Iterator<Item = &KnownBy> {
        self.0.iter()
    }

    /// The one of a kind ([`Identifier::kind`]).
    #[must_use]
    pub fn of_kind(&self, kind: &str) -> Option<&KnownBy> {
        self.0.iter().find(|known| known.identifier.kind() == kind)
    }

    /// The phone number.
    #[must_use]
    pub fn phone(&self) -> Option<&KnownBy> {
        self.of_kind("phone")
    }

    /// The e-mail address.
    #[must_use]
    pub fn email(&self) -> Option<&KnownBy> {
        self.of_kind("email")
    }
}

/// A user about to be created.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// Their id.
    pub id: UserId,
    /// The name space they live in.
    pub realm: Realm,
    /// What they are known by.
    pub identifiers: Identifiers,
    /// Their password, hashed.
    pub password: Option<PasswordHash>,
    /// What the contract keeps with them.
    pub attributes: Attributes,
    /// When they signed up.
    pub created_at: Timestamp,
    /// When they are gone unless they prove their identifier before; `None` for never.
    pub expires_at: Option<Timestamp>,
}

/// A sign-up that waits for its code: everything but the proof. Nothing is reserved for it.
#[derive(Clone, Debug)]
pub struct PendingSignUp {
    /// What they will be known by, besides the recipient of the code.
    pub identifiers: Vec<Identifier>,
    /// Their password, hashed.
    pub password: PasswordHash,
    /// What the contract will keep with them.
    pub attributes: Attributes,
}

/// A user as the store has them.
#[derive(Clone, Debug)]
pub struct User {
    /// Their id.
    pub id: UserId,
    /// The name space they live in.
    pub realm: Realm,
    /// What they are known by.
    pub identifiers: Identifiers,
    /// What the contract keeps with them.
    pub attributes: Attributes,
    /// Their password, hashed.
    pub password: Option<PasswordHash>,
    /// When they signed up.
    pub created_at: Timestamp,
    /// When they last signed in.
    pub last_active_at: Option<Timestamp>,
    /// When they last changed their password.
    pub password_changed_at: Option<Timestamp>,
    /// Sessions that were opened before are over.
    pub sessions_since: Option<Timestamp>,
}
