//! The ports for users that come from another system or move to one.

use super::PortError;
use crate::domain::id::UserId;
use crate::domain::identifier::IdentifierKind;
use crate::domain::realm::Realm;
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use async_trait::async_trait;

/// The most items of users, identifiers and arrivals, together, that one call of [`Imports::create`] takes (DynamoDB,
/// `TransactWriteItems`).
pub const MOST_IMPORTED_ITEMS: usize = 100;

/// What the store remembers of the users who came from another system, after they are deleted here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrivals {
    /// Nothing. Users come from files alone.
    Forgotten,
    /// Their ids. A file can bring a deleted user back.
    Kept,
    /// Their ids. A deleted user does not come back.
    Once,
}

/// What is stored in the place of a user that is imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportPlace {
    /// Nothing.
    Free,
    /// The user with the same id, realm and identifiers: the import is repeated.
    Present,
    /// A user with the same id that has another realm or other identifiers.
    IdTaken,
    /// An identifier of this kind that belongs to another user.
    Taken(IdentifierKind),
    /// Nothing, but the user came before and was deleted, and does not come back ([`Arrivals::Once`]).
    Departed,
}

/// Users that come from another system.
#[async_trait]
pub trait Imports: Send + Sync {
    /// Returns what is stored in the place of each user.
    async fn places(
        &self,
        users: &[&User],
        arrivals: Arrivals,
        now: Timestamp,
    ) -> Result<Vec<ImportPlace>, PortError>;

    /// Writes users with their identifiers and arrivals in one transaction, at most [`MOST_IMPORTED_ITEMS`]. They
    /// share no id and no identifier. Returns false, and writes nothing, if an id or an identifier is taken, or if
    /// a user came before that comes once.
    async fn create(
        &self,
        users: &[&User],
        arrivals: Arrivals,
        now: Timestamp,
    ) -> Result<bool, PortError>;

    /// Moves the sequence of a realm's integer ids beyond this one, so that no later user gets it.
    async fn reserve_ids(&self, realm: &Realm, highest: u32) -> Result<(), PortError>;
}

/// The password hashes that a sign-in can compare.
pub trait HashFormats: Send + Sync {
    /// Returns whether a hash has a known format and a cost below the limits.
    fn is_known(&self, hash: &str) -> bool;
}

/// Users in the order of the table, and where the next ones begin; `None` at the end.
#[derive(Debug)]
pub struct UserPage {
    pub users: Vec<User>,
    pub next: Option<UserId>,
}

/// All users, for their move to another system.
#[async_trait]
pub trait UserPages: Send + Sync {
    /// Reads users, of one contract or of all. A page can be empty although others follow. Users that are deleted
    /// unless they are verified are left out, and so are identifiers that are free again unless they are verified.
    async fn page(
        &self,
        contract: Option<&str>,
        after: Option<&UserId>,
        now: Timestamp,
    ) -> Result<UserPage, PortError>;
}
