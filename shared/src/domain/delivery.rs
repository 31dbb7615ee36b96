//! What became of a message after a carrier accepted it.

use super::event::EventIds;
use super::history::HISTORY_LIFETIME;
use super::identifier::Identifier;
use super::time::Timestamp;
use ring::digest::{SHA256, digest};
use std::time::Duration;

/// How long the record of a message is kept: as long as the history that shows it. A complaint about a mail comes
/// when a person makes it.
const RECORD_LIFETIME: Duration = HISTORY_LIFETIME;

/// The id that a carrier gave a message. Two carriers may give the same one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MessageId {
    /// The name of the carrier.
    pub carrier: String,
    pub id: String,
}

/// A message that a carrier accepted.
#[derive(Clone, Debug)]
pub struct SentMessage {
    pub id: MessageId,
    pub contract: String,
    /// The name of the text, such as `gotu.sign_up`.
    pub name: String,
    pub recipient: Identifier,
    /// The entry of the price table that it counts for: a dial code, `mail` or `other`.
    pub group: String,
    /// The id that the events of the transaction share which asked for the message.
    pub request: String,
    pub sent_at: Timestamp,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryStatus {
    /// The carrier accepted it.
    Sent,
    /// It reached the phone's network or the mail server of the recipient.
    Delivered,
    /// It did not.
    Failed,
    /// The mail server of the recipient returned it.
    Bounced,
    /// The recipient marked it as unwanted.
    Complained,
}

/// Whose matter it is that a message did not arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// It may arrive the next time.
    Open,
    /// The recipient cannot be reached, or does not want to be.
    Recipient,
    /// The account must be changed, for example because its money for the month is spent.
    Account,
}

/// What a carrier says of a message that it accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryReport {
    pub id: MessageId,
    pub status: DeliveryStatus,
    /// The carrier's words or codes for the cause, without the recipient.
    pub cause: Option<String>,
    pub blame: Blame,
    pub at: Timestamp,
}

/// What carriers reported of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    pub id: MessageId,
    /// Each status, but that it was sent, with its time.
    pub news: Vec<(DeliveryStatus, Timestamp)>,
    /// The carrier's words or codes for the cause.
    pub cause: Option<String>,
    pub blame: Blame,
}

impl SentMessage {
    /// Returns the time until which the record of the message is kept.
    #[must_use]
    pub fn kept_until(&self) -> Timestamp {
        self.sent_at.plus(RECORD_LIFETIME)
    }
}

impl MessageId {
    /// Returns the id with the name of its carrier, such as `sns#4f1c…`.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}#{}", self.carrier, self.id)
    }

    /// Returns the ids of the event with this news of the message. They are the same each time, so a report that
    /// comes again causes no other event.
    #[must_use]
    pub fn event_ids(&self, status: DeliveryStatus) -> EventIds {
        let hash = digest(&SHA256, format!("{}#{}", self.key(), status.as_str()).as_bytes());
        let mut random = [0; 16];
        random.iter_mut().zip(hash.as_ref()).for_each(|(byte, hash)| *byte = *hash);
        EventIds::new(random)
    }
}

impl Blame {
    /// The name in storage and in events.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Recipient => "recipient",
            Self::Account => "account",
        }
    }
}

impl DeliveryStatus {
    /// What a carrier can report of a message that it accepted.
    pub const REPORTED: [Self; 4] =
        [Self::Delivered, Self::Failed, Self::Bounced, Self::Complained];

    /// The name in storage.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Bounced => "bounced",
            Self::Complained => "complained",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_news_of_a_message_has_ids_of_its_own_that_can_be_repeated() {
        let id = |carrier: &str, id: &str| MessageId { carrier: carrier.into(), id: id.into() };
        let ids = |id: MessageId, status| id.event_ids(status).event_id(1);
        let sent = ids(id("sns", "1"), DeliveryStatus::Sent);
        assert_eq!(sent, ids(id("sns", "1"), DeliveryStatus::Sent));
        for (other, status) in [
            (id("sns", "1"), DeliveryStatus::Delivered),
            (id("sns", "2"), DeliveryStatus::Sent),
            (id("mail", "1"), DeliveryStatus::Sent),
        ] {
            assert_ne!(sent, ids(other, status));
        }
    }
}
