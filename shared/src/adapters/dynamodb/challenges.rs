//! Challenges and handles in the table Challenges (README.md, "Challenges").
//!
//! The item of a challenge ([`keys::challenge`]) has two parts: the code, which is removed when it
//! is used, and the send record, which stays. The item of a handle ([`keys::handle`]) has a copy of
//! the code with guesses of its own, and for a sign-up in two steps the sign-up that waits.

use super::item::{
    Item, as_bytes, as_flag, as_number, as_text, as_time, bytes, flag, number, purge_time, read,
    text, time,
};
use super::outbox::{challenge_key_item, read_challenge_key};
use super::transaction::{Commit, Subject, Transaction, malformed, put_new};
use super::users::read_attributes;
use super::{DynamoStore, keys, port_error};
use crate::domain::challenge::{ChallengeHandle, ChallengeKey, KeyId, Nonce};
use crate::domain::id::UserId;
use crate::domain::identifier::Identifier;
use crate::domain::password::PasswordHash;
use crate::domain::sends::{SendRecord, WindowCount};
use crate::domain::time::{DAY, Timestamp};
use crate::domain::user::PendingSignUp;
use crate::ports::{
    ChallengeState, Challenges, HeldCode, LiveCode, NewHandle, OpenOutcome, Opening, PortError,
    RecipientState, RedeemOutcome, Redemption,
};
use async_trait::async_trait;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{
    AttributeValue, KeysAndAttributes, Put, ReturnConsumedCapacity, ReturnValue,
    ReturnValuesOnConditionCheckFailure, Update,
};
use std::collections::HashMap;

/// The update for a new send. It overwrites the nonce, which makes the old code invalid, and resets
/// the guesses.
const OPEN: &str = "SET nonce = :nonce, key_id = :key_id, sent = :sent, attempts = :zero, \
    expires_at = :expires_at, sent_at = :sent_at, revision = :revision, \
    hour_window = :hour_window, hour_sends = :hour_sends, \
    day_window = :day_window, day_sends = :day_sends, purge_at = :purge_at";

/// The number of tries at a batch of which DynamoDB processes only a part.
const BATCH_TRIES: usize = 4;

fn window_count(item: &Item, window: &str, used: &str) -> WindowCount {
    let window = item.get(window).and_then(as_time);
    let used = item.get(used).and_then(as_number).and_then(|used| u32::try_from(used).ok());
    match (window, used) {
        (Some(window), Some(used)) => WindowCount { window, used },
        _ => WindowCount::EMPTY,
    }
}

/// Reads the send record of a challenge's item.
pub(super) fn send_record(item: &Item) -> SendRecord {
    SendRecord {
        revision: item.get("revision").and_then(as_number).unwrap_or(0),
        sent_at: item.get("sent_at").and_then(as_time),
        hour: window_count(item, "hour_window", "hour_sends"),
        day: window_count(item, "day_window", "day_sends"),
    }
}

/// Returns the state of the challenge with this item.
fn challenge_state(item: Option<&Item>, now: Timestamp) -> ChallengeState {
    let live = item.filter(|item| item.contains_key("nonce") && !is_over(item, now));
    ChallengeState {
        sends: item.map_or(SendRecord::EMPTY, send_record),
        live_until: live.and_then(|item| item.get("expires_at").and_then(as_time)),
    }
}

/// Returns the attribute value of a sign-up that waits.
fn pending_value(pending: &PendingSignUp) -> AttributeValue {
    let identifiers = pending.identifiers.iter();
    let identifiers =
        identifiers.map(|known| (known.kind().to_owned(), text(known.as_written()))).collect();
    let attributes = pending.attributes.iter().map(|(name, value)| (name.clone(), text(value)));
    AttributeValue::M(Item::from([
        ("identifiers".to_owned(), AttributeValue::M(identifiers)),
        ("password_hash".to_owned(), text(pending.password.expose())),
        ("attributes".to_owned(), AttributeValue::M(attributes.collect())),
    ]))
}

/// Reads the value that [`pending_value`] returned.
fn read_pending(item: &Item) -> Result<Option<PendingSignUp>, PortError> {
    let Some(pending) = item.get("pending") else { return Ok(None) };
    let bad = |_: &AttributeValue| PortError::new("read a stored item", "bad attribute pending");
    let pending = pending.as_m().map_err(bad)?;
    let identifiers = read(pending, "identifiers", |value| value.as_m().ok())?;
    let identifiers = identifiers
        .iter()
        .filter_map(|(kind, value)| Identifier::from_parts(kind, as_text(value)?));
    Ok(Some(PendingSignUp {
        identifiers: identifiers.collect(),
        password: PasswordHash::new(read(pending, "password_hash", as_text)?.to_owned()),
        attributes: read_attributes(pending)?,
    }))
}

