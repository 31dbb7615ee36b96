//! Sends a code to a recipient, and creates an unverified user first if the contract wants it.

use super::gate::{Gate, SendBudgets, target};
use super::{Basics, Failure, NewIds, NoRefusal};
use crate::domain::account::{Account, Draft, NewAccount};
use crate::domain::attributes::Attributes;
use crate::domain::bill::Bill;
use crate::domain::budget::Budget;
use crate::domain::challenge::{
    Audience, ChallengeHandle, ChallengeKey, KeyId, Lane, Nonce, Purpose,
};
use crate::domain::code::CodeSeed;
use crate::domain::event::{EventIds, Fact};
use crate::domain::history::{Counted, HistoryOf, Withheld};
use crate::domain::id::Sequence;
use crate::domain::identifier::Identifier;
use crate::domain::known_sources::SourceMarks;
use crate::domain::outbox::{CodeDelivery, CodeMessage, Effect, OutboxEntry};
use crate::domain::proof::Opener;
use crate::domain::sends::{SendPolicy, SendRecord};
use crate::domain::source::Source;
use crate::domain::time::Timestamp;
use crate::domain::user::{PendingSignUp, UNVERIFIED_LIFETIME, User};
use crate::ports::{
    Accounts, ChallengeState, CodeKeys, Entry, EntryOutcome, Holder, KeptLonger, MetricEvent,
    NewChallenge, NewHandle, PortError, Recorder, StandingQuery, Users, record_metric,
};
use std::sync::Arc;

/// The number of tries. A try fails if another request sends to the same recipient between the read
/// and the write.
const MAX_TRIES: usize = 4;

/// Sends codes. A recipient that must not get a code causes the same work and the same answer.
pub struct RequestCode {
    pub gate: Gate,
    /// The ceilings of what is sent.
    pub bill: Arc<Bill>,
    pub accounts: Arc<dyn Accounts>,
    /// The users, to keep an unverified one until its code ends.
    pub users: Arc<dyn Users>,
    pub code_keys: Arc<dyn CodeKeys>,
    pub basics: Basics,
    pub policy: SendPolicy,
    /// Whether a recipient with an account that asks for a code to sign up is told so, instead of
    /// getting nothing.
    pub account_notice: bool,
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
    /// Who gets a code.
    pub audience: Audience,
    pub delivery: Delivery,
    pub source: Source,
    /// The language of the message: a BCP 47 tag such as `en`.
    pub locale: String,
}

/// The answer to a request for a code.
#[derive(Debug)]
pub struct CodeRequested {
    /// The handle of the challenge, for contracts with handles.
    pub handle: Option<ChallengeHandle>,
    /// The recipient of the code.
    pub recipient: Identifier,
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
    pub ids: NewIds,
}

/// What is known of a recipient before a code is sent to it.
pub(super) struct RecipientStanding {
    /// The user that the recipient belongs to.
    holder: Option<Holder>,
    /// Whether one of the other identifiers that were asked about belongs to a user.
    others_taken: bool,
    /// The challenge, in the lane of the request.
    key: ChallengeKey,
    challenge: ChallengeState,
    /// The time of the last send that this source asked for before the account knew it.
    before: Option<Timestamp>,
    budgets: SendBudgets,
    /// Whether the account knows the source.
    is_known: bool,
}

impl RecipientStanding {
    /// Returns whether an identifier of the request belongs to a user.
    pub(super) const fn is_taken(&self) -> bool {
        self.holder.is_some() || self.others_taken
    }

    /// Returns whether the challenge has a valid code.
    pub(super) const fn is_waiting(&self) -> bool {
        self.challenge.is_live
    }

    /// Returns whether the last code of the challenge is that of the sign-up.
    pub(super) fn has_code_of(&self, waiting: &WaitingSignUp) -> bool {
        self.challenge.nonce.as_ref() == Some(&waiting.nonce)
    }

    /// The budgets of the source.
    pub(super) fn source_budgets(&self) -> &[Budget] {
        &self.budgets.source
    }
}

/// The input of one try.
struct SendAttempt<'a> {
    command: &'a RequestCodeCommand,
    now: Timestamp,
    key_id: &'a KeyId,
    recipient: &'a RecipientStanding,
    recorder: &'a Recorder<'a, CodeRequested>,
    /// The record of the sends, with this one.
    sends: SendRecord,
    /// The user to be created.
    newcomer: Option<NewAccount>,
    related: RelatedSignUp<'a>,
}

