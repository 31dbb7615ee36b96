//! Sends a code to a recipient, and creates an unverified user first if the contract wants it.

use crate::domain::budget::Budget;
use crate::domain::challenge::{Audience, ChallengeHandle, ChallengeKey, KeyId, Nonce};
use crate::domain::code::CodeSeed;
use crate::domain::event::{EventIds, Fact};
use crate::domain::id::{Sequence, UserId};
use crate::domain::identifier::Identifier;
use crate::domain::outbox::{CodeMessage, Effect, OutboxEntry};
use crate::domain::sends::{SendPolicy, SendRecord};
use crate::domain::source::SourceAddress;
use crate::domain::time::Timestamp;
use crate::domain::user::{Attributes, Identifiers, NewUser, PendingSignUp, UNVERIFIED_LIFETIME};
use crate::ports::{
    ChallengeState, Challenges, Clock, CodeKeys, Entropy, EventMapper, MetricEvent, NewHandle,
    OpenOutcome, Opening, PortError, RecipientState, SequenceIds, random, record_metric,
};
use std::sync::Arc;
use std::time::Duration;

/// The number of tries. A try fails if another request sends to the same recipient between the read
/// and the write.
const MAX_TRIES: usize = 4;

/// Sends codes. A recipient that must not get a code causes the same work and the same answer.
pub struct RequestCode {
    pub challenges: Arc<dyn Challenges>,
    pub code_keys: Arc<dyn CodeKeys>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub policy: SendPolicy,
    /// The format of the contract's handles; `None` if its clients name the recipient instead.
    pub handles: Option<fn(&[u8; 16]) -> String>,
}

/// Whether a request for a code may send a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The code is sent, if the recipient may get one.
    Allowed,
    /// Nothing is sent. The work and the answer are the same, so that the caller cannot tell.
    Suppressed,
}

/// A request for a code.
#[derive(Debug)]
pub struct RequestCodeCommand {
    /// The challenge to open.
    pub key: ChallengeKey,
    pub delivery: Delivery,
    pub source: SourceAddress,
    /// The language of the message: a BCP 47 tag such as `en`.
    pub locale: String,
}

/// The answer to a request for a code.
#[derive(Debug)]
pub struct CodeRequested {
    /// The handle of the challenge, for contracts with handles.
    pub handle: Option<ChallengeHandle>,
}

/// The user to be created for an unknown recipient.
#[derive(Clone, Debug)]
pub struct Newcomer {
    pub attributes: Attributes,
    /// The attributes that get an integer id of their own.
    pub numbered: &'static [(&'static str, Sequence)],
}

/// Sends a code to a recipient, and creates an unverified user if the recipient is unknown.
pub struct SignUpUnverified {
    pub request_code: RequestCode,
    /// The ids of users and of their numbered attributes.
    pub ids: Arc<dyn SequenceIds>,
    pub event_mapper: Arc<dyn EventMapper>,
}

/// The reason why no code was sent.
#[derive(Debug, thiserror::Error)]
pub enum RequestCodeError {
    /// A limit of the recipient or the source was reached.
    #[error("a limit of sent codes was reached")]
    TooMany { retry_after: Duration },
    #[error(transparent)]
    Internal(#[from] PortError),
}

/// The input of one try.
struct SendAttempt<'a> {
    command: &'a RequestCodeCommand,
    now: Timestamp,
    key_id: &'a KeyId,
    sends: SendRecord,
    holder: Option<UserId>,
    newcomer: Option<NewUser>,
    pending: Option<&'a PendingSignUp>,
    events: Vec<Effect>,
    ids: EventIds,
}

/// The result of one try.
enum SendResult {
    Sent(CodeRequested),
    Changed(ChallengeState),
    Taken,
}

/// The sign-up that a code belongs to.
#[derive(Clone, Copy)]
pub(super) enum RelatedSignUp<'a> {
    None,
    /// An unverified user, created if the recipient is unknown.
    Newcomer(&'a SignUpUnverified, &'a Newcomer),
    /// A sign-up that waits for the code.
    Pending(&'a PendingSignUp),
}

