//! Sessions in the tables Sessions, Devices and Users (README.md, the sections of these names).
//!
//! A sign-out sets `signed_out_at` of the device, or `sessions_since` of the user for all sessions,
//! with `session_kept` for all but one. Of a signed token it writes an item.

use super::DynamoStore;
use super::items::session::{ended_token_item, is_open, read_listed_session};
use super::items::user::read_user;
use super::items::value::{Item, as_time, number, purge_time, read, text, time};
use super::items::{is_over, keys};
use super::reads::WantedItems;
use super::transaction::{Commit, Subject, Transaction, malformed, put_new};
use super::versions::{IS_OLDER, UserVersions, Versioned};
use crate::adapters::aws::port_error;
use crate::domain::id::{DeviceId, UserId};
use crate::domain::session::{DEVICE_RETENTION, ListedSession, SessionsToEnd};
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::ports::{EndOutcome, EndSessions, EndToken, PortError, Sessions, Users as _};
use async_trait::async_trait;
use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{
    ConditionCheck, ReturnConsumedCapacity, ReturnValuesOnConditionCheckFailure, Update,
};
use futures_util::future::join;
use secrecy::{ExposeSecret as _, SecretString};
use std::time::Duration;

/// The condition that the session of a device was not ended.
pub(super) const IS_SIGNED_IN: &str =
    "attribute_exists(user_id) AND attribute_not_exists(signed_out_at)";
/// The condition that a user exists and did not end the session of a device with others.
pub(super) const KEEPS_SESSION: &str = "attribute_exists(user_id) AND \
     (attribute_not_exists(sessions_since) OR sessions_since <= :opened_at OR session_kept = :device)";

const MILLISECOND: Duration = Duration::from_millis(1);

impl DynamoStore {
    /// Reads the devices of a user.
    pub(super) async fn devices_of(&self, user: &UserId) -> Result<Vec<Item>, PortError> {
        let (mut devices, mut start) = (Vec::new(), None);
        loop {
            let query = self
                .client
                .query()
                .table_name(&self.tables.devices)
                .consistent_read(true)
                .key_condition_expression("user_id = :user")
                .expression_attribute_values(":user", text(user.as_str()))
                .set_exclusive_start_key(start)
                .return_consumed_capacity(ReturnConsumedCapacity::Total);
            let page = query.send().await;
            let page = page.map_err(|error| port_error("read the devices of a user", &error))?;
            devices.extend(page.items.unwrap_or_default());
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(devices);
            }
        }
    }

    /// Adds the actions that end one session.
    fn end_one(
        &self,
        command: &EndSessions,
        device: &DeviceId,
        versions: Option<&UserVersions>,
        transaction: &mut Transaction,
    ) -> Result<(), PortError> {
        let update = Update::builder()
            .table_name(&self.tables.devices)
            .key("user_id", text(command.user.as_str()))
            .key("device_id", text(device.as_str()))
            .update_expression("SET signed_out_at = :now, expires_at = :end REMOVE push_handle")
            .condition_expression(IS_SIGNED_IN)
            .expression_attribute_values(":now", time(command.at))
            .expression_attribute_values(":end", purge_time(command.at.plus(DEVICE_RETENTION)));
        transaction.update(Subject::Owner, update.build().map_err(malformed)?);
        match versions {
            Some(versions) => self.store_version(Subject::Owner, versions, transaction),
            None => Ok(()),
        }
    }

    /// Adds the actions that end all sessions but one, which must be open: a session that is over
    /// must not open again.
    fn end_others(
        &self,
        command: &EndSessions,
        (kept, opened_at): (&DeviceId, Timestamp),
        versions: Option<&UserVersions>,
        transaction: &mut Transaction,
    ) -> Result<(), PortError> {
        let user = text(command.user.as_str());
        let signed_in = ConditionCheck::builder()
            .table_name(&self.tables.devices)
            .key("user_id", user.clone())
            .key("device_id", text(kept.as_str()))
            .condition_expression(IS_SIGNED_IN);
        transaction.check(Subject::Owner, signed_in.build().map_err(malformed)?);
        let update = Update::builder()
            .table_name(&self.tables.users)
            .key("user_id", user)
            .expression_attribute_values(":now", time(command.at))
            .expression_attribute_values(":device", text(kept.as_str()))
            .expression_attribute_values(":opened_at", time(opened_at));
        let change = "SET sessions_since = :now, session_kept = :device";
        let update = with_version(update, (change, ""), KEEPS_SESSION, versions);
        transaction.update(Subject::Owner, update.build().map_err(malformed)?);
        Ok(())
    }

    /// Adds the actions that end all sessions.
    fn end_all(
        &self,
        command: &EndSessions,
        versions: Option<&UserVersions>,
        transaction: &mut Transaction,
    ) -> Result<(), PortError> {
        let update = Update::builder()
            .table_name(&self.tables.users)
            .key("user_id", text(command.user.as_str()))
            // A session that was opened in the same millisecond ends, too.
            .expression_attribute_values(":since", time(command.at.plus(MILLISECOND)));
        let change = ("SET sessions_since = :since", " REMOVE session_kept");
        let update = with_version(update, change, "attribute_exists(user_id)", versions);
        transaction.update(Subject::Owner, update.build().map_err(malformed)?);
        Ok(())
    }

    /// Returns the time at which the session of a device was opened; `None` if the device does not
    /// exist.
    async fn opened_at(
        &self,
        user: &UserId,
        device: &DeviceId,
    ) -> Result<Option<Timestamp>, PortError> {
        let key = [("user_id", user.as_str()), ("device_id", device.as_str())];
        let item = self.read_item("read a session", &self.tables.devices, &key).await?;
        item.map(|item| read(&item, "created_at", as_time)).transpose()
    }
}

