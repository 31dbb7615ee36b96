//! Items of the table Outbox.

use super::challenge::{challenge_key_item, read_challenge_key};
use super::user::read_user_id;
use super::value::{
    Item, as_bytes, as_flag, as_number, as_text, as_time, bytes, flag, purge_time, read, text, time,
};
use crate::domain::challenge::{KeyId, Nonce};
use crate::domain::code::CodeSeed;
use crate::domain::event::EventMessage;
use crate::domain::history::Withheld;
use crate::domain::id::UserId;
use crate::domain::outbox::{CodeDelivery, CodeMessage, Effect, LinkMessage, OutboxEntry};
use crate::ports::{ParkedEntry, PortError};
use aws_sdk_dynamodb::types::AttributeValue;

fn seed_item(seed: &CodeSeed) -> Item {
    let mut item = challenge_key_item(&seed.key);
    item.insert("nonce".to_owned(), bytes(seed.nonce.as_bytes()));
    item.insert("key_id".to_owned(), text(seed.key_id.as_str()));
    item
}

fn code_item(code: &CodeMessage) -> Item {
    let mut item = seed_item(&code.seed);
    item.extend([
        ("effect".to_owned(), text("code")),
        ("locale".to_owned(), text(&code.locale)),
        ("sent_at".to_owned(), time(code.sent_at)),
        ("expires_at".to_owned(), time(code.expires_at)),
        ("deliver".to_owned(), flag(code.delivery == CodeDelivery::Code)),
        ("notice".to_owned(), flag(code.delivery == CodeDelivery::AccountNotice)),
        // The width is that of the longest reason, so that the items of all recipients have the same size.
        (
            "withheld".to_owned(),
            text(format!("{:<12}", code.withheld.map_or("", Withheld::as_str))),
        ),
    ]);
    item
}

fn link_item(link: &LinkMessage) -> Item {
    let mut item = seed_item(&link.seed);
    item.extend([
        ("effect".to_owned(), text("link")),
        ("user_id".to_owned(), text(link.user.as_str())),
        ("locale".to_owned(), text(&link.locale)),
        ("sent_at".to_owned(), time(link.sent_at)),
        ("expires_at".to_owned(), time(link.expires_at)),
    ]);
    item
}

fn event_item(event: &EventMessage) -> Item {
    Item::from([
        ("effect".to_owned(), text("event")),
        ("source".to_owned(), text(&event.source)),
        ("detail_type".to_owned(), text(&event.detail_type)),
        ("detail".to_owned(), text(&event.detail)),
        ("occurred_at".to_owned(), time(event.occurred_at)),
    ])
}

/// Returns the value of the attribute `effects`.
pub(crate) fn effects_value(effects: &[Effect]) -> AttributeValue {
    let effects = effects.iter().map(|effect| match effect {
        Effect::Code(code) => AttributeValue::M(code_item(code)),
        Effect::Link(link) => AttributeValue::M(link_item(link)),
        Effect::Event(event) => AttributeValue::M(event_item(event)),
    });
    AttributeValue::L(effects.collect())
}

fn read_seed(item: &Item) -> Result<CodeSeed, PortError> {
    Ok(CodeSeed {
        key: read_challenge_key(item)?,
        nonce: read(item, "nonce", |value| as_bytes(value).and_then(Nonce::from_stored))?,
        key_id: read(item, "key_id", |value| as_text(value).map(KeyId::new))?,
    })
}

fn read_link(item: &Item) -> Result<LinkMessage, PortError> {
    Ok(LinkMessage {
        seed: read_seed(item)?,
        user: read_user_id(item)?,
        locale: read(item, "locale", as_text)?.to_owned(),
        sent_at: read(item, "sent_at", as_time)?,
        expires_at: read(item, "expires_at", as_time)?,
    })
}

