//! Items of the table Histories.

use super::value::{
    Item, as_flag, as_number, as_text, as_time, flag, purge_time, read, text, time,
};
use crate::domain::challenge::{Lane, Purpose};
use crate::domain::history::{
    Counted, HISTORY_LIFETIME, Happening, HistoryItem, MessageHistory, MessageKind, MessageOutcome,
    Withheld,
};
use crate::domain::time::Timestamp;
use crate::ports::PortError;
use aws_sdk_dynamodb::types::AttributeValue;

/// The digits of the transaction's id that a sort key has.
const SHORT_ID: usize = 8;

fn instant(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_millisecond(at.as_millis()).unwrap_or_default();
    format!("{at:.3}")
}

/// `2026-11-28T13:05:01.120Z#0f8e1a52`: the sort key of what happened once.
fn once_key(item: &HistoryItem) -> String {
    let id: String = item.transaction.iter().flat_map(|id| id.chars()).take(SHORT_ID).collect();
    format!("{}#{id}", instant(item.at))
}

/// `2026-11-28#guess#code`: the sort key of what is counted on a day.
pub(crate) fn day_key(what: Counted, at: Timestamp) -> String {
    let day: String = instant(at).chars().take(10).collect();
    format!("{day}#{}", what.as_str())
}

/// Returns when an item of now is deleted.
pub(crate) fn history_end(at: Timestamp) -> AttributeValue {
    purge_time(at.plus(HISTORY_LIFETIME))
}

/// Returns the item of what happened once. What is counted has no item of its own here.
pub(crate) fn history_item(subject: &str, item: &HistoryItem) -> Item {
    let mut stored = Item::from([
        ("subject".to_owned(), text(subject)),
        ("at".to_owned(), text(once_key(item))),
        ("happened_at".to_owned(), time(item.at)),
        ("purge_at".to_owned(), history_end(item.at)),
    ]);
    if let Some(transaction) = &item.transaction {
        stored.insert("request".to_owned(), text(transaction));
    }
    match &item.what {
        Happening::Message(message) => stored.extend(message_attributes(message)),
        Happening::Events(types) => {
            let types = types.iter().map(text).collect();
            stored.insert("events".to_owned(), AttributeValue::L(types));
        }
        Happening::Times(..) => {}
    }
    stored
}

fn message_attributes(message: &MessageHistory) -> Item {
    let mut item = Item::from([
        ("message".to_owned(), text(message.kind.as_str())),
        ("purpose".to_owned(), text(message.purpose.as_str())),
        ("lane".to_owned(), text(message.lane.as_str())),
        ("settled_at".to_owned(), time(message.settled_at)),
    ]);
    let mut put = |name: &str, value: AttributeValue| drop(item.insert(name.to_owned(), value));
    match &message.outcome {
        MessageOutcome::Sent { carrier, id } | MessageOutcome::Notified { carrier, id } => {
            put("carrier", text(carrier));
            if let Some(id) = id {
                put("message_id", text(id));
            }
        }
        MessageOutcome::Refused { carrier, words } => {
            put("carrier", text(carrier));
            put("words", text(words));
        }
        MessageOutcome::Withheld(Some(reason)) => put("reason", text(reason.as_str())),
        MessageOutcome::Waits { account } => put("account", flag(*account)),
        MessageOutcome::Withheld(None)
        | MessageOutcome::LeftAlone
        | MessageOutcome::Replaced
        | MessageOutcome::Ended
        | MessageOutcome::Dropped => {}
    }
    put("outcome", text(outcome_name(&message.outcome)));
    item
}

const fn outcome_name(outcome: &MessageOutcome) -> &'static str {
    match outcome {
        MessageOutcome::Sent { .. } => "sent",
        MessageOutcome::Notified { .. } => "notified",
        MessageOutcome::Refused { .. } => "refused",
        MessageOutcome::LeftAlone => "left_alone",
        MessageOutcome::Withheld(_) => "withheld",
        MessageOutcome::Replaced => "replaced",
        MessageOutcome::Ended => "ended",
        MessageOutcome::Dropped => "dropped",
        MessageOutcome::Waits { .. } => "waits",
    }
}

