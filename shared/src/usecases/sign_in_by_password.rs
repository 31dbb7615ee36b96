//! Signs in with a password.

use super::gate::{Gate, Judgement, target};
use super::open_session::{Entered, OpenSessions};
use super::password_gate::PasswordGate;
use super::verification::Asking;
use super::{Basics, Failure, ResendVerification};
use crate::domain::account::{Account, Credential, KnownAccount, Visit};
use crate::domain::device::DeviceInfo;
use crate::domain::event::Fact;
use crate::domain::id::UserId;
use crate::domain::identifier::Identifier;
use crate::domain::known_sources::Entrance;
use crate::domain::password::Password;
use crate::domain::password_attempts::AttemptSubject;
use crate::domain::realm::Realm;
use crate::domain::session::SignInMethod;
use crate::domain::source::Source;
use crate::domain::user::User;
use crate::ports::{
    Accounts, Entry, EntryOutcome, Holder, MetricEvent, PasswordVerdict, Passwords, Recorder,
    StandingQuery, Users, record_metric,
};
use futures_util::future::join;
use std::sync::Arc;

/// Signs in with a password.
pub struct SignInByPassword {
    pub gate: Gate,
    pub accounts: Arc<dyn Accounts>,
    pub users: Arc<dyn Users>,
    pub passwords: Arc<dyn Passwords>,
    pub sessions: OpenSessions,
    pub attempts: PasswordGate,
    pub admission: Admission,
    /// What a user who has not verified the identifier gets again; `None` for nothing.
    pub resend: Option<ResendVerification>,
    pub basics: Basics,
}

/// The users that may sign in with a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Every user.
    AllUsers,
    /// Users who sign in by an identifier that is verified, or that cannot be verified while another
    /// one is.
    VerifiedUsers,
}

/// A request to sign in.
#[derive(Debug)]
pub struct SignInCommand {
    pub realm: Realm,
    pub identifier: Identifier,
    pub device: DeviceInfo,
    pub source: Source,
    /// The language of a message to a user who is not verified: a BCP 47 tag such as `en`.
    pub locale: String,
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
    /// The password is right, but the identifier is not verified.
    #[error("the identifier is not verified")]
    NotVerified,
}

