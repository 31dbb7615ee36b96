//! Sign up: make an account, and open its first session.

use super::announce::announce;
use super::check_code::{CheckCode, CheckCodeError, CheckedCode, Guess};
use super::sign_in::token_claims;
use crate::domain::budget::Budget;
use crate::domain::challenge::{ChallengeKey, Purpose};
use crate::domain::device::{DeviceInfo, NewDevice};
use crate::domain::email::EmailAddress;
use crate::domain::event::Fact;
use crate::domain::id::{DeviceId, Sequence, UserId};
use crate::domain::identifier::Identifier;
use crate::domain::password::{Password, PasswordHash};
use crate::domain::phone::PhoneNumber;
use crate::domain::realm::Realm;
use crate::domain::session::{FamilyId, NewSession, RefreshToken};
use crate::domain::source::SourceAddress;
use crate::domain::time::Timestamp;
use crate::domain::user::{Attributes, Identifiers, NewUser};
use crate::ports::{
    Budgets, Clock, Entropy, EventMapper, MetricEvent, Passwords, PortError, Proof, Registered,
    Registration, Registrations, SequenceIds, count, random,
};
use std::sync::Arc;
use std::time::Duration;

/// Makes accounts, whatever entitles to them.
pub struct SignUp {
    /// Where accounts are made.
    pub registrations: Arc<dyn Registrations>,
    /// Ids of devices.
    pub ids: Arc<dyn SequenceIds>,
    /// How the contract spells its events.
    pub event_mapper: Arc<dyn EventMapper>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Random bytes.
    pub entropy: Arc<dyn Entropy>,
}

/// Signs up with a code that was sent to a phone.
pub struct SignUpByCode {
    /// Makes the account.
    pub sign_up: Arc<SignUp>,
    /// Checks the code.
    pub check_code: CheckCode,
}

/// Signs up with an e-mail address and a password.
pub struct SignUpByPassword {
    /// Makes the account.
    pub sign_up: Arc<SignUp>,
    /// Hashes the password.
    pub passwords: Arc<dyn Passwords>,
    /// Where refused sign-ups are counted; those that succeed count in their own transaction.
    pub budgets: Arc<dyn Budgets>,
    /// Sign-ups and sends that one source address may ask for in an hour; 0: no limit.
    pub per_source_hour: u32,
}

/// Who signs up.
#[derive(Debug)]
pub struct SignUpCommand {
    /// The name space.
    pub realm: Realm,
    /// What the contract keeps with the user.
    pub attributes: Attributes,
    /// The attributes that the contract's access tokens state.
    pub token_claims: &'static [&'static str],
    /// The device they use.
    pub device: DeviceInfo,
    /// Where the request came from.
    pub source: SourceAddress,
}

/// What an access token will state.
#[derive(Clone, Debug)]
pub struct AccessGrant {
    /// A random id of the grant.
    pub id: [u8; 12],
    /// Who it is for.
    pub user: UserId,
    /// The device it is used on.
    pub device: DeviceId,
    /// When it was given.
    pub issued_at: Timestamp,
}

impl AccessGrant {
    /// The grant of a session that is opened now.
    #[must_use]
    pub fn new(session: &NewSession, id: [u8; 12]) -> Self {
        let (user, device) = (session.user.clone(), session.device.clone());
        Self { id, user, device, issued_at: session.opened_at }
    }
}

/// A session that is open.
#[derive(Debug)]
pub struct OpenSession {
    /// What its access token states.
    pub grant: AccessGrant,
    /// What it is refreshed with.
    pub refresh_token: RefreshToken,
}

