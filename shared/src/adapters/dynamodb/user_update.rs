//! The update of a user's item, put together from the parts of a request.

use super::IS_ALIVE;
use super::items::user::verified_flag;
use super::items::value::{flag, number, text, time};
use super::transaction::{Subject, Transaction, malformed};
use super::versions::{IS_OLDER, UserVersions};
use crate::domain::id::DeviceId;
use crate::domain::identifier::IdentifierKind;
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::ports::PortError;
use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, ReturnValuesOnConditionCheckFailure, Update,
};

/// The condition that no operator banned the user.
const IS_NOT_BANNED: &str = "attribute_not_exists(banned_at)";

/// An update of a user who exists, has not expired and is not banned. `:now` is the time of the request.
pub(super) struct UserUpdate {
    update: UpdateBuilder,
    sets: Vec<String>,
    removes: Vec<String>,
    conditions: Vec<String>,
}

impl UserUpdate {
    /// Returns an update that changes nothing yet.
    pub(super) fn of(user: &User, now: Timestamp) -> Self {
        let update = Update::builder()
            .key("user_id", text(user.id.as_str()))
            .expression_attribute_values(":user", text(user.id.as_str()))
            .expression_attribute_values(":now", time(now));
        let conditions = vec![IS_ALIVE.to_owned(), IS_NOT_BANNED.to_owned()];
        Self { update, sets: Vec::new(), removes: Vec::new(), conditions }
    }

    /// Adds an assignment.
    pub(super) fn set(&mut self, assignment: &str) -> &mut Self {
        self.sets.push(assignment.to_owned());
        self
    }

    /// Adds an attribute to remove.
    pub(super) fn remove(&mut self, attribute: &str) -> &mut Self {
        self.removes.push(attribute.to_owned());
        self
    }

    /// Adds a condition.
    pub(super) fn require(&mut self, condition: &str) -> &mut Self {
        self.conditions.push(condition.to_owned());
        self
    }

    /// Adds the condition that the password was not changed since the user was read.
    pub(super) fn require_same_password_time(&mut self, changed_at: Option<Timestamp>) {
        match changed_at {
            None => self.require("attribute_not_exists(password_changed_at)"),
            Some(changed_at) => self
                .require("password_changed_at = :changed_at")
                .value(":changed_at", time(changed_at)),
        };
    }

    /// Adds the condition that the identifier of this kind is not verified.
    pub(super) fn require_unverified(&mut self, kind: IdentifierKind) {
        let attribute = verified_flag(kind);
        self.require(&format!("(attribute_not_exists({attribute}) OR {attribute} = :false)"));
        self.value(":false", flag(false));
    }

    /// Names the value of a placeholder.
    pub(super) fn value(&mut self, placeholder: &str, value: AttributeValue) -> &mut Self {
        let update = std::mem::take(&mut self.update);
        self.update = update.expression_attribute_values(placeholder, value);
        self
    }

    /// Names the attribute of a placeholder.
    pub(super) fn name(&mut self, placeholder: &str, attribute: &str) -> &mut Self {
        let update = std::mem::take(&mut self.update);
        self.update = update.expression_attribute_names(placeholder, attribute);
        self
    }

    /// Stores the version of the last event of the transaction, if it has events about the user.
    pub(super) fn store_version(&mut self, versions: Option<&UserVersions>) {
        let Some(UserVersions { first, last, .. }) = versions else { return };
        self.require(IS_OLDER)
            .set("event_version = :last_version")
            .value(":first_version", number(first.number()))
            .value(":last_version", number(last.number()));
        let update = std::mem::take(&mut self.update);
        let item = ReturnValuesOnConditionCheckFailure::AllOld;
        self.update = update.return_values_on_condition_check_failure(item);
    }

    /// Ends all sessions but the one of the `kept` device. A session that was opened after `user` was
    /// read, at a later time than the end, would stay open. So the condition is that there is none.
    pub(super) fn end_sessions(&mut self, user: &User, at: Timestamp, kept: Option<&DeviceId>) {
        self.require("(attribute_not_exists(last_active_at) OR last_active_at < :since)")
            .set("sessions_since = :since")
            .value(":since", time(user.end_of_sessions(at)));
        match kept {
            Some(device) => {
                self.set("session_kept = :kept").value(":kept", text(device.as_str()));
            }
            None => {
                self.remove("session_kept");
            }
        }
    }

    /// Adds the action to a transaction: an update, or only its conditions if nothing changes.
    pub(super) fn add_to(
        self,
        transaction: &mut Transaction,
        subject: Subject,
        table: &str,
    ) -> Result<(), PortError> {
        let conditions = self.conditions.join(" AND ");
        let mut expression = String::new();
        if !self.sets.is_empty() {
            expression.push_str("SET ");
            expression.push_str(&self.sets.join(", "));
        }
        if !self.removes.is_empty() {
            expression.push_str(" REMOVE ");
            expression.push_str(&self.removes.join(", "));
        }
        let update = self.update.table_name(table).condition_expression(conditions.clone());
        let update =
            update.update_expression(expression.trim_start()).build().map_err(malformed)?;
        if !expression.is_empty() {
            transaction.update(subject, update);
            return Ok(());
        }
        let check = ConditionCheck::builder()
            .table_name(table)
            .condition_expression(conditions)
            .set_key(Some(update.key))
            .set_expression_attribute_names(update.expression_attribute_names)
            .set_expression_attribute_values(update.expression_attribute_values);
        transaction.check(subject, check.build().map_err(malformed)?);
        Ok(())
    }
}
