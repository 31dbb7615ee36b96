//! Transactions: several conditions and writes, all or nothing.

use super::items::value::Item;
use super::{DynamoStore, port_error};
use crate::ports::{PortError, random};
use aws_sdk_dynamodb::error::{BuildError, ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    ConditionCheck, Delete, Put, ReturnConsumedCapacity, TransactWriteItem, Update,
};
use std::time::Duration;

/// The number of tries at a transaction or a write that conflicts with other transactions, and at a
/// batch of which only a part is processed.
pub(super) const TRIES: u32 = 8;
/// The first pause after a conflict, in milliseconds. It doubles up to [`LONGEST_PAUSE_MS`] and is
/// jittered.
const FIRST_PAUSE_MS: u64 = 20;
/// The time limit of a transaction. A try whose reply was lost can block other transactions for
/// five seconds; the time limit of a request is ten seconds.
pub(super) const COMMIT_TIME: Duration = Duration::from_secs(8);
/// The longest pause after a conflict, in milliseconds.
const LONGEST_PAUSE_MS: u64 = 1280;

/// The subject of an action. It shows which condition of a transaction failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    /// The code that is used up, or its handle.
    Code,
    /// The bucket of the budget with this index, which is the first with a counter of it.
    Budget(usize),
    /// The identifier with this index.
    Identifier(usize),
    /// The identifier that an account which exists gets.
    NewIdentifier,
    /// The user that an entry uses.
    Account,
    /// The challenge with this index, which an entry opens.
    NewChallenge(usize),
    Token,
    /// The record of a sent message.
    Delivery,
    /// The answer to the request.
    Answer,
    /// The user, device or push token that something belongs to.
    Owner,
    /// Everything else. The condition fails only if a random id is already in use.
    Other,
}

/// The actions of a transaction and their subjects.
#[derive(Default)]
pub(super) struct Transaction {
    actions: Vec<TransactWriteItem>,
    subjects: Vec<Subject>,
}

/// The outcome of a transaction.
#[derive(Debug)]
pub(super) enum Commit {
    /// It is committed.
    Done,
    /// Conditions failed, and nothing was written.
    Failed(Vec<Failure>),
}

/// A condition that failed.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) subject: Subject,
    /// The existing item, if the action asked for it and there is one.
    pub(super) item: Option<Item>,
}

impl Commit {
    /// Returns whether a condition on this subject failed.
    pub(super) fn failed_in(&self, subject: Subject) -> bool {
        matches!(self, Self::Failed(all) if all.iter().any(|failure| failure.subject == subject))
    }
}

/// Converts the error of a request that is incomplete, which is a defect of this crate.
pub(super) fn malformed(error: BuildError) -> PortError {
    PortError::new("build a request", error)
}

/// Returns the action that writes an item, if there is none with its key.
pub(super) fn put_new(table: &str, key: &str, item: Item) -> Result<Put, PortError> {
    Put::builder()
        .table_name(table)
        .set_item(Some(item))
        .condition_expression(format!("attribute_not_exists({key})"))
        .build()
        .map_err(malformed)
}

impl Transaction {
    pub(super) fn put(&mut self, subject: Subject, put: Put) {
        self.add(subject, TransactWriteItem::builder().put(put).build());
    }

    pub(super) fn update(&mut self, subject: Subject, update: Update) {
        self.add(subject, TransactWriteItem::builder().update(update).build());
    }

    pub(super) fn delete(&mut self, subject: Subject, delete: Delete) {
        self.add(subject, TransactWriteItem::builder().delete(delete).build());
    }

    /// Adds a condition on an item that is not written.
    pub(super) fn check(&mut self, subject: Subject, check: ConditionCheck) {
        self.add(subject, TransactWriteItem::builder().condition_check(check).build());
    }

    fn add(&mut self, subject: Subject, action: TransactWriteItem) {
        self.actions.push(action);
        self.subjects.push(subject);
    }
}

impl DynamoStore {
    /// Commits a transaction. All tries have the same client request token, so that a try whose
    /// reply was lost after the commit returns the same outcome. After a conflict with another
    /// transaction it tries again, unless a condition failed too.
    ///
    /// # Errors
    /// DynamoDB did not answer, or the conflicts took too long: [`PortError::contention`] if the last
    /// try ended in a conflict, or if a request with the same idempotency key was faster.
    pub(super) async fn transact(
        &self,
        action: &'static str,
        transaction: Transaction,
    ) -> Result<Commit, PortError> {
        let tries = self.transact_in_time(action, transaction);
        let late = |_| PortError::new(action, "conflicts with other transactions took too long");
        tokio::time::timeout(COMMIT_TIME, tries).await.map_err(late)?
    }

