use super::challenges::{Open, send_record};
use super::item::{Item, as_text};
use super::transaction::{Commit, Part, Transaction};
use super::{DynamoStore, keys};
use crate::domain::sends::SendRecord;
use crate::ports::{
    NewChallenge, PortError, VerifiableRegistered, VerifiableRegistration, VerifiableRegistrations,
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

/// The send record of a challenge, if its item is among those that stood in the way.
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
    ) -> Result<VerifiableRegistered, PortError> {
        const ACTION: &str = "register a user to be verified";
        let VerifiableRegistration { budget, user, challenges, entry } = registration;
        let mut transaction = Transaction::default();
        if let Some(budget) = budget {
            transaction.update(Part::Budget, self.take_one(budget)?);
        }
        self.put_identifiers(user, &mut transaction)?;
        for challenge in challenges {
            transaction.update(Part::Challenge, self.open_challenge(&challenge.into())?);
        }
        transaction.put(Part::Rest, self.put_user(user)?);
        transaction.put(Part::Rest, self.put_entry(entry)?);
        let commit = self.commit(ACTION, transaction).await?;
        if commit.failed_in(Part::Rest) {
            return Err(PortError::new(ACTION, "an id that was just made is taken"));
        }
        let taken: Vec<_> = commit
            .failed_identifiers()
            .filter_map(|number| user.identifiers.iter().nth(number))
            .map(|known| known.identifier.clone())
            .collect();
        Ok(match commit {
            Commit::Done => VerifiableRegistered::Registered,
            commit if commit.failed_in(Part::Budget) => VerifiableRegistered::BudgetSpent,
            Commit::Failed(_) if !taken.is_empty() => VerifiableRegistered::Taken(taken),
            Commit::Failed(parts) => {
                let items: Vec<_> = parts.into_iter().filter_map(|(_, item)| item).collect();
                let changed = challenges.iter().filter_map(|challenge| {
                    Some((challenge.key.recipient.clone(), record_of(challenge, &items)?))
                });
                VerifiableRegistered::SendsChanged(changed.collect())
            }
        })
    }
}
