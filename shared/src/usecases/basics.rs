//! What nearly every use case needs.

use crate::domain::event::{EventIds, EventMessage, Fact};
use crate::domain::outbox::{Effect, OutboxEntry};
use crate::domain::test_numbers::TestNumbers;
use crate::domain::time::Timestamp;
use crate::ports::{Clock, Entropy, EventMapper, PortError, random};
use std::sync::Arc;

/// The clock, the random source, the mapping from facts to the events of the contract, and the test numbers,
/// whose users' events are marked.
#[derive(Clone)]
pub struct Basics {
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub event_mapper: Arc<dyn EventMapper>,
    pub test_numbers: TestNumbers,
}

impl Basics {
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) fn random<const N: usize>(&self) -> Result<[u8; N], PortError> {
        random(&*self.entropy)
    }

    /// Returns new ids for the events of one transaction.
    pub(super) fn event_ids(&self) -> Result<EventIds, PortError> {
        Ok(EventIds::new(self.random()?))
    }

    /// Returns the events for facts, in order.
    pub(super) fn events(&self, facts: &[Fact], ids: &EventIds) -> Result<Vec<Effect>, PortError> {
        let mut events = Vec::new();
        for fact in facts {
            let ids = ids.after(events.len()).marked(self.test_numbers.is_about(fact));
            let user = Some(fact.user());
            let of_fact = self.event_mapper.events(fact, &ids)?.into_iter();
            events.extend(
                of_fact.map(|event| Effect::Event(EventMessage { user: user.cloned(), ..event })),
            );
        }
        Ok(events)
    }

    /// Returns an outbox entry with the events for facts and no other effects.
    pub(super) fn announce(&self, facts: &[Fact], at: Timestamp) -> Result<OutboxEntry, PortError> {
        let ids = self.event_ids()?;
        Ok(OutboxEntry::new(&ids, at, self.events(facts, &ids)?))
    }
}
