//! Creates an account with a password. Its identifiers are proved later, or never.

use super::gate::{Gate, SendBudgets, target};
use super::open_session::{Entered, OpenSessions};
use super::{Basics, Failure, NewIds};
use crate::domain::account::{Account, Draft, NewAccount};
use crate::domain::attributes::Attributes;
use crate::domain::bill::Bill;
use crate::domain::challenge::{ChallengeKey, KeyId, Nonce, Purpose};
use crate::domain::code::CodeSeed;
use crate::domain::device::DeviceInfo;
use crate::domain::event::{Fact, VerificationAsked};
use crate::domain::id::UserId;
use crate::domain::identifier::Identifier;
use crate::domain::known_sources::{Entrance, KnownSources, SourceMarks};
use crate::domain::link::LINK_LIFETIME;
use crate::domain::outbox::{CodeMessage, Effect, LinkMessage, OutboxEntry};
use crate::domain::password::{Password, PasswordHash};
use crate::domain::proof::Opener;
use crate::domain::realm::Realm;
use crate::domain::sends::{SendPolicy, SendRecord};
use crate::domain::session::SignInMethod;
use crate::domain::source::Source;
use crate::domain::time::Timestamp;
use crate::ports::{
    Accounts, ChallengeState, CodeKeys, Entry, EntryOutcome, MetricEvent, NewChallenge, Passwords,
    PortError, Standing, StandingQuery, Users, record_metric, trace_user,
};
use std::sync::Arc;

/// The number of tries. A try fails if another request sends to one of the recipients after the
/// last try.
const MAX_TRIES: usize = 4;

/// Signs up with a password.
pub struct SignUpByPassword {
    pub gate: Gate,
    pub accounts: Arc<dyn Accounts>,
    /// The users, to look up the referrer.
    pub users: Arc<dyn Users>,
    pub passwords: Arc<dyn Passwords>,
    /// The ids of users.
    pub ids: NewIds,
    pub unproved: Unproved,
    pub basics: Basics,
}

/// What a user may do whose identifiers are not proved.
pub enum Unproved {
    /// The user is signed in at once. Nothing is sent.
    Enters(OpenSessions),
    /// The user waits. A link is sent to the e-mail address and a code to the phone number.
    Waits {
        code_keys: Arc<dyn CodeKeys>,
        /// The limits of sending.
        policy: SendPolicy,
        /// The ceilings of what is sent.
        bill: Arc<Bill>,
    },
}

/// The user that may have referred the new user.
#[derive(Debug)]
pub struct Referrer {
    /// The id that the caller sent.
    pub id: UserId,
    /// The attribute that stores the referrer, if it is a user of the same realm.
    pub attribute: &'static str,
}

/// A request to sign up with a password.
#[derive(Debug)]
pub struct SignUpCommand {
    pub realm: Realm,
    /// What the user will be known by.
    pub identifiers: Vec<Identifier>,
    pub password: Password,
    pub attributes: Attributes,
    pub referrer: Option<Referrer>,
    pub device: DeviceInfo,
    pub source: Source,
    /// The language of the messages: a BCP 47 tag such as `en`.
    pub locale: String,
}

/// The reason why a sign-up was refused: these identifiers belong to other users.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the identifiers are taken")]
pub struct Taken(pub Vec<Identifier>);

/// The messages that verify the identifiers of a new user, in one try.
#[derive(Default)]
struct Verification {
    challenges: Vec<NewChallenge>,
    messages: Vec<Effect>,
    asked: Vec<VerificationAsked>,
}

/// Who asks for an account, and for which identifiers.
struct Asked<'a> {
    realm: &'a Realm,
    identifiers: &'a [Identifier],
    source: &'a Source,
    at: Timestamp,
}

/// The other parts of a sign-up that are the same in every try.
struct Applicant {
    id: UserId,
    password: PasswordHash,
    attributes: Attributes,
    device: DeviceInfo,
    locale: String,
}

