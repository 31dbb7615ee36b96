//! The port for the outbox, which holds effects to deliver.

use super::PortError;
use crate::domain::outbox::{EntryKind, OutboxEntry, Segment, Shard};
use crate::domain::time::Timestamp;
use async_trait::async_trait;
use std::collections::BTreeMap;

/// Outbox entries that wait for delivery.
#[derive(Debug, Default)]
pub struct WaitingEntries {
    pub entries: Vec<OutboxEntry>,
    /// The ids of entries that could not be read, because a newer version of this program wrote
    /// them. They do not hold up the other entries.
    pub unreadable: Vec<String>,
    /// Where the next page begins, if there is one.
    pub next: Option<DuePlace>,
    /// The carriers that are left alone; `None` if no entry was read.
    pub paused: Option<PausedCarriers>,
}

/// The carriers that every process of the relay leaves alone, by name, each with the end of its pause.
pub type PausedCarriers = BTreeMap<String, Timestamp>;

/// A change of the pause of a carrier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PauseChange {
    pub carrier: String,
    /// The end of the pause as this process knows it; `None` if there is none.
    pub from: Option<Timestamp>,
    /// Its new end; `None` ends the pause.
    pub to: Option<Timestamp>,
}

/// A place in a shard, between entries that are ordered by the time at which they are due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueEntry {
    pub due_at: Timestamp,
    pub id: String,
}

/// Where a sweep looks for due entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DuePlace {
    /// A shard, from its oldest entry or after this one. Entries are in their shards after their first try.
    Shard(Shard, Option<DueEntry>),
    /// The entries of a kind that are in no shard, because no try of them ended, in a segment of the table, from
    /// its beginning or after the entry with this id.
    Untried(EntryKind, Segment, Option<String>),
}

/// An entry that failed so often that it waits for an operator. It shows nothing of its effects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParkedEntry {
    pub id: String,
    pub written_at: Timestamp,
    pub parked_at: Timestamp,
    pub tries: u32,
    /// The error of the last try, with its causes.
    pub error: String,
    /// The kinds of the effects: `code`, `link` or the type of an event.
    pub effects: Vec<String>,
}

/// The effects to deliver.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Returns the entries with these ids that still exist and are not parked, in any order.
    async fn find(&self, ids: &[String]) -> Result<WaitingEntries, PortError>;

    /// Returns a page of the entries at a place that are due before `before`, in any order. A page can be
    /// empty and have a next one.
    async fn due(&self, place: DuePlace, before: Timestamp) -> Result<WaitingEntries, PortError>;

    /// Claims an entry until `until`, if no process has a claim on it at `now`, and none made a try since
    /// the entry was read: it may have sent a part. Returns whether this call has the claim. A repeated request whose reply was lost has it, too.
    async fn claim(
        &self,
        entry: &OutboxEntry,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<bool, PortError>;

    /// Makes an entry due at `due_at`, if no process has a claim on it at `now`, and none made a try since it
    /// was read. Returns whether it did.
    async fn defer(
        &self,
        entry: &OutboxEntry,
        due_at: Timestamp,
        now: Timestamp,
    ) -> Result<bool, PortError>;

    /// Deletes a delivered entry. Succeeds if the entry does not exist any more.
    async fn delete(&self, id: &str) -> Result<(), PortError>;

    /// Stores what is left of an entry, its tries, the time of the next one and the error, and gives
    /// the claim back. Does nothing if the entry does not exist any more.
    async fn postpone(&self, entry: &OutboxEntry, error: &str) -> Result<(), PortError>;

    /// The same for an entry that no try is made of until an operator releases it.
    async fn park(&self, entry: &OutboxEntry, error: &str, at: Timestamp) -> Result<(), PortError>;

    /// Returns the parked entries, at most 100.
    async fn parked(&self) -> Result<Vec<ParkedEntry>, PortError>;

    /// Makes a parked entry due at once, with all its tries. Returns whether it was parked.
    async fn release(&self, id: &str, at: Timestamp) -> Result<bool, PortError>;

    /// Changes the pause of a carrier, if no process changed it since. Returns the end of the pause that
    /// holds then.
    async fn change_pause(&self, change: &PauseChange) -> Result<Option<Timestamp>, PortError>;

    /// Deletes a parked entry undelivered. Returns whether it was parked.
    async fn drop_parked(&self, id: &str) -> Result<bool, PortError>;
}
