//! What operators do with single people: bans, the end of pauses, and what is stored about a person
//! (README.md, "Users", "Sessions" and "Challenges").

use super::DynamoStore;
use super::items::attributes::plain_attributes;
use super::items::challenge::handles_of;
use super::items::delivery::suppression_key;
use super::items::keys;
use super::items::value::{Item, as_text, flag, number, text, time};
use super::reads::WantedItems;
use super::sessions::with_version;
use super::transaction::{Commit, Subject, Transaction, malformed};
use super::versions::Versioned;
use crate::adapters::aws::port_error;
use crate::domain::challenge::{ChallengeKey, Lane, Purpose};
use crate::domain::identifier::Identifier;
use crate::domain::known_sources::SourcePart;
use crate::domain::password_attempts::AttemptSubject;
use crate::domain::time::Timestamp;
use crate::ports::{
    BanChange, BanOutcome, Erased, LedgerPolicy, People, Person, PortError, StoredParts,
};
use async_trait::async_trait;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{ReturnConsumedCapacity, ReturnValue, Update};
use std::collections::BTreeSet;

/// The index of the sessions by user.
const BY_USER: &str = "user";
/// The most keys of one batch (DynamoDB, `BatchGetItem`).
const MOST_KEYS: usize = 100;

/// Returns the names of the challenges that a recipient can have.
fn challenges_of(person: &Person, recipient: &Identifier) -> Vec<String> {
    let key = |purpose| ChallengeKey::new(person.realm.clone(), purpose, recipient.clone());
    let keys = Purpose::ALL.map(key);
    let lanes = keys.iter().flat_map(|key| Lane::ALL.map(|lane| key.in_lane(lane)));
    lanes.map(|key| keys::challenge(&key)).collect()
}

/// Returns the recipients of a person.
fn recipients(person: &Person) -> impl Iterator<Item = &Identifier> {
    person.identifiers.iter().filter(|identifier| identifier.receives_codes())
}

impl DynamoStore {
    /// Reads the challenges of a person, and their handles.
    pub(super) async fn challenges_about(&self, person: &Person) -> Result<Vec<Item>, PortError> {
        let names = recipients(person).flat_map(|to| challenges_of(person, to)).collect();
        let mut found = self.read_all(&self.tables.challenges, "challenge_id", names).await?;
        let handles = found.iter().flat_map(handles_of);
        let handles: BTreeSet<_> = handles.map(|digest| keys::handle_of_digest(&digest)).collect();
        let handles = handles.into_iter().collect();
        found.extend(self.read_all(&self.tables.challenges, "challenge_id", handles).await?);
        Ok(found)
    }

    /// Reads the items of a table with these keys, as many as exist.
    pub(super) async fn read_all(
        &self,
        table: &str,
        key: &str,
        values: Vec<String>,
    ) -> Result<Vec<Item>, PortError> {
        let mut found = Vec::new();
        for values in values.chunks(MOST_KEYS) {
            let wanted = WantedItems { table, key, values: values.to_vec(), consistent: true };
            let items = self.read_batch("read what is stored about a person", [wanted]).await?;
            found.extend(items.into_values().flatten());
        }
        Ok(found)
    }

