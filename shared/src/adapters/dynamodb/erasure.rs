//! The erasure of a person: what is stored besides the user, the identifiers and the devices, which the
//! deletion of the account deletes in its transaction.

use super::DynamoStore;
use super::items::outbox::read_entry;
use super::items::value::{Item, as_text, text, time};
use super::transaction::{Commit, Subject, Transaction, malformed, put_new};
use crate::adapters::aws::port_error;
use crate::domain::id::UserId;
use crate::domain::outbox::{Effect, OutboxEntry};
use crate::domain::time::Timestamp;
use crate::ports::{Erased, LedgerPolicy, Person, PortError, random};
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::types::{Delete, ReturnConsumedCapacity};
use serde_json::Value;

/// What the name of the credits of an erased user begins with.
const ERASED: &str = "erased-";

/// Returns whether an effect is about a person.
fn is_about(effect: &Effect, person: &Person) -> bool {
    match effect {
        Effect::Code(code) => {
            let key = &code.seed.key;
            key.realm == person.realm && person.identifiers.contains(&key.recipient)
        }
        Effect::Link(link) => {
            let key = &link.seed.key;
            Some(&link.user) == person.user.as_ref()
                || (key.realm == person.realm && person.identifiers.contains(&key.recipient))
        }
        Effect::Event(event) => {
            let detail = serde_json::from_str(&event.detail);
            detail.is_ok_and(|detail| names(&detail, "", person))
        }
    }
}

/// Returns whether a value of an event names a person: by an identifier, or by the id. An id can be a
/// small number, so a number counts only in a field that is named for a user.
fn names(value: &Value, field: &str, person: &Person) -> bool {
    let of_user = || field.to_ascii_lowercase().contains("user");
    let id = person.user.as_ref().map(UserId::as_str);
    match value {
        Value::String(text) => {
            let is_id = id == Some(text) && (of_user() || text.len() > 12);
            is_id || person.identifiers.iter().any(|known| known.as_str() == text)
        }
        Value::Number(number) => of_user() && id == Some(&number.to_string()),
        Value::Array(values) => values.iter().any(|value| names(value, field, person)),
        Value::Object(fields) => fields.iter().any(|(name, value)| names(value, name, person)),
        Value::Null | Value::Bool(_) => false,
    }
}

/// Returns whether an entry has an event of this type.
fn announces(entry: &OutboxEntry, kind: &str) -> bool {
    entry.effects.iter().filter_map(Effect::as_event).any(|event| event.detail_type == kind)
}

impl DynamoStore {
    pub(super) async fn erase(
        &self,
        person: &Person,
        ledger: LedgerPolicy,
        tombstone: &str,
        now: Timestamp,
    ) -> Result<Erased, PortError> {
        let mut erased = Erased::default();
        if let Some(user) = &person.user {
            let sessions = &self.tables.sessions;
            for token in self.tokens_of(user.as_str()).await? {
                let key = ("token_hash", token.as_str());
                self.delete_item("erase a session", sessions, key).await?;
                erased.sessions = erased.sessions.saturating_add(1);
            }
            for credit in self.credits_of(user.as_str()).await? {
                self.erase_credit(credit, ledger).await?;
                erased.credits = erased.credits.saturating_add(1);
            }
        }
        for challenge in self.challenges_about(person).await? {
            let Some(id) = challenge.get("challenge_id").and_then(as_text) else { continue };
            let key = ("challenge_id", id);
            self.delete_item("erase a challenge", &self.tables.challenges, key).await?;
            erased.challenges = erased.challenges.saturating_add(1);
        }
        erased.budgets = self.forget_attempts_of(person).await?;
        erased.messages = self.lift_of(person).await?;
        self.erase_waiting(person, tombstone, now, &mut erased).await?;
        Ok(erased)
    }

