//! The port for what operators do with single people.

use super::PortError;
use crate::domain::attributes::Attributes;
use crate::domain::id::{DeviceId, UserId};
use crate::domain::identifier::Identifier;
use crate::domain::outbox::OutboxEntry;
use crate::domain::realm::Realm;
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use async_trait::async_trait;

/// A change of the ban of a user.
#[derive(Debug)]
pub struct BanChange {
    /// The user, as it was read.
    pub user: User,
    /// Whether the user is banned from now on.
    pub banned: bool,
    /// The devices whose push tokens are removed.
    pub silenced: Vec<DeviceId>,
    pub at: Timestamp,
    /// The effects to deliver.
    pub entry: OutboxEntry,
}

/// The outcome of [`People::change_ban`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BanOutcome {
    Changed,
    /// The user, an identifier or a device was changed after it was read, or the user is in the wanted
    /// state. Nothing was written.
    Reread,
}

/// A person: the user of a realm, or recipients without one.
#[derive(Clone, Debug)]
pub struct Person {
    pub realm: Realm,
    pub user: Option<UserId>,
    pub identifiers: Vec<Identifier>,
}

/// What happens to the credits of an erased user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LedgerPolicy {
    /// They stay for the accounts, under a random name that leads to no person.
    Anonymize,
    Delete,
}

/// The number of items that were deleted or changed, by table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Erased {
    pub sessions: usize,
    pub challenges: usize,
    pub budgets: usize,
    pub credits: usize,
    /// Sent messages, and recipients that are left alone.
    pub messages: usize,
    pub history: usize,
    /// Outbox entries that waited.
    pub waiting: usize,
    /// Outbox entries that the relay delivers at this moment. They are gone in a minute.
    pub in_delivery: usize,
}

/// The items about a person, by table, without hashes, nonces and keys.
pub type StoredParts = Vec<(&'static str, Vec<Attributes>)>;

/// What operators do with single people. Nothing scans a table, except the outbox, which is empty
/// unless something waits.
#[async_trait]
pub trait People: Send + Sync {
    /// Bans a user and ends the sessions, or ends the ban, in one transaction.
    async fn change_ban(&self, change: &BanChange) -> Result<BanOutcome, PortError>;

    /// Ends the pauses and counts of a person: of codes, passwords and undeliverable messages. Returns
    /// the number of items that were changed.
    async fn unlock(&self, person: &Person) -> Result<usize, PortError>;

    /// Deletes what is stored about a person, except the user, the identifiers and the devices. Outbox
    /// entries with an event of the type `tombstone` stay.
    async fn forget(
        &self,
        person: &Person,
        ledger: LedgerPolicy,
        tombstone: &str,
        now: Timestamp,
    ) -> Result<Erased, PortError>;

    /// Returns everything that is stored about a person.
    async fn stored(&self, person: &Person) -> Result<StoredParts, PortError>;
}
