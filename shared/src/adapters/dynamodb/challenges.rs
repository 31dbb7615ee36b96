//! Challenges and handles in the table Challenges (README.md, "Challenges").
//!
//! The item of a challenge ([`keys::challenge`]) has two parts: the code, which is removed when it
//! is used, and the send record, which stays. The item of a handle ([`keys::handle`]) has a copy of
//! the code with guesses of its own, and for a sign-up that waits the sign-up.

use super::items::challenge::{
    handle_item, handles_value, opener_value, read_held_code, read_live_code, read_used_link,
};
use super::items::keys;
use super::items::value::{Item, bytes, flag, number, purge_time, text, time};
use super::transaction::{Subject, Transaction, malformed, put_new};
use super::{DynamoStore, port_error};
use crate::domain::challenge::{ChallengeHandle, ChallengeKey, Guesser, Nonce};
use crate::domain::proof::LiveCode;
use crate::domain::time::{DAY, Timestamp};
use crate::domain::user::PendingSignUp;
use crate::ports::{Challenges, NewChallenge, NewHandle, PortError, StoredLinks};
use async_trait::async_trait;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{
    Put, ReturnConsumedCapacity, ReturnValue, ReturnValuesOnConditionCheckFailure, Update,
};

/// The update for a new send. It overwrites the nonce, which makes the old code invalid, and resets
/// the guesses.
const OPEN: &str = "SET nonce = :nonce, key_id = :key_id, sent = :sent, \
    password_stated = :password_stated, opened_by = :opened_by, counted = :counted, \
    attempts = :zero, stranger_attempts = :zero, \
    expires_at = :expires_at, sent_at = :sent_at, revision = :revision, \
    hour_window = :hour_window, hour_sends = :hour_sends, \
    day_window = :day_window, day_sends = :day_sends, purge_at = :purge_at \
    REMOVE guess_ids";

impl DynamoStore {
    /// Adds the actions that open the challenge with this index and write its handle, if the send
    /// record is the expected one. If not, the failure contains the item.
    pub(super) fn open_challenge(
        &self,
        index: usize,
        challenge: &NewChallenge,
        now: Timestamp,
        transaction: &mut Transaction,
    ) -> Result<(), PortError> {
        let update = self.open(challenge, now)?;
        transaction.update(Subject::NewChallenge(index), update);
        if let Some(handle) = &challenge.handle {
            let item = handle_item(handle, challenge);
            match &handle.follows {
                None => {
                    let put = put_new(&self.tables.challenges, "challenge_id", item)?;
                    transaction.put(Subject::Other, put);
                }
                Some(nonce) => {
                    let put = Put::builder()
                        .table_name(&self.tables.challenges)
                        .set_item(Some(item))
                        .condition_expression("nonce = :follows")
                        .expression_attribute_values(":follows", bytes(nonce.as_bytes()));
                    transaction.put(Subject::NewChallenge(index), put.build().map_err(malformed)?);
                }
            }
        }
        Ok(())
    }

    fn open(&self, challenge: &NewChallenge, now: Timestamp) -> Result<Update, PortError> {
        let NewChallenge { seed, sends, expires_at, .. } = challenge;
        // The item must be kept until the code has expired and the day of the send is over; that of a
        // sign-up that waits, as long as its code can be sent again.
        let pending = challenge.handle.as_ref().and_then(|handle| handle.pending.as_ref());
        let resends_until = pending.map_or(*expires_at, PendingSignUp::resends_until);
        let purge_at = (*expires_at).max(sends.day.window.plus(DAY)).max(resends_until);
        let mut update = Update::builder()
            .table_name(&self.tables.challenges)
            .key("challenge_id", text(keys::challenge(&seed.key)))
            .update_expression(OPEN)
            .expression_attribute_values(":nonce", bytes(seed.nonce.as_bytes()))
            .expression_attribute_values(":key_id", text(seed.key_id.as_str()))
            .expression_attribute_values(":sent", flag(challenge.sent))
            .expression_attribute_values(":password_stated", opener_value(challenge.opener))
            .expression_attribute_values(":opened_by", text(challenge.opened_by.to_stored()))
            .expression_attribute_values(":counted", flag(challenge.is_counted))
            .expression_attribute_values(":zero", number(0_u32))
            .expression_attribute_values(":expires_at", time(*expires_at))
            .expression_attribute_values(":sent_at", time(sends.sent_at.unwrap_or(purge_at)))
            .expression_attribute_values(":revision", number(sends.revision))
            .expression_attribute_values(":hour_window", time(sends.hour.window))
            .expression_attribute_values(":hour_sends", number(sends.hour.used))
            .expression_attribute_values(":day_window", time(sends.day.window))
            .expression_attribute_values(":day_sends", number(sends.day.used))
            .expression_attribute_values(":purge_at", purge_time(purge_at));
        if let Some(NewHandle { handle, .. }) = &challenge.handle {
            // So that the erasure of a person finds them.
            let digest = keys::handle_digest(handle);
            let handles = handles_value(&challenge.handles_before, &digest);
            update = update
                .update_expression(OPEN.replacen("SET ", "SET handles = :handles, ", 1))
                .expression_attribute_values(":handles", handles);
        }
        let mut conditions = Vec::new();
        match challenge.expected_revision {
            None => {}
            Some(0) => conditions.push("attribute_not_exists(revision)"),
            Some(revision) => {
                conditions.push("revision = :expected");
                update = update.expression_attribute_values(":expected", number(revision));
            }
        }
        match &challenge.handle {
            Some(NewHandle { follows: Some(nonce), .. }) => {
                conditions.push("nonce = :follows");
                update = update.expression_attribute_values(":follows", bytes(nonce.as_bytes()));
            }
            // A sign-up that waits is not replaced.
            Some(NewHandle { pending: Some(_), .. }) => {
                conditions.push("(attribute_not_exists(nonce) OR expires_at <= :now)");
                update = update.expression_attribute_values(":now", time(now));
            }
            Some(_) | None => {}
        }
        let condition = (!conditions.is_empty()).then(|| conditions.join(" AND "));
        update
            .set_condition_expression(condition)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
            .map_err(malformed)
    }

