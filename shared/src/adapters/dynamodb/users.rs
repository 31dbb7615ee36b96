//! Users in the table Users, and their identifiers in the table Identifiers (README.md, the
//! sections of these names).
//!
//! This module reads both, changes the password and marks identifiers as verified. A verification
//! removes `expires_at` from the user and the identifier, so that DynamoDB does not delete them.

use super::challenges::is_over;
use super::item::{Item, as_flag, as_text, as_time, flag, read, text, time};
use super::outbox::read_realm;
use super::transaction::{Commit, Subject, Transaction, malformed};
use super::{DynamoStore, keys};
use crate::domain::id::UserId;
use crate::domain::identifier::Identifier;
use crate::domain::password::PasswordHash;
use crate::domain::realm::Realm;
use crate::domain::time::Timestamp;
use crate::domain::user::{Attributes, Identifiers, KnownBy, User};
use crate::ports::{
    PasswordChange, PortError, SetPasswordOutcome, Users, Verification, VerifyOutcome,
};
use async_trait::async_trait;
use aws_sdk_dynamodb::types::Update;

/// The condition that a user or an identifier belongs to the given user and has not expired.
pub(super) const IS_ALIVE: &str =
    "user_id = :user AND (attribute_not_exists(expires_at) OR expires_at > :now)";

/// Reads the attributes that a contract stores with a user.
pub(super) fn read_attributes(item: &Item) -> Result<Attributes, PortError> {
    let attributes = read(item, "attributes", |value| value.as_m().ok())?;
    let attributes = attributes
        .iter()
        .filter_map(|(name, value)| Some((name.clone(), as_text(value)?.to_owned())));
    Ok(attributes.collect())
}

pub(super) fn read_user(item: &Item) -> Result<User, PortError> {
    let known_by = Identifier::KINDS.into_iter().filter_map(|kind| {
        let identifier = Identifier::from_parts(kind, item.get(kind).and_then(as_text)?)?;
        let verified = item.get(&format!("{kind}_verified")).and_then(as_flag).unwrap_or(false);
        Some(KnownBy { identifier, verified })
    });
    Ok(User {
        id: read(item, "user_id", |value| as_text(value).map(UserId::from_stored))?,
        realm: read_realm(item)?,
        identifiers: Identifiers::new(known_by.collect()),
        attributes: read_attributes(item)?,
        password: item
            .get("password_hash")
            .and_then(as_text)
            .map(|phc| PasswordHash::new(phc.to_owned())),
        created_at: read(item, "created_at", as_time)?,
        last_active_at: item.get("last_active_at").and_then(as_time),
        password_changed_at: item.get("password_changed_at").and_then(as_time),
        sessions_since: item.get("sessions_since").and_then(as_time),
    })
}

impl DynamoStore {
    /// Returns the action that marks an identifier of a user as verified and removes the user's
    /// expiry.
    fn verify_user(&self, verification: &Verification) -> Result<Update, PortError> {
        let verified = format!("{}_verified", verification.key.recipient.kind());
        Update::builder()
            .table_name(&self.tables.users)
            .key("user_id", text(verification.user.as_str()))
            .update_expression("SET #verified = :true REMOVE expires_at")
            .condition_expression(IS_ALIVE)
            .expression_attribute_names("#verified", verified)
            .expression_attribute_values(":true", flag(true))
            .expression_attribute_values(":user", text(verification.user.as_str()))
            .expression_attribute_values(":now", time(verification.at))
            .build()
            .map_err(malformed)
    }

    /// Returns the action that removes the expiry of an identifier.
    fn keep_identifier(&self, verification: &Verification) -> Result<Update, PortError> {
        let key = &verification.key;
        Update::builder()
            .table_name(&self.tables.identifiers)
            .key("identifier", text(keys::identifier(&key.realm, &key.recipient)))
            .update_expression("REMOVE expires_at")
            .condition_expression(IS_ALIVE)
            .expression_attribute_values(":user", text(verification.user.as_str()))
            .expression_attribute_values(":now", time(verification.at))
            .build()
            .map_err(malformed)
    }
}

#[async_trait]
impl Users for DynamoStore {
    async fn find(&self, id: &UserId, now: Timestamp) -> Result<Option<User>, PortError> {
        let key = [("user_id", id.as_str())];
        let item = self.read_item("read a user", &self.tables.users, &key).await?;
        let item = item.filter(|item| !is_over(item, now));
        item.as_ref().map(read_user).transpose()
    }

    async fn known_by(
        &self,
        realm: &Realm,
        identifier: &Identifier,
        now: Timestamp,
    ) -> Result<Option<UserId>, PortError> {
        let key = keys::identifier(realm, identifier);
        let key = [("identifier", key.as_str())];
        let item = self.read_item("read an identifier", &self.tables.identifiers, &key).await?;
        let item = item.filter(|item| !is_over(item, now));
        item.map(|item| read(&item, "user_id", |value| as_text(value).map(UserId::from_stored)))
            .transpose()
    }

    async fn set_password(&self, change: &PasswordChange) -> Result<SetPasswordOutcome, PortError> {
        const ACTION: &str = "set a password";
        let PasswordChange { user, hash, proved_at, at, entry } = change;
        let update = Update::builder()
            .table_name(&self.tables.users)
            .key("user_id", text(user.as_str()))
            .update_expression(
                "SET password_hash = :hash, password_changed_at = :now, sessions_since = :now",
            )
            .condition_expression(
                "attribute_exists(user_id) AND \
                 (attribute_not_exists(password_changed_at) OR password_changed_at < :proved_at)",
            )
            .expression_attribute_values(":hash", text(hash.expose()))
            .expression_attribute_values(":now", time(*at))
            .expression_attribute_values(":proved_at", time(*proved_at));
        let mut transaction = Transaction::default();
        transaction.update(Subject::Owner, update.build().map_err(malformed)?);
        transaction.put(Subject::Other, self.put_entry(entry)?);
        match self.commit(ACTION, transaction).await? {
            Commit::Done => Ok(SetPasswordOutcome::Changed),
            commit if commit.failed_in(Subject::Owner) => Ok(SetPasswordOutcome::ProofUsedUp),
            Commit::Failed(_) => Err(PortError::new(ACTION, "a new random id is already in use")),
        }
    }

    async fn verify(&self, verification: &Verification) -> Result<VerifyOutcome, PortError> {
        const ACTION: &str = "verify a user";
        let Verification { key, handle, nonce, guesses, at, entry, .. } = verification;
        let mut transaction = Transaction::default();
        transaction.update(Subject::Challenge, self.consume(key, nonce, *at)?);
        if let Some(handle) = handle {
            transaction.update(Subject::Challenge, self.consume_handle(handle, nonce)?);
        }
        if let Some(budget) = guesses {
            transaction.check(Subject::Budget, self.has_room(budget)?);
        }
        transaction.update(Subject::Owner, self.keep_identifier(verification)?);
        transaction.update(Subject::Owner, self.verify_user(verification)?);
        transaction.put(Subject::Other, self.put_entry(entry)?);
        let commit = self.commit(ACTION, transaction).await?;
        if matches!(commit, Commit::Done) {
            Ok(VerifyOutcome::Verified)
        } else if commit.failed_in(Subject::Challenge) {
            Ok(VerifyOutcome::ChallengeLost)
        } else if commit.failed_in(Subject::Budget) {
            Ok(VerifyOutcome::BudgetSpent)
        } else if commit.failed_in(Subject::Owner) {
            Ok(VerifyOutcome::UserGone)
        } else {
            Err(PortError::new(ACTION, "a new random id is already in use"))
        }
    }
}
