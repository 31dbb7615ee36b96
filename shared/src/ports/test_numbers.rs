//! The port that writes the event about a test number.

use super::PortError;
use crate::domain::event::EventMessage;
use crate::domain::outbox::CodeMessage;
use crate::domain::test_numbers::TestNumber;

/// Writes the event that a code was asked for a test number.
pub trait TestNumberEvents: Send + Sync {
    /// Returns the event about a code of the outbox entry with this id. It is the same each time.
    ///
    /// # Errors
    /// The event could not be serialized, which is a defect.
    fn used(
        &self,
        entry_id: &str,
        code: &CodeMessage,
        number: &TestNumber,
    ) -> Result<EventMessage, PortError>;
}
