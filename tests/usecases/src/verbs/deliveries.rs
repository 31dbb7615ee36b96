//! What carriers report of messages.

use crate::Core;
use crate::contract::PlainDeliveryEvents;
use dynoxide::AttributeValue;
use latchkey::domain::delivery::{Blame, DeliveryReport, DeliveryStatus, MessageId};
use latchkey::domain::identifier::Identifier;
use latchkey::ports::{Clock as _, PortError};
use latchkey::usecases::{ReportDeliveries, Reported, SentMessages};
use std::sync::Arc;
use std::time::Duration;

/// How long a recipient that cannot be reached is left alone.
pub const SUPPRESSION: Duration = Duration::from_hours(24);

impl Core {
    /// Returns the core of a stack whose carriers report what became of messages.
    #[must_use]
    pub fn with_reports(&self) -> Self {
        let mut core = self.clone();
        core.reports = true;
        core
    }

    pub(crate) fn sent_messages(&self) -> Option<SentMessages> {
        self.reports.then(|| SentMessages {
            deliveries: Arc::clone(&self.store) as _,
            events: Arc::new(PlainDeliveryEvents),
            prices: self.rules.bill.prices.clone(),
        })
    }

    fn report_deliveries(&self) -> ReportDeliveries {
        ReportDeliveries {
            deliveries: Arc::clone(&self.store) as _,
            events: Arc::new(PlainDeliveryEvents),
            suppress_for: Some(SUPPRESSION),
            clock: self.clock_port(),
        }
    }

    /// Returns a report of now about the message that a carrier gave this id.
    pub fn report(&self, carrier: &str, id: &str, status: DeliveryStatus) -> DeliveryReport {
        let id = MessageId { carrier: carrier.to_owned(), id: id.to_owned() };
        DeliveryReport { id, status, cause: None, blame: Blame::Open, at: self.clock.now() }
    }

    /// Takes reports.
    pub async fn take_reports(&self, reports: &[DeliveryReport]) -> Result<Reported, PortError> {
        self.report_deliveries().run(reports).await
    }

    /// Lets a recipient get messages again. Returns whether it was left alone.
    pub async fn lift(&self, recipient: &Identifier) -> bool {
        self.report_deliveries().lift(recipient).await.expect("the store")
    }

    /// Returns the keys of the items about messages and recipients, sorted.
    pub fn delivery_keys(&self) -> Vec<String> {
        let items = self.database.items("Deliveries");
        let keys = items.iter().map(|item| match item.get("delivery_id") {
            Some(AttributeValue::S(key)) => key.clone(),
            other => panic!("{other:?} is not a key"),
        });
        let mut keys: Vec<_> = keys.collect();
        keys.sort();
        keys
    }

    /// Makes every call about messages and recipients fail.
    pub fn lose_deliveries(&self) {
        self.database.drop_table("Deliveries");
    }
}
