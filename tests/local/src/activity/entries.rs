//! Outbox entries, as the calls of the functions write and delete them.

use serde_json::Value as Json;

/// An entry that a call writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// The kind and the id of its transaction.
    pub(super) id: String,
    pub(super) messages: Vec<Expected>,
}

/// A message that an entry asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Expected {
    pub(super) contract: String,
    pub(super) store: Option<String>,
    pub(super) channel: String,
    pub(super) to: String,
    pub(super) purpose: String,
    /// Whether it is sent, or only looks so.
    pub(super) is_sent: bool,
}

impl Expected {
    /// Returns the key of the recipient in the table Identifiers.
    pub(super) fn identifier(&self) -> String {
        let store = self.store.as_ref().map(|store| format!("#{store}")).unwrap_or_default();
        format!("{}{store}#{}#{}", self.contract, self.channel, self.to)
    }
}

/// Returns the entries that a call to DynamoDB writes into the table with this name.
pub(super) fn written(request: &Json, table: &str) -> Vec<Entry> {
    let puts = request.get("TransactItems").and_then(Json::as_array).into_iter().flatten();
    let puts = puts.filter_map(|item| item.get("Put"));
    let alone = request.get("Item").is_some().then_some(request);
    let puts = puts.chain(alone).filter(|put| is_of(put, table));
    puts.filter_map(|put| entry(put.get("Item")?)).collect()
}

/// Returns the id of the entry that a call to `DeleteItem` deletes.
pub(super) fn deleted(operation: &str, request: &Json, table: &str) -> Option<String> {
    if operation != "DeleteItem" || !is_of(request, table) {
        return None;
    }
    request.pointer("/Key/event_id/S").and_then(Json::as_str).map(str::to_owned)
}

fn is_of(action: &Json, table: &str) -> bool {
    action.get("TableName").and_then(Json::as_str) == Some(table)
}

fn entry(item: &Json) -> Option<Entry> {
    let id = item.pointer("/event_id/S")?.as_str()?.to_owned();
    let effects = item.pointer("/effects/L")?.as_array()?;
    Some(Entry { id, messages: effects.iter().filter_map(expected).collect() })
}

fn expected(effect: &Json) -> Option<Expected> {
    let text = |name: &str| {
        let value = effect.pointer(&format!("/M/{name}/S"))?.as_str()?;
        Some(value.trim_end().to_owned())
    };
    let flag = |name: &str| effect.pointer(&format!("/M/{name}/BOOL")).and_then(Json::as_bool);
    let is_sent = match text("effect")?.as_str() {
        "code" => flag("deliver") == Some(true) || flag("notice") == Some(true),
        "link" => true,
        _ => return None,
    };
    Some(Expected {
        contract: text("contract")?,
        store: text("store"),
        channel: text("channel")?,
        to: text("recipient")?,
        purpose: text("purpose")?,
        is_sent,
    })
}

/// Returns every UUID in a text: those of transactions are among them.
pub(super) fn ids(text: &str) -> Vec<&str> {
    const HYPHENS: [usize; 4] = [8, 13, 18, 23];
    let is_id = |text: &str| {
        text.bytes().enumerate().all(|(at, byte)| {
            if HYPHENS.contains(&at) { byte == b'-' } else { byte.is_ascii_hexdigit() }
        })
    };
    let starts = text.match_indices('-').filter_map(|(at, _)| at.checked_sub(8));
    let ids = starts.filter_map(|start| text.get(start..start.checked_add(36)?));
    ids.filter(|id| is_id(id)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const ID: &str = "0192f7a0-1111-4222-8333-444455556666";

    fn effect(deliver: bool) -> Json {
        json!({"M": {
            "effect": {"S": "code"}, "contract": {"S": "posbytz"}, "store": {"S": "S1"},
            "channel": {"S": "phone"}, "recipient": {"S": "+911"}, "purpose": {"S": "verify"},
            "deliver": {"BOOL": deliver}, "notice": {"BOOL": false},
        }})
    }

    #[test]
    fn an_entry_is_found_in_a_transaction_and_alone() {
        let event = json!({"M": {"effect": {"S": "event"}}});
        let item =
            json!({"event_id": {"S": format!("m#{ID}")}, "effects": {"L": [effect(false), event]}});
        let put = json!({"TableName": "o", "Item": item});
        let other = json!({"Put": {"TableName": "u", "Item": item}});
        let request = json!({"TransactItems": [other, {"Put": put}, {"Update": {}}]});
        let found = written(&request, "o");
        let [one] = found.as_slice() else { panic!("{found:?}") };
        let [message] = one.messages.as_slice() else { panic!("{one:?}") };
        assert!(!message.is_sent);
        assert_eq!(message.identifier(), "posbytz#S1#phone#+911");
        assert_eq!(written(&put, "o"), found);
        let delete = json!({"TableName": "o", "Key": {"event_id": {"S": "m#1"}}});
        assert_eq!(deleted("DeleteItem", &delete, "o").as_deref(), Some("m#1"));
        assert_eq!(deleted("GetItem", &delete, "o"), None);
        assert_eq!(deleted("DeleteItem", &delete, "u"), None);
    }

    #[test]
    fn ids_are_found_wherever_they_stand() {
        let text = format!("[\"m#{ID}\",\"e#{ID}\"] a-b-c 1234-5678 é-{ID}");
        assert_eq!(ids(&text), [ID; 3]);
        assert!(ids("-----------------------------------------").is_empty());
    }
}
