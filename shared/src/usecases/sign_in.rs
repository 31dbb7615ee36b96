//! Sign in: open a session of an account that exists.

use super::announce::announce;
use super::check_code::{CheckCode, CheckCodeError, CheckedCode, Guess};
use super::sign_up::{AccessGrant, OpenSession};
use crate::domain::budget::Budget;
use crate::domain::challenge::{ChallengeKey, Purpose};
use crate::domain::device::{DeviceInfo, NewDevice};
use crate::domain::event::Fact;
use crate::domain::id::{DeviceId, Sequence, UserId};
use crate::domain::identifier::Identifier;
use crate::domain::password::Password;
use crate::domain::password_attempts::{AttemptRecord, AttemptsAt, Backoff};
use crate::domain::realm::Realm;
use crate::domain::session::{FamilyId, NewSession, RefreshToken};
use crate::domain::source::SourceAddress;
use crate::domain::time::Timestamp;
use crate::domain::user::{Attributes, User};
use crate::ports::{
    Budgets, Clock, Credential, Entropy, EventMapper, MetricEvent, Passwords, PortError, Proof,
    SequenceIds, Sessions, SignIn, SignInOutcome, Users, Verdict, count, random,
};
use futures_util::future::join;
use std::sync::Arc;
use std::time::Duration;

/// How many tries it may take to count an attempt at an account before the caller is told to come
/// back: the first one asks what is known, and others may come between.
const RACES: usize = 5;

/// Opens sessions, whatever entitles to them.
pub struct OpenSessions {
    /// The sessions.
    pub sessions: Arc<dyn Sessions>,
    /// The users.
    pub users: Arc<dyn Users>,
    /// Ids of devices, where the contract has refresh tokens: there is one device for each.
    pub devices: Option<Arc<dyn SequenceIds>>,
    /// The attributes of a user that the contract's access tokens state.
    pub token_claims: &'static [&'static str],
    /// How the contract spells its events.
    pub event_mapper: Arc<dyn EventMapper>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Random bytes.
    pub entropy: Arc<dyn Entropy>,
}

/// Signs in with a password.
pub struct SignInByPassword {
    /// Opens the session.
    pub open: OpenSessions,
    /// Compares passwords.
    pub passwords: Arc<dyn Passwords>,
    /// Where wrong passwords are counted.
    pub budgets: Arc<dyn Budgets>,
    /// How attempts at one account are slowed down; `None`: not at all.
    pub backoff: Option<Backoff>,
    /// Wrong passwords and codes that one source address may send in an hour; 0: no limit.
    pub per_source_hour: u32,
    /// Whether only those may enter who proved an identifier.
    pub only_verified: bool,
}

/// Signs in with a code that was sent.
pub struct SignInByCode {
    /// Opens the session.
    pub open: OpenSessions,
    /// Checks the code.
    pub check_code: CheckCode,
}

/// Who comes.
#[derive(Debug)]
pub struct SignInCommand {
    /// The name space.
    pub realm: Realm,
    /// What they are known by.
    pub identifier: Identifier,
    /// The device they use.
    pub device: DeviceInfo,
    /// Where the request came from.
    pub source: SourceAddress,
}

/// Somebody signed in.
#[derive(Debug)]
pub struct SignedIn {
    /// Who, as they were before.
    pub user: User,
    /// When.
    pub at: Timestamp,
    /// Their tokens, where the contract has refresh tokens.
    pub session: Option<OpenSession>,
}

