//! Transactions: all or nothing, once.

use super::item::Item;
use super::{DynamoStore, failed};
use crate::ports::{PortError, random};
use aws_sdk_dynamodb::error::{BuildError, ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    ConditionCheck, Delete, Put, ReturnConsumedCapacity, TransactWriteItem, Update,
};
use std::time::Duration;

/// Tries at a transaction that others are in the way of.
const TRIES: u32 = 8;
/// The first pause after a conflict; it doubles, up to [`LONGEST_PAUSE_MS`], and is jittered.
const FIRST_PAUSE_MS: u64 = 20;
/// How long the outcome of a transaction is waited for. A try whose reply was lost can hold the
/// others up for five seconds; the request's own time is ten.
const COMMIT_TIME: Duration = Duration::from_secs(8);
/// The longest pause after a conflict.
const LONGEST_PAUSE_MS: u64 = 320;

/// What an action of a transaction is for, so that its failed condition can be told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// The challenge.
    Challenge,
    /// A budget.
    Budget,
    /// The identifier of this number.
    Identifier(usize),
    /// A refresh token.
    Token,
    /// Whose something is by now, and whether they still exist.
    Owner,
    /// What cannot fail but by a broken store.
    Rest,
}

/// The actions of a transaction.
#[derive(Default)]
pub(super) struct Transaction {
    actions: Vec<TransactWriteItem>,
    parts: Vec<Part>,
}

/// How a transaction ended.
#[derive(Debug)]
pub(super) enum Commit {
    /// It is written.
    Done,
    /// Conditions failed, and nothing is written. Holds the parts, each with the item that is
    /// there, if it was asked for.
    Failed(Vec<(Part, Option<Item>)>),
}

impl Commit {
    /// Whether a part's condition failed.
    pub(super) fn failed_in(&self, part: Part) -> bool {
        matches!(self, Self::Failed(parts) if parts.iter().any(|(failed, _)| *failed == part))
    }

    /// The numbers of the identifiers whose conditions failed.
    pub(super) fn failed_identifiers(&self) -> impl Iterator<Item = usize> {
        let parts = match self {
            Self::Failed(parts) => parts.as_slice(),
            Self::Done => &[],
        };
        parts.iter().filter_map(|(part, _)| match part {
            Part::Identifier(number) => Some(*number),
            _ => None,
        })
    }
}

/// A request that the builder refuses: a mistake in this crate.
pub(super) fn malformed(error: BuildError) -> PortError {
    PortError::new("build a request", error)
}

/// The action that puts an item which must be new.
pub(super) fn put_new(table: &str, key: &str, item: Item) -> Result<Put, PortError> {
    Put::builder()
        .table_name(table)
        .set_item(Some(item))
        .condition_expression(format!("attribute_not_exists({key})"))
        .build()
        .map_err(malformed)
}

impl Transaction {
    /// Adds a put.
    pub(super) fn put(&mut self, part: Part, put: Put) {
        self.add(part, TransactWriteItem::builder().put(put).build());
    }

    /// Adds an update.
    pub(super) fn update(&mut self, part: Part, update: Update) {
        self.add(part, TransactWriteItem::builder().update(update).build());
    }

    /// Adds a delete.
    pub(super) fn delete(&mut self, part: Part, delete: Delete) {
        self.add(part, TransactWriteItem::builder().delete(delete).build());
    }

    /// Adds a condition on an item that is not written.
    pub(super) fn check(&mut self, part: Part, check: ConditionCheck) {
        self.add(part, TransactWriteItem::builder().condition_check(check).build());
    }

    fn add(&mut self, part: Part, action: TransactWriteItem) {
        self.actions.push(action);
        self.parts.push(part);
    }
}

impl DynamoStore {
    /// Commits a transaction. One client request token goes with every try, so that a try whose
    /// reply was lost after the commit is answered as the success it was. A conflict with another
    /// transaction is waited out, unless a condition failed too: that one decides.
    ///
    /// # Errors
    /// The store did not answer, or others were in the way for too long.
    pub(super) async fn commit(
        &self,
        action: &'static str,
        transaction: Transaction,
    ) -> Result<Commit, PortError> {
        let token = data_encoding::HEXLOWER.encode(&random::<16>(&*self.entropy)?);
        let request = self
            .client
            .transact_write_items()
            .client_request_token(token)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .set_transact_items(Some(transaction.actions));
        let tries = async {
            for failures in 0_u32.. {
                let Err(error) = request.clone().send().await else { return Ok(Commit::Done) };
                if let Some(parts) = failed_conditions(&error, &transaction.parts) {
                    return Ok(Commit::Failed(parts));
                }
                if !passes(&error) || failures.saturating_add(1) >= TRIES {
                    return Err(failed(action, &error));
                }
                self.pause(failures).await;
            }
            Err(PortError::new(action, "it was never tried"))
        };
        let late = |_| PortError::new(action, "other transactions were in the way for too long");
        tokio::time::timeout(COMMIT_TIME, tries).await.map_err(late)?
    }

    /// Sends a write of one item, and sends it again while a transaction on the same item is in
    /// the way. Such a write was not applied, so repeating it is safe.
    pub(super) async fn past_transactions<T, E, R, F>(
        &self,
        send: impl Fn() -> F,
    ) -> Result<T, SdkError<E, R>>
    where
        E: ProvideErrorMetadata,
        F: Future<Output = Result<T, SdkError<E, R>>>,
    {
        let mut failures: u32 = 0;
        loop {
            let result = send().await;
            let code = result.as_ref().err().and_then(SdkError::as_service_error);
            let in_the_way =
                code.and_then(ProvideErrorMetadata::code) == Some("TransactionConflictException");
            failures = failures.saturating_add(1);
            if !in_the_way || failures >= TRIES {
                return result;
            }
            self.pause(failures).await;
        }
    }

    /// Waits after a conflict: a random time up to a bound that doubles with each failure.
    #[expect(clippy::disallowed_methods, reason = "waiting out a conflict within the request")]
    async fn pause(&self, failures: u32) {
        let most = FIRST_PAUSE_MS.saturating_mul(2_u64.saturating_pow(failures));
        let share = random(&*self.entropy).map_or(u16::MAX, u16::from_be_bytes).into();
        let millis = most.min(LONGEST_PAUSE_MS).saturating_mul(share).wrapping_shr(16);
        tokio::time::sleep(Duration::from_millis(millis.saturating_add(1))).await;
    }
}

/// The parts whose conditions failed, if any did.
fn failed_conditions(
    error: &SdkError<TransactWriteItemsError>,
    parts: &[Part],
) -> Option<Vec<(Part, Option<Item>)>> {
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) =
        error.as_service_error()
    else {
        return None;
    };
    let reasons = cancelled.cancellation_reasons().iter().zip(parts);
    let failed: Vec<_> = reasons
        .filter(|(reason, _)| reason.code() == Some("ConditionalCheckFailed"))
        .map(|(reason, part)| (*part, reason.item().cloned()))
        .collect();
    (!failed.is_empty()).then_some(failed)
}

/// Whether the error is over in a moment: another transaction, this one's own earlier try, or too
/// many requests.
fn passes(error: &SdkError<TransactWriteItemsError>) -> bool {
    const PASSING: [&str; 3] =
        ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"];
    match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionInProgressException(_)) => true,
        Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
            let mut codes = cancelled.cancellation_reasons().iter().filter_map(|r| r.code());
            codes.any(|code| PASSING.contains(&code))
        }
        _ => false,
    }
}
