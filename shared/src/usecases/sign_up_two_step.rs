//! Sign up in two steps: what somebody typed waits until they type the code that was mailed to
//! them. Until then there is no user, and nothing is reserved.

use super::announce::announce;
use super::check_code::{CheckCode, CheckCodeError, CheckedCode, Guess};
use super::request_code::{Along, RequestCode, RequestCodeCommand, RequestCodeError};
use crate::domain::budget::Budget;
use crate::domain::challenge::{ChallengeHandle, ChallengeKey, Purpose};
use crate::domain::email::EmailAddress;
use crate::domain::event::Fact;
use crate::domain::id::UserId;
use crate::domain::identifier::Identifier;
use crate::domain::password::Password;
use crate::domain::realm::Realm;
use crate::domain::source::SourceAddress;
use crate::domain::time::Timestamp;
use crate::domain::user::{Attributes, Identifiers, KnownBy, NewUser, PendingSignUp};
use crate::domain::username::Username;
use crate::domain::wallet::{CardNumber, Credit};
use crate::ports::{
    Budgets, Clock, Entropy, EventMapper, MetricEvent, Passwords, PortError, Proof, Registered,
    Registration, Registrations, count, random,
};
use std::sync::Arc;
use std::time::Duration;

/// The first step.
pub struct StartSignUp {
    /// Sends the code.
    pub request_code: RequestCode,
    /// Hashes the password.
    pub passwords: Arc<dyn Passwords>,
    /// Where refused sign-ups are counted; those that succeed count in their own transaction.
    pub budgets: Arc<dyn Budgets>,
}

/// Who wants to sign up.
#[derive(Debug)]
pub struct StartSignUpCommand {
    /// The name space.
    pub realm: Realm,
    /// Where the code goes.
    pub email: EmailAddress,
    /// What they want to be called.
    pub username: Username,
    /// Their password.
    pub password: Password,
    /// What the contract will keep with them.
    pub attributes: Attributes,
    /// Where the request came from.
    pub source: SourceAddress,
    /// The language of the message.
    pub locale: String,
}

/// Why the first step was refused.
#[derive(Debug, thiserror::Error)]
pub enum StartSignUpError {
    /// Somebody has the address or the name.
    #[error("identifier taken")]
    Taken,
    /// An earlier sign-up with that address waits for its code.
    #[error("a sign-up is waiting")]
    Waiting,
    /// The recipient or the source has had its share.
    #[error("too many requests")]
    TooMany {
        /// How long to wait.
        retry_after: Duration,
    },
    /// The world broke.
    #[error(transparent)]
    Internal(#[from] PortError),
}

impl From<RequestCodeError> for StartSignUpError {
    fn from(error: RequestCodeError) -> Self {
        match error {
            RequestCodeError::TooMany { retry_after } => Self::TooMany { retry_after },
            RequestCodeError::Internal(error) => Self::Internal(error),
        }
    }
}

impl StartSignUp {
    /// Keeps the sign-up and puts the code on its way. Returns the handle to come back with.
    ///
    /// # Errors
    /// [`StartSignUpError`]. A refusal tells something about somebody, so it costs the source as
    /// much as a sign-up.
    pub async fn run(
        &self,
        command: StartSignUpCommand,
    ) -> Result<ChallengeHandle, StartSignUpError> {
        let request = &self.request_code;
        let now = request.clock.now();
        let StartSignUpCommand { realm, email, username, password, attributes, source, locale } =
            command;
        let recipient = Identifier::Email(email);
        let key = ChallengeKey { realm, purpose: Purpose::SignUp, recipient };
        let identifiers = vec![Identifier::Username(username)];
        let standing = request.challenges.standing(&key, &identifiers, now).await?;
        if standing.user.is_some() || standing.others_taken {
            return Err(self.refusal(StartSignUpError::Taken, &source, now).await);
        }
        if standing.challenge.live_until.is_some() {
            return Err(self.refusal(StartSignUpError::Waiting, &source, now).await);
        }
        let password = self.passwords.hash(password).await?;
        let pending = PendingSignUp { identifiers, password, attributes };
        let command = RequestCodeCommand { key, may_send: true, source, locale };
        let sent = request.send_to(&command, standing, Along::Pending(&pending), now).await?;
        let Some(sent) = sent else {
            return Err(self.refusal(StartSignUpError::Waiting, &command.source, now).await);
        };
        sent.handle.ok_or_else(|| {
            StartSignUpError::Internal(PortError::new("start a sign-up", "there are no handles"))
        })
    }

