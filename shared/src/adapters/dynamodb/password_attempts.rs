//! The records of password attempts in the table Budgets (README.md, "Budgets").

use super::items::keys;
use super::items::value::{Item, as_number, as_time, number, purge_time, text, time};
use super::{DynamoStore, port_error};
use crate::domain::password_attempts::{AttemptSubject, Backoff, PasswordAttempts};
use crate::ports::{AttemptRecords, PortError};
use async_trait::async_trait;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{ReturnConsumedCapacity, ReturnValuesOnConditionCheckFailure};

fn attempts(item: &Item) -> Option<PasswordAttempts> {
    let count = item.get("attempts").and_then(as_number)?;
    let last_at = item.get("last_at").and_then(as_time)?;
    Some(PasswordAttempts { count: u32::try_from(count).unwrap_or(u32::MAX), last_at })
}

#[async_trait]
impl AttemptRecords for DynamoStore {
    async fn count_password_attempt(
        &self,
        at: &AttemptSubject,
        seen: PasswordAttempts,
        newer: PasswordAttempts,
    ) -> Result<Option<PasswordAttempts>, PortError> {
        let counted = self.uses.next();
        let update = self
            .client
            .update_item()
            .table_name(&self.tables.budgets)
            .key("bucket", text(keys::attempts(at)))
            .update_expression(
                "SET attempts = :newer, last_at = :at, purge_at = :purge_at, last_use = :use",
            )
            .expression_attribute_values(":use", counted.value())
            .expression_attribute_values(":newer", number(newer.count))
            .expression_attribute_values(":at", time(newer.last_at))
            .expression_attribute_values(
                ":purge_at",
                purge_time(newer.last_at.plus(Backoff::DEFAULT.forget)),
            )
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let update = if seen == PasswordAttempts::NONE {
            update.condition_expression("attribute_not_exists(attempts)")
        } else {
            update
                .condition_expression("attempts = :seen AND last_at = :seen_at")
                .expression_attribute_values(":seen", number(seen.count))
                .expression_attribute_values(":seen_at", time(seen.last_at))
        };
        match self.retry_on_conflict(|| update.clone().send()).await {
            Ok(_) => Ok(None),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failure)) => {
                    if failure.item().is_some_and(|item| counted.is_in(item, "last_use")) {
                        return Ok(None);
                    }
                    let record = failure.item().and_then(attempts);
                    Ok(Some(record.unwrap_or(PasswordAttempts::NONE)))
                }
                _ => Err(port_error("count an attempt", &error)),
            },
        }
    }
}
