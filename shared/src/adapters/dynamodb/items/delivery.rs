//! Items of the table Deliveries.

use super::value::{Item, as_text, as_time, purge_time, read, text, time};
use crate::domain::delivery::{Blame, DeliveryStatus, MessageId, Receipt, SentMessage};
use crate::domain::identifier::Identifier;
use crate::ports::{PortError, Suppression};

/// Returns the item of a message that a carrier accepted.
pub(crate) fn message_item(message: &SentMessage) -> Item {
    let recipient = &message.recipient;
    Item::from([
        ("delivery_id".to_owned(), text(message.id.key())),
        ("carrier".to_owned(), text(&message.id.carrier)),
        ("message_id".to_owned(), text(&message.id.id)),
        ("contract".to_owned(), text(&message.contract)),
        ("message".to_owned(), text(&message.name)),
        ("recipient_kind".to_owned(), text(recipient.kind().as_str())),
        ("recipient".to_owned(), text(recipient.as_str())),
        ("dial_code".to_owned(), text(&message.group)),
        ("request".to_owned(), text(&message.request)),
        ("sent_at".to_owned(), time(message.sent_at)),
        ("purge_at".to_owned(), purge_time(message.kept_until())),
    ])
}

/// Reads a message.
pub(crate) fn read_message(item: &Item) -> Result<SentMessage, PortError> {
    let own = |name: &'static str| read(item, name, as_text).map(str::to_owned);
    let recipient = Identifier::from_parts(&own("recipient_kind")?, &own("recipient")?);
    Ok(SentMessage {
        id: MessageId { carrier: own("carrier")?, id: own("message_id")? },
        contract: own("contract")?,
        name: own("message")?,
        recipient: recipient
            .ok_or_else(|| PortError::new("read a stored item", "bad recipient"))?,
        group: own("dial_code")?,
        request: own("request")?,
        sent_at: read(item, "sent_at", as_time)?,
    })
}

/// Reads what carriers reported of a message.
pub(crate) fn read_receipt(item: &Item) -> Result<Receipt, PortError> {
    let own = |name: &'static str| read(item, name, as_text).map(str::to_owned);
    let news = DeliveryStatus::REPORTED.into_iter().filter_map(|status| {
        Some((status, as_time(item.get(&format!("{}_at", status.as_str()))?)?))
    });
    let is_of = |blame: Blame| item.get("blame").and_then(as_text) == Some(blame.as_str());
    Ok(Receipt {
        id: MessageId { carrier: own("carrier")?, id: own("message_id")? },
        news: news.collect(),
        cause: item.get("cause").and_then(as_text).map(str::to_owned),
        blame: [Blame::Recipient, Blame::Account]
            .into_iter()
            .find(|blame| is_of(*blame))
            .unwrap_or(Blame::Open),
    })
}

/// Reads why and until when a recipient is left alone.
pub(crate) fn read_suppression(item: &Item) -> Option<Suppression> {
    let cause = item.get("cause").and_then(as_text).unwrap_or_default().to_owned();
    Some(Suppression { cause, until: as_time(item.get("suppressed_until")?)? })
}

/// `to#phone#+6282243350992`: the key of a recipient that is left alone.
pub(crate) fn suppression_key(recipient: &Identifier) -> String {
    format!("to#{}#{}", recipient.kind().as_str(), recipient.as_str())
}

/// Returns the item of a recipient that is left alone.
pub(crate) fn suppression_item(recipient: &Identifier, suppression: &Suppression) -> Item {
    Item::from([
        ("delivery_id".to_owned(), text(suppression_key(recipient))),
        ("cause".to_owned(), text(&suppression.cause)),
        ("suppressed_until".to_owned(), time(suppression.until)),
        ("purge_at".to_owned(), purge_time(suppression.until)),
    ])
}
