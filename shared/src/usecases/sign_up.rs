//! Creates an account and opens its first session.

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
    Budgets, Clock, Entropy, EventMapper, MetricEvent, Passwords, PortError, Proof,
    RegisterOutcome, Registration, Registrations, SequenceIds, TakeOutcome, random, record_metric,
};
use std::sync::Arc;
use std::time::Duration;

/// Creates accounts after a successful check of the proof.
pub struct SignUp {
    pub registrations: Arc<dyn Registrations>,
    /// The ids of devices.
    pub ids: Arc<dyn SequenceIds>,
    pub event_mapper: Arc<dyn EventMapper>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
}

/// Signs up with a code that was sent to a phone number.
pub struct SignUpByCode {
    pub sign_up: Arc<SignUp>,
    pub check_code: CheckCode,
}

/// Signs up with an e-mail address and a password.
pub struct SignUpByPassword {
    pub sign_up: Arc<SignUp>,
    pub passwords: Arc<dyn Passwords>,
    /// The budgets that refused sign-ups are counted in. Successful ones are counted in their own
    /// transaction.
    pub budgets: Arc<dyn Budgets>,
    /// The number of sign-ups and sends that one source may request in an hour; 0 switches the
    /// limit off.
    pub per_source_hour: u32,
}

/// A request to sign up.
#[derive(Debug)]
pub struct SignUpCommand {
    pub realm: Realm,
    pub attributes: Attributes,
    /// The names of the attributes that access tokens contain.
    pub token_claims: &'static [&'static str],
    pub device: DeviceInfo,
    pub source: SourceAddress,
}

/// The content of an access token.
#[derive(Clone, Debug)]
pub struct AccessGrant {
    /// The random id of the token.
    pub id: [u8; 12],
    pub user: UserId,
    pub device: DeviceId,
    pub issued_at: Timestamp,
}

impl AccessGrant {
    /// Returns the grant of a new session.
    #[must_use]
    pub fn new(session: &NewSession, id: [u8; 12]) -> Self {
        let (user, device) = (session.user.clone(), session.device.clone());
        Self { id, user, device, issued_at: session.opened_at }
    }
}

/// The tokens of an open session.
#[derive(Debug)]
pub struct OpenSession {
    /// The content of the access token.
    pub grant: AccessGrant,
    pub refresh_token: RefreshToken,
}

/// The reason why a sign-up was refused.
#[derive(Debug, thiserror::Error)]
pub enum SignUpError {
    /// The code is wrong, was used, was replaced, has expired or had too many guesses.
    #[error("the code is not valid")]
    CodeRefused,
    /// The identifier belongs to a user.
    #[error("the identifier is taken")]
    Taken,
    /// A limit of the source was reached.
    #[error("a limit of sign-ups was reached")]
    TooMany { retry_after: Duration },
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
    /// Creates an account for the recipient of the code. The code is checked before the account is
    /// looked up, so that only the owner of the phone number learns whether it is registered.
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
    /// Creates an account with a password. The e-mail address is stored as unverified, because the
    /// caller did not prove control of it.
    ///
    /// # Errors
    /// [`SignUpError`], except [`SignUpError::CodeRefused`].
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
        // A refusal reveals that the address is registered, so it costs the source as much as a
        // sign-up.
        match (&signed_up, budget) {
            (Err(SignUpError::Taken), Some(budget))
                if self.budgets.take(&budget).await? == TakeOutcome::Spent =>
            {
                Err(SignUpError::TooMany { retry_after: retry_at.since(now) })
            }
            _ => signed_up,
        }
    }
}

impl SignUp {
    /// Creates the account. `retry_at` is the time at which the budget of the proof is reset.
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
            identifiers: match proof {
                Proof::Code { .. } => Identifiers::verified(identifier),
                Proof::Nothing { .. } => Identifiers::unverified(identifier),
            },
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
            RegisterOutcome::Registered => {
                let contract = registration.user.realm.contract();
                record_metric(Some(contract), MetricEvent::SignUp);
                if matches!(registration.proof, Proof::Code { .. }) {
                    record_metric(Some(contract), MetricEvent::CodeVerified);
                }
                Ok(OpenSession { grant, refresh_token })
            }
            RegisterOutcome::ChallengeLost => Err(SignUpError::CodeRefused),
            RegisterOutcome::BudgetSpent => {
                Err(SignUpError::TooMany { retry_after: retry_at.since(now) })
            }
            RegisterOutcome::Taken(_) => Err(SignUpError::Taken),
        }
    }
}
