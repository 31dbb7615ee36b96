//! The outbox entry for a fact.

use crate::domain::event::{EventIds, Fact};
use crate::domain::outbox::{Effect, OutboxEntry};
use crate::domain::time::Timestamp;
use crate::ports::{Entropy, EventMapper, PortError, random};

/// Returns an outbox entry with the events for a fact and no other effects.
pub(super) fn announce(
    event_mapper: &dyn EventMapper,
    entropy: &dyn Entropy,
    fact: &Fact,
    at: Timestamp,
) -> Result<OutboxEntry, PortError> {
    let ids = EventIds::new(random(entropy)?);
    let events = event_mapper.events(fact, &ids)?;
    Ok(OutboxEntry::new(&ids, at, events.into_iter().map(Effect::Event).collect()))
}
