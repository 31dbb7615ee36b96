//! No route (every contract): deliver the effects that the outbox holds.
//!
//! Two things invoke it: the outbox's stream with the keys of new entries, and a schedule, for
//! what the stream missed.

use aws_lambda_events::event::dynamodb::{Event, EventRecord};
use lambda_runtime::{Error, LambdaEvent};
use latchkey::usecases::DeliverEffects;
use serde_json::{Value, json};

/// Delivers, and answers a stream's batch with the records to be sent again.
///
/// # Errors
/// Nothing could be read: the whole invocation is to be repeated.
pub async fn handle(deliver: &DeliverEffects, event: LambdaEvent<Value>) -> Result<Value, Error> {
    if event.payload.get("Records").is_none() {
        let (found, failed) = deliver.sweep().await?;
        if found > 0 {
            tracing::warn!(found, failed, "overdue entries were swept");
        }
        return Ok(Value::Null);
    }
    let batch: Event = serde_json::from_value(event.payload)?;
    let ids: Vec<_> = batch.records.iter().filter_map(outbox_id).collect();
    let failed = deliver.run(&ids).await?;
    let again = batch
        .records
        .iter()
        .filter(|record| outbox_id(record).is_some_and(|id| failed.contains(&id)));
    let again = again.map(|record| json!({"itemIdentifier": record.change.sequence_number}));
    Ok(json!({"batchItemFailures": again.collect::<Vec<_>>()}))
}

/// The id of the entry that a record is about.
fn outbox_id(record: &EventRecord) -> Option<String> {
    let keys = serde_json::to_value(&record.change.keys).ok()?;
    keys.get("event_id")?.get("S")?.as_str().map(str::to_owned)
}