    /// Deletes a credit, or lets it stay under a random name.
    async fn erase_credit(&self, mut credit: Item, policy: LedgerPolicy) -> Result<(), PortError> {
        const ACTION: &str = "erase a credit";
        let table = &self.tables.ledger;
        let mut delete = Delete::builder().table_name(table);
        for name in ["user_id", "entry_id"] {
            let value = credit.get(name).cloned();
            let value = value.ok_or_else(|| PortError::new(ACTION, format!("it has no {name}")))?;
            delete = delete.key(name, value);
        }
        let mut transaction = Transaction::default();
        let delete = delete.condition_expression("attribute_exists(user_id)");
        transaction.delete(Subject::Owner, delete.build().map_err(malformed)?);
        if policy == LedgerPolicy::Anonymize {
            let name = data_encoding::HEXLOWER.encode(&random::<12>(&*self.entropy)?);
            credit.insert("user_id".to_owned(), text(format!("{ERASED}{name}")));
            transaction.put(Subject::Other, put_new(table, "user_id", credit)?);
        }
        match self.transact(ACTION, transaction).await? {
            Commit::Done => Ok(()),
            // Another erasure was faster.
            commit if commit.failed_in(Subject::Owner) => Ok(()),
            Commit::Failed(_) => Err(PortError::new(ACTION, "a new random name is in use")),
        }
    }

    /// Deletes the outbox entries about a person that wait. The outbox has no index by person; it is
    /// empty unless something waits.
    async fn erase_waiting(
        &self,
        person: &Person,
        tombstone: &str,
        now: Timestamp,
        erased: &mut Erased,
    ) -> Result<(), PortError> {
        let scan = self
            .client
            .scan()
            .table_name(&self.tables.outbox)
            .consistent_read(true)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let mut pages = scan.into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| port_error("scan the outbox", &error))?;
            for item in page.items() {
                // What this version cannot read, the next one delivers.
                let Ok(entry) = read_entry(item) else { continue };
                let concerns = entry.effects.iter().any(|effect| is_about(effect, person));
                if !concerns || announces(&entry, tombstone) {
                    continue;
                }
                let count = if self.delete_waiting(&entry.id, now).await? {
                    &mut erased.waiting
                } else {
                    &mut erased.in_delivery
                };
                *count = count.saturating_add(1);
            }
        }
        Ok(())
    }

    /// Deletes an outbox entry unless the relay delivers it. Returns whether it is gone.
    async fn delete_waiting(&self, id: &str, now: Timestamp) -> Result<bool, PortError> {
        let delete = self
            .client
            .delete_item()
            .table_name(&self.tables.outbox)
            .key("event_id", text(id))
            .condition_expression("attribute_not_exists(claimed_until) OR claimed_until <= :now")
            .expression_attribute_values(":now", time(now))
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        match self.retry_on_conflict(|| delete.clone().send()).await {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(DeleteItemError::ConditionalCheckFailedException(_)) => Ok(false),
                _ => Err(port_error("erase an outbox entry", &error)),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::identifier::Identifier;
    use crate::domain::realm::Realm;
    use serde_json::json;

    #[test]
    fn an_event_names_a_person_by_the_id_or_an_identifier() {
        let person = |id: &str| Person {
            realm: Realm::of_contract("goodcity"),
            user: Some(UserId::from_stored(id)),
            identifiers: Identifier::from_parts("phone", "+85291234567").into_iter().collect(),
        };
        let small = person("1831");
        for about in [
            json!({"userId": 1831}),
            json!({"user_id": "1831"}),
            json!({"data": [{"mobile": "+85291234567"}]}),
        ] {
            assert!(names(&about, "", &small), "{about}");
        }
        for other in [
            json!({"points": 1831, "sequence": "1831"}),
            json!({"userId": 1832}),
            json!({"mobile": "+85291234568"}),
        ] {
            assert!(!names(&other, "", &small), "{other}");
        }
        let long = person("6b026ecdd7986f187a939bf5");
        assert!(names(&json!({"referredBy": "6b026ecdd7986f187a939bf5"}), "", &long));
    }
}
