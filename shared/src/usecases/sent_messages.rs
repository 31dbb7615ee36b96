//! Remembers the messages that carriers accepted.

use crate::domain::bill::Prices;
use crate::domain::delivery::{Blame, DeliveryReport, DeliveryStatus, MessageId, SentMessage};
use crate::domain::identifier::Identifier;
use crate::domain::outbox::transaction_of;
use crate::domain::time::Timestamp;
use crate::ports::{Deliveries, DeliveryEvents, Message, PortError, chain};
use std::sync::Arc;

/// What the relay remembers of sent messages, so that a carrier's report can be told to those who asked.
pub struct SentMessages {
    pub deliveries: Arc<dyn Deliveries>,
    pub events: Arc<dyn DeliveryEvents>,
    /// The price table, whose entries the metrics are counted by.
    pub prices: Prices,
}

impl SentMessages {
    /// Returns whether the recipient is left alone. If that cannot be read, it is not: a code that waits for the
    /// answer would come too late.
    pub(super) async fn is_suppressed(&self, recipient: &Identifier, now: Timestamp) -> bool {
        self.deliveries.is_suppressed(recipient, now).await.unwrap_or_else(|error| {
            tracing::warn!(
                error = chain(&error),
                "a message is sent without a look at its recipient"
            );
            false
        })
    }

    /// Remembers a message that a carrier accepted. A failure is logged and no more: the message is on its way, and
    /// an error would send it again.
    pub(super) async fn remember(
        &self,
        message: &Message,
        contract: &str,
        (carrier, carrier_id): (&str, String),
        now: Timestamp,
    ) {
        let sent = SentMessage {
            id: MessageId { carrier: carrier.to_owned(), id: carrier_id },
            contract: contract.to_owned(),
            name: message.name.clone(),
            recipient: message.recipient.clone(),
            group: self.prices.of(&message.recipient).0.to_owned(),
            request: transaction_of(&message.id).to_owned(),
            sent_at: now,
        };
        if let Err(error) = self.store(&sent).await {
            let error = chain(&error);
            tracing::error!(carrier, error, "a sent message was not remembered");
        }
    }

    async fn store(&self, sent: &SentMessage) -> Result<(), PortError> {
        let report = DeliveryReport {
            id: sent.id.clone(),
            status: DeliveryStatus::Sent,
            cause: None,
            blame: Blame::Open,
            at: sent.sent_at,
        };
        let event = self.events.event(sent, &report)?;
        self.deliveries.sent(sent, &event).await
    }
}
