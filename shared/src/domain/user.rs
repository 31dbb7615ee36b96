//! Users.

use super::id::UserId;
use super::identifier::Identifier;
use super::password::PasswordHash;
use super::realm::Realm;
use super::time::Timestamp;
use std::collections::BTreeMap;

/// What a contract keeps with a user and the core carries without reading.
pub type Attributes = BTreeMap<&'static str, String>;

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
}
