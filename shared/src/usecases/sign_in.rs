//! Opens a session of an existing account.

use super::announce::announce;
use super::check_code::{CheckCode, CheckCodeError, CheckedCode, Guess};
use super::sign_up::{AccessGrant, OpenSession};
use crate::domain::budget::Budget;
use crate::domain::challenge::{ChallengeKey, Purpose};
use crate::domain::device::{DeviceInfo, NewDevice};
use crate::domain::event::{Fact, SignInMethod};
use crate::domain::id::{DeviceId, Sequence, UserId};
use crate::domain::identifier::Identifier;
use crate::domain::password::Password;
use crate::domain::password_attempts::{AttemptSubject, Backoff, PasswordAttempts};
use crate::domain::realm::Realm;
use crate::domain::session::{FamilyId, NewSession, RefreshToken};
use crate::domain::source::SourceAddress;
use crate::domain::time::Timestamp;
use crate::domain::user::{Attributes, User};
use crate::ports::{
    Budgets, Clock, Credential, Entropy, EventMapper, MetricEvent, NewSignIn, PasswordVerdict,
    Passwords, PortError, Proof, SequenceIds, Sessions, SignInOutcome, TakeOutcome, Users, random,
    record_metric,
};
use futures_util::future::join;
use std::sync::Arc;
use std::time::Duration;

/// The number of tries to count a password attempt. The first one reads the record, and the others
/// are needed if another request changes it.
const MAX_TRIES: usize = 5;

/// Opens sessions after a successful check of the credential.
pub struct OpenSessions {
    pub sessions: Arc<dyn Sessions>,
    pub users: Arc<dyn Users>,
    /// The ids of devices; `None` for contracts without refresh tokens. Each sign-in creates a
    /// device.
    pub devices: Option<Arc<dyn SequenceIds>>,
    /// The names of the attributes of a user that access tokens contain.
    pub token_claims: &'static [&'static str],
    pub event_mapper: Arc<dyn EventMapper>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
}

/// Signs in with a password.
pub struct SignInByPassword {
    pub open: OpenSessions,
    pub passwords: Arc<dyn Passwords>,
    /// The budgets of wrong guesses.
    pub budgets: Arc<dyn Budgets>,
    /// The pauses between attempts at one account; `None` switches them off.
    pub backoff: Option<Backoff>,
    /// The number of wrong passwords and codes that one source may send in an hour; 0 switches the
    /// limit off.
    pub per_source_hour: u32,
    pub admission: Admission,
}

/// The users that may sign in with a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Every user.
    AllUsers,
    /// Users with at least one verified identifier.
    VerifiedUsers,
}

/// Signs in with a one-time code.
pub struct SignInByCode {
    pub open: OpenSessions,
    pub check_code: CheckCode,
}

/// A request to sign in.
#[derive(Debug)]
pub struct SignInCommand {
    pub realm: Realm,
    pub identifier: Identifier,
    pub device: DeviceInfo,
    pub source: SourceAddress,
}

/// A successful sign-in.
#[derive(Debug)]
pub struct SignedIn {
    /// The user before the sign-in.
    pub user: User,
    pub at: Timestamp,
    /// The new session, for contracts with refresh tokens.
    pub session: Option<OpenSession>,
}

/// The reason why a sign-in was refused.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The identifier is unknown. A contract that distinguishes this from a wrong password reveals
    /// which identifiers are known; the work is the same.
    #[error("the identifier is unknown")]
    NoSuchUser,
    #[error("the password is wrong")]
    WrongPassword,
    /// The code is wrong, was used, was replaced, has expired or had too many guesses.
    #[error("the code is not valid")]
    CodeRefused,
    /// The password is right, but the user has no verified identifier.
    #[error("no identifier is verified")]
    NotVerified,
    /// The account or the source made too many attempts.
    #[error("a limit of attempts was reached")]
    TooMany { retry_after: Duration },
    #[error(transparent)]
    Internal(#[from] PortError),
}

impl From<CheckCodeError> for SignInError {
    fn from(error: CheckCodeError) -> Self {
        match error {
            CheckCodeError::NoCode | CheckCodeError::Wrong => Self::CodeRefused,
            CheckCodeError::TooMany { retry_after } => Self::TooMany { retry_after },
            CheckCodeError::Internal(error) => Self::Internal(error),
        }
    }
}

impl SignInByPassword {
    /// Counts the attempt, compares the password and opens a session. An unknown identifier causes
    /// the same reads, hashes and writes as a wrong password.
    ///
    /// # Errors
    /// [`SignInError`], except [`SignInError::CodeRefused`].
    pub async fn run(
        &self,
        password: Password,
        command: SignInCommand,
    ) -> Result<SignedIn, SignInError> {
        let now = self.open.clock.now();
        let (realm, identifier) = (&command.realm, &command.identifier);
        let known = self.open.users.known_by(realm, identifier, now).await?;
        let id = known.clone().unwrap_or_else(UserId::placeholder);
        let at = match known.clone() {
            Some(user) => AttemptSubject::Account(user),
            None => AttemptSubject::UnknownIdentifier(realm.clone(), identifier.clone()),
        };
        let (admitted, user) = join(self.admit(&at, now), self.open.users.find(&id, now)).await;
        admitted?;
        let user = user?;
        let hash = user.as_ref().and_then(|user| user.password.clone());
        let verdict = self.passwords.verify(password.clone(), hash.clone()).await?;
        let guesses = Budget::wrong_guesses(&command.source, self.per_source_hour, now);
        let (PasswordVerdict::Right { outdated }, Some(user), Some(seen)) = (verdict, user, hash)
        else {
            let refusal = match known {
                Some(_) => SignInError::WrongPassword,
                None => SignInError::NoSuchUser,
            };
            return Err(match guesses {
                Some(budget) if self.budgets.take(&budget).await? == TakeOutcome::Spent => {
                    SignInError::TooMany { retry_after: budget.ends_at.since(now) }
                }
                _ => refusal,
            });
        };
        let verified = user.identifiers.iter().any(|known| known.verified);
        if self.admission == Admission::VerifiedUsers && !verified {
            return Err(SignInError::NotVerified);
        }
        let renewed = if outdated { Some(self.passwords.hash(password).await?) } else { None };
        let retry_at = guesses.as_ref().map_or(now, |budget| budget.ends_at);
        let credential = Credential::Password { seen, renewed, guesses };
        self.open.run(user, credential, command, now, retry_at).await
    }