    /// Commits a transaction as [`Self::transact`] does. The caller limits the time.
    pub(super) async fn transact_in_time(
        &self,
        action: &'static str,
        transaction: Transaction,
    ) -> Result<Commit, PortError> {
        // DynamoDB refuses a transaction without actions.
        if transaction.actions.is_empty() {
            return Ok(Commit::Done);
        }
        let token = data_encoding::HEXLOWER.encode(&random::<16>(&*self.entropy)?);
        let request = self
            .client
            .transact_write_items()
            .client_request_token(token)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .set_transact_items(Some(transaction.actions));
        for failures in 0_u32.. {
            let Err(error) = request.clone().send().await else { return Ok(Commit::Done) };
            if let Some(failures) = failed_conditions(&error, &transaction.subjects) {
                if failures.iter().any(|failure| failure.subject == Subject::Answer) {
                    return Err(PortError::contention(action));
                }
                return Ok(Commit::Failed(failures));
            }
            if !is_transient(&error) {
                return Err(port_error(action, &error));
            }
            if failures.saturating_add(1) >= TRIES {
                let conflicted = is_cancelled_by(&error, &[CONFLICT]);
                return Err(if conflicted {
                    PortError::contention(action)
                } else {
                    port_error(action, &error)
                });
            }
            self.pause(failures).await;
        }
        Err(PortError::new(action, "it was never tried"))
    }

    /// Sends a write of one item, and repeats it while it conflicts with a transaction. A conflict
    /// means that nothing was written, so the repetition is safe.
    pub(super) async fn retry_on_conflict<T, E, R, F>(
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
            let conflict =
                code.and_then(ProvideErrorMetadata::code) == Some("TransactionConflictException");
            failures = failures.saturating_add(1);
            if !conflict || failures >= TRIES {
                return result;
            }
            self.pause(failures).await;
        }
    }

    /// Waits for a random time after a conflict or a batch in part. Its upper limit doubles with each
    /// failure.
    #[expect(
        clippy::disallowed_methods,
        reason = "waits for the end of a conflict or throttling within the request"
    )]
    pub(super) async fn pause(&self, failures: u32) {
        let most = FIRST_PAUSE_MS.saturating_mul(2_u64.saturating_pow(failures));
        let share = random(&*self.entropy).map_or(u16::MAX, u16::from_be_bytes).into();
        let millis = most.min(LONGEST_PAUSE_MS).saturating_mul(share).wrapping_shr(16);
        tokio::time::sleep(Duration::from_millis(millis.saturating_add(1))).await;
    }
}

/// Returns the subjects whose conditions failed; `None` if no condition failed.
fn failed_conditions(
    error: &SdkError<TransactWriteItemsError>,
    subjects: &[Subject],
) -> Option<Vec<Failure>> {
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) =
        error.as_service_error()
    else {
        return None;
    };
    let reasons = cancelled.cancellation_reasons().iter().zip(subjects);
    let failed: Vec<_> = reasons
        .filter(|(reason, _)| reason.code() == Some("ConditionalCheckFailed"))
        .map(|(reason, subject)| Failure { subject: *subject, item: reason.item().cloned() })
        .collect();
    (!failed.is_empty()).then_some(failed)
}

/// The reason for a cancelled transaction that other transactions wrote the same item.
const CONFLICT: &str = "TransactionConflict";

/// Returns whether a transaction was cancelled, and nothing written, for one of these reasons.
fn is_cancelled_by(error: &SdkError<TransactWriteItemsError>, codes: &[&str]) -> bool {
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) =
        error.as_service_error()
    else {
        return false;
    };
    let mut reasons = cancelled.cancellation_reasons().iter().filter_map(|reason| reason.code());
    reasons.any(|reason| codes.contains(&reason))
}

/// Returns whether the failure is temporary: a conflict with another transaction or with an earlier
/// try of this one, or throttling.
fn is_transient(error: &SdkError<TransactWriteItemsError>) -> bool {
    let in_progress = matches!(
        error.as_service_error(),
        Some(TransactWriteItemsError::TransactionInProgressException(_))
    );
    let codes = [CONFLICT, "ThrottlingError", "ProvisionedThroughputExceeded"];
    in_progress || is_cancelled_by(error, &codes)
}