impl SignInByPassword {
    /// Judges the source, counts the attempt, compares the password and opens a session. An unknown
    /// identifier causes the same reads, hashes and writes as a wrong password.
    pub async fn run(
        &self,
        password: Password,
        command: SignInCommand,
        recorder: &Recorder<'_, Entered>,
    ) -> Result<Entered, Failure<SignInRefused>> {
        let now = self.basics.now();
        let SignInCommand { realm, identifier, source, .. } = &command;
        let own = self.gate.guesses(source, now);
        let name = target(source, realm, identifier);
        let identifiers = vec![(realm, identifier)];
        let query = StandingQuery { identifiers, ..StandingQuery::default() };
        let Judgement { standing, spent_until } = self.gate.judge(&own, query, &name, now).await?;
        let holder = standing.holders.into_iter().next().flatten();
        let tie = Holder::tie_of(holder.as_ref(), source, now);
        // A client is linked to all customers of its shop.
        let is_linked = tie.is_some() || (source.is_client() && holder.is_some());
        if let Some(end) = spent_until
            && !is_linked
        {
            return Err(self.gate.refuse(&own, &name, end, now));
        }
        let at = match (&holder, tie) {
            (Some(Holder { user, .. }), Some(tie)) => {
                AttemptSubject::AccountFromKnown(user.clone(), tie.by)
            }
            (Some(Holder { user, .. }), None) => AttemptSubject::Account(user.clone()),
            (None, _) => AttemptSubject::UnknownIdentifier(realm.clone(), identifier.clone()),
        };
        let id = holder.as_ref().map_or_else(UserId::placeholder, |holder| holder.user.clone());
        // The customers of a shop share their client, so they have the pauses of their accounts only.
        let spent = spent_until.filter(|_| !source.is_client());
        let admitted = self.attempts.admit(&at, spent, now);
        let (admitted, user) = join(admitted, self.users.find(&id, now)).await;
        admitted?;
        let user = user?;
        let hash = user.as_ref().and_then(|user| user.password.clone());
        // The guess is taken while the password is compared.
        let verdict = self.passwords.verify(password.clone(), hash.clone());
        let (taken, verdict) = join(self.gate.take_guess(&own, is_linked), verdict).await;
        let verdict = verdict?;
        if let Some(end) = taken? {
            return Err(self.gate.refuse(&own, &name, end, now));
        }
        let (PasswordVerdict::Right { outdated }, Some(user), Some(seen), Some(holder)) =
            (verdict, user, hash, holder.as_ref())
        else {
            let refused = match holder {
                Some(_) => SignInRefused::WrongPassword,
                None => SignInRefused::NoSuchUser,
            };
            record_metric(Some(realm.contract()), MetricEvent::WrongGuess);
            self.gate.count_of_client(&own).await?;
            // A source whose budget is spent learns nothing about the password.
            return Err(match spent_until {
                Some(end) => Failure::too_many(end, now),
                None => Failure::Refused(refused),
            });
        };
        if self.admission == Admission::VerifiedUsers
            && !user.identifiers.allow_entry_by(identifier)
        {
            let credential =
                || Credential::Password { seen: seen.clone(), renewed: None, attempts: at.clone() };
            if let Some(resend) = &self.resend {
                let asking = Asking { realm, source, locale: &command.locale, at: now };
                let to = std::slice::from_ref(identifier);
                resend.run(asking, &user, credential, to).await?;
            }
            return Err(Failure::Refused(SignInRefused::NotVerified));
        }
        let renewed = if outdated { Some(self.passwords.hash(password).await?) } else { None };
        let is_proved = user.identifiers.any_verified();
        let entrance = if is_proved { Entrance::Proved } else { Entrance::Unproved };
        let known_sources = holder.known_sources.with(&holder.user, source, entrance, now);
        let credential = Credential::Password { seen, renewed, attempts: at };
        let account = KnownAccount { user: user.clone(), credential, visit: Visit::SignsIn };
        let entry = Entry {
            budgets: Gate::right_guess(&own),
            known_sources,
            ..Entry::of(Account::Use(account), now)
        };
        self.enter(entry, user, command.device, recorder).await
    }

    async fn enter(
        &self,
        entry: Entry,
        user: User,
        device: DeviceInfo,
        recorder: &Recorder<'_, Entered>,
    ) -> Result<Entered, Failure<SignInRefused>> {
        let (now, method) = (entry.at, SignInMethod::Password);
        let session = self.sessions.open(&user, device, method, recorder, now).await?;
        let tokens = self.sessions.tokens(session.as_ref(), now)?;
        let device = session.as_ref().map(|session| session.device.clone());
        let fact = Fact::SignedIn { user: user.clone(), method, proved: None, device, at: now };
        let effects = Some(self.basics.announce(&[fact], now)?);
        let at = self.sessions.entered_at(&user, now);
        let entered = Entered { user, is_new: false, at, session: tokens };
        let (user, answer) = (&entered.user, recorder.record(&entered)?);
        let entry = Entry { session, effects, answer, ..entry };
        match self.accounts.commit(&entry).await? {
            EntryOutcome::Committed => {
                record_metric(Some(user.realm.contract()), MetricEvent::SignIn);
                Ok(entered)
            }
            EntryOutcome::AccountChanged
            | EntryOutcome::CodeLost
            | EntryOutcome::BudgetSpent(_)
            | EntryOutcome::Taken(_)
            | EntryOutcome::ChallengesChanged(_) => {
                self.sessions.discard(user, entry.session.as_ref());
                Err(Failure::Refused(SignInRefused::WrongPassword))
            }
        }
    }
}
