//! The port that publishes events.

use super::PortError;
use crate::domain::event::EventMessage;
use async_trait::async_trait;

/// The event bus.
#[async_trait]
pub trait Events: Send + Sync {
    /// Publishes the events in one call and in this order.
    ///
    /// # Errors
    /// The bus did not accept every event. All of them have to be published again.
    async fn publish(&self, events: &[&EventMessage]) -> Result<(), PortError>;
}
