use crate::domain::event::{EventIds, Fact};
use crate::domain::outbox::{Effect, OutboxEntry};
use crate::domain::time::Timestamp;
use crate::ports::{Entropy, EventMapper, PortError, random};

/// The outbox entry of a transaction whose one effect is that others are told of a fact.
///
/// # Errors
/// No random bytes were to be had, or the contract could not spell the fact.
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
