//! Budgets in the table Budgets (README.md, "Budgets"). The password attempts in the same table are
//! in `password_attempts`.

use super::items::value::{integer, purge_time, text};
use super::transaction::{Subject, Transaction, malformed};
use super::{DynamoStore, port_error};
use crate::domain::budget::{Budget, BudgetUse};
use crate::ports::{Budgets, PortError, TakeOutcome};
use async_trait::async_trait;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, ReturnConsumedCapacity, ReturnValuesOnConditionCheckFailure,
    Update,
};

/// The condition that one more use has room.
const HAS_ROOM: &str = "(attribute_not_exists(used) OR used <= :room)";
/// The expression that changes the used amount of a budget.
const ADD: &str = "ADD used :amount SET purge_at = :purge_at";

/// Returns the amount that so many uses take.
fn amount(budget: &Budget, uses: i64) -> AttributeValue {
    integer(i64::try_from(budget.cost).unwrap_or(i64::MAX).saturating_mul(uses))
}

impl DynamoStore {
    /// Adds the action of a use of a budget.
    pub(super) fn use_budget(
        &self,
        index: usize,
        budget_use: &BudgetUse,
        transaction: &mut Transaction,
    ) -> Result<(), PortError> {
        let budget = budget_use.budget();
        let update = Update::builder()
            .table_name(&self.tables.budgets)
            .key("bucket", text(&budget.bucket))
            .update_expression(ADD)
            .expression_attribute_values(":purge_at", purge_time(budget.ends_at));
        match budget_use {
            BudgetUse::Take(_) => {
                let update = update
                    .condition_expression(HAS_ROOM)
                    .expression_attribute_values(":amount", amount(budget, 1))
                    .expression_attribute_values(":room", integer(budget.room()));
                transaction.update(Subject::Budget(index), update.build().map_err(malformed)?);
            }
            BudgetUse::Check(_) => {
                let check = ConditionCheck::builder()
                    .table_name(&self.tables.budgets)
                    .key("bucket", text(&budget.bucket))
                    .condition_expression(HAS_ROOM)
                    .expression_attribute_values(":room", integer(budget.room()));
                transaction.check(Subject::Budget(index), check.build().map_err(malformed)?);
            }
            BudgetUse::GiveBack(_, uses) => {
                let given = amount(budget, i64::from(*uses).saturating_neg());
                let update = update.expression_attribute_values(":amount", given);
                transaction.update(Subject::Other, update.build().map_err(malformed)?);
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Budgets for DynamoStore {
    async fn take(&self, budget: &Budget) -> Result<TakeOutcome, PortError> {
        let taken = self.uses.next();
        let update = self
            .client
            .update_item()
            .table_name(&self.tables.budgets)
            .key("bucket", text(&budget.bucket))
            .update_expression(format!("{ADD}, last_use = :use"))
            .condition_expression(format!(
                "{HAS_ROOM} AND (attribute_not_exists(last_use) OR last_use <> :use)"
            ))
            .expression_attribute_values(":use", taken.value())
            .expression_attribute_values(":amount", amount(budget, 1))
            .expression_attribute_values(":room", integer(budget.room()))
            .expression_attribute_values(":purge_at", purge_time(budget.ends_at))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        match self.retry_on_conflict(|| update.clone().send()).await {
            Ok(_) => Ok(TakeOutcome::Taken),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failure)) => {
                    let is_own = failure.item().is_some_and(|item| taken.is_in(item, "last_use"));
                    Ok(if is_own { TakeOutcome::Taken } else { TakeOutcome::Spent })
                }
                _ => Err(port_error("take from a budget", &error)),
            },
        }
    }
}
