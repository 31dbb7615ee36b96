//! Publishes the events of several outbox entries in one call.

use super::breakers::Line;
use super::deliver_effects::{
    AT_ONCE, By, DeliverEffects, Delivery, Failures, LeftEntry, Undelivered,
};
use crate::domain::event::EventMessage;
use crate::domain::outbox::{Effect, OutboxEntry};
use crate::ports::{MOST_EVENTS, PortError, RejectedEvent};
use futures_util::future::{join, join_all};
use futures_util::{StreamExt as _, stream};

/// The most bytes of one call, without the names: EventBridge takes 256 KiB.
const MOST_BYTES: usize = 200 * 1024;

/// Entries whose events go to the bus in one call. They have the same source.
#[derive(Default)]
struct Batch {
    entries: Vec<OutboxEntry>,
    events: usize,
    bytes: usize,
}

impl Batch {
    /// Returns whether the events of an entry fit into the same call. Those of one entry always do.
    fn has_room_for(&self, entry: &OutboxEntry) -> bool {
        let (source, events, bytes) = size(entry);
        let same = self.entries.last().is_none_or(|last| size(last).0 == source);
        let is_empty = self.entries.is_empty();
        let is_small = self.events.saturating_add(events) <= MOST_EVENTS
            && self.bytes.saturating_add(bytes) <= MOST_BYTES;
        is_empty || (same && is_small)
    }

    fn add(&mut self, entry: OutboxEntry) {
        let (_, events, bytes) = size(&entry);
        self.events = self.events.saturating_add(events);
        self.bytes = self.bytes.saturating_add(bytes);
        self.entries.push(entry);
    }
}

/// The source, the number and the bytes of the events of an entry.
fn size(entry: &OutboxEntry) -> (&str, usize, usize) {
    let source = events(entry).next().map_or("", |event| event.source.as_str());
    let bytes = events(entry).map(|event| event.detail.len()).sum();
    (source, events(entry).count(), bytes)
}

fn events(entry: &OutboxEntry) -> impl Iterator<Item = &EventMessage> {
    entry.effects.iter().filter_map(Effect::as_event)
}

/// Puts entries into batches. The events of an entry stay together and in their order.
fn batches(mut entries: Vec<OutboxEntry>) -> Vec<Batch> {
    entries.sort_by(|one, other| size(one).0.cmp(size(other).0));
    let mut batches: Vec<Batch> = Vec::new();
    for entry in entries {
        match batches.last_mut() {
            Some(batch) if batch.has_room_for(&entry) => batch.add(entry),
            _ => {
                let mut batch = Batch::default();
                batch.add(entry);
                batches.push(batch);
            }
        }
    }
    batches
}

impl DeliverEffects {
    /// Publishes the events of entries that have no messages, and returns the entries that are left.
    pub(super) async fn publish_entries(
        &self,
        entries: Vec<OutboxEntry>,
        by: By,
    ) -> Vec<LeftEntry> {
        let begun = stream::iter(entries).map(async |entry| {
            let begun = match (self.broken_off(&entry), by) {
                (Some(until), by) => self.defer(&entry, until, by).await.map(Some),
                // An event may be published twice, so its first try needs no claim.
                (None, By::Stream) => Ok(None),
                (None, By::Sweep { .. }) => {
                    self.claim(&entry).await.map(|has| (!has).then_some(Delivery::Claimed))
                }
            };
            (entry, begun)
        });
        let (mut claimed, mut left) = (Vec::new(), Vec::new());
        for (entry, begun) in begun.buffer_unordered(AT_ONCE).collect::<Vec<_>>().await {
            match begun.transpose() {
                None => claimed.push(entry),
                Some(ended) => left.extend(self.left(entry.id, entry.written_at, ended)),
            }
        }
        let batches = join_all(batches(claimed).into_iter().map(|batch| self.publish_batch(batch)));
        left.extend(batches.await.into_iter().flatten());
        left
    }

    async fn publish_batch(&self, batch: Batch) -> Vec<LeftEntry> {
        let results = match self.publish(&batch.entries).await {
            // One entry that the bus cannot read must not hold up the others. Each has a call of its own,
            // unless the breaker is open now.
            Err(first) if batch.entries.len() > 1 => {
                let first = Failures::from(first);
                let mut results = Vec::new();
                for entry in &batch.entries {
                    let alone = self.publish(std::slice::from_ref(entry)).await;
                    results.push(match alone.map_err(Failures::from) {
                        Ok(mut all) => all.pop().unwrap_or_default(),
                        // The breaker opened meanwhile: the call of all was the try.
                        Err(failures) if failures.is_broken_off() => first.clone(),
                        Err(failures) => failures,
                    });
                }
                results
            }
            Err(failure) => vec![Failures::from(failure)],
            Ok(results) => results,
        };
        let ends = batch.entries.into_iter().zip(results).map(async |(entry, failures)| {
            let (id, written_at) = (entry.id.clone(), entry.written_at);
            let delivered = if failures.is_none() {
                let deleted = self.outbox.delete(&id);
                let (deleted, ()) = join(deleted, self.note_events(&entry)).await;
                deleted.map(|()| Delivery::Done)
            } else {
                // All of its events come again, so that they stay in their order.
                self.keep(entry, &failures).await
            };
            self.left(id, written_at, delivered)
        });
        join_all(ends).await.into_iter().flatten().collect()
    }

    /// Publishes the events of entries in one call. Returns what failed of each entry.
    async fn publish(&self, entries: &[OutboxEntry]) -> Result<Vec<Failures>, Undelivered> {
        let all: Vec<_> = entries.iter().flat_map(events).collect();
        let rejected = self.publish_from_one(&all).await?;
        let mut start = 0_usize;
        let failures = entries.iter().map(|entry| {
            let end = start.saturating_add(events(entry).count());
            let mut failures = Failures::default();
            let its = rejected.iter().filter(|event| (start..end).contains(&event.place));
            its.for_each(|event| failures.add(rejection(event)));
            start = end;
            failures
        });
        Ok(failures.collect())
    }

    /// Publishes the events of one entry, all or none: one that the bus rejects makes all of them come
    /// again, so that they stay in their order.
    pub(super) async fn publish_together(&self, effects: &[Effect]) -> Result<(), Undelivered> {
        let events: Vec<_> = effects.iter().filter_map(Effect::as_event).collect();
        let rejected = self.publish_from_one(&events).await?;
        rejected.first().map_or(Ok(()), |event| Err(rejection(event)))
    }

    /// Makes a call with events of one source. A bus that accepts none of them has failed.
    async fn publish_from_one(
        &self,
        events: &[&EventMessage],
    ) -> Result<Vec<RejectedEvent>, Undelivered> {
        let Some(first) = events.first() else { return Ok(Vec::new()) };
        let call = async {
            let rejected = self.events.publish(events).await?;
            match rejected.first() {
                Some(first) if rejected.len() == events.len() => {
                    Err(PortError::new("publish events", first.reason.clone()))
                }
                _ => Ok(rejected),
            }
        };
        self.guarded(Line::of_events(first), call).await
    }
}

fn rejection(event: &RejectedEvent) -> Undelivered {
    PortError::new("publish an event", event.reason.clone()).into()
}
