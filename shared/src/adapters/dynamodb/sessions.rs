//! Sessions in the tables Sessions and Devices, and password attempts in the table Budgets
//! (README.md, the sections of these names).
//!
//! Each sign-in and each refresh writes an item of a refresh token. A sign-out sets `signed_out_at`
//! of the device, or `sessions_since` of the user for all sessions; of a signed token it writes an
//! item.

use super::challenges::is_over;
use super::item::{Item, as_number, as_text, as_time, flag, number, purge_time, read, text, time};
use super::registrations::{device_item, session_item};
use super::transaction::{Commit, Subject, Transaction, malformed, put_new};
use super::users::{IS_ALIVE, read_attributes, read_user};
use super::{DynamoStore, keys, port_error};
use crate::domain::challenge::KeyId;
use crate::domain::id::{DeviceId, UserId};
use crate::domain::password_attempts::{AttemptSubject, Backoff, PasswordAttempts};
use crate::domain::session::{
    FamilyId, IDLE_LIFETIME, NewSession, RefreshToken, StoredToken, TokenUse,
};
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::ports::{
    Credential, EndOutcome, EndSession, EndToken, NewSignIn, PortError, Sessions, SignInOutcome,
    TokenRotation, TokenRotationOutcome,
};
use async_trait::async_trait;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{
    ConditionCheck, Delete, ReturnConsumedCapacity, ReturnValuesOnConditionCheckFailure, Update,
};
use futures_util::future::join;
use secrecy::{ExposeSecret as _, SecretString};
use std::time::Duration;

/// The condition that the session of a device was not ended.
const IS_SIGNED_IN: &str = "attribute_exists(user_id) AND attribute_not_exists(signed_out_at)";

fn token_use(item: &Item) -> TokenUse {
    match item.get("used_with").and_then(as_text) {
        _ if item.contains_key("spent") => TokenUse::Spent,
        Some(key_id) => TokenUse::Used(KeyId::new(key_id)),
        None => TokenUse::Unused,
    }
}

fn attempts(item: &Item) -> Option<PasswordAttempts> {
    let count = item.get("attempts").and_then(as_number)?;
    let last_at = item.get("last_at").and_then(as_time)?;
    Some(PasswordAttempts { count: u32::try_from(count).unwrap_or(u32::MAX), last_at })
}

fn stored_token(item: &Item) -> Result<StoredToken, PortError> {
    Ok(StoredToken {
        family: read(item, "family", |value| as_text(value).map(FamilyId::from_stored))?,
        user: read(item, "user_id", |value| as_text(value).map(UserId::from_stored))?,
        device: read(item, "device_id", |value| as_text(value).map(DeviceId::from_stored))?,
        opened_at: read(item, "opened_at", as_time)?,
        usage: token_use(item),
        predecessor: item.get("predecessor").and_then(as_text).map(str::to_owned),
        token_claims: read_attributes(item)?,
    })
}

impl DynamoStore {
    /// Returns the condition that the session of a device was not ended.
    fn is_signed_in(&self, user: &UserId, device: &DeviceId) -> Result<ConditionCheck, PortError> {
        ConditionCheck::builder()
            .table_name(&self.tables.devices)
            .key("user_id", text(user.as_str()))
            .key("device_id", text(device.as_str()))
            .condition_expression(IS_SIGNED_IN)
            .build()
            .map_err(malformed)
    }

    /// Returns the condition that a user exists and did not end all sessions after `opened_at`.
    fn keeps_sessions(
        &self,
        user: &UserId,
        opened_at: Timestamp,
    ) -> Result<ConditionCheck, PortError> {
        ConditionCheck::builder()
            .table_name(&self.tables.users)
            .key("user_id", text(user.as_str()))
            .condition_expression(
                "attribute_exists(user_id) AND \
                 (attribute_not_exists(sessions_since) OR sessions_since <= :opened_at)",
            )
            .expression_attribute_values(":opened_at", time(opened_at))
            .build()
            .map_err(malformed)
    }