fn read_code(item: &Item) -> Result<CodeMessage, PortError> {
    Ok(CodeMessage {
        seed: read_seed(item)?,
        locale: read(item, "locale", as_text)?.to_owned(),
        sent_at: read(item, "sent_at", as_time)?,
        expires_at: read(item, "expires_at", as_time)?,
        delivery: match (read(item, "deliver", as_flag)?, item.get("notice").and_then(as_flag)) {
            (true, _) => CodeDelivery::Code,
            (false, Some(true)) => CodeDelivery::AccountNotice,
            // A version before notices stored none.
            (false, Some(false) | None) => CodeDelivery::Nothing,
        },
        withheld: item
            .get("withheld")
            .and_then(as_text)
            .and_then(|reason| Withheld::from_name(reason.trim_end())),
    })
}

fn read_effect(value: &AttributeValue, user: Option<&UserId>) -> Result<Effect, PortError> {
    let item = value.as_m().map_err(|_| PortError::new("read a stored item", "bad effect"))?;
    match read(item, "effect", as_text)? {
        "code" => read_code(item).map(Effect::Code),
        "link" => read_link(item).map(Effect::Link),
        "event" => Ok(Effect::Event(EventMessage {
            source: read(item, "source", as_text)?.to_owned(),
            detail_type: read(item, "detail_type", as_text)?.to_owned(),
            detail: read(item, "detail", as_text)?.to_owned(),
            occurred_at: read(item, "occurred_at", as_time)?,
            user: user.cloned(),
            version_place: None,
        })),
        _ => Err(PortError::new("read a stored item", "unknown effect")),
    }
}

/// Reads an outbox entry.
pub(crate) fn read_entry(item: &Item) -> Result<OutboxEntry, PortError> {
    let effects = read(item, "effects", |value| value.as_l().ok())?;
    let written_at = read(item, "written_at", as_time)?;
    let user = item.get("user_id").and_then(as_text).map(UserId::from_stored);
    let effects = effects.iter().map(|effect| read_effect(effect, user.as_ref()));
    Ok(OutboxEntry {
        id: read(item, "event_id", as_text)?.to_owned(),
        written_at,
        effects: effects.collect::<Result<_, _>>()?,
        tries: tries(item),
        // A version before this one stored none.
        due_at: item.get("due_at").and_then(as_time).unwrap_or(written_at),
    })
}

fn tries(item: &Item) -> u32 {
    let tries = item.get("tries").and_then(as_number);
    tries.and_then(|tries| u32::try_from(tries).ok()).unwrap_or_default()
}

/// Reads a parked entry, also one whose effects this version does not know.
pub(crate) fn read_parked(item: &Item) -> Result<ParkedEntry, PortError> {
    let name = |effect: &AttributeValue| {
        let effect = effect.as_m().ok()?;
        let name = effect.get("detail_type").or_else(|| effect.get("effect"))?;
        as_text(name).map(str::to_owned)
    };
    let effects = read(item, "effects", |value| value.as_l().ok())?;
    Ok(ParkedEntry {
        id: read(item, "event_id", as_text)?.to_owned(),
        written_at: read(item, "written_at", as_time)?,
        parked_at: read(item, "parked_at", as_time)?,
        tries: tries(item),
        error: item.get("last_error").and_then(as_text).unwrap_or_default().to_owned(),
        effects: effects.iter().filter_map(name).collect(),
    })
}

/// Returns the item of an outbox entry. It is in no shard, so that it costs no write of the index unless a try fails.
pub(crate) fn entry_item(entry: &OutboxEntry) -> Item {
    let mut item = Item::from([
        ("event_id".to_owned(), text(&entry.id)),
        ("written_at".to_owned(), time(entry.written_at)),
        ("effects".to_owned(), effects_value(&entry.effects)),
        ("due_at".to_owned(), time(entry.due_at)),
    ]);
    if let Some(user) = entry.user() {
        item.insert("user_id".to_owned(), text(user.as_str()));
    }
    if let Some(end) = entry.expires_at() {
        item.insert("purge_at".to_owned(), purge_time(end));
    }
    item
}
