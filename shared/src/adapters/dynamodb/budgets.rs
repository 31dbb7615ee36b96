//! Budgets in the table Budgets (README.md, "Budgets"). The password attempts in the same table are
//! in `password_attempts`.

use super::items::value::{number, purge_time, text};
use super::transaction::malformed;
use super::{DynamoStore, port_error};
use crate::domain::budget::Budget;
use crate::ports::{Budgets, PortError, TakeOutcome};
use async_trait::async_trait;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{ConditionCheck, ReturnConsumedCapacity, Update};

/// The condition that a budget is not spent.
const HAS_ROOM: &str = "attribute_not_exists(used) OR used < :limit";
/// The expression that takes one use from a budget.
const TAKE_ONE: &str = "ADD used :one SET purge_at = :purge_at";

impl DynamoStore {
    /// Returns the action that takes one use from a budget.
    pub(super) fn take_one(&self, budget: &Budget) -> Result<Update, PortError> {
        Update::builder()
            .table_name(&self.tables.budgets)
            .key("bucket", text(&budget.bucket))
            .update_expression(TAKE_ONE)
            .condition_expression(HAS_ROOM)
            .expression_attribute_values(":one", number(1_u32))
            .expression_attribute_values(":limit", number(budget.limit))
            .expression_attribute_values(":purge_at", purge_time(budget.ends_at))
            .build()
            .map_err(malformed)
    }

    /// Returns the condition that a budget is not spent.
    pub(super) fn has_room(&self, budget: &Budget) -> Result<ConditionCheck, PortError> {
        ConditionCheck::builder()
            .table_name(&self.tables.budgets)
            .key("bucket", text(&budget.bucket))
            .condition_expression(HAS_ROOM)
            .expression_attribute_values(":limit", number(budget.limit))
            .build()
            .map_err(malformed)
    }
}

#[async_trait]
impl Budgets for DynamoStore {
    async fn take(&self, budget: &Budget) -> Result<TakeOutcome, PortError> {
        let update = self
            .client
            .update_item()
            .table_name(&self.tables.budgets)
            .key("bucket", text(&budget.bucket))
            .update_expression(TAKE_ONE)
            .condition_expression(HAS_ROOM)
            .expression_attribute_values(":one", number(1_u32))
            .expression_attribute_values(":limit", number(budget.limit))
            .expression_attribute_values(":purge_at", purge_time(budget.ends_at))
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        match self.retry_on_conflict(|| update.clone().send()).await {
            Ok(_) => Ok(TakeOutcome::Taken),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(TakeOutcome::Spent),
                _ => Err(port_error("take from a budget", &error)),
            },
        }
    }
}
