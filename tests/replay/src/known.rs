//! The events that Latchkey publishes, from their `AsyncAPI` document.

use crate::Wanted;
use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

const DOCUMENT: &str = include_str!("../../../shared/docs/events/asyncapi.json");

/// Returns an example of each event, with its envelope.
pub(crate) fn examples() -> Result<Vec<Value>> {
    let document: Value = serde_json::from_str(DOCUMENT).context("asyncapi.json is not JSON")?;
    let messages = document.pointer("/components/messages").and_then(Value::as_object);
    let messages = messages.context("asyncapi.json has no messages")?;
    let example = |message: &Value| message.pointer("/examples/0/payload").cloned();
    messages.values().map(|message| example(message).context("a message has no example")).collect()
}

/// Returns whether an event has the wanted source and type.
pub(crate) fn is_wanted(event: &Value, wanted: &Wanted) -> bool {
    let same = |field: &str, wanted: &Option<String>| {
        wanted
            .as_deref()
            .is_none_or(|wanted| event.get(field).and_then(Value::as_str) == Some(wanted))
    };
    same("source", &wanted.source) && same("detail-type", &wanted.kind)
}

/// Refuses a source and a type that no event has: a replay would bring nothing and look like a success.
pub(crate) fn check(wanted: &Wanted) -> Result<()> {
    let known = examples()?.iter().any(|event| is_wanted(event, wanted));
    ensure!(known, "Latchkey publishes no such event; shared/docs/events/README.md lists all");
    Ok(())
}
