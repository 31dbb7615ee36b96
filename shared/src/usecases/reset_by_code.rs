//! Sets a new password with a code, in one request.

use super::check_code::{CheckCode, CheckedCode, CodeRefused, Guess};
use super::enter_by_code::Presented;
use super::{Basics, Failure};
use crate::domain::account::{Account, Credential, IdentifierProof, KnownAccount, Visit};
use crate::domain::bill::Bill;
use crate::domain::event::Fact;
use crate::domain::known_sources::{Entrance, KnownSources};
use crate::domain::password::Password;
use crate::domain::source::Source;
use crate::ports::{
    Accounts, Entry, EntryOutcome, MetricEvent, Passwords, Recorder, Users, record_metric,
    trace_user,
};
use std::sync::Arc;

/// The number of tries. A try fails if another request changes the account after it was read.
const MAX_TRIES: usize = 4;

/// Sets new passwords.
pub struct ResetByCode {
    pub check_code: CheckCode,
    /// What a used code gives back.
    pub bill: Arc<Bill>,
    pub accounts: Arc<dyn Accounts>,
    pub users: Arc<dyn Users>,
    pub passwords: Arc<dyn Passwords>,
    pub basics: Basics,
}

/// A request for a new password.
#[derive(Debug)]
pub struct ResetByCodeCommand {
    /// What the caller presents with the code, whose purpose is to reset the password.
    pub presented: Presented,
    /// The code that the caller sent.
    pub code: String,
    /// The new password.
    pub password: Password,
    pub source: Source,
}

impl ResetByCode {
    /// Checks the code, uses it up, sets the password of the user of its recipient, and ends all
    /// sessions of the user: all or nothing. The account then knows only the source of the request.
    ///
    /// A code to an unverified identifier beside a verified one is refused: the account belongs to the
    /// owner of the verified one.
    pub async fn run(
        &self,
        command: ResetByCodeCommand,
        recorder: &Recorder<'_, ()>,
    ) -> Result<(), Failure<CodeRefused>> {
        const NO_CODE: Failure<CodeRefused> = Failure::Refused(CodeRefused::NoCode);
        let ResetByCodeCommand { presented, code, password, source } = command;
        let now = self.basics.now();
        let guess = Guess { code: &code, source: &source };
        let CheckedCode { mut code, holder, uses } = match presented {
            Presented::Handle(handle, purpose) => {
                self.check_code.of_held(handle, purpose, &guess, now).await?
            }
            Presented::Recipient(key) => self.check_code.of_account(key, &guess, now).await?,
        };
        let known = holder.map(|holder| holder.user);
        let id = code.holder().cloned().or(known).ok_or(NO_CODE)?;
        let hash = self.passwords.hash(password).await?;
        for _ in 0..MAX_TRIES {
            let user = self.users.find(&id, self.basics.now()).await?;
            let recipient = &code.key().recipient;
            let user = user.filter(|user| user.identifiers.find(recipient).is_some());
            let user = user.filter(|user| user.realm == code.key().realm).ok_or(NO_CODE)?;
            trace_user(&user.id);
            if user.is_banned() || IdentifierProof::is_void(&user, &code) {
                return Err(NO_CODE);
            }
            // The clock is read after the user, so that sessions which the user has by then can be
            // ended.
            let now = self.basics.now();
            let mut budgets = self.check_code.gate.give_back(&self.bill, &source, &code, now)?;
            budgets.extend(uses.iter().cloned());
            let (id, realm) = (user.id.clone(), user.realm.clone());
            let fact = Fact::PasswordChanged { user: id, realm, at: now };
            let effects = Some(self.basics.announce(&[fact], now)?);
            // The sources of before may be those of a thief.
            let known_sources = Some(KnownSources::only(&user.id, &source, Entrance::Proved, now));
            let credential = Credential::CodeForPassword { code, hash: hash.clone() };
            let account = KnownAccount { user, credential, visit: Visit::StaysOut };
            let answer = recorder.record(&())?;
            let parts = Entry { budgets, known_sources, ..Entry::of(Account::Use(account), now) };
            let entry = Entry { effects, answer, ..parts };
            match self.accounts.commit(&entry).await? {
                EntryOutcome::Committed => {
                    let contract = self.check_code.realm.contract();
                    record_metric(Some(contract), MetricEvent::CodeVerified);
                    return Ok(());
                }
                EntryOutcome::AccountChanged => {
                    code = entry.account.into_code().ok_or(NO_CODE)?;
                }
                EntryOutcome::CodeLost
                | EntryOutcome::BudgetSpent(_)
                | EntryOutcome::Taken(_)
                | EntryOutcome::ChallengesChanged(_) => return Err(NO_CODE),
            }
        }
        Err(Failure::overtaken())
    }
}
