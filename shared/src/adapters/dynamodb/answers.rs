//! Kept answers in the table Answers (README.md, "Answers").

use super::items::is_over;
use super::items::value::{Item, as_bytes, as_text, as_time, bytes, purge_time, read, text, time};
use super::transaction::{Subject, Transaction, malformed};
use super::{DynamoStore, port_error};
use crate::domain::challenge::KeyId;
use crate::domain::idempotency::ANSWER_LIFETIME;
use crate::domain::time::Timestamp;
use crate::ports::{AnswerClaim, Answers, ClaimOutcome, NewAnswer, PortError, StoredAnswer};
use async_trait::async_trait;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{Put, ReturnConsumedCapacity, ReturnValuesOnConditionCheckFailure};

fn read_fingerprint(item: &Item) -> Result<([u8; 32], KeyId), PortError> {
    let fingerprint = read(item, "fingerprint", |value| as_bytes(value)?.try_into().ok())?;
    Ok((fingerprint, read(item, "key_id", |value| as_text(value).map(KeyId::new))?))
}

/// Reads an answer; `None` if the request is in progress, or was.
fn read_answer(item: &Item) -> Result<Option<StoredAnswer>, PortError> {
    let Some(sealed) = item.get("sealed").and_then(as_bytes) else { return Ok(None) };
    let (fingerprint, key_id) = read_fingerprint(item)?;
    let nonce = read(item, "nonce", |value| as_bytes(value)?.try_into().ok())?;
    Ok(Some(StoredAnswer { fingerprint, key_id, nonce, sealed: sealed.to_vec() }))
}

impl DynamoStore {
    /// Adds the action that stores the answer to the request, if there is none with its id.
    pub(super) fn keep_answer(
        &self,
        answer: Option<&NewAnswer>,
        now: Timestamp,
        transaction: &mut Transaction,
    ) -> Result<(), PortError> {
        let Some(NewAnswer { id, answer, expires_at }) = answer else { return Ok(()) };
        let put = Put::builder()
            .table_name(&self.tables.answers)
            .item("answer_id", text(id))
            .item("fingerprint", bytes(&answer.fingerprint))
            .item("key_id", text(answer.key_id.as_str()))
            .item("nonce", bytes(&answer.nonce))
            .item("sealed", bytes(&answer.sealed))
            .item("expires_at", purge_time(*expires_at))
            .condition_expression("attribute_not_exists(sealed) OR expires_at <= :now")
            .expression_attribute_values(":now", time(now));
        transaction.put(Subject::Answer, put.build().map_err(malformed)?);
        Ok(())
    }
}

#[async_trait]
impl Answers for DynamoStore {
    async fn claim(&self, claim: &AnswerClaim) -> Result<ClaimOutcome, PortError> {
        const ACTION: &str = "claim an idempotency key";
        let put = self
            .client
            .put_item()
            .table_name(&self.tables.answers)
            .item("answer_id", text(&claim.id))
            .item("claim", bytes(&claim.owner))
            .item("fingerprint", bytes(&claim.fingerprint))
            .item("key_id", text(claim.key_id.as_str()))
            .item("claimed_until", time(claim.until))
            .item("expires_at", purge_time(claim.at.plus(ANSWER_LIFETIME)))
            .condition_expression(
                "attribute_not_exists(answer_id) OR expires_at <= :now OR \
                (attribute_not_exists(sealed) AND claimed_until <= :now)",
            )
            .expression_attribute_values(":now", time(claim.at))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let Err(error) = self.retry_on_conflict(|| put.clone().send()).await else {
            return Ok(ClaimOutcome::Claimed);
        };
        let Some(PutItemError::ConditionalCheckFailedException(failure)) = error.as_service_error()
        else {
            return Err(port_error(ACTION, &error));
        };
        let item = failure.item().ok_or_else(|| PortError::new(ACTION, "no item was returned"))?;
        if let Some(answer) = read_answer(item)? {
            return Ok(ClaimOutcome::Answered(answer));
        }
        // The SDK repeats a request whose reply was lost.
        if item.get("claim").and_then(as_bytes) == Some(&claim.owner) {
            return Ok(ClaimOutcome::Claimed);
        }
        let (fingerprint, key_id) = read_fingerprint(item)?;
        let until = read(item, "claimed_until", as_time)?;
        Ok(ClaimOutcome::InProgress { fingerprint, key_id, until })
    }

    async fn release(&self, claim: &AnswerClaim) -> Result<(), PortError> {
        let delete = self
            .client
            .delete_item()
            .table_name(&self.tables.answers)
            .key("answer_id", text(&claim.id))
            .condition_expression("claim = :claim")
            .expression_attribute_values(":claim", bytes(&claim.owner))
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        match self.retry_on_conflict(|| delete.clone().send()).await {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                // Another request took the key over, or was answered.
                Some(DeleteItemError::ConditionalCheckFailedException(_)) => Ok(()),
                _ => Err(port_error("release an idempotency key", &error)),
            },
        }
    }

    async fn find_answer(
        &self,
        id: &str,
        now: Timestamp,
    ) -> Result<Option<StoredAnswer>, PortError> {
        let key = [("answer_id", id)];
        let item = self.read_item("read a kept answer", &self.tables.answers, &key).await?;
        let item = item.filter(|item| !is_over(item, now));
        item.as_ref().map_or(Ok(None), read_answer)
    }
}
