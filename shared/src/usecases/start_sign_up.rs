//! Starts a sign-up that waits for its code: stores the input and sends the code. Until the code is
//! entered ([`EnterByCode`](super::EnterByCode)) there is no user, and nothing is reserved.

use super::request_code::{CodeRequested, RelatedSignUp, RequestCode, RequestCodeCommand};
use super::{Delivery, Failure};
use crate::domain::attributes::Attributes;
use crate::domain::challenge::{Audience, ChallengeKey, Purpose};
use crate::domain::email::EmailAddress;
use crate::domain::identifier::Identifier;
use crate::domain::password::Password;
use crate::domain::realm::Realm;
use crate::domain::source::Source;
use crate::domain::user::PendingSignUp;
use crate::domain::username::Username;
use crate::ports::{Passwords, PortError, Recorder};
use std::sync::Arc;

/// Stores sign-ups and sends their codes.
pub struct StartSignUp {
    pub request_code: RequestCode,
    pub passwords: Arc<dyn Passwords>,
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
    pub source: Source,
    /// The language of the message: a BCP 47 tag such as `en`.
    pub locale: String,
}

/// The reason why a sign-up was not started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StartSignUpRefused {
    /// The e-mail address or the username belongs to a user.
    #[error("the identifier is taken")]
    Taken,
    /// An earlier sign-up with the same address waits for its code.
    #[error("another sign-up waits for its code")]
    Waiting,
}

impl StartSignUp {
    /// Stores the sign-up and sends the code. Returns the handle for the code. A refusal reveals
    /// something about a user, so it costs the source as much as a sign-up.
    pub async fn run(
        &self,
        command: StartSignUpCommand,
        recorder: &Recorder<'_, CodeRequested>,
    ) -> Result<CodeRequested, Failure<StartSignUpRefused>> {
        let request = &self.request_code;
        let now = request.basics.now();
        let StartSignUpCommand { realm, email, username, password, attributes, source, locale } =
            command;
        let key = ChallengeKey::new(realm, Purpose::SignUp, Identifier::Email(email));
        let identifiers = vec![Identifier::Username(username)];
        let (audience, delivery) = (Audience::Unregistered, Delivery::Allowed);
        let command = RequestCodeCommand { key, audience, delivery, source, locale };
        let state = request.standing(&command, &identifiers, RelatedSignUp::None, now).await;
        let state = state.map_err(|failure| failure.map(|never| match never {}))?;
        let own = state.source_budgets().to_vec();
        let refuse = |refused| request.gate.refuse_at_cost(refused, &own, now);
        if state.is_taken() {
            return Err(refuse(StartSignUpRefused::Taken).await);
        }
        if state.is_waiting() {
            return Err(refuse(StartSignUpRefused::Waiting).await);
        }
        let password = self.passwords.hash(password).await?;
        let pending = PendingSignUp { began_at: now, identifiers, password, attributes };
        let sent = request
            .send_to(&command, state, (RelatedSignUp::Pending(&pending), recorder), now)
            .await;
        let Some(sent) = sent.map_err(|failure| failure.map(|never| match never {}))? else {
            return Err(refuse(StartSignUpRefused::Waiting).await);
        };
        if sent.handle.is_none() {
            return Err(PortError::new("start a sign-up", "the contract has no handles").into());
        }
        Ok(sent)
    }
}