/// The values that are written to a challenge when it is opened.
pub(super) struct Open<'a> {
    pub(super) key: &'a ChallengeKey,
    pub(super) nonce: &'a Nonce,
    pub(super) key_id: &'a KeyId,
    pub(super) expires_at: Timestamp,
    pub(super) sent: bool,
    pub(super) sends: &'a SendRecord,
    pub(super) expected_revision: Option<u64>,
    /// If set, the challenge is not opened while it has a code that is valid at this time.
    pub(super) unless_live_at: Option<Timestamp>,
}

impl<'a> From<&'a Opening> for Open<'a> {
    fn from(opening: &'a Opening) -> Self {
        Self {
            key: &opening.key,
            nonce: &opening.nonce,
            key_id: &opening.key_id,
            expires_at: opening.expires_at,
            sent: opening.sent,
            sends: &opening.sends,
            expected_revision: opening.expected_revision,
            unless_live_at: opening.pending.as_ref().map(|_| opening.at),
        }
    }
}

/// Reads the code of a challenge or handle; `None` if it was used.
fn live_code(item: &Item) -> Result<Option<LiveCode>, PortError> {
    if !item.contains_key("nonce") {
        return Ok(None);
    }
    let nonce = read(item, "nonce", |value| as_bytes(value).and_then(Nonce::from_stored))?;
    let key_id = read(item, "key_id", |value| as_text(value).map(KeyId::new))?;
    Ok(Some(LiveCode { sent: read(item, "sent", as_flag)?, nonce, key_id }))
}

/// Returns whether the item has expired.
pub(super) fn is_over(item: &Item, now: Timestamp) -> bool {
    item.get("expires_at").and_then(as_time).is_some_and(|end| end <= now)
}

impl DynamoStore {
    /// Returns the action that uses up the code of a challenge: it removes the code, keeps the send
    /// record and resets the count of the day.
    pub(super) fn consume(
        &self,
        key: &ChallengeKey,
        nonce: &Nonce,
        now: Timestamp,
    ) -> Result<Update, PortError> {
        Update::builder()
            .table_name(&self.tables.challenges)
            .key("challenge_id", text(keys::challenge(key)))
            .update_expression("REMOVE nonce, key_id, sent, attempts SET day_sends = :zero")
            .condition_expression("nonce = :nonce AND expires_at > :now")
            .expression_attribute_values(":nonce", bytes(nonce.as_bytes()))
            .expression_attribute_values(":now", time(now))
            .expression_attribute_values(":zero", number(0_u32))
            .build()
            .map_err(malformed)
    }

    /// Returns the action that uses up a handle. It belongs in one transaction with
    /// [`DynamoStore::consume`].
    pub(super) fn consume_handle(
        &self,
        handle: &ChallengeHandle,
        nonce: &Nonce,
    ) -> Result<Update, PortError> {
        Update::builder()
            .table_name(&self.tables.challenges)
            .key("challenge_id", text(keys::handle(handle)))
            .update_expression("REMOVE nonce, key_id, sent, attempts, pending")
            .condition_expression("nonce = :nonce")
            .expression_attribute_values(":nonce", bytes(nonce.as_bytes()))
            .build()
            .map_err(malformed)
    }

    /// Returns the action that writes a handle. The item of the challenge has the same nonce and so
    /// decides which handle is valid.
    fn put_handle(&self, new: &NewHandle, opening: &Opening) -> Result<Put, PortError> {
        let Opening { key, nonce, key_id, expires_at, .. } = opening;
        let holder = new.holder.as_ref().map(UserId::as_str).unwrap_or_default();
        let mut item = challenge_key_item(key);
        item.extend([
            ("challenge_id".to_owned(), text(keys::handle(&new.handle))),
            ("nonce".to_owned(), bytes(nonce.as_bytes())),
            ("key_id".to_owned(), text(key_id.as_str())),
            ("sent".to_owned(), flag(opening.sent)),
            ("attempts".to_owned(), number(0_u32)),
            ("expires_at".to_owned(), time(*expires_at)),
            ("purge_at".to_owned(), purge_time(*expires_at)),
            // The width is fixed, so that the items of decoys and users have the same size.
            ("holder".to_owned(), text(format!("{holder:<24}"))),
        ]);
        if let Some(pending) = &opening.pending {
            item.insert("pending".to_owned(), pending_value(pending));
        }
        put_new(&self.tables.challenges, "challenge_id", item)
    }

