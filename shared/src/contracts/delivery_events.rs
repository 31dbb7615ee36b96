//! The events about messages after a carrier accepted them. They belong to no contract; their schemas are in
//! `shared/docs/events/latchkey/`.

use super::envelope::{date_time, message_without_user};
use crate::domain::delivery::{DeliveryReport, DeliveryStatus, SentMessage};
use crate::domain::identifier::Identifier;
use crate::ports::{DeliveryEvent, DeliveryEvents, PortError};
use serde::Serialize;

/// The source of the events.
pub(super) const SOURCE: &str = "latchkey";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MessageNews<'a> {
    contract: &'a str,
    message: &'a str,
    channel: &'static str,
    dial_code: Option<&'a str>,
    carrier: &'a str,
    message_id: &'a str,
    request_correlation_id: &'a str,
    #[serde(flatten)]
    failure: Option<Failure<'a>>,
    occurred_at: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Failure<'a> {
    cause: Option<&'a str>,
    blame: &'static str,
}

/// Writes the events about messages.
#[derive(Clone, Copy, Debug)]
pub struct LatchkeyEvents;

/// The detail type of an event.
const fn detail_type(status: DeliveryStatus) -> &'static str {
    match status {
        DeliveryStatus::Sent => "MESSAGE_SENT",
        DeliveryStatus::Delivered => "MESSAGE_DELIVERED",
        DeliveryStatus::Failed => "MESSAGE_FAILED",
        DeliveryStatus::Bounced => "MESSAGE_BOUNCED",
        DeliveryStatus::Complained => "MESSAGE_COMPLAINED",
    }
}

fn failure(report: &DeliveryReport) -> Option<Failure<'_>> {
    let blame = report.blame.as_str();
    match report.status {
        DeliveryStatus::Sent | DeliveryStatus::Delivered => None,
        DeliveryStatus::Failed | DeliveryStatus::Bounced | DeliveryStatus::Complained => {
            Some(Failure { cause: report.cause.as_deref(), blame })
        }
    }
}

impl DeliveryEvents for LatchkeyEvents {
    fn event(
        &self,
        sent: &SentMessage,
        report: &DeliveryReport,
    ) -> Result<DeliveryEvent, PortError> {
        let (channel, dial_code) = match &sent.recipient {
            Identifier::Phone(_) => ("sms", Some(sent.group.as_str())),
            Identifier::Email(_) | Identifier::Username(_) | Identifier::Card(_) => ("email", None),
        };
        let news = MessageNews {
            contract: &sent.contract,
            message: &sent.name,
            channel,
            dial_code,
            carrier: &sent.id.carrier,
            message_id: &sent.id.id,
            request_correlation_id: &sent.request,
            failure: failure(report),
            occurred_at: date_time(report.at),
        };
        let ids = sent.id.event_ids(report.status);
        let event =
            message_without_user((SOURCE, detail_type(report.status)), news, &ids, report.at)?;
        Ok(DeliveryEvent { entry: ids.correlation_id(), event })
    }
}