/// Adds to the update of a user what stores the version of the last event: `change` is what it assigns otherwise, and what follows
/// that.
pub(super) fn with_version(
    update: UpdateBuilder,
    (assign, rest): (&str, &str),
    condition: &str,
    versions: Option<&UserVersions>,
) -> UpdateBuilder {
    let Some(UserVersions { first, last, .. }) = versions else {
        return update.update_expression(format!("{assign}{rest}")).condition_expression(condition);
    };
    update
        .update_expression(format!("{assign}, event_version = :last_version{rest}"))
        .condition_expression(format!("{condition} AND {IS_OLDER}"))
        .expression_attribute_values(":first_version", number(first.number()))
        .expression_attribute_values(":last_version", number(last.number()))
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
}

#[async_trait]
impl Sessions for DynamoStore {
    async fn device_holder(
        &self,
        user: &UserId,
        device: &DeviceId,
        now: Timestamp,
    ) -> Result<Option<User>, PortError> {
        let action = "read whether a session is open";
        let whose = ("user_id", user.as_str());
        let device = [whose, ("device_id", device.as_str())];
        let (device, user) = join(
            self.read_item(action, &self.tables.devices, &device),
            self.read_item(action, &self.tables.users, &[whose]),
        )
        .await;
        let (Some(device), Some(user)) = (device?, user?) else { return Ok(None) };
        if is_open(&device, &user, now)? { read_user(&user, now).map(Some) } else { Ok(None) }
    }

    async fn list(&self, user: &UserId, now: Timestamp) -> Result<Vec<ListedSession>, PortError> {
        let (devices, user) = join(self.devices_of(user), self.find(user, now)).await;
        let (devices, Some(user)) = (devices?, user?) else { return Ok(Vec::new()) };
        let mut sessions = Vec::new();
        for item in &devices {
            sessions.extend(read_listed_session(item, &user, now)?);
        }
        sessions.sort_by_key(|session| std::cmp::Reverse(session.opened_at));
        Ok(sessions)
    }