/// What is known of the source and of the recipients before a try.
struct ApplicantStanding {
    budgets: SendBudgets,
    challenges: Vec<(Identifier, ChallengeState)>,
}

/// What became of one try: the new user, or the outcome because of which there is none.
type Attempt = Result<Entered, EntryOutcome>;

impl SignUpByPassword {
    /// Creates the account, in two round trips: the read that judges the source, and the
    /// transaction. A referrer needs one more, because it is stored only if it is a user of the
    /// realm. An identifier that belongs to another user is refused before the password is hashed;
    /// of two sign-ups at once, the transaction refuses one.
    pub async fn run(&self, command: SignUpCommand) -> Result<Entered, Failure<Taken>> {
        let now = self.basics.now();
        let SignUpCommand { realm, identifiers, mut attributes, source, .. } = command;
        let asked = Asked { realm: &realm, identifiers: &identifiers, source: &source, at: now };
        let standing = self.standing(&asked).await?;
        if let Some((name, id)) = self.known_referrer(command.referrer, &realm, now).await? {
            attributes.insert(name, id.as_str());
        }
        let password = self.passwords.hash(command.password).await?;
        let applicant = Applicant {
            id: self.ids.user(&realm, now).await?,
            password,
            attributes,
            device: command.device,
            locale: command.locale,
        };
        let made = self.make(&asked, &applicant, standing).await;
        // After a failure of the store the account may exist.
        if matches!(made, Err(Failure::Refused(_) | Failure::TooMany { .. })) {
            self.ids.give_back_user(&realm, &applicant.id);
        }
        made
    }

    /// Makes the account, with new tries if other requests were faster.
    async fn make(
        &self,
        asked: &Asked<'_>,
        applicant: &Applicant,
        mut standing: ApplicantStanding,
    ) -> Result<Entered, Failure<Taken>> {
        for _ in 0..MAX_TRIES {
            match self.attempt(asked, applicant, &standing).await? {
                Ok(entered) => return Ok(entered),
                Err(EntryOutcome::ChallengesChanged(newer)) => standing.challenges = newer,
                Err(EntryOutcome::BudgetSpent(index)) => {
                    // The next read finds another shard of a ceiling, or the budget spent.
                    let uses = standing.budgets.uses(true, false);
                    self.gate.note_spent(uses.get(index), asked.at);
                    standing = self.standing(asked).await?;
                }
                Err(EntryOutcome::Taken(taken)) => {
                    return Err(self.refuse(taken, &standing.budgets, asked.at).await);
                }
                Err(_) => break,
            }
        }
        Err(Failure::overtaken())
    }

    /// Refuses identifiers that belong to other users. The refusal reveals who is registered, so it
    /// costs as much as a sign-up.
    async fn refuse(
        &self,
        taken: Vec<Identifier>,
        budgets: &SendBudgets,
        now: Timestamp,
    ) -> Failure<Taken> {
        self.gate.refuse_at_cost(Taken(taken), &budgets.source, now).await
    }