fn read_outcome(item: &Item) -> Result<MessageOutcome, PortError> {
    let own = |name: &'static str| read(item, name, as_text).map(str::to_owned);
    let id = || item.get("message_id").and_then(as_text).map(str::to_owned);
    Ok(match read(item, "outcome", as_text)? {
        "sent" => MessageOutcome::Sent { carrier: own("carrier")?, id: id() },
        "notified" => MessageOutcome::Notified { carrier: own("carrier")?, id: id() },
        "refused" => MessageOutcome::Refused { carrier: own("carrier")?, words: own("words")? },
        "left_alone" => MessageOutcome::LeftAlone,
        "withheld" => {
            let reason = item.get("reason").and_then(as_text);
            MessageOutcome::Withheld(reason.and_then(Withheld::from_name))
        }
        "replaced" => MessageOutcome::Replaced,
        "ended" => MessageOutcome::Ended,
        "dropped" => MessageOutcome::Dropped,
        "waits" => MessageOutcome::Waits { account: read(item, "account", as_flag)? },
        _ => return Err(PortError::new("read a stored item", "unknown outcome")),
    })
}

/// Reads an item; `None` for one that this version does not know.
pub(crate) fn read_history(item: &Item) -> Result<Option<HistoryItem>, PortError> {
    let at = read(item, "happened_at", as_time)?;
    let transaction = item.get("request").and_then(as_text).map(str::to_owned);
    let counted = || {
        let (_, name) = item.get("at").and_then(as_text)?.split_once('#')?;
        Some(Happening::Times(Counted::from_name(name)?, item.get("times").and_then(as_number)?))
    };
    let what = if let Some(events) = item.get("events").and_then(|value| value.as_l().ok()) {
        let types = events.iter().filter_map(as_text).map(str::to_owned);
        Some(Happening::Events(types.collect()))
    } else if item.contains_key("message") {
        let kind = read(item, "message", |value| MessageKind::from_name(as_text(value)?))?;
        let lane = read(item, "lane", |value| Lane::from_name(as_text(value)?))?;
        Some(Happening::Message(MessageHistory {
            kind,
            purpose: read(item, "purpose", |value| Purpose::from_name(as_text(value)?))?,
            lane,
            asked_at: at,
            settled_at: read(item, "settled_at", as_time)?,
            outcome: read_outcome(item)?,
        }))
    } else {
        counted()
    };
    Ok(what.map(|what| HistoryItem { at, transaction, what }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(outcome: MessageOutcome) -> HistoryItem {
        let at = Timestamp::from_millis(1_795_842_301_120);
        let what = Happening::Message(MessageHistory {
            kind: MessageKind::Code,
            purpose: Purpose::SignUp,
            lane: Lane::Strangers,
            asked_at: at,
            settled_at: at,
            outcome,
        });
        HistoryItem { at, transaction: Some("0f8e1a52-1111".to_owned()), what }
    }

    #[test]
    fn each_outcome_reads_back() {
        let (carrier, id) = ("sns".to_owned(), Some("m".to_owned()));
        let reasons = Withheld::ALL.map(|reason| MessageOutcome::Withheld(Some(reason)));
        let others = [
            MessageOutcome::Sent { carrier: carrier.clone(), id: id.clone() },
            MessageOutcome::Sent { carrier: carrier.clone(), id: None },
            MessageOutcome::Notified { carrier: carrier.clone(), id },
            MessageOutcome::Refused { carrier, words: "OptedOut".to_owned() },
            MessageOutcome::LeftAlone,
            MessageOutcome::Withheld(None),
            MessageOutcome::Replaced,
            MessageOutcome::Ended,
            MessageOutcome::Dropped,
            MessageOutcome::Waits { account: true },
        ];
        for outcome in others.into_iter().chain(reasons) {
            let item = message(outcome);
            let stored = history_item("s", &item);
            let key = stored.get("at").and_then(as_text).unwrap();
            assert_eq!(key, "2026-11-28T05:05:01.120Z#0f8e1a52");
            assert_eq!(read_history(&stored).unwrap(), Some(item));
        }
    }

    #[test]
    fn events_and_counts_read_back() {
        let at = Timestamp::from_millis(1_795_842_301_120);
        let what = Happening::Events(vec!["A".to_owned(), "B".to_owned()]);
        let item = HistoryItem { at, transaction: Some("t".to_owned()), what };
        assert_eq!(read_history(&history_item("s", &item)).unwrap(), Some(item));
        for counted in Counted::ALL {
            let stored = Item::from([
                ("at".to_owned(), text(day_key(counted, at))),
                ("happened_at".to_owned(), time(at)),
                ("times".to_owned(), AttributeValue::N("3".to_owned())),
            ]);
            let what = Happening::Times(counted, 3);
            let item = HistoryItem { at, transaction: None, what };
            assert_eq!(read_history(&stored).unwrap(), Some(item));
        }
        let newer = Item::from([
            ("at".to_owned(), text("2026-11-28#newer")),
            ("happened_at".to_owned(), time(at)),
        ]);
        assert_eq!(read_history(&newer).unwrap(), None);
    }
}
