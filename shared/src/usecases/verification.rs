//! Sends what verifies the identifiers of an account: a link to an address, a code to a number.

use super::gate::{Gate, SendBudgets, target};
use super::{Basics, Failure, NoRefusal};
use crate::domain::account::{Account, Credential, KnownAccount, Visit};
use crate::domain::bill::Bill;
use crate::domain::challenge::{ChallengeKey, Lane, Nonce, Purpose};
use crate::domain::code::CodeSeed;
use crate::domain::event::{Fact, VerificationAsked};
use crate::domain::history::Withheld;
use crate::domain::identifier::Identifier;
use crate::domain::known_sources::SourceMarks;
use crate::domain::link::LINK_LIFETIME;
use crate::domain::outbox::{CodeDelivery, CodeMessage, Effect, LinkMessage, OutboxEntry};
use crate::domain::proof::Opener;
use crate::domain::realm::Realm;
use crate::domain::sends::{SendPolicy, SendRecord};
use crate::domain::source::Source;
use crate::domain::time::Timestamp;
use crate::domain::user::{KnownBy, User};
use crate::ports::{
    Accounts, ChallengeState, CodeKeys, Entry, EntryOutcome, KeptLonger, NewChallenge, PortError,
    StandingQuery,
};
use std::sync::Arc;
use std::time::Duration;

/// The number of tries to send again. A try fails if another request sends to one of the recipients
/// after the last try.
const MAX_TRIES: usize = 4;
/// The shortest lifetime of a link that is sent again. A longer one would let a stranger reserve an
/// address for ever, by asking for a link every day.
const SHORTEST_LINK: Duration = Duration::from_hours(1);

/// What verifies identifiers, and the limits of sending it.
#[derive(Clone)]
pub struct Verification {
    pub code_keys: Arc<dyn CodeKeys>,
    pub policy: SendPolicy,
    /// The ceilings of what is sent.
    pub bill: Arc<Bill>,
}

/// Sends it again to a user who states the password.
#[derive(Clone)]
pub struct ResendVerification {
    pub gate: Gate,
    pub accounts: Arc<dyn Accounts>,
    pub verification: Verification,
    pub basics: Basics,
}

/// Who asks for messages, and in which language.
#[derive(Clone, Copy)]
pub(super) struct Asking<'a> {
    pub(super) realm: &'a Realm,
    pub(super) source: &'a Source,
    pub(super) locale: &'a str,
    pub(super) at: Timestamp,
    /// Whether the request states the password of the account.
    pub(super) opener: Opener,
}

impl Asking<'_> {
    /// Returns the key of the challenge that verifies a recipient. A request without the password has a
    /// lane of its own, so that a stranger cannot replace what the owner was sent. The callers are
    /// clients, whose sources have no device.
    pub(super) fn key(&self, recipient: &Identifier) -> ChallengeKey {
        key(self.realm, recipient).in_lane(match self.opener {
            Opener::StatedPassword => Lane::Strangers,
            Opener::Other => Lane::Device,
        })
    }
}

/// The challenges and messages of one request.
#[derive(Default)]
pub(super) struct VerificationMessages {
    pub(super) challenges: Vec<NewChallenge>,
    pub(super) messages: Vec<Effect>,
    pub(super) asked: Vec<VerificationAsked>,
}

/// Returns the key of the challenge that verifies a recipient.
pub(super) fn key(realm: &Realm, recipient: &Identifier) -> ChallengeKey {
    ChallengeKey::new(realm.clone(), Purpose::Verify, recipient.clone())
}

impl Verification {
    /// Returns the record of a recipient after one more send.
    pub(super) fn admit<R>(
        &self,
        record: &SendRecord,
        now: Timestamp,
    ) -> Result<SendRecord, Failure<R>> {
        let sends = self.policy.limits.admit(record, now);
        sends.map_err(|refusal| Failure::too_many(refusal.retry_at, now))
    }

