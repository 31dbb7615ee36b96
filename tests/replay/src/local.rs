//! The replay of a local stack.

use crate::{Wanted, say};
use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

/// Tells the stack at a URL to replay what is wanted.
pub(crate) async fn replay(stack: &str, wanted: &Wanted) -> Result<()> {
    let mut body = json!({ "from": wanted.from.to_string(), "to": wanted.to.to_string() });
    for (name, value) in [("type", &wanted.kind), ("source", &wanted.source)] {
        if let (Some(value), Some(body)) = (value, body.as_object_mut()) {
            body.insert(name.to_owned(), value.as_str().into());
        }
    }
    let client =
        reqwest::Client::builder().no_proxy().build().context("failed to make a client")?;
    let url = format!("{}/_local/events/replay", stack.trim_end_matches('/'));
    let answer = client.post(&url).json(&body).send().await;
    let answer = answer.with_context(|| format!("failed to reach a local stack at {stack}"))?;
    let status = answer.status();
    let text = answer.text().await.context("failed to read the answer of the stack")?;
    if !status.is_success() {
        bail!("the stack answered {status}: {text}");
    }
    let done: Value =
        serde_json::from_str(&text).context("failed to read the answer of the stack")?;
    let number = |name: &str| done.get(name).and_then(Value::as_u64).unwrap_or_default();
    say(&format!("{} events, {} deliveries to consumers", number("events"), number("deliveries")));
    Ok(())
}
