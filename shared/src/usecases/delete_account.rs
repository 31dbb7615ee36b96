//! Deletes the account of a signed-in user, who proves once more who it is: with the password, or
//! with a code to an identifier.

use super::check_code::{CheckCode, CheckedCode, Guess};
use super::check_password::{CheckPassword, RightPassword};
use super::enter_by_code::Presented;
use super::{Basics, Failure};
use crate::domain::account::{Account, DeletedAccount, DeletionProof};
use crate::domain::bill::Bill;
use crate::domain::budget::BudgetUse;
use crate::domain::event::Fact;
use crate::domain::id::UserId;
use crate::domain::password::{Password, PasswordHash};
use crate::domain::realm::Realm;
use crate::domain::source::Source;
use crate::domain::user::{KnownBy, User};
use crate::ports::{Accounts, Devices, Entry, EntryOutcome, PortError, Recorder, Users, chain};
use std::sync::Arc;
use std::time::Duration;

/// The number of tries. A try fails if another request changes the account after it was read.
const MAX_TRIES: usize = 4;
/// The most devices that are deleted in the transaction, which has room for 100 actions. More are
/// deleted after it.
pub(super) const MOST_DEVICES: usize = 40;

/// Deletes accounts. The use cases for the two kinds of proof contain it.
pub struct DeleteAccount {
    pub accounts: Arc<dyn Accounts>,
    pub users: Arc<dyn Users>,
    /// The devices of users; `None` for a contract without devices.
    pub devices: Option<Arc<dyn Devices>>,
    pub basics: Basics,
}

/// Deletes the account of a user who states the password.
pub struct DeleteByPassword {
    pub check: CheckPassword,
    pub delete: DeleteAccount,
}

/// Deletes the account of a user who sends a code.
pub struct DeleteByCode {
    pub check_code: CheckCode,
    /// What a used code gives back.
    pub bill: Arc<Bill>,
    /// How long an identifier that was changed must have been the user's. A thief with a session could
    /// give the account an identifier of their own, and delete it with a code to that.
    pub steady_for: Duration,
    pub delete: DeleteAccount,
}

/// The reason why an account was not deleted: the password or code is wrong, is that of another user,
/// or there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the proof is wrong")]
pub struct NotProved;

const NOT_PROVED: Failure<NotProved> = Failure::Refused(NotProved);

impl DeleteByPassword {
    /// Checks the password as a sign-in does, and deletes the account.
    pub async fn run(
        &self,
        user: &UserId,
        password: Password,
        source: &Source,
        recorder: &Recorder<'_, ()>,
    ) -> Result<(), Failure<NotProved>> {
        let now = self.delete.basics.now();
        let found = self.delete.users.find(user, now).await?.ok_or(NOT_PROVED)?;
        let known = found.identifiers.iter().next().ok_or(NOT_PROVED)?;
        let name = (&found.realm, &known.identifier);
        let checked = self.check.run(password, name, source, now).await;
        let RightPassword { user: right, seen, uses, .. } =
            checked.map_err(|failure| failure.map(|_| NotProved))?;
        // The identifier may belong to another user by now.
        if right.id != found.id {
            return Err(NOT_PROVED);
        }
        let proof = DeletionProof::Password(seen);
        self.delete.run(right, proof, &uses, recorder).await
    }
}

