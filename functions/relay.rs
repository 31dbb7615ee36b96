//! No route (Latchkey): delivers texts, mails and events from the outbox.
//!
//! The stream of the outbox invokes it with the keys of new entries. A schedule invokes it for the
//! entries that the stream missed.

use latchkey::adapters::eventbridge::EventBridgeEvents;
use latchkey::adapters::key_ring::KeyRingScope;
use latchkey::contracts::{
    ContractTemplates, LatchkeyEvents, OutboxTask, checked_test_numbers, names, sweep_part,
};
use latchkey::runtime::{Error, TestNumbersError, serve_events, settings};
use latchkey::usecases::{Breakers, DeliverEffects, Swept, TestCodes};
use latchkey::wiring::Bootstrap;
use serde_json::{Value, json};
use std::sync::Arc;

/// Delivers the entries, and returns the records of a batch that the stream must send again.
async fn relay(deliver: &DeliverEffects, event: Value) -> Result<Value, Error> {
    if let Some(task) = event.get("outbox") {
        return Ok(OutboxTask::read(task)?.run(&*deliver.outbox, deliver.clock.now()).await?);
    }
    let Some(records) = event.get("Records") else {
        let Swept { found, failed } = deliver.sweep(sweep_part(&event)?).await?;
        if found > 0 {
            tracing::warn!(found, failed, "swept overdue entries");
        }
        return Ok(Value::Null);
    };
    let records = records.as_array().ok_or("Records must be a list")?;
    let entry =
        |record: &Value| record.pointer("/dynamodb/Keys/event_id/S")?.as_str().map(str::to_owned);
    let entries: Vec<_> = records.iter().filter_map(entry).collect();
    let failed = deliver.run(&entries).await?;
    let again =
        records.iter().filter(|record| entry(record).is_some_and(|id| failed.contains(&id)));
    let again =
        again.map(|record| json!({"itemIdentifier": record.pointer("/dynamodb/SequenceNumber")}));
    Ok(json!({"batchItemFailures": again.collect::<Vec<_>>()}))
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Error> {
    let mut base = Bootstrap::from_env()?;
    let store = Arc::new(base.store()?);
    let senders = base.senders(&names()).await?;
    let brands = base.brands(&names()).await?;
    let (code_host, public_url) = (settings::code_host(), settings::public_url()?);
    let numbers = checked_test_numbers(base.test_numbers()?).map_err(TestNumbersError::from)?;
    let deliver = DeliverEffects {
        outbox: store.clone(),
        challenges: store,
        code_keys: base.code_keys(KeyRingScope::WithKeys)?,
        texts: base.text_carriers(&senders)?,
        senders,
        mail: base.mail(&brands)?,
        templates: Arc::new(ContractTemplates { code_host, public_url, brands }),
        test_codes: TestCodes { numbers, events: Arc::new(LatchkeyEvents) },
        sent: base.sent_messages(Arc::new(LatchkeyEvents))?,
        history: base.write_history()?,
        events: Arc::new(EventBridgeEvents::new(&base.aws, settings::event_bus()?)),
        breakers: Arc::new(Breakers::new(settings::breaker_pause()?)),
        longest_pause: settings::longest_retry_pause()?,
        clock: base.clock.clone(),
    };
    base.warm_up().await;
    serve_events(module_path!(), deliver, relay).await
}