    /// Returns the action that marks a token as used, with the key of its successor.
    fn use_token(&self, rotation: &TokenRotation<'_>) -> Result<Update, PortError> {
        Update::builder()
            .table_name(&self.tables.sessions)
            .key("token_hash", text(keys::sha256(rotation.token.expose())))
            .update_expression("SET used_with = :key_id, expires_at = :end")
            .condition_expression("attribute_not_exists(used_with) AND expires_at > :now")
            .expression_attribute_values(":key_id", text(rotation.key_id.as_str()))
            .expression_attribute_values(":end", purge_time(rotation.at.plus(IDLE_LIFETIME)))
            .expression_attribute_values(":now", time(rotation.at))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
            .map_err(malformed)
    }

    /// Returns the action that marks the token before as spent, for as long as its family may be
    /// used. If its item was deleted before, the write creates an incomplete one, which `find`
    /// ignores.
    fn spend(&self, token_hash: &str, at: Timestamp) -> Result<Update, PortError> {
        Update::builder()
            .table_name(&self.tables.sessions)
            .key("token_hash", text(token_hash))
            .update_expression("SET spent = :true, expires_at = :end")
            .expression_attribute_values(":true", flag(true))
            .expression_attribute_values(":end", purge_time(at.plus(IDLE_LIFETIME)))
            .build()
            .map_err(malformed)
    }

    /// Returns the action that stores the time of a sign-in with the user, if the user exists and
    /// the password has not changed.
    fn note_sign_in(&self, sign_in: &NewSignIn) -> Result<Update, PortError> {
        let mut update = Update::builder()
            .table_name(&self.tables.users)
            .key("user_id", text(sign_in.user.as_str()))
            .expression_attribute_values(":user", text(sign_in.user.as_str()))
            .expression_attribute_values(":now", time(sign_in.at));
        let mut expression = "SET last_active_at = :now".to_owned();
        let mut condition = IS_ALIVE.to_owned();
        if let Credential::Password { seen, renewed, .. } = &sign_in.credential {
            condition.push_str(" AND password_hash = :seen");
            update = update.expression_attribute_values(":seen", text(seen.expose()));
            if let Some(renewed) = renewed {
                expression.push_str(", password_hash = :renewed");
                update = update.expression_attribute_values(":renewed", text(renewed.expose()));
            }
        }
        let update = update.update_expression(expression).condition_expression(condition);
        update.build().map_err(malformed)
    }

    fn delete_password_attempts(&self, at: &AttemptSubject) -> Result<Delete, PortError> {
        Delete::builder()
            .table_name(&self.tables.budgets)
            .key("bucket", text(keys::attempts(at)))
            .build()
            .map_err(malformed)
    }
}

