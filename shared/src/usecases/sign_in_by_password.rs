//! Signs in with a password.

use super::failure::refuse_at_cost;
use super::open_session::{Entered, OpenSessions};
use super::{Basics, Failure};
use crate::domain::account::{Account, Credential, KnownAccount, Visit};
use crate::domain::budget::Budget;
use crate::domain::device::DeviceInfo;
use crate::domain::event::Fact;
use crate::domain::id::UserId;
use crate::domain::identifier::Identifier;
use crate::domain::password::Password;
use crate::domain::password_attempts::{AttemptSubject, Backoff, PasswordAttempts};
use crate::domain::realm::Realm;
use crate::domain::session::SignInMethod;
use crate::domain::source::SourceAddress;
use crate::domain::time::Timestamp;
use crate::ports::{
    Accounts, AttemptRecords, Budgets, Entry, EntryOutcome, MetricEvent, PasswordVerdict,
    Passwords, Users, record_metric,
};
use futures_util::future::join;
use std::sync::Arc;

/// The number of tries to count a password attempt. The first one reads the record, and the others
/// are needed if another request changes it.
const MAX_TRIES: usize = 5;

/// Signs in with a password.
pub struct SignInByPassword {
    pub accounts: Arc<dyn Accounts>,
    pub users: Arc<dyn Users>,
    pub attempts: Arc<dyn AttemptRecords>,
    pub passwords: Arc<dyn Passwords>,
    /// The budgets of wrong guesses.
    pub budgets: Arc<dyn Budgets>,
    pub sessions: OpenSessions,
    /// The pauses between attempts at one account; `None` switches them off.
    pub backoff: Option<Backoff>,
    /// The number of wrong passwords and codes that one source may send in an hour; 0 switches the
    /// limit off.
    pub per_source_hour: u32,
    pub admission: Admission,
    pub basics: Basics,
}

/// The users that may sign in with a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Every user.
    AllUsers,
    /// Users with at least one verified identifier.
    VerifiedUsers,
}

/// A request to sign in.
#[derive(Debug)]
pub struct SignInCommand {
    pub realm: Realm,
    pub identifier: Identifier,
    pub device: DeviceInfo,
    pub source: SourceAddress,
}

/// The reason why a sign-in was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignInRefused {
    /// The identifier is unknown. A contract that distinguishes this from a wrong password reveals
    /// which identifiers are known; the work is the same.
    #[error("the identifier is unknown")]
    NoSuchUser,
    #[error("the password is wrong")]
    WrongPassword,
    /// The password is right, but the user has no verified identifier.
    #[error("no identifier is verified")]
    NotVerified,
}

impl SignInByPassword {
    /// Counts the attempt, compares the password and opens a session. An unknown identifier causes
    /// the same reads, hashes and writes as a wrong password.
    pub async fn run(
        &self,
        password: Password,
        command: SignInCommand,
    ) -> Result<Entered, Failure<SignInRefused>> {
        let now = self.basics.now();
        let (realm, identifier) = (&command.realm, &command.identifier);
        let known = self.users.known_by(realm, identifier, now).await?;
        let id = known.clone().unwrap_or_else(UserId::placeholder);
        let at = match known.clone() {
            Some(user) => AttemptSubject::Account(user),
            None => AttemptSubject::UnknownIdentifier(realm.clone(), identifier.clone()),
        };
        let (admitted, user) = join(self.admit(&at, now), self.users.find(&id, now)).await;
        admitted?;
        let user = user?;
        let hash = user.as_ref().and_then(|user| user.password.clone());
        let verdict = self.passwords.verify(password.clone(), hash.clone()).await?;
        let guesses = Budget::wrong_guesses(&command.source, self.per_source_hour, now);
        let (PasswordVerdict::Right { outdated }, Some(user), Some(seen)) = (verdict, user, hash)
        else {
            let refused = match known {
                Some(_) => SignInRefused::WrongPassword,
                None => SignInRefused::NoSuchUser,
            };
            return Err(refuse_at_cost(&*self.budgets, refused, guesses.as_ref(), now).await);
        };
        if self.admission == Admission::VerifiedUsers && !user.identifiers.any_verified() {
            return Err(Failure::Refused(SignInRefused::NotVerified));
        }
        let renewed = if outdated { Some(self.passwords.hash(password).await?) } else { None };
        let credential = Credential::Password { seen, renewed, guesses };
        let account = KnownAccount { user, credential, visit: Visit::SignsIn };
        self.enter(account, command.device, now).await
    }

    /// Counts the attempt before the password is compared, so that concurrent attempts have no
    /// advantage. The first try assumes that there was no attempt before; if there was, its failure
    /// returns the record.
    async fn admit(
        &self,
        at: &AttemptSubject,
        now: Timestamp,
    ) -> Result<(), Failure<SignInRefused>> {
        let Some(backoff) = self.backoff else { return Ok(()) };
        let mut seen = PasswordAttempts::NONE;
        for _ in 0..MAX_TRIES {
            let newer = backoff.admit(&seen, now);
            let newer = newer.map_err(|refusal| Failure::too_many(refusal.retry_at, now))?;
            match self.attempts.count_password_attempt(at, seen, newer).await? {
                None => return Ok(()),
                Some(record) => seen = record,
            }
        }
        Err(Failure::overtaken())
    }

    async fn enter(
        &self,
        account: KnownAccount,
        device: DeviceInfo,
        now: Timestamp,
    ) -> Result<Entered, Failure<SignInRefused>> {
        let (user, method) = (account.user.clone(), SignInMethod::Password);
        let retry_at = match &account.credential {
            Credential::Password { guesses: Some(budget), .. } => budget.ends_at,
            _ => now,
        };
        let session = self.sessions.open(&user, device, method, now).await?;
        let tokens = self.sessions.tokens(session.as_ref(), now)?;
        let device = session.as_ref().map(|session| session.device.clone());
        let fact = Fact::SignedIn { user: user.clone(), method, proved: None, device, at: now };
        let effects = Some(self.basics.announce(&[fact], now)?);
        let entry = Entry { session, effects, ..Entry::of(Account::Use(account), now) };
        match self.accounts.commit(&entry).await? {
            EntryOutcome::Committed => {
                record_metric(Some(user.realm.contract()), MetricEvent::SignIn);
                Ok(Entered { user, is_new: false, at: now, session: tokens })
            }
            EntryOutcome::BudgetSpent => Err(Failure::too_many(retry_at, now)),
            EntryOutcome::AccountChanged
            | EntryOutcome::CodeLost
            | EntryOutcome::Taken(_)
            | EntryOutcome::ChallengesChanged(_) => {
                Err(Failure::Refused(SignInRefused::WrongPassword))
            }
        }
    }
}