    /// Adds one to the guesses of a challenge or handle and returns its item, if it has a valid
    /// code with fewer than `most` guesses.
    async fn count_one(
        &self,
        challenge_id: String,
        most: u32,
        now: Timestamp,
    ) -> Result<Option<Item>, PortError> {
        let update = self
            .client
            .update_item()
            .table_name(&self.tables.challenges)
            .key("challenge_id", text(challenge_id))
            .update_expression("ADD attempts :one")
            .condition_expression("attempts < :most AND expires_at > :now")
            .expression_attribute_values(":one", number(1_u32))
            .expression_attribute_values(":most", number(most))
            .expression_attribute_values(":now", time(now))
            .return_values(ReturnValue::AllNew)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        match self.retry_on_conflict(|| update.clone().send()).await {
            Ok(updated) => Ok(updated.attributes),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(None),
                _ => Err(port_error("count a guess", &error)),
            },
        }
    }

    /// Returns the action that opens a challenge, if its send record is the expected one. If not,
    /// the failure contains the item.
    pub(super) fn open_challenge(&self, opening: &Open<'_>) -> Result<Update, PortError> {
        let sends = opening.sends;
        // The item must be kept until the code has expired and the day of the send is over.
        let purge_at = opening.expires_at.max(sends.day.window.plus(DAY));
        let update = Update::builder()
            .table_name(&self.tables.challenges)
            .key("challenge_id", text(keys::challenge(opening.key)))
            .update_expression(OPEN)
            .expression_attribute_values(":nonce", bytes(opening.nonce.as_bytes()))
            .expression_attribute_values(":key_id", text(opening.key_id.as_str()))
            .expression_attribute_values(":sent", flag(opening.sent))
            .expression_attribute_values(":zero", number(0_u32))
            .expression_attribute_values(":expires_at", time(opening.expires_at))
            .expression_attribute_values(":sent_at", time(sends.sent_at.unwrap_or(purge_at)))
            .expression_attribute_values(":revision", number(sends.revision))
            .expression_attribute_values(":hour_window", time(sends.hour.window))
            .expression_attribute_values(":hour_sends", number(sends.hour.used))
            .expression_attribute_values(":day_window", time(sends.day.window))
            .expression_attribute_values(":day_sends", number(sends.day.used))
            .expression_attribute_values(":purge_at", purge_time(purge_at));
        let mut conditions = Vec::new();
        let update = match opening.expected_revision {
            None => update,
            Some(0) => {
                conditions.push("attribute_not_exists(revision)");
                update
            }
            Some(revision) => {
                conditions.push("revision = :expected");
                update.expression_attribute_values(":expected", number(revision))
            }
        };
        let update = if let Some(now) = opening.unless_live_at {
            conditions.push("(attribute_not_exists(nonce) OR expires_at <= :now)");
            update.expression_attribute_values(":now", time(now))
        } else {
            update
        };
        let condition = (!conditions.is_empty()).then(|| conditions.join(" AND "));
        update
            .set_condition_expression(condition)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
            .map_err(malformed)
    }

    /// Reads items of two tables by their keys in one round trip.
    pub(super) async fn read_pair(
        &self,
        action: &'static str,
        wanted: [(&str, &str, Vec<String>); 2],
    ) -> Result<HashMap<String, Vec<Item>>, PortError> {
        let mut left = HashMap::new();
        for (table, key, values) in wanted {
            let keys = values.into_iter().map(|value| Item::from([(key.to_owned(), text(value))]));
            let keys = KeysAndAttributes::builder()
                .set_keys(Some(keys.collect()))
                .consistent_read(true)
                .build()
                .map_err(malformed)?;
            left.insert(table.to_owned(), keys);
        }
        let mut found: HashMap<String, Vec<Item>> = HashMap::new();
        for _ in 0..BATCH_TRIES {
            let batch = self.client.batch_get_item().set_request_items(Some(left));
            let batch = batch.return_consumed_capacity(ReturnConsumedCapacity::Total);
            let answer = batch.send().await.map_err(|error| port_error(action, &error))?;
            for (table, items) in answer.responses.unwrap_or_default() {
                found.entry(table).or_default().extend(items);
            }
            left = answer.unprocessed_keys.unwrap_or_default();
            if left.is_empty() {
                return Ok(found);
            }
        }
        Err(PortError::new(action, "the database processed only a part of the batch"))
    }
}