/// The result of one try.
enum SendResult {
    Sent(CodeRequested),
    Changed(ChallengeState),
    /// Everything must be read again.
    Reread,
}

/// The sign-up that a code belongs to.
#[derive(Clone, Copy)]
pub(super) enum RelatedSignUp<'a> {
    None,
    /// An unverified user, created if the recipient is unknown.
    Newcomer(&'a SignUpUnverified, &'a Newcomer),
    /// A new sign-up that waits for the code.
    Pending(&'a PendingSignUp),
    /// A sign-up that waits already, and keeps its handle.
    Waiting(&'a WaitingSignUp),
}

/// A sign-up that waits for its code, with the handle that its client holds.
#[derive(Debug)]
pub(super) struct WaitingSignUp {
    pub(super) pending: PendingSignUp,
    pub(super) handle: ChallengeHandle,
    /// The lane of its challenge.
    pub(super) lane: Lane,
    /// The nonce of its last code.
    pub(super) nonce: Nonce,
    /// Whether its last code was sent.
    pub(super) sent: bool,
}

impl RequestCode {
    /// Opens a challenge and sends its code, if the audience of the request includes the recipient.
    pub async fn run(
        &self,
        command: RequestCodeCommand,
        recorder: &Recorder<'_, CodeRequested>,
    ) -> Result<CodeRequested, Failure<NoRefusal>> {
        self.send(&command, RelatedSignUp::None, recorder).await
    }

    /// Reads the state of the recipient and opens the challenge.
    async fn send(
        &self,
        command: &RequestCodeCommand,
        related: RelatedSignUp<'_>,
        recorder: &Recorder<'_, CodeRequested>,
    ) -> Result<CodeRequested, Failure<NoRefusal>> {
        let now = self.basics.now();
        let recipient = self.standing(command, &[], related, now).await?;
        let sent = self.send_to(command, recipient, (related, recorder), now).await?;
        // Only a sign-up that waits can be refused because of another one that waits.
        sent.ok_or_else(Failure::overtaken)
    }

    /// Judges the source, and reads the state of the recipient and whether `others` belong to a
    /// user, in one read. A sign-up that waits already stays in its lane.
    pub(super) async fn standing(
        &self,
        command: &RequestCodeCommand,
        others: &[Identifier],
        related: RelatedSignUp<'_>,
        now: Timestamp,
    ) -> Result<RecipientStanding, Failure<NoRefusal>> {
        let RequestCodeCommand { key, delivery, source, .. } = command;
        let name = target(source, &key.realm, &key.recipient);
        // A request that sends nothing has a lane of its own, so that it touches nothing of the
        // recipient's.
        let strangers = match delivery {
            Delivery::Allowed => key.in_lane(Lane::Strangers),
            Delivery::Suppressed => key.in_lane(Lane::Unsent),
        };
        let lanes = [strangers, key.in_lane(Lane::Network), key.in_lane(Lane::Device)];
        let query = || StandingQuery {
            identifiers: std::iter::once(&key.recipient)
                .chain(others)
                .map(|identifier| (&key.realm, identifier))
                .collect(),
            challenges: lanes.iter().collect(),
            ..StandingQuery::default()
        };
        let to = [&key.recipient];
        let judged =
            self.gate.judge_send(&self.bill, source, (&key.realm, &to), (&name, query), now);
        let (judgement, budgets) = judged.await?;
        let mut holders = judgement.standing.holders.into_iter();
        let holder = holders.next().flatten();
        let lane = match related {
            RelatedSignUp::Waiting(waiting) => {
                Some(waiting.lane).filter(|lane| *lane != Lane::Strangers)
            }
            _ => Holder::lane_of(holder.as_ref(), source, now),
        };
        let lane = lane.filter(|_| *delivery == Delivery::Allowed);
        let is_known = lane.is_some();
        if let Some(end) = judgement.spent_until
            && !is_known
        {
            if judgement.over_bill {
                let of = HistoryOf::Recipient(key.realm.clone(), key.recipient.clone());
                self.gate.refused(&of, Counted::OverBill, now).await;
            }
            return Err(self.gate.refuse(&budgets.source, &name, end, now));
        }
        let states = judgement.standing.challenges;
        // A source that becomes known with its first code still has to wait for the next one.
        let asked = states.iter().filter(|state| state.was_opened_by(key, source));
        let before = asked.filter_map(|state| state.sends.sent_at).max().filter(|_| is_known);
        let mut lanes = lanes.into_iter().zip(states);
        let open = lanes.next();
        let own = lanes.find(|(key, _)| Some(key.lane) == lane).or(open);
        let (key, challenge) = own.unwrap_or_else(|| (key.clone(), ChallengeState::default()));
        Ok(RecipientStanding {
            before,
            others_taken: holders.any(|holder| holder.is_some()),
            holder,
            key,
            challenge,
            budgets,
            is_known,
        })
    }

    /// Opens the challenge, with new tries if other requests were faster. Returns `None` if the
    /// sign-up has to wait but another one waits already, or if the one that waits got another code
    /// or none.
    pub(super) async fn send_to(
        &self,
        command: &RequestCodeCommand,
        mut recipient: RecipientStanding,
        (related, recorder): (RelatedSignUp<'_>, &Recorder<'_, CodeRequested>),
        now: Timestamp,
    ) -> Result<Option<CodeRequested>, Failure<NoRefusal>> {
        let key_id = self.code_keys.current().await?;
        for _ in 0..MAX_TRIES {
            let limits = self.policy.limits.in_lane(recipient.key.lane);
            let sends = limits.admit_after(recipient.before, &recipient.challenge.sends, now);
            let sends = match sends {
                Ok(sends) => sends,
                Err(refusal) => {
                    let ChallengeKey { realm, recipient, .. } = &command.key;
                    let of = HistoryOf::Recipient(realm.clone(), recipient.clone());
                    self.gate.refused(&of, Counted::OverRecipientLimit, now).await;
                    return Err(Failure::too_many(refusal.retry_at, now));
                }
            };
            let newcomer = match (related, &recipient.holder) {
                (RelatedSignUp::Newcomer(maker, newcomer), None)
                    if command.delivery == Delivery::Allowed =>
                {
                    Some(maker.new_account(command, newcomer, now).await?)
                }
                _ => None,
            };
            let attempt = SendAttempt {
                command,
                now,
                key_id: &key_id,
                recipient: &recipient,
                recorder,
                sends,
                newcomer,
                related,
            };
            match self.attempt_send(attempt).await? {
                SendResult::Sent(requested) => return Ok(Some(requested)),
                SendResult::Changed(newer) => {
                    let is_over = match related {
                        RelatedSignUp::Pending(_) => newer.is_live,
                        RelatedSignUp::Waiting(_) => true,
                        RelatedSignUp::None | RelatedSignUp::Newcomer(..) => false,
                    };
                    if is_over {
                        return Ok(None);
                    }
                    recipient.challenge = newer;
                }
                SendResult::Reread => recipient = self.standing(command, &[], related, now).await?,
            }
        }
        Err(Failure::overtaken())
    }

    /// Makes one try with the given state of the recipient.
    async fn attempt_send(
        &self,
        attempt: SendAttempt<'_>,
    ) -> Result<SendResult, Failure<NoRefusal>> {
        let SendAttempt { command, now, recipient, newcomer, related, .. } = &attempt;
        let (now, related) = (*now, *related);
        // A new user gets the code of the challenge that is opened at the same time.
        let known = recipient.holder.as_ref().map(|holder| &holder.user);
        let owner = self.unverified_holder(command, recipient, now).await?;
        let may_reset =
            owner.is_none_or(|user| user.identifiers.allow_new_password_by(&command.key.recipient));
        let wanted = newcomer.is_some() || (command.audience.includes(known) && may_reset);
        let is_banned = recipient.holder.as_ref().is_some_and(|holder| holder.is_banned);
        let is_reachable = self.is_reachable(command);
        let may_send = is_reachable && command.delivery == Delivery::Allowed && !is_banned;
        // The sign-up of a decoy stays one.
        let is_decoy = matches!(related, RelatedSignUp::Waiting(waiting) if !waiting.sent);
        let sent = may_send && wanted && !is_decoy;
        let is_sign_up = command.key.purpose == Purpose::SignUp;
        let delivery = match known {
            _ if sent => CodeDelivery::Code,
            Some(_) if self.account_notice && is_sign_up && may_send => CodeDelivery::AccountNotice,
            _ => CodeDelivery::Nothing,
        };
        let withheld = match (sent, command.audience) {
            (true, _) => None,
            _ if !is_reachable => Some(Withheld::Country),
            _ if command.delivery == Delivery::Suppressed => Some(Withheld::App),
            _ if is_banned => Some(Withheld::Banned),
            _ if is_decoy => Some(Withheld::Decoy),
            (false, Audience::Unregistered) if !wanted => Some(Withheld::Registered),
            (false, Audience::Registered) if known.is_none() => Some(Withheld::Unregistered),
            (false, _) => Some(Withheld::Unverified),
        };
        let challenge = self.challenge(&attempt, sent)?;
        let kept = if sent { self.kept(recipient, &challenge, now).await? } else { None };
        let code = CodeMessage {
            seed: challenge.seed.clone(),
            locale: command.locale.clone(),
            sent_at: now,
            expires_at: challenge.expires_at,
            delivery,
            withheld,
        };
        let ids = self.basics.event_ids()?;
        let effects = self.effects(code, newcomer.as_ref(), &ids)?;
        let handle = challenge.handle.as_ref().map(|new| new.handle.clone());
        let requested = CodeRequested { handle, recipient: command.key.recipient.clone() };
        let answer = attempt.recorder.record(&requested)?;
        let contract = command.key.realm.contract();
        let is_message = delivery != CodeDelivery::Nothing;
        let budgets = recipient.budgets.uses(is_message, recipient.is_known);
        let account = attempt.newcomer.map_or(Account::None(None), Account::Make);
        let entry = Entry {
            budgets,
            challenges: vec![challenge],
            kept,
            effects: Some(OutboxEntry::new(&ids, now, effects)),
            answer,
            ..Entry::of(account, now)
        };
        let outcome = self.accounts.commit(&entry).await?;
        if !matches!(outcome, EntryOutcome::Committed)
            && let (RelatedSignUp::Newcomer(maker, newcomer), Some(user)) =
                (related, entry.account.user())
        {
            maker.give_back(user, newcomer);
        }
        match outcome {
            EntryOutcome::Committed => {
                if entry.account.user().is_some() {
                    record_metric(Some(contract), MetricEvent::SignUp);
                }
                Ok(SendResult::Sent(requested))
            }
            EntryOutcome::BudgetSpent(index) => {
                // The next try reads again: it finds another shard, or the budget spent.
                self.gate.note_spent(entry.budgets.get(index), now);
                Ok(SendResult::Reread)
            }
            EntryOutcome::ChallengesChanged(newer) => {
                let newer = newer.into_iter().next().map(|(_, state)| state);
                newer.map_or(Ok(SendResult::Reread), |newer| Ok(SendResult::Changed(newer)))
            }
            EntryOutcome::Taken(_) | EntryOutcome::CodeLost | EntryOutcome::AccountChanged => {
                Ok(SendResult::Reread)
            }
        }
    }

    /// Returns the user of an unverified recipient that asks for a code to set a new password.
    async fn unverified_holder(
        &self,
        command: &RequestCodeCommand,
        recipient: &RecipientStanding,
        now: Timestamp,
    ) -> Result<Option<User>, PortError> {
        let holder = recipient.holder.as_ref();
        let holder = holder.filter(|holder| holder.reserved_until.is_some());
        match (command.key.purpose, holder) {
            (Purpose::ResetPassword, Some(holder)) => self.users.find(&holder.user, now).await,
            _ => Ok(None),
        }
    }

    /// Returns the unverified recipient, if it would be free again before its code ends.
    async fn kept(
        &self,
        recipient: &RecipientStanding,
        challenge: &NewChallenge,
        now: Timestamp,
    ) -> Result<Option<KeptLonger>, PortError> {
        let end = challenge.expires_at;
        let short = recipient.holder.as_ref();
        let short = short.filter(|holder| holder.reserved_until.is_some_and(|until| until < end));
        let Some(holder) = short else { return Ok(None) };
        let user = self.users.find(&holder.user, now).await?;
        Ok(user.and_then(|user| {
            KeptLonger::for_messages(&user, [(&challenge.seed.key.recipient, end)])
        }))
    }

    /// Returns the challenge to open, with its new send record. Its code is accepted only if it is
    /// `sent`.
    fn challenge(&self, attempt: &SendAttempt<'_>, sent: bool) -> Result<NewChallenge, PortError> {
        let SendAttempt { command, now, key_id, recipient, newcomer, .. } = attempt;
        let revision = recipient.challenge.sends.revision;
        let expected_revision = self.policy.limits.apply().then_some(revision);
        // The handle of a code that is not sent has no user, because a right guess would verify the
        // user without a message to the recipient.
        let created = newcomer.as_ref().map(|account| account.user().id.clone());
        let known = recipient.holder.as_ref().map(|holder| holder.user.clone());
        let holder = known.or(created).filter(|_| sent);
        let handle = match attempt.related {
            RelatedSignUp::Waiting(waiting) => Some(NewHandle {
                handle: waiting.handle.clone(),
                holder,
                pending: Some(waiting.pending.clone()),
                follows: Some(waiting.nonce.clone()),
            }),
            related => self.new_handle(attempt.recorder)?.map(|handle| {
                let pending = match related {
                    RelatedSignUp::Pending(pending) => Some(pending.clone()),
                    _ => None,
                };
                NewHandle { handle, holder, pending, follows: None }
            }),
        };
        let (key, nonce) = (recipient.key.clone(), Nonce::new(self.basics.random()?));
        Ok(NewChallenge {
            opened_by: SourceMarks::of_opener(&key, &command.source),
            seed: CodeSeed { key, nonce, key_id: (*key_id).clone() },
            expires_at: now.plus(self.policy.code_lifetime),
            sent,
            opener: Opener::Other,
            is_counted: !recipient.is_known,
            sends: attempt.sends,
            expected_revision,
            handle,
            handles_before: recipient.challenge.handles.clone(),
        })
    }

    /// Returns the message with the code, and the events for a new user.
    fn effects(
        &self,
        code: CodeMessage,
        newcomer: Option<&NewAccount>,
        ids: &EventIds,
    ) -> Result<Vec<Effect>, PortError> {
        let mut effects = vec![Effect::Code(code)];
        if let Some(newcomer) = newcomer {
            let user = newcomer.user().clone();
            let (device, credit, asked) = (None, None, Vec::new());
            let fact = Fact::UserSignedUp { user, device, credit, asked };
            effects.extend(self.basics.events(&[fact], ids)?);
        }
        Ok(effects)
    }

    fn new_handle(
        &self,
        recorder: &Recorder<'_, CodeRequested>,
    ) -> Result<Option<ChallengeHandle>, PortError> {
        let Some(write) = self.handles else { return Ok(None) };
        let secret = recorder.secret(&*self.basics.entropy)?;
        Ok(Some(handle_of(write, &secret)))
    }

    /// Returns whether messages may be sent to the recipient, and logs a warning if not.
    fn is_reachable(&self, command: &RequestCodeCommand) -> bool {
        let recipient = &command.key.recipient;
        let reaches = self.policy.reaches(recipient);
        if !reaches {
            tracing::warn!(?recipient, "no text message was sent: the country is not allowed");
        }
        reaches
    }
}

/// Returns the handle that is made of a secret.
#[must_use]
pub fn handle_of(write: fn(&[u8; 16]) -> String, secret: &[u8; 32]) -> ChallengeHandle {
    ChallengeHandle::new(&write(secret.first_chunk().unwrap_or(&[0; 16])))
}

impl SignUpUnverified {
    /// Sends a code to the recipient. For an unknown recipient it creates an unverified user, which
    /// is deleted after a day without a verification. A known user is not changed. The caller
    /// cannot tell the two apart.
    pub async fn run(
        &self,
        command: RequestCodeCommand,
        newcomer: Newcomer,
        recorder: &Recorder<'_, CodeRequested>,
    ) -> Result<CodeRequested, Failure<NoRefusal>> {
        let related = RelatedSignUp::Newcomer(self, &newcomer);
        self.request_code.send(&command, related, recorder).await
    }

    async fn new_account(
        &self,
        command: &RequestCodeCommand,
        newcomer: &Newcomer,
        now: Timestamp,
    ) -> Result<NewAccount, PortError> {
        let realm = &command.key.realm;
        let mut attributes = newcomer.attributes.clone();
        for (name, sequence) in newcomer.numbered {
            let id = self.ids.sequences.next(realm, *sequence).await?;
            attributes.insert(name, id.to_string());
        }
        let id = self.ids.user(realm, now).await?;
        let draft = Draft { id, attributes, created_at: now };
        let identifiers = vec![command.key.recipient.clone()];
        let account = NewAccount::unproved(draft, realm.clone(), identifiers, None);
        Ok(account.until(now.plus(UNVERIFIED_LIFETIME)))
    }

    /// Gives the ids of an account back that was not stored.
    fn give_back(&self, user: &User, newcomer: &Newcomer) {
        for (name, sequence) in newcomer.numbered {
            let id = user.attributes.text(name).and_then(|id| id.parse().ok());
            if let Some(id) = id {
                self.ids.sequences.give_back(&user.realm, *sequence, id);
            }
        }
        self.ids.give_back_user(&user.realm, &user.id);
    }
}
