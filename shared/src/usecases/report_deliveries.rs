//! Takes what carriers say of messages that they accepted.

use crate::domain::delivery::{Blame, DeliveryReport, DeliveryStatus, SentMessage};
use crate::domain::identifier::Identifier;
use crate::ports::{
    Clock, Deliveries, DeliveryEvents, MetricEvent, PortError, Suppression, record_metric,
    record_metric_of_group,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Publishes reports as events, counts them, and leaves recipients alone that cannot be reached.
pub struct ReportDeliveries {
    pub deliveries: Arc<dyn Deliveries>,
    pub events: Arc<dyn DeliveryEvents>,
    /// How long a recipient is left alone; `None` for not at all.
    pub suppress_for: Option<Duration>,
    pub clock: Arc<dyn Clock>,
}

/// What became of the reports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reported {
    /// The reports that said something new.
    pub new: usize,
    /// The reports that say what an earlier one said.
    pub repeated: usize,
    /// The reports about messages that this stack did not send, or sent too long ago.
    pub unknown: usize,
}

impl ReportDeliveries {
    /// Takes reports. They may come several times and in any order.
    ///
    /// # Errors
    /// The store failed. All reports have to come again.
    pub async fn run(&self, reports: &[DeliveryReport]) -> Result<Reported, PortError> {
        let mut ids: Vec<_> = reports.iter().map(|report| report.id.clone()).collect();
        ids.sort();
        ids.dedup();
        let found = self.deliveries.find(&ids).await?;
        let known: BTreeMap<_, _> =
            found.into_iter().map(|message| (message.id.clone(), message)).collect();
        let mut reported = Reported::default();
        for report in reports {
            let count = match known.get(&report.id) {
                None => &mut reported.unknown,
                Some(message) if self.take(message, report).await? => &mut reported.new,
                Some(_) => &mut reported.repeated,
            };
            *count = count.saturating_add(1);
        }
        Ok(reported)
    }

    /// Ends the time for which a recipient is left alone. Returns whether it was.
    ///
    /// # Errors
    /// The store failed.
    pub async fn lift(&self, recipient: &Identifier) -> Result<bool, PortError> {
        self.deliveries.lift(recipient).await
    }

    /// Takes one report. Returns whether it says something new.
    async fn take(
        &self,
        message: &SentMessage,
        report: &DeliveryReport,
    ) -> Result<bool, PortError> {
        let now = self.clock.now();
        let suppression = self.suppression(report).filter(|it| it.until > now);
        let event = self.events.event(message, report)?;
        let reported = self.deliveries.reported(message, report, &event, suppression.as_ref(), now);
        if !reported.await? {
            return Ok(false);
        }
        let contract = Some(message.contract.as_str());
        let metric = match report.status {
            DeliveryStatus::Delivered => Some(MetricEvent::MessageDelivered),
            DeliveryStatus::Failed | DeliveryStatus::Bounced => {
                Some(MetricEvent::MessageUndelivered)
            }
            DeliveryStatus::Sent | DeliveryStatus::Complained => None,
        };
        if let Some(metric) = metric {
            record_metric_of_group(contract, &message.group, metric);
        }
        if report.blame == Blame::Account {
            record_metric(contract, MetricEvent::SenderRefused);
            let (carrier, cause) = (&message.id.carrier, &report.cause);
            tracing::error!(carrier, cause, "a carrier does not deliver what the account sends");
        }
        Ok(true)
    }

    /// Returns until when the recipient is left alone because of a report.
    fn suppression(&self, report: &DeliveryReport) -> Option<Suppression> {
        let span = self.suppress_for.filter(|_| report.blame == Blame::Recipient)?;
        let cause = report.cause.as_deref().unwrap_or(report.status.as_str());
        Some(Suppression { cause: cause.to_owned(), until: report.at.plus(span) })
    }
}
