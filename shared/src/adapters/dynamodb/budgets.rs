//! Budgets in the table Budgets (README.md, "Budgets"). The password attempts in the same table are
//! in `password_attempts`.

use super::items::value::{Item, as_integer, integer, purge_time, text};
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
use std::collections::HashMap;

/// A condition that failed returns the bucket.
const RETURN_BUCKET: ReturnValuesOnConditionCheckFailure =
    ReturnValuesOnConditionCheckFailure::AllOld;

/// Returns the condition that a counter has room for one more use.
fn has_room(counter: &str, room: &str) -> String {
    format!("(attribute_not_exists({counter}) OR {counter} <= {room})")
}

/// Returns the amount that so many uses take.
fn amount(budget: &Budget, uses: i64) -> AttributeValue {
    integer(i64::try_from(budget.cost).unwrap_or(i64::MAX).saturating_mul(uses))
}

/// Returns the used amount of a budget in its bucket.
pub(super) fn read_used(budget: &Budget, bucket: Option<&Item>) -> i64 {
    bucket.and_then(|item| as_integer(item.get(&budget.counter)?)).unwrap_or_default()
}

/// Returns the budget that was spent when the condition of the bucket of `uses[first]` failed.
pub(super) fn spent(uses: &[BudgetUse], first: usize, bucket: Option<&Item>) -> usize {
    let of_first = |budget: &Budget| {
        uses.get(first).is_some_and(|first| first.budget().bucket == budget.bucket)
    };
    let is_spent = |budget_use: &BudgetUse| match budget_use {
        BudgetUse::Take(budget) | BudgetUse::Check(budget) => {
            of_first(budget) && budget.is_spent(read_used(budget, bucket))
        }
        BudgetUse::GiveBack(..) => false,
    };
    uses.iter().position(is_spent).unwrap_or(first)
}

/// The names, values and expressions of an action that uses the counters of a bucket.
#[derive(Default)]
struct Expressions {
    names: HashMap<String, String>,
    values: HashMap<String, AttributeValue>,
    conditions: Vec<String>,
    changes: Vec<String>,
}

impl Expressions {
    fn add(&mut self, place: usize, budget_use: &BudgetUse) {
        let (counter, change, room) =
            (format!("#c{place}"), format!(":a{place}"), format!(":r{place}"));
        let budget = budget_use.budget();
        self.names.insert(counter.clone(), budget.counter.clone());
        let changed = match budget_use {
            BudgetUse::Take(_) => Some(1),
            BudgetUse::Check(_) => None,
            BudgetUse::GiveBack(_, uses) => Some(i64::from(*uses).saturating_neg()),
        };
        if let Some(uses) = changed {
            self.changes.push(format!("{counter} {change}"));
            self.values.insert(change, amount(budget, uses));
        }
        if !matches!(budget_use, BudgetUse::GiveBack(..)) {
            self.conditions.push(has_room(&counter, &room));
            self.values.insert(room, integer(budget.room()));
        }
    }
}

impl DynamoStore {
    /// Adds the uses of budgets: one action for each bucket.
    pub(super) fn use_budgets(
        &self,
        uses: &[BudgetUse],
        transaction: &mut Transaction,
    ) -> Result<(), PortError> {
        let mut buckets: Vec<(usize, Vec<&BudgetUse>)> = Vec::new();
        for (index, budget_use) in uses.iter().enumerate() {
            let bucket = &budget_use.budget().bucket;
            let is_same = |first: &&BudgetUse| first.budget().bucket == *bucket;
            match buckets.iter_mut().find(|(_, uses)| uses.first().is_some_and(is_same)) {
                Some((_, uses)) => uses.push(budget_use),
                None => buckets.push((index, vec![budget_use])),
            }
        }
        buckets.iter().try_for_each(|(index, uses)| self.use_bucket(*index, uses, transaction))
    }

    /// Adds the action that uses counters of one bucket. `first` is the index of the first of them.
    fn use_bucket(
        &self,
        first: usize,
        uses: &[&BudgetUse],
        transaction: &mut Transaction,
    ) -> Result<(), PortError> {
        let mut expressions = Expressions::default();
        uses.iter().enumerate().for_each(|(place, uses)| expressions.add(place, uses));
        let Expressions { names, mut values, conditions, changes } = expressions;
        let budgets = || uses.iter().map(|budget_use| budget_use.budget());
        let bucket = budgets().map(|budget| text(&budget.bucket)).next();
        let key = bucket.map(|bucket| HashMap::from([("bucket".to_owned(), bucket)]));
        let condition = (!conditions.is_empty()).then(|| conditions.join(" AND "));
        let subject = if condition.is_some() { Subject::Budget(first) } else { Subject::Other };
        if changes.is_empty() {
            let check = ConditionCheck::builder()
                .table_name(&self.tables.budgets)
                .set_key(key)
                .set_condition_expression(condition)
                .set_expression_attribute_names(Some(names))
                .set_expression_attribute_values(Some(values))
                .return_values_on_condition_check_failure(RETURN_BUCKET);
            transaction.check(subject, check.build().map_err(malformed)?);
            return Ok(());
        }
        let end = budgets().map(|budget| budget.ends_at).max().unwrap_or_default();
        values.insert(":purge_at".to_owned(), purge_time(end));
        let update = Update::builder()
            .table_name(&self.tables.budgets)
            .set_key(key)
            .update_expression(format!("ADD {} SET purge_at = :purge_at", changes.join(", ")))
            .set_condition_expression(condition)
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(Some(values))
            .return_values_on_condition_check_failure(RETURN_BUCKET);
        transaction.update(subject, update.build().map_err(malformed)?);
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
            .update_expression("ADD #counter :amount SET purge_at = :purge_at, last_use = :use")
            .condition_expression(format!(
                "{} AND (attribute_not_exists(last_use) OR last_use <> :use)",
                has_room("#counter", ":room")
            ))
            .expression_attribute_names("#counter", &budget.counter)
            .expression_attribute_values(":use", taken.value())
            .expression_attribute_values(":amount", amount(budget, 1))
            .expression_attribute_values(":room", integer(budget.room()))
            .expression_attribute_values(":purge_at", purge_time(budget.ends_at))
            .return_values_on_condition_check_failure(RETURN_BUCKET)
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
