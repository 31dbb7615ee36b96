//! Signs in with a password.

use super::check_password::{CheckPassword, PasswordRefused, RightPassword};
use super::open_session::{Entered, OpenSessions};
use super::verification::Asking;
use super::{Admission, Basics, Failure, ResendVerification};
use crate::domain::account::{Account, Credential, KnownAccount, Visit};
use crate::domain::device::DeviceInfo;
use crate::domain::event::Fact;
use crate::domain::identifier::Identifier;
use crate::domain::known_sources::Entrance;
use crate::domain::password::Password;
use crate::domain::proof::Opener;
use crate::domain::realm::Realm;
use crate::domain::session::SignInMethod;
use crate::domain::source::Source;
use crate::domain::user::User;
use crate::ports::{Accounts, Entry, EntryOutcome, MetricEvent, Recorder, record_metric};
use std::sync::Arc;

/// Signs in with a password.
pub struct SignInByPassword {
    pub check: CheckPassword,
    pub accounts: Arc<dyn Accounts>,
    pub sessions: OpenSessions,
    pub admission: Admission,
    /// What a user who has not verified the identifier gets again; `None` for nothing.
    pub resend: Option<ResendVerification>,
    pub basics: Basics,
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
    /// The password is right, but an operator banned the user.
    #[error("the user is banned")]
    Banned,
}

impl From<PasswordRefused> for SignInRefused {
    fn from(refused: PasswordRefused) -> Self {
        match refused {
            PasswordRefused::NoSuchUser => Self::NoSuchUser,
            PasswordRefused::WrongPassword => Self::WrongPassword,
            PasswordRefused::Banned => Self::Banned,
        }
    }
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
        let checked = self.check.run(password.clone(), (realm, identifier), source, now).await;
        let RightPassword { user, holder, seen, outdated, attempts: at, uses } =
            checked.map_err(|failure| failure.map(SignInRefused::from))?;
        if self.admission == Admission::VerifiedUsers
            && !user.identifiers.allow_entry_by(identifier)
        {
            let credential =
                || Credential::Password { seen: seen.clone(), renewed: None, attempts: at.clone() };
            if let Some(resend) = &self.resend {
                let opener = Opener::StatedPassword;
                let asking = Asking { realm, source, locale: &command.locale, at: now, opener };
                let to = std::slice::from_ref(identifier);
                resend.run(asking, &user, credential, to).await?;
            }
            return Err(Failure::Refused(SignInRefused::NotVerified));
        }
        let renewed =
            if outdated { Some(self.check.passwords.hash(password).await?) } else { None };
        let is_proved = user.identifiers.any_verified();
        let entrance = if is_proved { Entrance::Proved } else { Entrance::Unproved };
        let known_sources = holder.known_sources.with(&holder.user, source, entrance, now);
        let credential = Credential::Password { seen, renewed, attempts: at };
        let account = KnownAccount { user: user.clone(), credential, visit: Visit::SignsIn };
        let entry = Entry { budgets: uses, known_sources, ..Entry::of(Account::Use(account), now) };
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