    async fn read_challenge(&self, key: &ChallengeKey) -> Result<Option<Item>, PortError> {
        let id = keys::challenge(key);
        let id = [("challenge_id", id.as_str())];
        self.read_item("read a challenge", &self.tables.challenges, &id).await
    }

    /// Adds one to the guesses of a challenge or handle and returns its item, if it has a valid
    /// code with fewer than `most` guesses of this guesser. The SDK repeats a request whose reply was
    /// lost, so the guess has an id: it is counted once, and the last one that is allowed is not
    /// refused because of itself.
    async fn count_one(
        &self,
        challenge_id: String,
        guesser: Guesser,
        most: u32,
        now: Timestamp,
    ) -> Result<Option<Item>, PortError> {
        let attempts = match guesser {
            Guesser::Linked => "attempts",
            Guesser::Stranger => "stranger_attempts",
        };
        let counted = self.uses.next();
        let update = self
            .client
            .update_item()
            .table_name(&self.tables.challenges)
            .key("challenge_id", text(challenge_id))
            .update_expression("ADD #attempts :one, guess_ids :guesses")
            .condition_expression(
                "attribute_exists(nonce) AND expires_at > :now AND \
                (attribute_not_exists(#attempts) OR #attempts < :most) AND \
                NOT contains(guess_ids, :guess)",
            )
            .expression_attribute_values(":guesses", counted.set())
            .expression_attribute_values(":guess", counted.value())
            .expression_attribute_names("#attempts", attempts)
            .expression_attribute_values(":one", number(1_u32))
            .expression_attribute_values(":most", number(most))
            .expression_attribute_values(":now", time(now))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        match self.retry_on_conflict(|| update.clone().send()).await {
            Ok(updated) => Ok(updated.attributes),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failure)) => {
                    Ok(failure.item().filter(|item| counted.is_in_set(item, "guess_ids")).cloned())
                }
                _ => Err(port_error("count a guess", &error)),
            },
        }
    }
}

#[async_trait]
impl Challenges for DynamoStore {
    async fn count_guess(
        &self,
        key: &ChallengeKey,
        guesser: Guesser,
        most: u32,
        now: Timestamp,
    ) -> Result<Option<LiveCode>, PortError> {
        let item = self.count_one(keys::challenge(key), guesser, most, now).await?;
        item.as_ref().map_or(Ok(None), |item| read_live_code(item, key))
    }

    async fn count_held_guess(
        &self,
        handle: ChallengeHandle,
        most: u32,
        now: Timestamp,
    ) -> Result<Option<LiveCode>, PortError> {
        let item = self.count_one(keys::handle(&handle), Guesser::Linked, most, now).await?;
        item.as_ref().map_or(Ok(None), |item| read_held_code(item, handle, most))
    }

    async fn close(&self, key: &ChallengeKey, nonce: &Nonce) -> Result<(), PortError> {
        let update = self
            .client
            .update_item()
            .table_name(&self.tables.challenges)
            .key("challenge_id", text(keys::challenge(key)))
            .update_expression(
                "REMOVE nonce, key_id, sent, password_stated, attempts, stranger_attempts, \
                guess_ids",
            )
            .condition_expression("nonce = :nonce")
            .expression_attribute_values(":nonce", bytes(nonce.as_bytes()))
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        match self.retry_on_conflict(|| update.clone().send()).await {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                // The code was used or replaced in the meantime.
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(()),
                _ => Err(port_error("close a challenge", &error)),
            },
        }
    }

    async fn current(&self, key: &ChallengeKey) -> Result<Option<LiveCode>, PortError> {
        let item = self.read_challenge(key).await?;
        item.as_ref().map_or(Ok(None), |item| read_live_code(item, key))
    }

    async fn links(&self, key: &ChallengeKey) -> Result<StoredLinks, PortError> {
        let Some(item) = self.read_challenge(key).await? else { return Ok(StoredLinks::default()) };
        Ok(StoredLinks { live: read_live_code(&item, key)?, used: read_used_link(&item, key)? })
    }

    async fn held(&self, handle: ChallengeHandle) -> Result<Option<LiveCode>, PortError> {
        let id = keys::handle(&handle);
        let id = [("challenge_id", id.as_str())];
        let item = self.read_item("read a handle", &self.tables.challenges, &id).await?;
        item.as_ref().map_or(Ok(None), |item| read_held_code(item, handle, u32::MAX))
    }
}