    /// Returns the hashes of the tokens of a user. The index may lag behind the table by a moment.
    pub(super) async fn tokens_of(&self, user: &str) -> Result<Vec<String>, PortError> {
        let query = self
            .client
            .query()
            .table_name(&self.tables.sessions)
            .index_name(BY_USER)
            .key_condition_expression("user_id = :user")
            .expression_attribute_values(":user", text(user))
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let mut pages = query.into_paginator().send();
        let mut tokens = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| port_error("read the sessions of a user", &error))?;
            let hash = |item: &Item| item.get("token_hash").and_then(as_text).map(str::to_owned);
            tokens.extend(page.items().iter().filter_map(hash));
        }
        Ok(tokens)
    }

    /// Reads the credits of a user.
    pub(super) async fn credits_of(&self, user: &str) -> Result<Vec<Item>, PortError> {
        let query = self
            .client
            .query()
            .table_name(&self.tables.ledger)
            .consistent_read(true)
            .key_condition_expression("user_id = :user")
            .expression_attribute_values(":user", text(user))
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let mut pages = query.into_paginator().send();
        let mut credits = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| port_error("read the credits of a user", &error))?;
            credits.extend(page.items.unwrap_or_default());
        }
        Ok(credits)
    }

    /// Deletes an item. Returns whether there was one.
    pub(super) async fn delete_item(
        &self,
        action: &'static str,
        table: &str,
        (key, value): (&str, &str),
    ) -> Result<bool, PortError> {
        let delete = self
            .client
            .delete_item()
            .table_name(table)
            .key(key, text(value))
            .return_values(ReturnValue::AllOld)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let deleted = self.retry_on_conflict(|| delete.clone().send()).await;
        Ok(deleted.map_err(|error| port_error(action, &error))?.attributes.is_some())
    }

    /// Deletes the records of failed sign-ins of a person. Returns how many there were.
    pub(super) async fn forget_attempts_of(&self, person: &Person) -> Result<usize, PortError> {
        let user = person.user.iter().flat_map(|user| {
            [
                AttemptSubject::Account(user.clone()),
                AttemptSubject::AccountFromKnown(user.clone(), SourcePart::Network),
                AttemptSubject::AccountFromKnown(user.clone(), SourcePart::Device),
            ]
        });
        let unknown = person.identifiers.iter().map(|identifier| {
            AttemptSubject::UnknownIdentifier(person.realm.clone(), identifier.clone())
        });
        let mut forgotten = 0_usize;
        for subject in user.chain(unknown) {
            let bucket = keys::attempts(&subject);
            let table = &self.tables.budgets;
            let action = "forget failed sign-ins";
            if self.delete_item(action, table, ("bucket", &bucket)).await? {
                forgotten = forgotten.saturating_add(1);
            }
        }
        Ok(forgotten)
    }

    /// Ends the time for which the recipients of a person are left alone. Returns how many were.
    pub(super) async fn lift_of(&self, person: &Person) -> Result<usize, PortError> {
        let mut lifted = 0_usize;
        for recipient in recipients(person) {
            let key = suppression_key(recipient);
            let table = &self.tables.deliveries;
            let action = "send to a recipient again";
            if self.delete_item(action, table, ("delivery_id", &key)).await? {
                lifted = lifted.saturating_add(1);
            }
        }
        Ok(lifted)
    }

    /// Ends the pause of a challenge, and gives its sends and guesses back. Returns whether it exists.
    async fn reset_challenge(&self, id: &str) -> Result<bool, PortError> {
        let update = self
            .client
            .update_item()
            .table_name(&self.tables.challenges)
            .key("challenge_id", text(id))
            // The next send must be admitted by this record, so the revision changes.
            .update_expression(
                "SET hour_sends = :zero, day_sends = :zero ADD revision :one \
                REMOVE sent_at, attempts, stranger_attempts, guess_ids",
            )
            .condition_expression("attribute_exists(challenge_id)")
            .expression_attribute_values(":zero", number(0_u32))
            .expression_attribute_values(":one", number(1_u32))
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        match self.retry_on_conflict(|| update.clone().send()).await {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(false),
                _ => Err(port_error("end the pause of a recipient", &error)),
            },
        }
    }

    fn ban_transaction(
        &self,
        change: &BanChange,
        effects: Option<&Versioned>,
    ) -> Result<Transaction, PortError> {
        let BanChange { user, banned, silenced, at, .. } = change;
        let versions = effects.and_then(|effects| effects.user.as_ref());
        let mut transaction = Transaction::default();
        let update =
            Update::builder().table_name(&self.tables.users).key("user_id", text(user.id.as_str()));
        let update = if *banned {
            // A session that was opened after the user was read, at a later time than the end, would
            // stay open.
            let condition = "attribute_exists(user_id) AND attribute_not_exists(banned_at) AND \
                (attribute_not_exists(last_active_at) OR last_active_at < :since) AND \
                (attribute_not_exists(expires_at) OR expires_at > :now)";
            let update = update
                .expression_attribute_values(":since", time(user.end_of_sessions(*at)))
                .expression_attribute_values(":now", time(*at));
            let change = ("SET banned_at = :now, sessions_since = :since", " REMOVE session_kept");
            with_version(update, change, condition, versions)
        } else {
            // The expression needs an assignment in front of the version.
            let update = update.expression_attribute_values(":now", time(*at));
            let change = ("SET unbanned_at = :now", " REMOVE banned_at");
            with_version(update, change, "attribute_exists(banned_at)", versions)
        };
        transaction.update(Subject::Account, update.build().map_err(malformed)?);
        for known in user.identifiers.iter() {
            let update = Update::builder()
                .table_name(&self.tables.identifiers)
                .key("identifier", text(keys::identifier(&user.realm, &known.identifier)))
                .condition_expression("user_id = :user")
                .expression_attribute_values(":user", text(user.id.as_str()));
            let update = if *banned {
                update
                    .update_expression("SET banned = :true")
                    .expression_attribute_values(":true", flag(true))
            } else {
                update.update_expression("REMOVE banned")
            };
            transaction.update(Subject::Identifier(0), update.build().map_err(malformed)?);
        }
        self.silence_devices(&user.id, silenced, &mut transaction)?;
        if let Some(effects) = effects {
            self.add_entry(&effects.entry, &mut transaction)?;
        }
        Ok(transaction)
    }
}

