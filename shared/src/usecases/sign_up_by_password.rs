//! Creates an account with a password. Its identifiers are proved later, or never.

use super::failure::refuse_at_cost;
use super::open_session::{Entered, OpenSessions};
use super::{Basics, Failure, NewIds};
use crate::domain::account::{Account, Draft, NewAccount};
use crate::domain::attributes::Attributes;
use crate::domain::budget::Budget;
use crate::domain::challenge::{ChallengeKey, KeyId, Nonce, Purpose};
use crate::domain::client::ClientId;
use crate::domain::code::CodeSeed;
use crate::domain::device::DeviceInfo;
use crate::domain::event::{Fact, VerificationAsked};
use crate::domain::id::UserId;
use crate::domain::identifier::Identifier;
use crate::domain::link::LINK_LIFETIME;
use crate::domain::outbox::{CodeMessage, Effect, LinkMessage, OutboxEntry};
use crate::domain::password::{Password, PasswordHash};
use crate::domain::proof::Opener;
use crate::domain::realm::Realm;
use crate::domain::sends::{SendPolicy, SendRecord};
use crate::domain::session::SignInMethod;
use crate::domain::source::SourceAddress;
use crate::domain::time::Timestamp;
use crate::ports::{
    Accounts, Budgets, ChallengeState, CodeKeys, Entry, EntryOutcome, MetricEvent, NewChallenge,
    Passwords, PortError, Users, record_metric,
};
use std::sync::Arc;

/// The number of tries. A try fails if another request sends to one of the recipients after the
/// last try.
const MAX_TRIES: usize = 4;

/// Signs up with a password.
pub struct SignUpByPassword {
    pub accounts: Arc<dyn Accounts>,
    /// The users, to look up the referrer.
    pub users: Arc<dyn Users>,
    pub passwords: Arc<dyn Passwords>,
    /// The budgets that refused sign-ups are counted in. Successful ones are counted in their own
    /// transaction.
    pub budgets: Arc<dyn Budgets>,
    /// The number of sign-ups that one source or client may request in an hour; 0 switches the
    /// limit off.
    pub per_hour: u32,
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
    },
}

/// The sender whose budget pays for a sign-up.
#[derive(Debug)]
pub enum Payer {
    /// A source address: a person, or a few.
    Source(SourceAddress),
    /// A client, which acts for many people from one address.
    Client(ClientId),
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
    pub payer: Payer,
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

/// The parts of a sign-up that are the same in every try.
struct Applicant {
    id: UserId,
    realm: Realm,
    identifiers: Vec<Identifier>,
    password: PasswordHash,
    attributes: Attributes,
    device: DeviceInfo,
    locale: String,
    at: Timestamp,
}

/// What became of one try: the new user, or the outcome because of which there is none.
type Attempt = Result<Entered, EntryOutcome>;

impl SignUpByPassword {
    /// Creates the account, in one round trip. A referrer needs one more, because it is stored only
    /// if it is a user of the realm. Only the transaction reports identifiers that belong to other
    /// users, after all other checks succeeded.
    pub async fn run(&self, command: SignUpCommand) -> Result<Entered, Failure<Taken>> {
        let now = self.basics.now();
        let SignUpCommand { realm, identifiers, mut attributes, referrer, device, .. } = command;
        if let Some((name, id)) = self.known_referrer(referrer, &realm, now).await? {
            attributes.insert(name, id.as_str());
        }
        let applicant = Applicant {
            id: self.ids.user(&realm, now).await?,
            realm,
            identifiers,
            password: self.passwords.hash(command.password).await?,
            attributes,
            device,
            locale: command.locale,
            at: now,
        };
        let budget = match &command.payer {
            Payer::Source(source) => Budget::sends(source, self.per_hour, now),
            Payer::Client(client) => Budget::sends_of_client(client, self.per_hour, now),
        };
        let retry_at = budget.as_ref().map_or(now, |budget| budget.ends_at);
        let mut states = Vec::new();
        for _ in 0..MAX_TRIES {
            match self.attempt(&applicant, budget.clone(), &states).await? {
                Ok(entered) => return Ok(entered),
                Err(EntryOutcome::BudgetSpent) => {
                    return Err(Failure::too_many(retry_at, now));
                }
                Err(EntryOutcome::Taken(taken)) => {
                    // A refusal reveals who is registered, so it costs as much as a sign-up.
                    let (budgets, taken) = (&*self.budgets, Taken(taken));
                    return Err(refuse_at_cost(budgets, taken, budget.as_ref(), now).await);
                }
                Err(EntryOutcome::ChallengesChanged(newer)) => states = newer,
                Err(_) => break,
            }
        }
        Err(Failure::overtaken())
    }

