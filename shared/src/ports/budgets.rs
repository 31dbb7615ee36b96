//! The port that counts budgets outside a transaction.

use super::PortError;
use crate::domain::budget::Budget;
use async_trait::async_trait;

/// The outcome of [`Budgets::take`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TakeOutcome {
    /// One was taken.
    Taken,
    /// The budget is spent. Nothing was written.
    Spent,
}

/// The budgets that are counted on their own. Most budgets are part of the transaction that they
/// limit.
#[async_trait]
pub trait Budgets: Send + Sync {
    /// Takes one use from the budget in one write.
    async fn take(&self, budget: &Budget) -> Result<TakeOutcome, PortError>;
}