/// Why nobody signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// Nobody is known by that identifier. A contract that tells this from a wrong password tells who
    /// is registered; the work is the same.
    #[error("no such user")]
    NoSuchUser,
    /// The password is wrong.
    #[error("wrong password")]
    WrongPassword,
    /// The code is wrong, used, replaced, ended or guessed at too often.
    #[error("code refused")]
    CodeRefused,
    /// The password is right, but no identifier is proved.
    #[error("not verified")]
    NotVerified,
    /// The account or the source has had its share of attempts.
    #[error("too many attempts")]
    TooMany {
        /// How long to wait.
        retry_after: Duration,
    },
    /// The world broke.
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
    /// Counts the attempt, compares the password, opens a session. An account that does not exist
    /// costs the same reads, the same hash and the same writes as a wrong password.
    ///
    /// # Errors
    /// [`SignInError`], never [`SignInError::CodeRefused`].
    pub async fn run(
        &self,
        password: Password,
        command: SignInCommand,
    ) -> Result<SignedIn, SignInError> {
        let now = self.open.clock.now();
        let (realm, identifier) = (&command.realm, &command.identifier);
        let known = self.open.users.known_by(realm, identifier, now).await?;
        let id = known.clone().unwrap_or_else(|| UserId::from_stored("nobody"));
        let at = match known.clone() {
            Some(user) => AttemptsAt::Account(user),
            None => AttemptsAt::Nobody(realm.clone(), identifier.clone()),
        };
        let (admitted, user) = join(self.admit(&at, now), self.open.users.find(&id, now)).await;
        admitted?;
        let user = user?;
        let hash = user.as_ref().and_then(|user| user.password.clone());
        let verdict = self.passwords.verify(password.clone(), hash.clone()).await?;
        let guesses = Budget::wrong_guesses(&command.source, self.per_source_hour, now);
        let (Verdict::Right { outdated }, Some(user), Some(seen)) = (verdict, user, hash) else {
            let refusal = match known {
                Some(_) => SignInError::WrongPassword,
                None => SignInError::NoSuchUser,
            };
            return Err(match guesses {
                Some(budget) if !self.budgets.take(&budget).await? => {
                    SignInError::TooMany { retry_after: budget.ends_at.since(now) }
                }
                _ => refusal,
            });
        };
        if self.only_verified && !user.identifiers.iter().any(|known| known.verified) {
            return Err(SignInError::NotVerified);
        }
        let renewed = if outdated { Some(self.passwords.hash(password).await?) } else { None };
        let retry_at = guesses.as_ref().map_or(now, |budget| budget.ends_at);
        let credential = Credential::Password { seen, renewed, guesses };
        self.open.run(user, credential, command, now, retry_at).await
    }

    /// Counts the attempt before anything is compared, so that attempts at once gain nothing. What was
    /// counted before is learned from the refusal to count it as the first.
    async fn admit(&self, at: &AttemptsAt, now: Timestamp) -> Result<(), SignInError> {
        let Some(backoff) = self.backoff else { return Ok(()) };
        let mut seen = AttemptRecord::NONE;
        for _ in 0..RACES {
            let newer = backoff.admit(&seen, now).map_err(|not_yet| SignInError::TooMany {
                retry_after: not_yet.retry_at.since(now),
            })?;
            match self.open.sessions.count_attempt(at, seen, newer).await? {
                None => return Ok(()),
                Some(record) => seen = record,
            }
        }
        Err(SignInError::TooMany { retry_after: Duration::from_secs(1) })
    }
}

impl SignInByCode {
    /// Checks the code and opens a session. Three round trips: what the access token states of the
    /// user can be read only once the account is found.
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
        let by_code = matches!(credential, Credential::Code(_));
        let fact = Fact::SignedIn {
            user: user.id.clone(),
            realm: command.realm.clone(),
            by_code,
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
        let sign_in = SignIn { user: id, credential, device, session, at: now, entry };
        match self.sessions.sign_in(&sign_in).await? {
            SignInOutcome::SignedIn => {
                let contract = command.realm.contract();
                count(contract, MetricEvent::SignIn);
                if by_code {
                    count(contract, MetricEvent::CodeVerified);
                }
                Ok(SignedIn { user, at: now, session: opened })
            }
            SignInOutcome::ChallengeLost => Err(SignInError::CodeRefused),
            SignInOutcome::BudgetSpent => {
                Err(SignInError::TooMany { retry_after: retry_at.since(now) })
            }
            SignInOutcome::UserChanged if by_code => Err(SignInError::CodeRefused),
            SignInOutcome::UserChanged => Err(SignInError::WrongPassword),
        }
    }

    /// A device and its refresh token, where the contract has them.
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

/// Those attributes that have one of these names.
pub(super) fn token_claims(attributes: &Attributes, names: &[&str]) -> Attributes {
    let token_claims = attributes.iter().filter(|(name, _)| names.contains(&name.as_str()));
    token_claims.map(|(name, value)| (name.clone(), value.clone())).collect()
}