    /// Counts the attempt before the password is compared, so that concurrent attempts have no
    /// advantage. The first try assumes that there was no attempt before; if there was, its failure
    /// returns the record.
    async fn admit(&self, at: &AttemptSubject, now: Timestamp) -> Result<(), SignInError> {
        let Some(backoff) = self.backoff else { return Ok(()) };
        let mut seen = PasswordAttempts::NONE;
        for _ in 0..MAX_TRIES {
            let newer = backoff.admit(&seen, now).map_err(|refusal| SignInError::TooMany {
                retry_after: refusal.retry_at.since(now),
            })?;
            match self.open.sessions.count_password_attempt(at, seen, newer).await? {
                None => return Ok(()),
                Some(record) => seen = record,
            }
        }
        Err(SignInError::TooMany { retry_after: Duration::from_secs(1) })
    }
}

impl SignInByCode {
    /// Checks the code and opens a session, in three round trips. The user can be read only after
    /// the account is found, and the access token contains attributes of the user.
    ///
    /// # Errors
    /// [`SignInError::CodeRefused`], [`SignInError::TooMany`] and [`SignInError::Internal`].
    pub async fn run(&self, code: &str, command: SignInCommand) -> Result<SignedIn, SignInError> {
        let now = self.open.clock.now();
        let key = ChallengeKey {
            realm: command.realm.clone(),
            purpose: Purpose::SignIn,
            recipient: command.identifier.clone(),
        };
        let guess = Guess { code, source: &command.source };
        let users = &*self.open.users;
        let (checked, id) = self.check_code.of_account(users, key, &guess, now).await?;
        let Some(id) = id else { return Err(SignInError::CodeRefused) };
        let Some(user) = users.find(&id, now).await? else {
            return Err(SignInError::CodeRefused);
        };
        let retry_at = checked.retry_at(now);
        let CheckedCode { key, nonce, guesses, .. } = checked;
        let credential = Credential::Code(Proof::Code { key, nonce, handle: None, guesses });
        self.open.run(user, credential, command, now, retry_at).await
    }
}

impl OpenSessions {
    async fn run(
        &self,
        user: User,
        credential: Credential,
        command: SignInCommand,
        now: Timestamp,
        retry_at: Timestamp,
    ) -> Result<SignedIn, SignInError> {
        let (device, session) = self.tokens(&user, &command.realm, command.device, now).await?;
        let method = match credential {
            Credential::Code(_) => SignInMethod::Code,
            Credential::Password { .. } => SignInMethod::Password,
        };
        let fact = Fact::SignedIn {
            user: user.id.clone(),
            realm: command.realm.clone(),
            method,
            device: device.clone(),
            at: now,
        };
        let entry = announce(&*self.event_mapper, &*self.entropy, &fact, now)?;
        let opened = match &session {
            None => None,
            Some(session) => Some(OpenSession {
                grant: AccessGrant::new(session, random(&*self.entropy)?),
                refresh_token: session.token.clone(),
            }),
        };
        let id = user.id.clone();
        let sign_in = NewSignIn { user: id, credential, device, session, at: now, entry };
        match self.sessions.sign_in(&sign_in).await? {
            SignInOutcome::SignedIn => {
                let contract = command.realm.contract();
                record_metric(Some(contract), MetricEvent::SignIn);
                if method == SignInMethod::Code {
                    record_metric(Some(contract), MetricEvent::CodeVerified);
                }
                Ok(SignedIn { user, at: now, session: opened })
            }
            SignInOutcome::ChallengeLost => Err(SignInError::CodeRefused),
            SignInOutcome::BudgetSpent => {
                Err(SignInError::TooMany { retry_after: retry_at.since(now) })
            }
            SignInOutcome::UserChanged => Err(match method {
                SignInMethod::Code => SignInError::CodeRefused,
                SignInMethod::Password => SignInError::WrongPassword,
            }),
        }
    }

    /// Returns a device and its first refresh token, for contracts with refresh tokens.
    async fn tokens(
        &self,
        user: &User,
        realm: &Realm,
        info: DeviceInfo,
        now: Timestamp,
    ) -> Result<(Option<NewDevice>, Option<NewSession>), PortError> {
        let Some(devices) = &self.devices else { return Ok((None, None)) };
        let id = DeviceId::number(devices.next(realm, Sequence::Device).await?);
        let session = NewSession {
            token: RefreshToken::new(&random(&*self.entropy)?),
            family: FamilyId::new(&random(&*self.entropy)?),
            user: user.id.clone(),
            device: id.clone(),
            opened_at: now,
            token_claims: token_claims(&user.attributes, self.token_claims),
        };
        Ok((Some(NewDevice { id, info, expires_at: None }), Some(session)))
    }
}

/// Returns the attributes with these names.
pub(super) fn token_claims(attributes: &Attributes, names: &[&str]) -> Attributes {
    let token_claims = attributes.iter().filter(|(name, _)| names.contains(&name.as_str()));
    token_claims.map(|(name, value)| (name.clone(), value.clone())).collect()
}
