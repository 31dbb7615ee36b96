//! Events on an EventBridge bus.

use super::aws::{Aws, RetryMode, client, port_error};
use crate::domain::event::EventMessage;
use crate::ports::{Events, PortError, RejectedEvent};
use async_trait::async_trait;
use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::primitives::DateTime;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;

/// An EventBridge bus.
pub struct EventBridgeEvents {
    client: Client,
    bus: String,
}

impl EventBridgeEvents {
    /// Creates the adapter for the bus `bus` (a name or an ARN).
    #[must_use]
    pub fn new(aws: &Aws, bus: String) -> Self {
        Self { client: client!(aws_sdk_eventbridge, aws, "EVENTBRIDGE", RetryMode::Retry), bus }
    }
}

#[async_trait]
impl Events for EventBridgeEvents {
    async fn publish(&self, events: &[&EventMessage]) -> Result<Vec<RejectedEvent>, PortError> {
        let entries = events.iter().map(|event| {
            PutEventsRequestEntry::builder()
                .event_bus_name(&self.bus)
                .source(&event.source)
                .detail_type(&event.detail_type)
                .detail(&event.detail)
                .time(DateTime::from_millis(event.occurred_at.as_millis()))
                .build()
        });
        let put = self.client.put_events().set_entries(Some(entries.collect()));
        let answer = put.send().await.map_err(|error| port_error("publish events", &error))?;
        // An answer with status 200 may contain entries that were not accepted.
        let rejected = answer.entries().iter().enumerate().filter_map(|(place, entry)| {
            Some(RejectedEvent { place, reason: entry.error_code()?.to_owned() })
        });
        Ok(rejected.collect())
    }
}