    /// Judges the source, and reads the states of the identifiers, in one read.
    async fn standing(&self, asked: &Asked<'_>) -> Result<ApplicantStanding, Failure<Taken>> {
        let Asked { realm, identifiers, source, at: now } = *asked;
        let name = identifiers.first().map(|first| target(source, realm, first));
        let name = name.unwrap_or_default();
        let keys: Vec<_> = match &self.unproved {
            Unproved::Enters(_) => Vec::new(),
            Unproved::Waits { .. } => identifiers.iter().map(|to| key(realm, to)).collect(),
        };
        let query = || StandingQuery {
            identifiers: identifiers.iter().map(|identifier| (realm, identifier)).collect(),
            challenges: keys.iter().collect(),
            ..StandingQuery::default()
        };
        let (judgement, budgets) = match &self.unproved {
            Unproved::Enters(_) => {
                let own = self.gate.sends(source, now);
                let judgement = self.gate.judge(&own, query(), &name, now).await?;
                (judgement, SendBudgets::of_source(own))
            }
            Unproved::Waits { bill, policy, .. } => {
                let to: Vec<_> = identifiers.iter().filter(|to| policy.reaches(to)).collect();
                self.gate.judge_send(bill, source, &to, (&name, query), now).await?
            }
        };
        if let Some(end) = judgement.spent_until {
            return Err(self.gate.refuse(&budgets.source, &name, end, now));
        }
        let Standing { holders, challenges, .. } = judgement.standing;
        let taken = identifiers.iter().zip(holders).filter(|(_, holder)| holder.is_some());
        let taken: Vec<_> = taken.map(|(identifier, _)| identifier.clone()).collect();
        if !taken.is_empty() {
            return Err(self.refuse(taken, &budgets, now).await);
        }
        if let Unproved::Waits { policy, .. } = &self.unproved {
            for state in &challenges {
                admit(policy, &state.sends, now)?;
            }
        }
        let challenges = identifiers.iter().cloned().zip(challenges).collect();
        Ok(ApplicantStanding { budgets, challenges })
    }

    /// Makes one try.
    async fn attempt(
        &self,
        asked: &Asked<'_>,
        applicant: &Applicant,
        standing: &ApplicantStanding,
    ) -> Result<Attempt, Failure<Taken>> {
        let now = asked.at;
        let Applicant { id, password, attributes, device, .. } = applicant;
        let draft = Draft { id: id.clone(), attributes: attributes.clone(), created_at: now };
        let (identifiers, password) = (asked.identifiers.to_vec(), Some(password.clone()));
        let account = NewAccount::unproved(draft, asked.realm.clone(), identifiers, password);
        let user = account.user().clone();
        let Verification { challenges, messages, asked: verifying } =
            self.verification(asked, applicant, &standing.challenges).await?;
        let method = SignInMethod::Password;
        let (session, tokens) = match &self.unproved {
            Unproved::Enters(sessions) => {
                let session = sessions.open(&user, device.clone(), method, now).await?;
                let tokens = sessions.tokens(session.as_ref(), now)?;
                (session, tokens)
            }
            Unproved::Waits { .. } => (None, None),
        };
        let fact = Fact::UserSignedUp {
            user: user.clone(),
            device: session.as_ref().map(|session| session.device.clone()),
            credit: None,
            asked: verifying,
        };
        let ids = self.basics.event_ids()?;
        let effects = messages.into_iter().chain(self.basics.events(&[fact], &ids)?).collect();
        let effects = Some(OutboxEntry::new(&ids, now, effects));
        let sent = challenges.iter().any(|challenge| challenge.sent);
        let budgets = standing.budgets.uses(sent, false);
        let entrance = Entrance::Unproved;
        let known_sources = Some(KnownSources::only(&user.id, asked.source, entrance, now));
        let account = Account::Make(account);
        let parts = Entry { challenges, session, effects, ..Entry::of(account, now) };
        let entry = Entry { budgets, known_sources, ..parts };
        let failed = match self.accounts.commit(&entry).await? {
            EntryOutcome::Committed => {
                record_metric(Some(user.realm.contract()), MetricEvent::SignUp);
                trace_user(&user.id);
                return Ok(Ok(Entered { user, is_new: true, at: now, session: tokens }));
            }
            failed => failed,
        };
        if let Unproved::Enters(sessions) = &self.unproved {
            sessions.discard(&user, entry.session.as_ref());
        }
        Ok(Err(failed))
    }

    /// Returns the attribute with the referrer, if there is such a user in the realm.
    async fn known_referrer(
        &self,
        referrer: Option<Referrer>,
        realm: &Realm,
        now: Timestamp,
    ) -> Result<Option<(&'static str, UserId)>, PortError> {
        let Some(Referrer { id, attribute }) = referrer else { return Ok(None) };
        let found = self.users.find(&id, now).await?.filter(|user| user.realm == *realm);
        Ok(found.map(|user| (attribute, user.id)))
    }