#[async_trait]
impl Challenges for DynamoStore {
    async fn recipient_state(
        &self,
        key: &ChallengeKey,
        others: &[Identifier],
        now: Timestamp,
    ) -> Result<RecipientState, PortError> {
        let (identifiers, challenges) = (&self.tables.identifiers, &self.tables.challenges);
        let identifier = keys::identifier(&key.realm, &key.recipient);
        let others = others.iter().map(|other| keys::identifier(&key.realm, other));
        let names = std::iter::once(identifier.clone()).chain(others).collect();
        let wanted = [
            (identifiers.as_str(), "identifier", names),
            (challenges.as_str(), "challenge_id", vec![keys::challenge(key)]),
        ];
        let found = self.read_pair("read the state of a recipient", wanted).await?;
        let known = found.get(identifiers).into_iter().flatten();
        let known = known.filter(|item| !is_over(item, now));
        let is_recipient =
            |item: &&Item| item.get("identifier").and_then(as_text) == Some(&identifier);
        let (recipient, others): (Vec<_>, Vec<_>) = known.partition(is_recipient);
        Ok(RecipientState {
            user: recipient
                .first()
                .map(|item| read(item, "user_id", |value| as_text(value).map(UserId::from_stored)))
                .transpose()?,
            others_taken: !others.is_empty(),
            challenge: challenge_state(found.get(challenges).and_then(|found| found.first()), now),
        })
    }

    async fn open(&self, opening: &Opening) -> Result<OpenOutcome, PortError> {
        let mut transaction = Transaction::default();
        transaction.update(Subject::Challenge, self.open_challenge(&opening.into())?);
        if let Some(handle) = &opening.handle {
            transaction.put(Subject::Other, self.put_handle(handle, opening)?);
        }
        if let Some(budget) = &opening.budget {
            transaction.update(Subject::Budget, self.take_one(budget)?);
        }
        if let Some(user) = &opening.newcomer {
            self.put_identifiers(user, &mut transaction)?;
            transaction.put(Subject::Other, self.put_user(user)?);
        }
        transaction.put(Subject::Other, self.put_entry(&opening.entry)?);
        let commit = self.commit("open a challenge", transaction).await?;
        if commit.failed_in(Subject::Other) {
            return Err(PortError::new("open a challenge", "a new random id is already in use"));
        }
        Ok(match commit {
            Commit::Done => OpenOutcome::Opened,
            commit if commit.failed_in(Subject::Budget) => OpenOutcome::BudgetSpent,
            commit if commit.failed_identifiers().next().is_some() => OpenOutcome::Taken,
            Commit::Failed(failures) => {
                let item = failures.into_iter().find_map(|(_, item)| item);
                OpenOutcome::Changed(challenge_state(item.as_ref(), opening.at))
            }
        })
    }

    async fn count_guess(
        &self,
        key: &ChallengeKey,
        most: u32,
        now: Timestamp,
    ) -> Result<Option<LiveCode>, PortError> {
        let item = self.count_one(keys::challenge(key), most, now).await?;
        item.as_ref().map_or(Ok(None), live_code)
    }

    async fn count_held_guess(
        &self,
        handle: &ChallengeHandle,
        most: u32,
        now: Timestamp,
    ) -> Result<Option<HeldCode>, PortError> {
        let Some(item) = self.count_one(keys::handle(handle), most, now).await? else {
            return Ok(None);
        };
        let Some(code) = live_code(&item)? else { return Ok(None) };
        let holder = read(&item, "holder", as_text)?.trim_end();
        let holder = (!holder.is_empty()).then(|| UserId::from_stored(holder));
        let guesses = item.get("attempts").and_then(as_number);
        Ok(Some(HeldCode {
            key: read_challenge_key(&item)?,
            code,
            holder,
            pending: read_pending(&item)?,
            last_guess: guesses.is_none_or(|guesses| guesses >= u64::from(most)),
        }))
    }

    async fn redeem(&self, redemption: &Redemption) -> Result<RedeemOutcome, PortError> {
        const ACTION: &str = "redeem a code";
        let Redemption { key, nonce, guesses, at } = redemption;
        let mut transaction = Transaction::default();
        transaction.update(Subject::Challenge, self.consume(key, nonce, *at)?);
        if let Some(budget) = guesses {
            transaction.check(Subject::Budget, self.has_room(budget)?);
        }
        let commit = self.commit(ACTION, transaction).await?;
        Ok(if matches!(commit, Commit::Done) {
            RedeemOutcome::Redeemed
        } else if commit.failed_in(Subject::Challenge) {
            RedeemOutcome::ChallengeLost
        } else {
            RedeemOutcome::BudgetSpent
        })
    }

    async fn close(&self, key: &ChallengeKey, nonce: &Nonce) -> Result<(), PortError> {
        let update = self
            .client
            .update_item()
            .table_name(&self.tables.challenges)
            .key("challenge_id", text(keys::challenge(key)))
            .update_expression("REMOVE nonce, key_id, sent, attempts")
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
        let key = keys::challenge(key);
        let key = [("challenge_id", key.as_str())];
        let item = self.read_item("read a challenge", &self.tables.challenges, &key).await?;
        item.as_ref().map_or(Ok(None), live_code)
    }
}