impl RequestCode {
    /// Opens a challenge and sends its code, if codes of this purpose are sent to the recipient.
    pub async fn run(
        &self,
        command: RequestCodeCommand,
    ) -> Result<CodeRequested, RequestCodeError> {
        self.send(&command, RelatedSignUp::None).await
    }

    /// Reads the state of the recipient and opens the challenge.
    async fn send(
        &self,
        command: &RequestCodeCommand,
        related: RelatedSignUp<'_>,
    ) -> Result<CodeRequested, RequestCodeError> {
        let now = self.clock.now();
        let recipient = self.challenges.recipient_state(&command.key, &[], now).await?;
        let sent = self.send_to(command, recipient, related, now).await?;
        // Only a sign-up that waits can be refused because of another one that waits.
        sent.ok_or(RequestCodeError::TooMany { retry_after: Duration::from_secs(1) })
    }

    /// Opens the challenge, with new tries if other requests were faster. Returns `None` if the
    /// sign-up has to wait but another one waits already.
    pub(super) async fn send_to(
        &self,
        command: &RequestCodeCommand,
        mut recipient: RecipientState,
        related: RelatedSignUp<'_>,
        now: Timestamp,
    ) -> Result<Option<CodeRequested>, RequestCodeError> {
        let key_id = self.code_keys.current().await?;
        for _ in 0..MAX_TRIES {
            let ids = EventIds::new(random(&*self.entropy)?);
            let (newcomer, events) = match (related, &recipient.user) {
                (RelatedSignUp::Newcomer(maker, newcomer), None)
                    if command.delivery == Delivery::Allowed =>
                {
                    let user = maker.new_user(command, newcomer, now).await?;
                    let fact =
                        Fact::UserSignedUp { user: user.clone(), device: None, credit: None };
                    (Some(user), maker.event_mapper.events(&fact, &ids)?)
                }
                _ => (None, Vec::new()),
            };
            let known = recipient.user.clone();
            let attempt = SendAttempt {
                command,
                now,
                key_id: &key_id,
                sends: recipient.challenge.sends,
                holder: known.or_else(|| newcomer.as_ref().map(|user| user.id.clone())),
                newcomer,
                pending: match related {
                    RelatedSignUp::Pending(pending) => Some(pending),
                    RelatedSignUp::None | RelatedSignUp::Newcomer(..) => None,
                },
                events: events.into_iter().map(Effect::Event).collect(),
                ids,
            };
            match self.attempt_send(attempt).await? {
                SendResult::Sent(requested) => return Ok(Some(requested)),
                SendResult::Changed(newer) => {
                    if matches!(related, RelatedSignUp::Pending(_)) && newer.live_until.is_some() {
                        return Ok(None);
                    }
                    recipient.challenge = newer;
                }
                SendResult::Taken => {
                    recipient = self.challenges.recipient_state(&command.key, &[], now).await?;
                }
            }
        }
        Err(RequestCodeError::TooMany { retry_after: Duration::from_secs(1) })
    }