/// Why nobody signed up.
#[derive(Debug, thiserror::Error)]
pub enum SignUpError {
    /// The code is wrong, used, replaced, ended or guessed at too often.
    #[error("code refused")]
    CodeRefused,
    /// Somebody is known by that identifier already.
    #[error("identifier taken")]
    Taken,
    /// The source has had its share.
    #[error("too many requests")]
    TooMany {
        /// How long to wait.
        retry_after: Duration,
    },
    /// The world broke.
    #[error(transparent)]
    Internal(#[from] PortError),
}

impl From<CheckCodeError> for SignUpError {
    fn from(error: CheckCodeError) -> Self {
        match error {
            CheckCodeError::NoCode | CheckCodeError::Wrong => Self::CodeRefused,
            CheckCodeError::TooMany { retry_after } => Self::TooMany { retry_after },
            CheckCodeError::Internal(error) => Self::Internal(error),
        }
    }
}

impl SignUpByCode {
    /// Makes an account for who received the code. The code is looked at before the account, so
    /// that only the owner of a phone learns whether it is registered (contracts.md A.2).
    ///
    /// # Errors
    /// [`SignUpError`].
    pub async fn run(
        &self,
        phone: PhoneNumber,
        code: &str,
        command: SignUpCommand,
    ) -> Result<OpenSession, SignUpError> {
        let now = self.sign_up.clock.now();
        let identifier = Identifier::Phone(phone);
        let key = ChallengeKey {
            realm: command.realm.clone(),
            purpose: Purpose::SignUp,
            recipient: identifier.clone(),
        };
        let guess = Guess { code, source: &command.source };
        let checked = self.check_code.of_recipient(key, &guess, now).await?;
        let retry_at = checked.retry_at(now);
        let CheckedCode { key, nonce, guesses, .. } = checked;
        let proof = Proof::Code { key, nonce, handle: None, guesses };
        self.sign_up.register(identifier, None, command, proof, now, retry_at).await
    }
}

impl SignUpByPassword {
    /// Makes an account for who knows the password. Nothing shows that the address is theirs, so
    /// it is stored as unverified.
    ///
    /// # Errors
    /// [`SignUpError`], never [`SignUpError::CodeRefused`].
    pub async fn run(
        &self,
        email: EmailAddress,
        password: Password,
        command: SignUpCommand,
    ) -> Result<OpenSession, SignUpError> {
        let now = self.sign_up.clock.now();
        let hash = self.passwords.hash(password).await?;
        let budget = Budget::sends(&command.source, self.per_source_hour, now);
        let retry_at = budget.as_ref().map_or(now, |budget| budget.ends_at);
        let identifier = Identifier::Email(email);
        let proof = Proof::Nothing { budget: budget.clone() };
        let signed_up =
            self.sign_up.register(identifier, Some(hash), command, proof, now, retry_at).await;
        // "Taken" tells who is registered, so it costs the source as much as a sign-up.
        match (&signed_up, budget) {
            (Err(SignUpError::Taken), Some(budget)) if !self.budgets.take(&budget).await? => {
                Err(SignUpError::TooMany { retry_after: retry_at.since(now) })
            }
            _ => signed_up,
        }
    }
}

impl SignUp {
    /// Makes the account. `retry_at` is when the budget of the proof is fresh again.
    async fn register(
        &self,
        identifier: Identifier,
        password: Option<PasswordHash>,
        command: SignUpCommand,
        proof: Proof,
        now: Timestamp,
        retry_at: Timestamp,
    ) -> Result<OpenSession, SignUpError> {
        let device = NewDevice {
            id: DeviceId::number(self.ids.next(&command.realm, Sequence::Device).await?),
            info: command.device,
            expires_at: None,
        };
        let user = NewUser {
            id: UserId::object_id(now, random(&*self.entropy)?),
            realm: command.realm,
            identifiers: Identifiers::one(identifier, matches!(proof, Proof::Code { .. })),
            password,
            attributes: command.attributes.clone(),
            created_at: now,
            expires_at: None,
        };
        let session = NewSession {
            token: RefreshToken::new(&random(&*self.entropy)?),
            family: FamilyId::new(&random(&*self.entropy)?),
            user: user.id.clone(),
            device: device.id.clone(),
            opened_at: now,
            token_claims: token_claims(&command.attributes, command.token_claims),
        };
        let fact =
            Fact::UserSignedUp { user: user.clone(), device: Some(device.clone()), credit: None };
        let entry = announce(&*self.event_mapper, &*self.entropy, &fact, now)?;
        let grant = AccessGrant::new(&session, random(&*self.entropy)?);
        let refresh_token = session.token.clone();
        let (device, session) = (Some(device), Some(session));
        let registration = Registration { proof, user, device, session, credit: None, entry };
        match self.registrations.register(&registration).await? {
            Registered::Registered => {
                let contract = registration.user.realm.contract();
                count(contract, MetricEvent::SignUp);
                if matches!(registration.proof, Proof::Code { .. }) {
                    count(contract, MetricEvent::CodeVerified);
                }
                Ok(OpenSession { grant, refresh_token })
            }
            Registered::ChallengeLost => Err(SignUpError::CodeRefused),
            Registered::BudgetSpent => {
                Err(SignUpError::TooMany { retry_after: retry_at.since(now) })
            }
            Registered::Taken(_) => Err(SignUpError::Taken),
        }
    }
}