impl DeleteByCode {
    /// Checks the code, uses it up and deletes the account, if the code was sent to an identifier of
    /// the user.
    pub async fn run(
        &self,
        user: &UserId,
        presented: Presented,
        guess: &Guess<'_>,
        recorder: &Recorder<'_, ()>,
    ) -> Result<(), Failure<NotProved>> {
        let now = self.delete.basics.now();
        let checked = match presented {
            Presented::Handle(handle, purpose) => {
                self.check_code.of_held(handle, purpose, guess, now).await
            }
            Presented::Recipient(key) => self.check_code.of_account(key, guess, now).await,
        };
        let checked = checked.map_err(|failure| failure.map(|_| NotProved));
        let CheckedCode { code, mut uses, .. } = checked?;
        let found = self.delete.users.find(user, now).await?;
        let found = found.filter(|user| user.realm == code.key().realm);
        let found = found.filter(|user| user.identifiers.find(&code.key().recipient).is_some());
        let found = found.ok_or(NOT_PROVED)?;
        let known = found.identifiers.find(&code.key().recipient);
        let changed = known.and_then(KnownBy::verified_at).filter(|at| *at > found.created_at);
        if changed.is_some_and(|at| now.since(at) < self.steady_for) {
            return Err(NOT_PROVED);
        }
        uses.extend(self.check_code.gate.give_back(&self.bill, guess.source, &code, now)?);
        self.delete.run(found, DeletionProof::Code(Box::new(code)), &uses, recorder).await
    }
}

impl DeleteAccount {
    /// Deletes the user, the identifiers, the counts of wrong passwords and the devices, and
    /// publishes it: all or nothing. A device that is registered meanwhile is deleted afterwards.
    async fn run(
        &self,
        mut user: User,
        mut proof: DeletionProof,
        budgets: &[BudgetUse],
        recorder: &Recorder<'_, ()>,
    ) -> Result<(), Failure<NotProved>> {
        for _ in 0..MAX_TRIES {
            let now = self.basics.now();
            let mut devices = match &self.devices {
                Some(devices) => devices.of_user(&user.id).await?,
                None => Vec::new(),
            };
            devices.truncate(MOST_DEVICES);
            let (id, realm) = (user.id.clone(), user.realm.clone());
            let fact = Fact::UserDeleted { user: id.clone(), realm: realm.clone(), at: now };
            let effects = Some(self.basics.announce(&[fact], now)?);
            let account = Account::Delete(DeletedAccount { user, proof, devices });
            let answer = recorder.record(&())?;
            let parts = Entry { budgets: budgets.to_vec(), effects, ..Entry::of(account, now) };
            let entry = Entry { answer, ..parts };
            match self.accounts.commit(&entry).await? {
                EntryOutcome::Committed => {
                    self.forget_others(&realm, &id).await;
                    return Ok(());
                }
                EntryOutcome::AccountChanged => {}
                EntryOutcome::CodeLost
                | EntryOutcome::BudgetSpent(_)
                | EntryOutcome::Taken(_)
                | EntryOutcome::ChallengesChanged(_) => return Err(NOT_PROVED),
            }
            user = self.users.find(&id, self.basics.now()).await?.ok_or(NOT_PROVED)?;
            proof = match entry.account {
                Account::Delete(DeletedAccount { proof, .. }) => proof,
                Account::None(_) | Account::Make(_) | Account::Use(_) => return Err(NOT_PROVED),
            };
            let still_right = match &proof {
                DeletionProof::Code(code) => user.identifiers.find(&code.key().recipient).is_some(),
                DeletionProof::Password(seen) => {
                    let known = user.password.as_ref().map(PasswordHash::expose);
                    known == Some(seen.expose())
                }
                DeletionProof::Operator => true,
            };
            if !still_right {
                return Err(NOT_PROVED);
            }
        }
        Err(Failure::overtaken())
    }

    /// Deletes the devices that the transaction did not. The account is deleted already, so a fault
    /// is logged and the answer stays; the devices then have their own end.
    async fn forget_others(&self, realm: &Realm, user: &UserId) {
        let Some(devices) = &self.devices else { return };
        let forgotten = async {
            let others = devices.of_user(user).await?;
            for some in others.chunks(MOST_DEVICES) {
                devices.forget(realm, user, some, self.basics.now()).await?;
            }
            Ok::<(), PortError>(())
        };
        if let Err(error) = forgotten.await {
            tracing::error!(error = chain(&error), "some devices of a deleted account are left");
        }
    }
}