    async fn holder(
        &self,
        user: &UserId,
        token: &SecretString,
        issued_at: Timestamp,
        now: Timestamp,
    ) -> Result<Option<User>, PortError> {
        let (users, sessions) = (&self.tables.users, &self.tables.sessions);
        let hash = keys::sha256(token.expose_secret());
        let wanted = [(users, "user_id", user.as_str().to_owned()), (sessions, "token_hash", hash)];
        let wanted = wanted.map(|(table, key, value)| WantedItems {
            table,
            key,
            values: vec![value],
            consistent: true,
        });
        let found = self.read_batch("read a session", wanted).await?;
        let first = |table: &String| found.get(table).and_then(|items| items.first());
        let Some(item) = first(users).filter(|item| !is_over(item, now)) else { return Ok(None) };
        let user = read_user(item, now)?;
        let is_open = first(sessions).is_none() && user.keeps_token(issued_at);
        Ok(is_open.then_some(user))
    }

    async fn end_token(&self, command: &EndToken) -> Result<EndOutcome, PortError> {
        const ACTION: &str = "end a session";
        let build = |effects: Option<&Versioned>| {
            let ended = ended_token_item(command);
            let mut transaction = Transaction::default();
            transaction.put(Subject::Token, put_new(&self.tables.sessions, "token_hash", ended)?);
            if let Some(Versioned { entry, user }) = effects {
                if let Some(versions) = user {
                    self.store_version(Subject::Owner, versions, &mut transaction)?;
                }
                self.add_entry(entry, &mut transaction)?;
            }
            self.keep_answer(command.answer.as_ref(), command.at, &mut transaction)?;
            Ok(transaction)
        };
        match self.transact_with_events(ACTION, Some(&command.entry), build).await? {
            Commit::Done => Ok(EndOutcome::Ended),
            // All sessions of a user who does not exist any more are over.
            commit if commit.failed_in(Subject::Token) || commit.failed_in(Subject::Owner) => {
                Ok(EndOutcome::AlreadyOver)
            }
            Commit::Failed(_) => Err(PortError::new(ACTION, "a new random id is already in use")),
        }
    }

    async fn end(&self, command: &EndSessions) -> Result<EndOutcome, PortError> {
        const ACTION: &str = "end sessions";
        let kept_since = match &command.which {
            SessionsToEnd::One(_) | SessionsToEnd::All => None,
            SessionsToEnd::Others(kept) => {
                let Some(opened_at) = self.opened_at(&command.user, kept).await? else {
                    return Ok(EndOutcome::AlreadyOver);
                };
                Some((kept, opened_at))
            }
        };
        let build = |effects: Option<&Versioned>| {
            let versions = effects.and_then(|effects| effects.user.as_ref());
            let mut transaction = Transaction::default();
            match (&command.which, kept_since) {
                (SessionsToEnd::One(device), _) => {
                    self.end_one(command, device, versions, &mut transaction)?;
                }
                (SessionsToEnd::Others(_), Some(kept)) => {
                    self.end_others(command, kept, versions, &mut transaction)?;
                }
                (SessionsToEnd::All | SessionsToEnd::Others(_), _) => {
                    self.end_all(command, versions, &mut transaction)?;
                }
            }
            self.silence_devices(&command.user, &command.silenced, &mut transaction)?;
            if let Some(effects) = effects {
                self.add_entry(&effects.entry, &mut transaction)?;
            }
            self.keep_answer(command.answer.as_ref(), command.at, &mut transaction)?;
            Ok(transaction)
        };
        match self.transact_with_events(ACTION, Some(&command.entry), build).await? {
            Commit::Done => Ok(EndOutcome::Ended),
            commit if commit.failed_in(Subject::Owner) => Ok(EndOutcome::AlreadyOver),
            commit if commit.failed_in(Subject::Account) => Ok(EndOutcome::DevicesChanged),
            Commit::Failed(_) => Err(PortError::new(ACTION, "a new random id is already in use")),
        }
    }
}
