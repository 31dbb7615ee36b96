//! The pauses of carriers, in one item of the table Deliveries (README.md, "Deliveries").

use super::deliveries::late;
use super::items::value::{Item, as_time, text, time};
use super::{DynamoStore, port_error};
use crate::domain::time::Timestamp;
use crate::ports::{PauseChange, PausedCarriers, PortError, chain};
use aws_sdk_dynamodb::error::ProvideErrorMetadata as _;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{
    AttributeValue, ReturnConsumedCapacity, ReturnValuesOnConditionCheckFailure,
};
use std::time::Duration;

/// The key of the item.
const PAUSES: &str = "pauses";
/// The time limit of a read and of a change. Messages wait for it, and their function has little time left
/// beside three carriers that hang.
const TIME_LIMIT: Duration = Duration::from_millis(500);
const READ: &str = "read the pauses of carriers";
const CHANGE: &str = "change the pause of a carrier";

/// The outcome of an update of the item.
enum Updated {
    Done,
    /// The pause that another process stored.
    Overtaken(Option<Timestamp>),
    /// The item does not exist.
    NoItem,
}

/// Reads the pauses of all carriers. One that cannot be read is left out.
fn pauses_in(item: Option<&Item>) -> PausedCarriers {
    let pauses = item.and_then(|item| item.get("paused_until")?.as_m().ok());
    let pauses = pauses.into_iter().flatten();
    pauses.filter_map(|(carrier, until)| Some((carrier.clone(), as_time(until)?))).collect()
}

impl DynamoStore {
    /// Reads the pauses of all carriers; `None` if they cannot be read, which is logged: a process can
    /// deliver without them.
    pub(super) async fn read_pauses(&self) -> Option<PausedCarriers> {
        let (table, key) = (&self.tables.deliveries, [("delivery_id", PAUSES)]);
        let read = tokio::time::timeout(TIME_LIMIT, self.read_item(READ, table, &key)).await;
        match read.map_err(late(READ)).flatten() {
            Ok(item) => Some(pauses_in(item.as_ref())),
            Err(error) => {
                let error = chain(&error);
                tracing::warn!(error, "the pauses of carriers could not be read");
                None
            }
        }
    }

    pub(super) async fn store_pause(
        &self,
        change: &PauseChange,
    ) -> Result<Option<Timestamp>, PortError> {
        let stored = tokio::time::timeout(TIME_LIMIT, self.store_in_item(change)).await;
        stored.map_err(late(CHANGE))?
    }

    async fn store_in_item(&self, change: &PauseChange) -> Result<Option<Timestamp>, PortError> {
        let PauseChange { carrier, from, to } = change;
        let update = self.pause_update().expression_attribute_names("#carrier", carrier);
        let update = match from {
            Some(from) => update
                .condition_expression("paused_until.#carrier = :from")
                .expression_attribute_values(":from", time(*from)),
            None => update.condition_expression("attribute_not_exists(paused_until.#carrier)"),
        };
        let Some(to) = *to else {
            let update = update.update_expression("REMOVE paused_until.#carrier");
            return Ok(match pause_updated(update, carrier).await? {
                Updated::Done | Updated::NoItem => None,
                Updated::Overtaken(until) => until,
            });
        };
        let update = update
            .update_expression("SET paused_until.#carrier = :to")
            .expression_attribute_values(":to", time(to));
        match pause_updated(update.clone(), carrier).await? {
            Updated::Done => return Ok(Some(to)),
            Updated::Overtaken(until) => return Ok(until),
            Updated::NoItem => {}
        }
        let first = AttributeValue::M([(carrier.clone(), time(to))].into());
        let create = self
            .pause_update()
            .update_expression("SET paused_until = :first")
            .condition_expression("attribute_not_exists(paused_until)")
            .expression_attribute_values(":first", first);
        match pause_updated(create, carrier).await? {
            Updated::Done => Ok(Some(to)),
            // Another process created the item with another carrier, or with this one.
            Updated::Overtaken(None) => match pause_updated(update, carrier).await? {
                Updated::Done => Ok(Some(to)),
                Updated::Overtaken(until) => Ok(until),
                Updated::NoItem => Err(PortError::new(CHANGE, "its item was deleted")),
            },
            Updated::Overtaken(until) => Ok(until),
            Updated::NoItem => Err(PortError::new(CHANGE, "its item could not be created")),
        }
    }

    fn pause_update(&self) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.tables.deliveries)
            .key("delivery_id", text(PAUSES))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
    }
}

async fn pause_updated(
    update: UpdateItemFluentBuilder,
    carrier: &str,
) -> Result<Updated, PortError> {
    let Err(error) = update.send().await else { return Ok(Updated::Done) };
    match error.as_service_error() {
        Some(UpdateItemError::ConditionalCheckFailedException(failure)) => {
            let mut pauses = pauses_in(failure.item());
            Ok(Updated::Overtaken(pauses.remove(carrier)))
        }
        // The path to the carrier does not exist.
        Some(other) if other.code() == Some("ValidationException") => Ok(Updated::NoItem),
        _ => Err(port_error(CHANGE, &error)),
    }
}