    /// Counts a refusal in the source's budget, and says it.
    async fn refusal(
        &self,
        refusal: StartSignUpError,
        source: &SourceAddress,
        now: Timestamp,
    ) -> StartSignUpError {
        let limit = self.request_code.policy.per_source_hour;
        let Some(budget) = Budget::sends(source, limit, now) else { return refusal };
        match self.budgets.take(&budget).await {
            Ok(true) => refusal,
            Ok(false) => StartSignUpError::TooMany { retry_after: budget.ends_at.since(now) },
            Err(error) => error.into(),
        }
    }
}

/// What a new wallet is like.
#[derive(Clone, Copy, Debug)]
pub struct WalletPolicy {
    /// What its card's number begins with.
    pub card_prefix: &'static str,
    /// How many random digits follow.
    pub card_digits: u32,
    /// The points it starts with.
    pub points: u32,
    /// What they are for.
    pub source: &'static str,
}

/// The second step.
pub struct CompleteSignUp {
    /// Checks the code.
    pub check_code: CheckCode,
    /// Where accounts are made.
    pub registrations: Arc<dyn Registrations>,
    /// How the contract spells its events.
    pub event_mapper: Arc<dyn EventMapper>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Random bytes.
    pub entropy: Arc<dyn Entropy>,
    /// The wallet that everybody gets.
    pub wallet: WalletPolicy,
}

/// Why the second step was refused.
#[derive(Debug, thiserror::Error)]
pub enum CompleteSignUpError {
    /// No sign-up waits with that handle: it was completed or replaced, has ended, or its code was
    /// guessed at too often.
    #[error("no sign-up is waiting")]
    NotWaiting,
    /// The code is wrong.
    #[error("wrong code")]
    WrongCode,
    /// Somebody took the address or the name in the meantime. The code still works, should they
    /// let go of it.
    #[error("identifier taken")]
    Taken,
    /// The source guessed wrong too often.
    #[error("too many guesses")]
    TooMany {
        /// How long to wait.
        retry_after: Duration,
    },
    /// The world broke.
    #[error(transparent)]
    Internal(#[from] PortError),
}

impl From<CheckCodeError> for CompleteSignUpError {
    fn from(error: CheckCodeError) -> Self {
        match error {
            CheckCodeError::NoCode => Self::NotWaiting,
            CheckCodeError::Wrong => Self::WrongCode,
            CheckCodeError::TooMany { retry_after } => Self::TooMany { retry_after },
            CheckCodeError::Internal(error) => Self::Internal(error),
        }
    }
}

impl CompleteSignUp {
    /// Makes the account of the sign-up that waits with the handle, with a wallet and its first
    /// points: one transaction. `attributes` are kept with those of the first step.
    ///
    /// # Errors
    /// [`CompleteSignUpError`].
    pub async fn run(
        &self,
        handle: ChallengeHandle,
        code: &str,
        source: &SourceAddress,
        attributes: Attributes,
    ) -> Result<NewUser, CompleteSignUpError> {
        let now = self.clock.now();
        let guess = Guess { code, source };
        let checked = self.check_code.of_handle(&handle, &guess, now).await?;
        let retry_at = checked.retry_at(now);
        let CheckedCode { key, nonce, pending, guesses, .. } = checked;
        let Some(pending) = pending else { return Err(CompleteSignUpError::NotWaiting) };
        let (user, credit) = self.new_user(&key, pending, attributes, now)?;
        let fact =
            Fact::UserSignedUp { user: user.clone(), device: None, credit: Some(credit.clone()) };
        let registration = Registration {
            proof: Proof::Code { key, nonce, handle: Some(handle), guesses },
            user,
            device: None,
            session: None,
            credit: Some(credit),
            entry: announce(&*self.event_mapper, &*self.entropy, &fact, now)?,
        };
        match self.registrations.register(&registration).await? {
            Registered::Registered => {
                let contract = registration.user.realm.contract();
                count(contract, MetricEvent::SignUp);
                count(contract, MetricEvent::CodeVerified);
                Ok(registration.user)
            }
            Registered::ChallengeLost => Err(CompleteSignUpError::NotWaiting),
            Registered::BudgetSpent => {
                Err(CompleteSignUpError::TooMany { retry_after: retry_at.since(now) })
            }
            Registered::Taken(taken) => {
                if taken.iter().all(|taken| matches!(taken, Identifier::Card(_))) {
                    return Err(PortError::new("open a wallet", "its card is somebody's").into());
                }
                Err(CompleteSignUpError::Taken)
            }
        }
    }

    fn new_user(
        &self,
        key: &ChallengeKey,
        pending: PendingSignUp,
        attributes: Attributes,
        now: Timestamp,
    ) -> Result<(NewUser, Credit), PortError> {
        let WalletPolicy { card_prefix, card_digits, points, source } = self.wallet;
        let card = CardNumber::random(card_prefix, card_digits, random(&*self.entropy)?);
        let card = card.ok_or_else(|| PortError::new("open a wallet", "a card of that length"))?;
        let mut known_by = vec![KnownBy { identifier: key.recipient.clone(), verified: true }];
        let others = pending.identifiers.into_iter().chain([Identifier::Card(card)]);
        known_by.extend(others.map(|identifier| KnownBy { identifier, verified: false }));
        let mut kept = pending.attributes;
        kept.extend(attributes);
        let user = NewUser {
            id: UserId::object_id(now, random(&*self.entropy)?),
            realm: key.realm.clone(),
            identifiers: Identifiers::new(known_by),
            password: Some(pending.password),
            attributes: kept,
            created_at: now,
            expires_at: None,
        };
        // Named for what it is for: nobody gets it twice.
        let credit = Credit { entry: source.to_owned(), points, source, at: now };
        Ok((user, credit))
    }
}