    /// Makes one try with the given state of the recipient.
    async fn attempt_send(&self, attempt: SendAttempt<'_>) -> Result<SendResult, RequestCodeError> {
        let SendAttempt { command, now, key_id, sends, holder, newcomer, pending, events, ids } =
            attempt;
        let expected_revision = self.policy.limits.apply().then_some(sends.revision);
        let sends = self.policy.limits.admit(&sends, now).map_err(|refusal| {
            RequestCodeError::TooMany { retry_after: refusal.retry_at.since(now) }
        })?;
        let budget = Budget::sends(&command.source, self.policy.per_source_hour, now);
        let budget_end = budget.as_ref().map_or(now, |budget| budget.ends_at);
        let audience = match &holder {
            Some(_) => Audience::Registered,
            None => Audience::Unregistered,
        };
        // A new user gets the code of the challenge that is opened at the same time.
        let wanted = newcomer.is_some() || command.key.purpose.audience() == audience;
        let deliver = self.is_reachable(command) && command.delivery == Delivery::Allowed && wanted;
        let seed = CodeSeed {
            key: command.key.clone(),
            nonce: Nonce::new(random(&*self.entropy)?),
            key_id: key_id.clone(),
        };
        let expires_at = now.plus(self.policy.code_lifetime);
        let locale = command.locale.clone();
        let code = CodeMessage { seed, locale, sent_at: now, expires_at, deliver };
        let handle = self.new_handle()?;
        let opening = Opening {
            key: command.key.clone(),
            nonce: code.seed.nonce.clone(),
            key_id: key_id.clone(),
            expires_at,
            sent: deliver,
            sends,
            expected_revision,
            budget,
            // The handle of a code that is not sent has no user, because a right guess would verify
            // the user without a message to the recipient.
            handle: handle.map(|handle| NewHandle { handle, holder: holder.filter(|_| deliver) }),
            newcomer,
            pending: pending.cloned(),
            at: now,
            entry: OutboxEntry::new(
                &ids,
                now,
                std::iter::once(Effect::Code(code)).chain(events).collect(),
            ),
        };
        match self.challenges.open(&opening).await? {
            OpenOutcome::Opened => {
                if opening.newcomer.is_some() {
                    record_metric(Some(opening.key.realm.contract()), MetricEvent::SignUp);
                }
                let handle = opening.handle.map(|new| new.handle);
                Ok(SendResult::Sent(CodeRequested { handle }))
            }
            OpenOutcome::BudgetSpent => {
                Err(RequestCodeError::TooMany { retry_after: budget_end.since(now) })
            }
            OpenOutcome::Changed(newer) => Ok(SendResult::Changed(newer)),
            OpenOutcome::Taken => Ok(SendResult::Taken),
        }
    }

    fn new_handle(&self) -> Result<Option<ChallengeHandle>, PortError> {
        let Some(write) = self.handles else { return Ok(None) };
        Ok(Some(ChallengeHandle::new(&write(&random(&*self.entropy)?))))
    }

    /// Returns whether messages may be sent to the recipient, and logs a warning if not.
    fn is_reachable(&self, command: &RequestCodeCommand) -> bool {
        let reachable = match &command.key.recipient {
            Identifier::Phone(phone) => self.policy.countries.allow(phone),
            Identifier::Email(_) => true,
            Identifier::Username(_) | Identifier::Card(_) => false,
        };
        if !reachable {
            let recipient = &command.key.recipient;
            tracing::warn!(?recipient, "no text message was sent: the country is not allowed");
        }
        reachable
    }
}

impl SignUpUnverified {
    /// Sends a code to the recipient. For an unknown recipient it creates an unverified user, which
    /// is deleted after a day without a verification. A known user is not changed. The caller
    /// cannot tell the two apart.
    pub async fn run(
        &self,
        command: RequestCodeCommand,
        newcomer: Newcomer,
    ) -> Result<CodeRequested, RequestCodeError> {
        self.request_code.send(&command, RelatedSignUp::Newcomer(self, &newcomer)).await
    }

    async fn new_user(
        &self,
        command: &RequestCodeCommand,
        newcomer: &Newcomer,
        now: Timestamp,
    ) -> Result<NewUser, PortError> {
        let realm = &command.key.realm;
        let mut attributes = newcomer.attributes.clone();
        for (name, sequence) in newcomer.numbered {
            let id = self.ids.next(realm, *sequence).await?;
            attributes.insert((*name).to_owned(), id.to_string());
        }
        Ok(NewUser {
            id: UserId::number(self.ids.next(realm, Sequence::User).await?),
            realm: realm.clone(),
            identifiers: Identifiers::unverified(command.key.recipient.clone()),
            password: None,
            attributes,
            created_at: now,
            expires_at: Some(now.plus(UNVERIFIED_LIFETIME)),
        })
    }
}