#[async_trait]
impl Sessions for DynamoStore {
    async fn count_password_attempt(
        &self,
        at: &AttemptSubject,
        seen: PasswordAttempts,
        newer: PasswordAttempts,
    ) -> Result<Option<PasswordAttempts>, PortError> {
        let update = self
            .client
            .update_item()
            .table_name(&self.tables.budgets)
            .key("bucket", text(keys::attempts(at)))
            .update_expression("SET attempts = :newer, last_at = :at, purge_at = :purge_at")
            .expression_attribute_values(":newer", number(newer.count))
            .expression_attribute_values(":at", time(newer.last_at))
            .expression_attribute_values(
                ":purge_at",
                purge_time(newer.last_at.plus(Backoff::DEFAULT.forget)),
            )
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let update = if seen == PasswordAttempts::NONE {
            update.condition_expression("attribute_not_exists(attempts)")
        } else {
            update
                .condition_expression("attempts = :seen AND last_at = :seen_at")
                .expression_attribute_values(":seen", number(seen.count))
                .expression_attribute_values(":seen_at", time(seen.last_at))
        };
        match self.retry_on_conflict(|| update.clone().send()).await {
            Ok(_) => Ok(None),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failure)) => {
                    let record = failure.item().and_then(attempts);
                    Ok(Some(record.unwrap_or(PasswordAttempts::NONE)))
                }
                _ => Err(port_error("count an attempt", &error)),
            },
        }
    }

    async fn sign_in(&self, sign_in: &NewSignIn) -> Result<SignInOutcome, PortError> {
        const ACTION: &str = "open a session";
        let NewSignIn { user, credential, device, session, at, entry } = sign_in;
        let mut transaction = Transaction::default();
        match credential {
            Credential::Code(proof) => self.put_proof(proof, *at, &mut transaction)?,
            Credential::Password { guesses, .. } => {
                if let Some(budget) = guesses {
                    transaction.check(Subject::Budget, self.has_room(budget)?);
                }
                let forget =
                    self.delete_password_attempts(&AttemptSubject::Account(user.clone()))?;
                transaction.delete(Subject::Other, forget);
            }
        }
        transaction.update(Subject::Owner, self.note_sign_in(sign_in)?);
        if let Some(device) = device {
            let device = device_item(user, device, *at);
            transaction.put(Subject::Other, put_new(&self.tables.devices, "user_id", device)?);
        }
        if let Some(session) = session {
            let session = session_item(session);
            transaction.put(Subject::Other, put_new(&self.tables.sessions, "token_hash", session)?);
        }
        transaction.put(Subject::Other, self.put_entry(entry)?);
        let commit = self.commit(ACTION, transaction).await?;
        if matches!(commit, Commit::Done) {
            Ok(SignInOutcome::SignedIn)
        } else if commit.failed_in(Subject::Challenge) {
            Ok(SignInOutcome::ChallengeLost)
        } else if commit.failed_in(Subject::Budget) {
            Ok(SignInOutcome::BudgetSpent)
        } else if commit.failed_in(Subject::Owner) {
            Ok(SignInOutcome::UserChanged)
        } else {
            Err(PortError::new(ACTION, "a new random id is already in use"))
        }
    }

    async fn find(
        &self,
        token: &RefreshToken,
        now: Timestamp,
    ) -> Result<Option<StoredToken>, PortError> {
        let key = keys::sha256(token.expose());
        let key = [("token_hash", key.as_str())];
        let item = self.read_item("read a session", &self.tables.sessions, &key).await?;
        let item = item.filter(|item| item.contains_key("family") && !is_over(item, now));
        item.as_ref().map(stored_token).transpose()
    }

    async fn rotate(
        &self,
        rotation: &TokenRotation<'_>,
    ) -> Result<TokenRotationOutcome, PortError> {
        const ACTION: &str = "refresh a session";
        let TokenRotation { token, stored, successor, at, .. } = rotation;
        let next = NewSession {
            token: (*successor).clone(),
            family: stored.family.clone(),
            user: stored.user.clone(),
            device: stored.device.clone(),
            opened_at: stored.opened_at,
            token_claims: stored.token_claims.clone(),
        };
        let mut next = session_item(&next);
        next.insert("predecessor".to_owned(), text(keys::sha256(token.expose())));
        next.insert("expires_at".to_owned(), purge_time(at.plus(IDLE_LIFETIME)));
        let mut transaction = Transaction::default();
        transaction.update(Subject::Token, self.use_token(rotation)?);
        transaction.put(Subject::Other, put_new(&self.tables.sessions, "token_hash", next)?);
        if let Some(predecessor) = &stored.predecessor {
            transaction.update(Subject::Other, self.spend(predecessor, *at)?);
        }
        transaction.check(Subject::Owner, self.is_signed_in(&stored.user, &stored.device)?);
        transaction.check(Subject::Owner, self.keeps_sessions(&stored.user, stored.opened_at)?);
        let commit = self.commit(ACTION, transaction).await?;
        if commit.failed_in(Subject::Owner) {
            return Ok(TokenRotationOutcome::Over);
        }
        match commit {
            Commit::Done => Ok(TokenRotationOutcome::Rotated),
            Commit::Failed(failures) => {
                let mut token =
                    failures.into_iter().filter(|(failed, _)| *failed == Subject::Token);
                match token.next().and_then(|(_, item)| item).as_ref().map(token_use) {
                    Some(TokenUse::Used(key_id)) => Ok(TokenRotationOutcome::Used(key_id)),
                    // The token has expired, or two other requests used it and its successor in the
                    // meantime.
                    Some(TokenUse::Unused | TokenUse::Spent) => Ok(TokenRotationOutcome::Over),
                    None => Err(PortError::new(ACTION, "a new random token is already in use")),
                }
            }
        }
    }

    async fn is_open(
        &self,
        user: &UserId,
        device: &DeviceId,
        now: Timestamp,
    ) -> Result<bool, PortError> {
        let action = "read whether a session is open";
        let whose = ("user_id", user.as_str());
        let device = [whose, ("device_id", device.as_str())];
        let (device, user) = join(
            self.read_item(action, &self.tables.devices, &device),
            self.read_item(action, &self.tables.users, &[whose]),
        )
        .await;
        let (Some(device), Some(user)) = (device?, user?) else { return Ok(false) };
        let opened_at = read(&device, "created_at", as_time)?;
        let since = user.get("sessions_since").and_then(as_time);
        Ok(!is_over(&user, now)
            && !is_over(&device, now)
            && !device.contains_key("signed_out_at")
            && since.is_none_or(|since| since <= opened_at))
    }

    async fn holder(
        &self,
        user: &UserId,
        token: &SecretString,
        issued_at: Timestamp,
        now: Timestamp,
    ) -> Result<Option<User>, PortError> {
        let (users, sessions) = (&self.tables.users, &self.tables.sessions);
        let wanted = [
            (users.as_str(), "user_id", vec![user.as_str().to_owned()]),
            (sessions.as_str(), "token_hash", vec![keys::sha256(token.expose_secret())]),
        ];
        let found = self.read_pair("read a session", wanted).await?;
        let first = |table: &String| found.get(table).and_then(|items| items.first());
        let Some(item) = first(users).filter(|item| !is_over(item, now)) else { return Ok(None) };
        let user = read_user(item)?;
        // `issued_at` has a precision of one second, so a token that was issued in the same second
        // as the end of all sessions stays valid.
        let born = issued_at.plus(Duration::from_millis(999));
        let ended = user.sessions_since.is_some_and(|since| born < since);
        Ok((first(sessions).is_none() && !ended).then_some(user))
    }

    async fn end_token(&self, command: &EndToken) -> Result<EndOutcome, PortError> {
        const ACTION: &str = "end a session";
        let EndToken { token, user, expires_at, at, entry } = command;
        let item = Item::from([
            ("token_hash".to_owned(), text(keys::sha256(token.expose_secret()))),
            ("user_id".to_owned(), text(user.as_str())),
            ("signed_out_at".to_owned(), time(*at)),
            ("expires_at".to_owned(), purge_time(*expires_at)),
        ]);
        let mut transaction = Transaction::default();
        transaction.put(Subject::Token, put_new(&self.tables.sessions, "token_hash", item)?);
        transaction.put(Subject::Other, self.put_entry(entry)?);
        match self.commit(ACTION, transaction).await? {
            Commit::Done => Ok(EndOutcome::Ended),
            commit if commit.failed_in(Subject::Token) => Ok(EndOutcome::AlreadyOver),
            Commit::Failed(_) => Err(PortError::new(ACTION, "a new random id is already in use")),
        }
    }

    async fn end(&self, command: &EndSession) -> Result<EndOutcome, PortError> {
        const ACTION: &str = "end a session";
        let EndSession { user, device, at, entry } = command;
        let update = Update::builder().key("user_id", text(user.as_str()));
        let update = match device {
            Some(device) => update
                .table_name(&self.tables.devices)
                .key("device_id", text(device.as_str()))
                .update_expression("SET signed_out_at = :now")
                .condition_expression(IS_SIGNED_IN),
            None => update
                .table_name(&self.tables.users)
                .update_expression("SET sessions_since = :now")
                .condition_expression("attribute_exists(user_id)"),
        };
        let update = update.expression_attribute_values(":now", time(*at));
        let mut transaction = Transaction::default();
        transaction.update(Subject::Owner, update.build().map_err(malformed)?);
        transaction.put(Subject::Other, self.put_entry(entry)?);
        match self.commit(ACTION, transaction).await? {
            Commit::Done => Ok(EndOutcome::Ended),
            commit if commit.failed_in(Subject::Owner) => Ok(EndOutcome::AlreadyOver),
            Commit::Failed(_) => Err(PortError::new(ACTION, "a new random id is already in use")),
        }
    }
}
