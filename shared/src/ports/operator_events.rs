//! The port for the events about what operators did.

use super::PortError;
use crate::domain::event::{EventIds, EventMessage};
use crate::domain::time::Timestamp;
use crate::domain::user::User;

/// What an operator did with a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperatorFact {
    Banned,
    Unbanned,
    Erased,
}

/// Writes the events about what operators did.
pub trait OperatorEvents: Send + Sync {
    /// The type of the event for a fact.
    fn detail_type(&self, fact: OperatorFact) -> &'static str;

    /// Returns the event for a fact about a user.
    ///
    /// # Errors
    /// The event could not be serialized, which is a defect.
    fn event(
        &self,
        user: &User,
        fact: OperatorFact,
        ids: &EventIds,
        at: Timestamp,
    ) -> Result<EventMessage, PortError>;
}
