//! Accounts that are verified later, in the tables Users, Identifiers, Challenges and Budgets
//! (README.md, the sections of these names).
//!
//! One transaction writes the user, its identifiers and one challenge for each of them, and takes
//! one use from the budget.

use super::challenges::{Open, send_record};
use super::item::{Item, as_text};
use super::transaction::{Commit, Subject, Transaction};
use super::{DynamoStore, keys};
use crate::domain::sends::SendRecord;
use crate::ports::{
    NewChallenge, PortError, RegisterVerifiableOutcome, VerifiableRegistration,
    VerifiableRegistrations,
};
use async_trait::async_trait;

impl<'a> From<&'a NewChallenge> for Open<'a> {
    fn from(challenge: &'a NewChallenge) -> Self {
        Self {
            key: &challenge.key,
            nonce: &challenge.nonce,
            key_id: &challenge.key_id,
            expires_at: challenge.expires_at,
            sent: challenge.sent,
            sends: &challenge.sends,
            expected_revision: challenge.expected_revision,
            unless_live_at: None,
        }
    }
}

/// Returns the send record of a challenge, if its item is among those of the failed conditions.
fn record_of(challenge: &NewChallenge, items: &[Item]) -> Option<SendRecord> {
    let id = keys::challenge(&challenge.key);
    let is_its = |item: &&Item| item.get("challenge_id").and_then(as_text) == Some(id.as_str());
    items.iter().find(is_its).map(send_record)
}

#[async_trait]
impl VerifiableRegistrations for DynamoStore {
    async fn register(
        &self,
        registration: &VerifiableRegistration,
    ) -> Result<RegisterVerifiableOutcome, PortError> {
        const ACTION: &str = "register a user to be verified";
        let VerifiableRegistration { budget, user, challenges, entry } = registration;
        let mut transaction = Transaction::default();
        if let Some(budget) = budget {
            transaction.update(Subject::Budget, self.take_one(budget)?);
        }
        self.put_identifiers(user, &mut transaction)?;
        for challenge in challenges {
            transaction.update(Subject::Challenge, self.open_challenge(&challenge.into())?);
        }
        transaction.put(Subject::Other, self.put_user(user)?);
        transaction.put(Subject::Other, self.put_entry(entry)?);
        let commit = self.commit(ACTION, transaction).await?;
        if commit.failed_in(Subject::Other) {
            return Err(PortError::new(ACTION, "a new random id is already in use"));
        }
        let taken: Vec<_> = commit
            .failed_identifiers()
            .filter_map(|number| user.identifiers.iter().nth(number))
            .map(|known| known.identifier.clone())
            .collect();
        Ok(match commit {
            Commit::Done => RegisterVerifiableOutcome::Registered,
            commit if commit.failed_in(Subject::Budget) => RegisterVerifiableOutcome::BudgetSpent,
            Commit::Failed(_) if !taken.is_empty() => RegisterVerifiableOutcome::Taken(taken),
            Commit::Failed(failures) => {
                let items: Vec<_> = failures.into_iter().filter_map(|(_, item)| item).collect();
                let changed = challenges.iter().filter_map(|challenge| {
                    Some((challenge.key.recipient.clone(), record_of(challenge, &items)?))
                });
                RegisterVerifiableOutcome::SendsChanged(changed.collect())
            }
        })
    }
}
