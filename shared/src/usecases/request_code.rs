//! Send a code to a recipient, and create them first if they are a newcomer.

use crate::domain::budget::Budget;
use crate::domain::challenge::{ChallengeHandle, ChallengeKey, KeyId, Nonce};
use crate::domain::code::CodeSeed;
use crate::domain::event::{EventIds, Fact};
use crate::domain::id::{Sequence, UserId};
use crate::domain::identifier::Identifier;
use crate::domain::outbox::{CodeMessage, Effect, OutboxEntry};
use crate::domain::phone::DialCodes;
use crate::domain::sends::{SendLimits, SendRecord};
use crate::domain::source::SourceAddress;
use crate::domain::time::Timestamp;
use crate::domain::user::{Attributes, Identifiers, NewUser, PendingSignUp, UNVERIFIED_LIFETIME};
use crate::ports::{
    ChallengeState, Challenges, Clock, CodeKeys, Entropy, EventMapper, MetricEvent, NewHandle,
    Opened, Opening, PortError, SequenceIds, Standing, count, random,
};
use std::sync::Arc;
use std::time::Duration;

/// How many sends to the same recipient may come between the reading and the writing of its
/// record before the caller is told to come back.
const RACES: usize = 4;

/// The numbers that bound sending.
#[derive(Clone, Debug)]
pub struct SendPolicy {
    /// How long a code works.
    pub code_lifetime: Duration,
    /// The limits of one recipient.
    pub limits: SendLimits,
    /// Sends that one source address may ask for in an hour; 0 switches the limit off.
    pub per_source_hour: u32,
    /// Sign-ups that one client may ask for in an hour; 0 switches the limit off.
    pub per_client_hour: u32,
    /// Where texts may go.
    pub countries: DialCodes,
}

/// Sends a code; a recipient that must not get one costs the same and looks the same.
pub struct RequestCode {
    /// Where challenges live.
    pub challenges: Arc<dyn Challenges>,
    /// The keys that codes are derived with.
    pub code_keys: Arc<dyn CodeKeys>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Random bytes.
    pub entropy: Arc<dyn Entropy>,
    /// The bounds.
    pub policy: SendPolicy,
    /// How the contract writes its handles, where clients hold one instead of the recipient.
    pub handles: Option<fn(&[u8; 16]) -> String>,
}

/// Who asks for which code.
#[derive(Debug)]
pub struct RequestCodeCommand {
    /// Who gets it and what for.
    pub key: ChallengeKey,
    /// Whether the request may send anything at all; if not, it still looks as if it did.
    pub may_send: bool,
    /// Where the request came from.
    pub source: SourceAddress,
    /// The language of the message.
    pub locale: String,
}

/// A code was asked for.
#[derive(Debug)]
pub struct CodeRequested {
    /// What the client holds from now on, where the contract has handles.
    pub handle: Option<ChallengeHandle>,
}

/// Who an unknown recipient becomes.
#[derive(Clone, Debug)]
pub struct Newcomer {
    /// What the contract keeps with them.
    pub attributes: Attributes,
    /// Attributes that get an integer id of their own.
    pub numbered: &'static [(&'static str, Sequence)],
}

/// Sends a code to a recipient, and creates an unverified user where there is none.
pub struct SignUpUnverified {
    /// Sends the code.
    pub request_code: RequestCode,
    /// Ids of users and of what belongs to them.
    pub ids: Arc<dyn SequenceIds>,
    /// How the contract spells its events.
    pub event_mapper: Arc<dyn EventMapper>,
}

/// Why no code was sent.
#[derive(Debug, thiserror::Error)]
pub enum RequestCodeError {
    /// The recipient or the source has had its share.
    #[error("too many codes")]
    TooMany {
        /// How long to wait.
        retry_after: Duration,
    },
    /// The world broke.
    #[error(transparent)]
    Internal(#[from] PortError),
}

/// What one try at a send starts from.
struct Attempt<'a> {
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

/// How one try ended.
enum Tried {
    Sent(CodeRequested),
    Changed(ChallengeState),
    Taken,
}

/// What goes with a code.
#[derive(Clone, Copy)]
pub(super) enum Along<'a> {
    /// Nothing.
    Nothing,
    /// A user, if the recipient is nobody yet.
    Newcomer(&'a SignUpUnverified, &'a Newcomer),
    /// A sign-up that waits for the code.
    Pending(&'a PendingSignUp),
}

impl RequestCode {
    /// Opens a challenge and puts its code on the way, if the recipient is one that this purpose
    /// serves.
    ///
    /// # Errors
    /// [`RequestCodeError`].
    pub async fn run(
        &self,
        command: RequestCodeCommand,
    ) -> Result<CodeRequested, RequestCodeError> {
        self.send(&command, Along::Nothing).await
    }

    /// Reads how the recipient stands and writes.
    async fn send(
        &self,
        command: &RequestCodeCommand,
        along: Along<'_>,
    ) -> Result<CodeRequested, RequestCodeError> {
        let now = self.clock.now();
        let standing = self.challenges.standing(&command.key, &[], now).await?;
        let sent = self.send_to(command, standing, along, now).await?;
        // Another sign-up that waits is in the way of a sign-up that waits, and of nothing else.
        sent.ok_or(RequestCodeError::TooMany { retry_after: Duration::from_secs(1) })
    }

