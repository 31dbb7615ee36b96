//! Users.

use super::id::UserId;
use super::identifier::Identifier;
use super::password::PasswordHash;
use super::realm::Realm;
use super::time::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a user who has proved nothing is kept: 24 hours (contracts.md B.2).
pub const UNVERIFIED_LIFE: Duration = Duration::from_hours(24);

/// What a contract keeps with a user and the core carries without reading.
pub type Attributes = BTreeMap<String, String>;

/// A user about to be created.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// Their id.
    pub id: UserId,
    /// The name space they live in.
    pub realm: Realm,
    /// What they are known by.
    pub identifier: Identifier,
    /// Whether they proved that the identifier is theirs.
    pub verified: bool,
    /// Their password, hashed.
    pub password: Option<PasswordHash>,
    /// What the contract keeps with them.
    pub attributes: Attributes,
    /// When they signed up.
    pub created_at: Timestamp,
    /// When they are gone unless they prove their identifier before; `None` for never.
    pub expires_at: Option<Timestamp>,
}

/// A user as the store has them.
#[derive(Clone, Debug)]
pub struct User {
    /// Their id.
    pub id: UserId,
    /// What they are known by.
    pub identifier: Identifier,
    /// Whether they proved that the identifier is theirs.
    pub verified: bool,
    /// What the contract keeps with them.
    pub attributes: Attributes,
}