    /// Returns the messages to recipients of a user, each with the record of the send that the limits
    /// admitted.
    pub(super) async fn messages(
        &self,
        basics: &Basics,
        asking: Asking<'_>,
        user: &User,
        recipients: &[(&Identifier, SendRecord)],
    ) -> Result<VerificationMessages, PortError> {
        let mut verification = VerificationMessages::default();
        let key_id = self.code_keys.current().await?;
        for (recipient, sends) in recipients {
            let end = self.end(user, recipient, asking.at);
            let (key, nonce) = (asking.key(recipient), Nonce::new(basics.random()?));
            let seed = CodeSeed { key, nonce, key_id: key_id.clone() };
            let challenge = self.challenge(asking, seed, *sends, end);
            verification.messages.push(message(asking, user, &challenge));
            if challenge.sent {
                let identifier = (*recipient).clone();
                verification.asked.push(VerificationAsked { identifier, expires_at: end });
            }
            verification.challenges.push(challenge);
        }
        Ok(verification)
    }

    /// Returns the end of a new link or code. A link works while its address is reserved.
    fn end(&self, user: &User, recipient: &Identifier, now: Timestamp) -> Timestamp {
        match recipient {
            Identifier::Email(_) => {
                let known = user.identifiers.find(recipient);
                match known.and_then(KnownBy::reserved_until) {
                    Some(end) => end.max(now.plus(SHORTEST_LINK)),
                    None => now.plus(LINK_LIFETIME),
                }
            }
            Identifier::Phone(_) | Identifier::Username(_) | Identifier::Card(_) => {
                now.plus(self.policy.code_lifetime)
            }
        }
    }

    fn challenge(
        &self,
        asking: Asking<'_>,
        seed: CodeSeed,
        sends: SendRecord,
        expires_at: Timestamp,
    ) -> NewChallenge {
        let recipient = &seed.key.recipient;
        let sent = self.policy.reaches(recipient);
        if !sent {
            tracing::warn!(?recipient, "no text message was sent: the country is not allowed");
        }
        let expected = sends.revision.saturating_sub(1);
        NewChallenge {
            opened_by: SourceMarks::of_opener(&seed.key, asking.source),
            seed,
            expires_at,
            sent,
            opener: asking.opener,
            is_counted: true,
            sends,
            expected_revision: self.policy.limits.apply().then_some(expected),
            handle: None,
            handles_before: Vec::new(),
        }
    }
}

/// Returns the message of a challenge: a link to an address, a code to a number.
fn message(asking: Asking<'_>, user: &User, challenge: &NewChallenge) -> Effect {
    let (seed, locale, sent_at) = (challenge.seed.clone(), asking.locale.to_owned(), asking.at);
    let expires_at = challenge.expires_at;
    match &seed.key.recipient {
        Identifier::Email(_) => {
            Effect::Link(LinkMessage { seed, user: user.id.clone(), locale, sent_at, expires_at })
        }
        Identifier::Phone(_) | Identifier::Username(_) | Identifier::Card(_) => {
            let (delivery, withheld) = if challenge.sent {
                (CodeDelivery::Code, None)
            } else {
                (CodeDelivery::Nothing, Some(Withheld::Country))
            };
            Effect::Code(CodeMessage { seed, locale, sent_at, expires_at, delivery, withheld })
        }
    }
}

