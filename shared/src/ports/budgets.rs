use super::PortError;
use crate::domain::budget::Budget;
use async_trait::async_trait;

/// Budgets counted on their own; most are part of the transaction they bound.
#[async_trait]
pub trait Budgets: Send + Sync {
    /// Takes one from the budget; `false` when it is spent.
    ///
    /// # Errors
    /// The store did not answer.
    async fn take(&self, budget: &Budget) -> Result<bool, PortError>;
}
