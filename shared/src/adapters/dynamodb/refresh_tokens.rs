//! Refresh tokens in the table Sessions (README.md, "Sessions"). Each sign-in and each refresh writes
//! an item.

use super::DynamoStore;
use super::items::session::{read_token, token_item, token_use};
use super::items::value::{flag, purge_time, text, time};
use super::items::{is_over, keys};
use super::sessions::{IS_SIGNED_IN, KEEPS_SESSION};
use super::transaction::{Commit, Subject, Transaction, malformed, put_new};
use crate::domain::session::{
    IDLE_LIFETIME, RefreshToken, Session, StoredToken, TokenUse, end_of_device,
};
use crate::domain::time::Timestamp;
use crate::ports::{PortError, RefreshTokens, TokenRotation, TokenRotationOutcome};
use async_trait::async_trait;
use aws_sdk_dynamodb::types::{ConditionCheck, ReturnValuesOnConditionCheckFailure, Update};

impl DynamoStore {
    /// Returns the action that stores the time of a refresh with the device, if its session was not
    /// ended.
    fn note_refresh(&self, session: &Session, at: Timestamp) -> Result<Update, PortError> {
        Update::builder()
            .table_name(&self.tables.devices)
            .key("user_id", text(session.user.as_str()))
            .key("device_id", text(session.device.as_str()))
            .update_expression("SET refreshed_at = :now, expires_at = :end")
            .condition_expression(IS_SIGNED_IN)
            .expression_attribute_values(":now", time(at))
            .expression_attribute_values(":end", purge_time(end_of_device(at)))
            .build()
            .map_err(malformed)
    }

    /// Returns the condition that the user of a session exists and did not end it with others.
    fn keeps_session(&self, session: &Session) -> Result<ConditionCheck, PortError> {
        ConditionCheck::builder()
            .table_name(&self.tables.users)
            .key("user_id", text(session.user.as_str()))
            .condition_expression(KEEPS_SESSION)
            .expression_attribute_values(":opened_at", time(session.opened_at))
            .expression_attribute_values(":device", text(session.device.as_str()))
            .build()
            .map_err(malformed)
    }

    /// Returns the action that marks a token as used, with the key of its successor.
    fn use_token(&self, rotation: &TokenRotation<'_>) -> Result<Update, PortError> {
        Update::builder()
            .table_name(&self.tables.sessions)
            .key("token_hash", text(keys::sha256(rotation.token.expose())))
            .update_expression("SET used_with = :key_id, used_at = :now, expires_at = :end")
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
}

#[async_trait]
impl RefreshTokens for DynamoStore {
    async fn find_token(
        &self,
        token: &RefreshToken,
        now: Timestamp,
    ) -> Result<Option<StoredToken>, PortError> {
        let key = keys::sha256(token.expose());
        let key = [("token_hash", key.as_str())];
        let item = self.read_item("read a refresh token", &self.tables.sessions, &key).await?;
        let item = item.filter(|item| item.contains_key("family") && !is_over(item, now));
        item.as_ref().map(read_token).transpose()
    }

    async fn rotate(
        &self,
        rotation: &TokenRotation<'_>,
    ) -> Result<TokenRotationOutcome, PortError> {
        const ACTION: &str = "refresh a session";
        let TokenRotation { token, stored, successor, at, .. } = rotation;
        let session = &stored.session;
        let mut next = token_item(session, successor, *at);
        next.insert("predecessor".to_owned(), text(keys::sha256(token.expose())));
        let mut transaction = Transaction::default();
        transaction.update(Subject::Token, self.use_token(rotation)?);
        transaction.put(Subject::Other, put_new(&self.tables.sessions, "token_hash", next)?);
        if let Some(predecessor) = &stored.predecessor {
            transaction.update(Subject::Other, self.spend(predecessor, *at)?);
        }
        transaction.update(Subject::Owner, self.note_refresh(session, *at)?);
        transaction.check(Subject::Owner, self.keeps_session(session)?);
        self.keep_answer(rotation.answer, *at, &mut transaction)?;
        let commit = self.transact(ACTION, transaction).await?;
        if commit.failed_in(Subject::Owner) {
            return Ok(TokenRotationOutcome::Over);
        }
        match commit {
            Commit::Done => Ok(TokenRotationOutcome::Rotated),
            Commit::Failed(failures) => {
                let mut token = failures.iter().filter(|failure| failure.subject == Subject::Token);
                match token.next().and_then(|failure| failure.item.as_ref()).map(token_use) {
                    Some(TokenUse::Used { key_id, .. }) => Ok(TokenRotationOutcome::Used(key_id)),
                    // The token has expired, or two other requests used it and its successor in the
                    // meantime.
                    Some(TokenUse::Unused | TokenUse::Spent) => Ok(TokenRotationOutcome::Over),
                    None => Err(PortError::new(ACTION, "a new random token is already in use")),
                }
            }
        }
    }
}
