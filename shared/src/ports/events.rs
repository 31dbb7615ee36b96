use super::PortError;
use crate::domain::event::EventMessage;
use async_trait::async_trait;

/// Publishes events.
#[async_trait]
pub trait Events: Send + Sync {
    /// Publishes the events in one call, in order.
    ///
    /// # Errors
    /// The bus did not take all of them: publish all of them again.
    async fn publish(&self, events: &[&EventMessage]) -> Result<(), PortError>;
}