#[async_trait]
impl People for DynamoStore {
    async fn change_ban(&self, change: &BanChange) -> Result<BanOutcome, PortError> {
        let action = if change.banned { "ban a user" } else { "end the ban of a user" };
        let build = |effects: Option<&Versioned>| self.ban_transaction(change, effects);
        match self.transact_with_events(action, Some(&change.entry), build).await? {
            Commit::Done => Ok(BanOutcome::Changed),
            commit
                if commit.failed_in(Subject::Account)
                    || commit.failed_in(Subject::Identifier(0)) =>
            {
                Ok(BanOutcome::Reread)
            }
            Commit::Failed(_) => Err(PortError::new(action, "a new random id is already in use")),
        }
    }

    async fn unlock(&self, person: &Person) -> Result<usize, PortError> {
        let mut changed = self.forget_attempts_of(person).await?;
        for recipient in recipients(person) {
            for id in challenges_of(person, recipient) {
                if self.reset_challenge(&id).await? {
                    changed = changed.saturating_add(1);
                }
            }
        }
        Ok(changed.saturating_add(self.lift_of(person).await?))
    }

    async fn forget(
        &self,
        person: &Person,
        ledger: LedgerPolicy,
        tombstone: &str,
        now: Timestamp,
    ) -> Result<Erased, PortError> {
        self.erase(person, ledger, tombstone, now).await
    }

    async fn stored(&self, person: &Person) -> Result<StoredParts, PortError> {
        let identifiers = person.identifiers.iter();
        let identifiers = identifiers.map(|known| keys::identifier(&person.realm, known)).collect();
        let identifiers =
            self.read_all(&self.tables.identifiers, "identifier", identifiers).await?;
        let mut parts = Vec::new();
        if let Some(user) = &person.user {
            let id = user.as_str();
            let users = self.read_all(&self.tables.users, "user_id", vec![id.to_owned()]).await?;
            let tokens = self.tokens_of(id).await?;
            parts.push(("users", users));
            parts.push(("devices", self.devices_of(user).await?));
            let sessions = self.read_all(&self.tables.sessions, "token_hash", tokens).await?;
            parts.push(("sessions", sessions));
            parts.push(("ledger", self.credits_of(id).await?));
        }
        parts.push(("identifiers", identifiers));
        parts.push(("challenges", self.challenges_about(person).await?));
        let left_alone = recipients(person).map(suppression_key).collect();
        let left_alone = self.read_all(&self.tables.deliveries, "delivery_id", left_alone).await?;
        parts.push(("deliveries", left_alone));
        let shown = |items: &Vec<Item>| items.iter().map(plain_attributes).collect();
        Ok(parts.iter().map(|(table, items)| (*table, shown(items))).collect())
    }
}