    /// Returns the challenges and messages for a user who has to wait.
    async fn verification(
        &self,
        asked: &Asked<'_>,
        applicant: &Applicant,
        states: &[(Identifier, ChallengeState)],
    ) -> Result<Verification, Failure<Taken>> {
        let mut verification = Verification::default();
        let Unproved::Waits { code_keys, policy, .. } = &self.unproved else {
            return Ok(verification);
        };
        let key_id = code_keys.current().await?;
        for identifier in asked.identifiers {
            let state = states.iter().find(|(recipient, _)| recipient == identifier);
            let record = state.map_or(SendRecord::EMPTY, |(_, state)| state.sends);
            let challenge = self.challenge(asked, identifier, &key_id, policy, record)?;
            let expires_at = challenge.expires_at;
            verification.messages.push(message(asked, applicant, &challenge));
            if challenge.sent {
                let identifier = identifier.clone();
                verification.asked.push(VerificationAsked { identifier, expires_at });
            }
            verification.challenges.push(challenge);
        }
        Ok(verification)
    }

    fn challenge(
        &self,
        asked: &Asked<'_>,
        recipient: &Identifier,
        key_id: &KeyId,
        policy: &SendPolicy,
        record: SendRecord,
    ) -> Result<NewChallenge, Failure<Taken>> {
        let now = asked.at;
        let sends = admit(policy, &record, now)?;
        let sent = policy.reaches(recipient);
        if !sent {
            tracing::warn!(?recipient, "no text message was sent: the country is not allowed");
        }
        let lifetime = match recipient {
            Identifier::Email(_) => LINK_LIFETIME,
            Identifier::Phone(_) | Identifier::Username(_) | Identifier::Card(_) => {
                policy.code_lifetime
            }
        };
        let key = key(asked.realm, recipient);
        let nonce = Nonce::new(self.basics.random()?);
        Ok(NewChallenge {
            opened_by: SourceMarks::of_opener(&key, asked.source),
            seed: CodeSeed { key, nonce, key_id: key_id.clone() },
            expires_at: now.plus(lifetime),
            sent,
            // The request states the password of the account that it makes.
            opener: Opener::StatedPassword,
            is_counted: true,
            sends,
            expected_revision: policy.limits.apply().then_some(record.revision),
            handle: None,
        })
    }
}

/// Returns the key of the challenge that verifies a recipient.
fn key(realm: &Realm, recipient: &Identifier) -> ChallengeKey {
    ChallengeKey::new(realm.clone(), Purpose::Verify, recipient.clone())
}

/// Returns the record of a recipient after one more send.
fn admit<R>(
    policy: &SendPolicy,
    record: &SendRecord,
    now: Timestamp,
) -> Result<SendRecord, Failure<R>> {
    let sends = policy.limits.admit(record, now);
    sends.map_err(|refusal| Failure::too_many(refusal.retry_at, now))
}

/// Returns the message of a challenge: a link to an address, a code to a number.
fn message(asked: &Asked<'_>, applicant: &Applicant, challenge: &NewChallenge) -> Effect {
    let Applicant { id, locale, .. } = applicant;
    let (seed, locale, sent_at) = (challenge.seed.clone(), locale.clone(), asked.at);
    let expires_at = challenge.expires_at;
    match &seed.key.recipient {
        Identifier::Email(_) => {
            Effect::Link(LinkMessage { seed, user: id.clone(), locale, sent_at, expires_at })
        }
        Identifier::Phone(_) | Identifier::Username(_) | Identifier::Card(_) => {
            let deliver = challenge.sent;
            Effect::Code(CodeMessage { seed, locale, sent_at, expires_at, deliver })
        }
    }
}
