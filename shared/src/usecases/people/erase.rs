//! Erases people.

use super::{ManagePeople, PersonQuery, PersonRefused, Refused, histories, refused};
use crate::domain::account::{Account, DeletedAccount, DeletionProof};
use crate::domain::event::Fact;
use crate::domain::user::User;
use crate::ports::{Entry, EntryOutcome, Erased, LedgerPolicy, OperatorFact, Person};
use crate::usecases::Failure;
use crate::usecases::delete_account::MOST_DEVICES;

/// The number of tries at the deletion of a user. A try fails if another request changes the user after
/// the read.
const MAX_TRIES: usize = 8;

/// What an erasure did.
#[derive(Debug)]
pub struct ErasedPerson {
    /// Whether there was a user.
    pub had_user: bool,
    /// What else was deleted.
    pub erased: Erased,
}

impl ManagePeople {
    /// Erases a person: the user with the identifiers and the devices in one transaction, which announces
    /// it; everything else before it and once more after it, because a request that was being served may
    /// have written in between. The erasure can be repeated.
    ///
    /// # Errors
    /// The person cannot be found, other requests changed the user in every try, or the store failed.
    pub async fn erase(
        &self,
        query: &PersonQuery,
        ledger: LedgerPolicy,
    ) -> Result<ErasedPerson, Refused> {
        let person = self.person(query).await?;
        let tombstone = self.operator_events.detail_type(OperatorFact::Erased);
        let before = self.people.forget(&person, ledger, tombstone, self.clock.now()).await?;
        let before = self.forget_history(&person, before).await?;
        let had_user = self.delete(&person).await?;
        self.forget_devices(&person).await?;
        let after = self.people.forget(&person, ledger, tombstone, self.clock.now()).await?;
        let after = self.forget_history(&person, after).await?;
        Ok(ErasedPerson { had_user, erased: sum(&before, &after) })
    }

    /// Deletes what happened to a person, and the messages that it names.
    async fn forget_history(&self, person: &Person, erased: Erased) -> Result<Erased, Refused> {
        let (of, history) = (histories(person), &self.delivery.history);
        let messages = self.delivery.deliveries.forget(&history.messages(&of).await?).await?;
        let history = history.forget(&of).await?;
        Ok(Erased { history, messages: erased.messages.saturating_add(messages), ..erased })
    }

    /// Deletes the user. Returns whether there was one.
    async fn delete(&self, person: &Person) -> Result<bool, Refused> {
        let Some(id) = &person.user else { return Ok(false) };
        for _ in 0..MAX_TRIES {
            let Some(user) = self.users.find(id, self.clock.now()).await? else {
                return Ok(false);
            };
            let mut devices = self.devices.of_user(id).await?;
            devices.truncate(MOST_DEVICES);
            let now = self.clock.now();
            let User { realm, .. } = &user;
            let fact = Fact::UserDeleted { user: id.clone(), realm: realm.clone(), at: now };
            let effects = Some(self.announce(&user, &[fact], OperatorFact::Erased, now)?);
            let proof = DeletionProof::Operator;
            let account = Account::Delete(DeletedAccount { user, proof, devices });
            let entry = Entry { effects, ..Entry::of(account, now) };
            match self.accounts.commit(&entry).await? {
                EntryOutcome::Committed => return Ok(true),
                EntryOutcome::AccountChanged => {}
                EntryOutcome::CodeLost
                | EntryOutcome::BudgetSpent(_)
                | EntryOutcome::Taken(_)
                | EntryOutcome::ChallengesChanged(_) => {
                    return Err(refused(PersonRefused::Unknown));
                }
            }
        }
        Err(Failure::overtaken())
    }

    /// Deletes the devices that the transaction of the deletion had no room for.
    async fn forget_devices(&self, person: &Person) -> Result<(), Refused> {
        let Some(user) = &person.user else { return Ok(()) };
        let devices = self.devices.of_user(user).await?;
        for some in devices.chunks(MOST_DEVICES) {
            self.devices.forget(&person.realm, user, some, self.clock.now()).await?;
        }
        Ok(())
    }
}

/// What both passes deleted. What the relay delivered in the first pass is counted in the second.
const fn sum(before: &Erased, after: &Erased) -> Erased {
    Erased {
        sessions: before.sessions.saturating_add(after.sessions),
        challenges: before.challenges.saturating_add(after.challenges),
        budgets: before.budgets.saturating_add(after.budgets),
        credits: before.credits.saturating_add(after.credits),
        history: before.history.saturating_add(after.history),
        messages: before.messages.saturating_add(after.messages),
        waiting: before.waiting.saturating_add(after.waiting),
        in_delivery: after.in_delivery,
    }
}