impl ResendVerification {
    /// Sends new messages to those of the `identifiers` that the user has not verified, as far as the
    /// limits allow. `credential` is the right password. Its attempt is forgotten, whether a message
    /// is sent or not. Returns whether one was sent.
    pub(super) async fn run(
        &self,
        asking: Asking<'_>,
        user: &User,
        credential: impl Fn() -> Credential,
        identifiers: &[Identifier],
    ) -> Result<bool, PortError> {
        // A code signs in. Sent to a number beside a verified identifier, it would lead the owner of
        // the number into the account of a stranger who named it. A link only verifies.
        let may_get = |to: &Identifier| match to {
            Identifier::Email(_) => true,
            Identifier::Phone(_) => !user.identifiers.any_verified(),
            Identifier::Username(_) | Identifier::Card(_) => false,
        };
        let is_open = |to: &&Identifier| {
            user.identifiers.find(to).is_some_and(|known| !known.is_verified())
                && may_get(to)
                && self.verification.policy.reaches(to)
        };
        let recipients: Vec<_> = identifiers.iter().filter(is_open).collect();
        for _ in 0..MAX_TRIES {
            let (states, budgets) = self.standing(asking, &recipients).await?;
            let limits = &self.verification.policy.limits;
            let admitted = states
                .iter()
                .filter_map(|(to, state)| Some((*to, limits.admit(&state.sends, asking.at).ok()?)));
            let admitted: Vec<_> = admitted.collect();
            let sent = self.verification.messages(&self.basics, asking, user, &admitted).await?;
            let VerificationMessages { challenges, messages, asked } = sent;
            let ends = challenges.iter().map(|new| (&new.seed.key.recipient, new.expires_at));
            let kept = KeptLonger::for_messages(user, ends);
            let is_sent = !challenges.is_empty();
            let ids = self.basics.event_ids()?;
            let fact = Fact::VerificationAsked { user: user.clone(), asked, at: asking.at };
            let events = if is_sent { self.basics.events(&[fact], &ids)? } else { Vec::new() };
            let effects: Vec<_> = messages.into_iter().chain(events).collect();
            let effects = is_sent.then(|| OutboxEntry::new(&ids, asking.at, effects));
            let budgets = if is_sent { budgets.uses(true, false) } else { Vec::new() };
            let (user, credential) = (user.clone(), credential());
            let account = KnownAccount { user, credential, visit: Visit::StaysOut };
            let parts =
                Entry { budgets, challenges, kept, ..Entry::of(Account::Use(account), asking.at) };
            let entry = Entry { effects, ..parts };
            match self.accounts.commit(&entry).await? {
                EntryOutcome::Committed => return Ok(is_sent),
                EntryOutcome::BudgetSpent(index) => {
                    self.gate.note_spent(entry.budgets.get(index), asking.at);
                }
                EntryOutcome::ChallengesChanged(_) => {}
                EntryOutcome::CodeLost | EntryOutcome::Taken(_) | EntryOutcome::AccountChanged => {
                    return Ok(false);
                }
            }
        }
        Ok(false)
    }

    /// Reads the states of the recipients, and the budgets. Returns no recipient if a limit of the
    /// source or of the bill forbids to send.
    async fn standing<'a>(
        &self,
        asking: Asking<'_>,
        recipients: &[&'a Identifier],
    ) -> Result<(Vec<(&'a Identifier, ChallengeState)>, SendBudgets), PortError> {
        let none = || (Vec::new(), SendBudgets::of_source(Vec::new()));
        let Some(first) = recipients.first() else { return Ok(none()) };
        let Asking { realm, source, at: now, .. } = asking;
        let keys: Vec<_> = recipients.iter().map(|to| key(realm, to)).collect();
        let query =
            || StandingQuery { challenges: keys.iter().collect(), ..StandingQuery::default() };
        let (name, bill) = (target(source, realm, first), &self.verification.bill);
        let judged = self.gate.judge_send::<NoRefusal>(
            bill,
            source,
            (realm, recipients),
            (&name, query),
            now,
        );
        match judged.await {
            Ok((judgement, _)) if judgement.spent_until.is_some() => Ok(none()),
            Ok((judgement, budgets)) => {
                let states = judgement.standing.challenges;
                Ok((recipients.iter().copied().zip(states).collect(), budgets))
            }
            Err(Failure::Internal(error)) => Err(error),
            Err(_) => Ok(none()),
        }
    }
}
