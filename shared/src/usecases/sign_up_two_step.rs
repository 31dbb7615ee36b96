//! Signs up in two steps. The first step stores the input and mails a code; the second step checks
//! the code. Between the two there is no user, and nothing is reserved.

use super::announce::announce;
use super::check_code::{CheckCode, CheckCodeError, CheckedCode, Guess};
use super::request_code::{
    Delivery, RelatedSignUp, RequestCode, RequestCodeCommand, RequestCodeError,
};
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
    Budgets, Clock, Entropy, EventMapper, MetricEvent, Passwords, PortError, Proof,
    RegisterOutcome, Registration, Registrations, TakeOutcome, random, record_metric,
};
use std::sync::Arc;
use std::time::Duration;

/// The first step: stores the sign-up and sends the code.
pub struct StartSignUp {
    pub request_code: RequestCode,
    pub passwords: Arc<dyn Passwords>,
    /// The budgets that refused sign-ups are counted in. Successful ones are counted in their own
    /// transaction.
    pub budgets: Arc<dyn Budgets>,
}

/// A request to start a sign-up.
#[derive(Debug)]
pub struct StartSignUpCommand {
    pub realm: Realm,
    /// The recipient of the code.
    pub email: EmailAddress,
    pub username: Username,
    pub password: Password,
    pub attributes: Attributes,
    pub source: SourceAddress,
    /// The language of the message: a BCP 47 tag such as `en`.
    pub locale: String,
}

/// The reason why the first step was refused.
#[derive(Debug, thiserror::Error)]
pub enum StartSignUpError {
    /// The e-mail address or the username belongs to a user.
    #[error("the identifier is taken")]
    Taken,
    /// An earlier sign-up with the same address waits for its code.
    #[error("another sign-up waits for its code")]
    Waiting,
    /// A limit of the recipient or the source was reached.
    #[error("a limit of sign-ups was reached")]
    TooMany { retry_after: Duration },
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
    /// Stores the sign-up and sends the code. Returns the handle for the second step. A refusal
    /// reveals something about a user, so it costs the source as much as a sign-up.
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
        let recipient_state = request.challenges.recipient_state(&key, &identifiers, now).await?;
        if recipient_state.user.is_some() || recipient_state.others_taken {
            return Err(self.refusal(StartSignUpError::Taken, &source, now).await);
        }
        if recipient_state.challenge.live_until.is_some() {
            return Err(self.refusal(StartSignUpError::Waiting, &source, now).await);
        }
        let password = self.passwords.hash(password).await?;
        let pending = PendingSignUp { identifiers, password, attributes };
        let command = RequestCodeCommand { key, delivery: Delivery::Allowed, source, locale };
        let sent = request
            .send_to(&command, recipient_state, RelatedSignUp::Pending(&pending), now)
            .await?;
        let Some(sent) = sent else {
            return Err(self.refusal(StartSignUpError::Waiting, &command.source, now).await);
        };
        sent.handle.ok_or_else(|| {
            StartSignUpError::Internal(PortError::new(
                "start a sign-up",
                "the contract has no handles",
            ))
        })
    }

    /// Counts a refusal in the budget of the source. Returns the refusal, or an error if the budget
    /// is spent.
    async fn refusal(
        &self,
        refusal: StartSignUpError,
        source: &SourceAddress,
        now: Timestamp,
    ) -> StartSignUpError {
        let limit = self.request_code.policy.per_source_hour;
        let Some(budget) = Budget::sends(source, limit, now) else { return refusal };
        match self.budgets.take(&budget).await {
            Ok(TakeOutcome::Taken) => refusal,
            Ok(TakeOutcome::Spent) => {
                StartSignUpError::TooMany { retry_after: budget.ends_at.since(now) }
            }
            Err(error) => error.into(),
        }
    }
}

/// The content of a new wallet.
#[derive(Clone, Copy, Debug)]
pub struct WalletPolicy {
    /// The first digits of the card number.
    pub card_prefix: &'static str,
    /// The number of random digits that follow.
    pub card_digits: u32,
    /// The points of the first credit.
    pub points: u32,
    /// The reason for the first credit.
    pub source: &'static str,
}

/// The second step: checks the code and creates the account.
pub struct CompleteSignUp {
    pub check_code: CheckCode,
    pub registrations: Arc<dyn Registrations>,
    pub event_mapper: Arc<dyn EventMapper>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    /// The content of the user's wallet.
    pub wallet: WalletPolicy,
}

/// The reason why the second step was refused.
#[derive(Debug, thiserror::Error)]
pub enum CompleteSignUpError {
    /// No sign-up waits with this handle: it was completed, was replaced, has expired or had too
    /// many guesses.
    #[error("no sign-up waits with this handle")]
    NotWaiting,
    #[error("the code is wrong")]
    WrongCode,
    /// Another user took the address or the username in the meantime. The code stays valid.
    #[error("the identifier is taken")]
    Taken,
    #[error("the source made too many wrong guesses")]
    TooMany { retry_after: Duration },
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
    /// Creates the account with a wallet and its first credit, in one transaction. `attributes` are
    /// added to those of the first step.
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
            RegisterOutcome::Registered => {
                let contract = registration.user.realm.contract();
                record_metric(Some(contract), MetricEvent::SignUp);
                record_metric(Some(contract), MetricEvent::CodeVerified);
                Ok(registration.user)
            }
            RegisterOutcome::ChallengeLost => Err(CompleteSignUpError::NotWaiting),
            RegisterOutcome::BudgetSpent => {
                Err(CompleteSignUpError::TooMany { retry_after: retry_at.since(now) })
            }
            RegisterOutcome::Taken(taken) => {
                if taken.iter().all(|taken| matches!(taken, Identifier::Card(_))) {
                    return Err(PortError::new("open a wallet", "its card number is taken").into());
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
        let card = card.ok_or_else(|| {
            PortError::new("open a wallet", "a card number of that length is invalid")
        })?;
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
        // The id of the entry is the reason for the credit, so that a user gets it only once.
        let credit = Credit { entry: source.to_owned(), points, source, at: now };
        Ok((user, credit))
    }
}