    /// Makes one try. `states` are the states of the challenges; a recipient without one is treated
    /// as new.
    async fn attempt(
        &self,
        applicant: &Applicant,
        budget: Option<Budget>,
        states: &[(Identifier, ChallengeState)],
    ) -> Result<Attempt, Failure<Taken>> {
        let now = applicant.at;
        let Applicant { id, realm, identifiers, password, attributes, device, .. } = applicant;
        let draft = Draft { id: id.clone(), attributes: attributes.clone(), created_at: now };
        let (identifiers, password) = (identifiers.clone(), Some(password.clone()));
        let account = NewAccount::unproved(draft, realm.clone(), identifiers, password);
        let user = account.user().clone();
        let method = SignInMethod::Password;
        let (session, tokens) = match &self.unproved {
            Unproved::Enters(sessions) => {
                let session = sessions.open(&user, device.clone(), method, now).await?;
                let tokens = sessions.tokens(session.as_ref(), now)?;
                (session, tokens)
            }
            Unproved::Waits { .. } => (None, None),
        };
        let Verification { challenges, messages, asked } =
            self.verification(applicant, states).await?;
        let fact = Fact::UserSignedUp {
            user: user.clone(),
            device: session.as_ref().map(|session| session.device.clone()),
            credit: None,
            asked,
        };
        let ids = self.basics.event_ids()?;
        let effects = messages.into_iter().chain(self.basics.events(&[fact], &ids)?).collect();
        let effects = Some(OutboxEntry::new(&ids, now, effects));
        let account = Account::Make(account);
        let entry = Entry { budget, challenges, session, effects, ..Entry::of(account, now) };
        Ok(match self.accounts.commit(&entry).await? {
            EntryOutcome::Committed => {
                record_metric(Some(user.realm.contract()), MetricEvent::SignUp);
                Ok(Entered { user, is_new: true, at: now, session: tokens })
            }
            failed => Err(failed),
        })
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
        applicant: &Applicant,
        states: &[(Identifier, ChallengeState)],
    ) -> Result<Verification, Failure<Taken>> {
        let mut verification = Verification::default();
        let Unproved::Waits { code_keys, policy } = &self.unproved else {
            return Ok(verification);
        };
        let key_id = code_keys.current().await?;
        for identifier in &applicant.identifiers {
            let state = states.iter().find(|(recipient, _)| recipient == identifier);
            let record = state.map_or(SendRecord::EMPTY, |(_, state)| state.sends);
            let challenge = self.challenge(applicant, identifier, &key_id, policy, record)?;
            let expires_at = challenge.expires_at;
            verification.messages.push(message(applicant, &challenge));
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
        applicant: &Applicant,
        recipient: &Identifier,
        key_id: &KeyId,
        policy: &SendPolicy,
        record: SendRecord,
    ) -> Result<NewChallenge, Failure<Taken>> {
        let now = applicant.at;
        let sends = policy.limits.admit(&record, now);
        let sends = sends.map_err(|refusal| Failure::too_many(refusal.retry_at, now))?;
        let (lifetime, sent) = match recipient {
            Identifier::Email(_) => (LINK_LIFETIME, true),
            Identifier::Phone(phone) if policy.countries.allow(phone) => {
                (policy.code_lifetime, true)
            }
            Identifier::Phone(_) | Identifier::Username(_) | Identifier::Card(_) => {
                tracing::warn!(?recipient, "no text message was sent: the country is not allowed");
                (policy.code_lifetime, false)
            }
        };
        let (realm, recipient) = (applicant.realm.clone(), recipient.clone());
        Ok(NewChallenge {
            seed: CodeSeed {
                key: ChallengeKey { realm, purpose: Purpose::Verify, recipient },
                nonce: Nonce::new(self.basics.random()?),
                key_id: key_id.clone(),
            },
            expires_at: now.plus(lifetime),
            sent,
            // The request states the password of the account that it makes.
            opener: Opener::StatedPassword,
            sends,
            expected_revision: policy.limits.apply().then_some(record.revision),
            handle: None,
        })
    }
}

/// Returns the message of a challenge: a link to an address, a code to a number.
fn message(applicant: &Applicant, challenge: &NewChallenge) -> Effect {
    let Applicant { id, locale, at, .. } = applicant;
    let (seed, locale, sent_at) = (challenge.seed.clone(), locale.clone(), *at);
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