    /// Writes, as often as others come between; `None` when a sign-up is to wait for the code and
    /// another one does already.
    pub(super) async fn send_to(
        &self,
        command: &RequestCodeCommand,
        mut standing: Standing,
        along: Along<'_>,
        now: Timestamp,
    ) -> Result<Option<CodeRequested>, RequestCodeError> {
        let key_id = self.code_keys.current().await?;
        for _ in 0..RACES {
            let ids = EventIds::new(random(&*self.entropy)?);
            let (newcomer, events) = match (along, &standing.user) {
                (Along::Newcomer(maker, newcomer), None) if command.may_send => {
                    let user = maker.new_user(command, newcomer, now).await?;
                    let fact =
                        Fact::UserSignedUp { user: user.clone(), device: None, credit: None };
                    (Some(user), maker.event_mapper.events(&fact, &ids)?)
                }
                _ => (None, Vec::new()),
            };
            let known = standing.user.clone();
            let attempt = Attempt {
                command,
                now,
                key_id: &key_id,
                sends: standing.challenge.sends,
                holder: known.or_else(|| newcomer.as_ref().map(|user| user.id.clone())),
                newcomer,
                pending: match along {
                    Along::Pending(pending) => Some(pending),
                    Along::Nothing | Along::Newcomer(..) => None,
                },
                events: events.into_iter().map(Effect::Event).collect(),
                ids,
            };
            match self.attempt(attempt).await? {
                Tried::Sent(requested) => return Ok(Some(requested)),
                Tried::Changed(newer) => {
                    if matches!(along, Along::Pending(_)) && newer.live_until.is_some() {
                        return Ok(None);
                    }
                    standing.challenge = newer;
                }
                Tried::Taken => {
                    standing = self.challenges.standing(&command.key, &[], now).await?;
                }
            }
        }
        Err(RequestCodeError::TooMany { retry_after: Duration::from_secs(1) })
    }

    /// One read record, one write.
    async fn attempt(&self, attempt: Attempt<'_>) -> Result<Tried, RequestCodeError> {
        let Attempt { command, now, key_id, sends, holder, newcomer, pending, events, ids } =
            attempt;
        let expected_revision = self.policy.limits.apply().then_some(sends.revision);
        let sends = self.policy.limits.admit(&sends, now).map_err(|refusal| {
            RequestCodeError::TooMany { retry_after: refusal.retry_at.since(now) }
        })?;
        let budget = Budget::sends(&command.source, self.policy.per_source_hour, now);
        let budget_end = budget.as_ref().map_or(now, |budget| budget.ends_at);
        let deliver = self.delivers(command, holder.is_some(), newcomer.is_some());
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
            // A code that is not sent verifies nobody: who guessed it would leave no trace with the
            // recipient.
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
            Opened::Opened => {
                if opening.newcomer.is_some() {
                    count(opening.key.realm.contract(), MetricEvent::SignUp);
                }
                let handle = opening.handle.map(|new| new.handle);
                Ok(Tried::Sent(CodeRequested { handle }))
            }
            Opened::BudgetSpent => {
                Err(RequestCodeError::TooMany { retry_after: budget_end.since(now) })
            }
            Opened::Changed(newer) => Ok(Tried::Changed(newer)),
            Opened::Taken => Ok(Tried::Taken),
        }
    }

    fn new_handle(&self) -> Result<Option<ChallengeHandle>, PortError> {
        let Some(write) = self.handles else { return Ok(None) };
        Ok(Some(ChallengeHandle::new(&write(&random(&*self.entropy)?))))
    }

    /// Whether the recipient gets a message at all.
    fn delivers(&self, command: &RequestCodeCommand, registered: bool, newcomer: bool) -> bool {
        let reachable = match &command.key.recipient {
            Identifier::Phone(phone) => self.policy.countries.allow(phone),
            Identifier::Email(_) => true,
            Identifier::Username(_) | Identifier::Card(_) => false,
        };
        if !reachable {
            let recipient = &command.key.recipient;
            tracing::warn!(?recipient, "no text is sent: the country is not allowed");
        }
        reachable && command.may_send && (newcomer || command.key.purpose.serves(registered))
    }
}

impl SignUpUnverified {
    /// Sends a code to the recipient. Who is unknown becomes a user, unverified and gone after a
    /// day unless they verify; who is known stays as they are. The caller cannot tell which.
    ///
    /// # Errors
    /// [`RequestCodeError`].
    pub async fn run(
        &self,
        command: RequestCodeCommand,
        newcomer: Newcomer,
    ) -> Result<CodeRequested, RequestCodeError> {
        self.request_code.send(&command, Along::Newcomer(self, &newcomer)).await
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
            identifiers: Identifiers::one(command.key.recipient.clone(), false),
            password: None,
            attributes,
            created_at: now,
            expires_at: Some(now.plus(UNVERIFIED_LIFETIME)),
        })
    }
}
