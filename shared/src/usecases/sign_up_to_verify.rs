//! Sign up with a password, and be sent what proves the e-mail address and the phone number.

use super::SendPolicy;
use crate::domain::budget::Budget;
use crate::domain::challenge::{ChallengeKey, KeyId, Nonce, Purpose};
use crate::domain::client::ClientId;
use crate::domain::code::CodeSeed;
use crate::domain::email::EmailAddress;
use crate::domain::event::{EventIds, Fact, VerificationAsked};
use crate::domain::id::UserId;
use crate::domain::identifier::Identifier;
use crate::domain::link::LINK_LIFETIME;
use crate::domain::outbox::{CodeMessage, Effect, LinkMessage, OutboxEntry};
use crate::domain::password::Password;
use crate::domain::phone::PhoneNumber;
use crate::domain::realm::Realm;
use crate::domain::sends::SendRecord;
use crate::domain::time::Timestamp;
use crate::domain::user::{Attributes, Identifiers, KnownBy, NewUser};
use crate::ports::{
    Budgets, Clock, CodeKeys, Entropy, EventMapper, MetricEvent, NewChallenge, Passwords,
    PortError, Users, VerifiableRegistered, VerifiableRegistration, VerifiableRegistrations, count,
    random,
};
use std::sync::Arc;
use std::time::Duration;

/// How often others may send to the same recipients between two tries.
const RACES: usize = 4;

/// Makes accounts on behalf of a client's store.
pub struct SignUpToVerify {
    /// Where accounts are made.
    pub registrations: Arc<dyn VerifiableRegistrations>,
    /// The users, among whom a referrer may be.
    pub users: Arc<dyn Users>,
    /// Where refused sign-ups are counted; those that succeed count in their own transaction.
    pub budgets: Arc<dyn Budgets>,
    /// Hashes the password.
    pub passwords: Arc<dyn Passwords>,
    /// The keys that codes and links are derived with.
    pub code_keys: Arc<dyn CodeKeys>,
    /// How the contract spells its events.
    pub event_mapper: Arc<dyn EventMapper>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Random bytes.
    pub entropy: Arc<dyn Entropy>,
    /// The bounds of sending.
    pub policy: SendPolicy,
}

/// Somebody who may have brought the user.
#[derive(Debug)]
pub struct Referrer {
    /// Who they are said to be.
    pub id: UserId,
    /// The attribute that names them, if they are a user of the same realm.
    pub attribute: &'static str,
}

/// Who signs up.
#[derive(Debug)]
pub struct SignUpToVerifyCommand {
    /// The client that signs them up; sends are counted for it.
    pub client: ClientId,
    /// The name space.
    pub realm: Realm,
    /// Their address; a link goes there.
    pub email: Option<EmailAddress>,
    /// Their number; a code goes there.
    pub phone: Option<PhoneNumber>,
    /// Their password.
    pub password: Password,
    /// What the contract keeps with them.
    pub attributes: Attributes,
    /// Who brought them.
    pub referrer: Option<Referrer>,
    /// The language of the messages.
    pub locale: String,
}

/// Somebody signed up, and has proved nothing yet.
#[derive(Debug)]
pub struct SignedUpToVerify {
    /// Who.
    pub user: UserId,
    /// When.
    pub at: Timestamp,
}

/// Why nobody signed up.
#[derive(Debug, thiserror::Error)]
pub enum SignUpToVerifyError {
    /// Somebody is known by these identifiers already.
    #[error("identifiers taken")]
    Taken(Vec<Identifier>),
    /// The client or a recipient has had its share.
    #[error("too many requests")]
    TooMany {
        /// How long to wait.
        retry_after: Duration,
    },
    /// The world broke.
    #[error(transparent)]
    Internal(#[from] PortError),
}

impl SignUpToVerify {
    /// Makes the account and puts the link and the code on the way, in one round trip; a referrer
    /// takes another one before, because only a user of the realm is kept as such. Who is taken is
    /// told by the transaction alone, after everything else was found to be right.
    ///
    /// # Errors
    /// [`SignUpToVerifyError`].
    pub async fn run(
        &self,
        command: SignUpToVerifyCommand,
    ) -> Result<SignedUpToVerify, SignUpToVerifyError> {
        let now = self.clock.now();
        let SignUpToVerifyCommand { client, realm, email, phone, password, locale, .. } = command;
        let mut attributes = command.attributes;
        if let Some((name, id)) = self.known_referrer(command.referrer, &realm, now).await? {
            attributes.insert(name, id);
        }
        let identifiers = email.map(Identifier::Email).into_iter();
        let identifiers = identifiers.chain(phone.map(Identifier::Phone));
        let known_by = identifiers.map(|identifier| KnownBy { identifier, verified: false });
        let user = NewUser {
            id: UserId::object_id(now, random(&*self.entropy)?),
            realm,
            identifiers: Identifiers::new(known_by.collect()),
            password: Some(self.passwords.hash(password).await?),
            attributes,
            created_at: now,
            expires_at: None,
        };
        let key_id = self.code_keys.current().await?;
        let budget = Budget::sends_of_client(&client, self.policy.per_client_hour, now);
        let retry_after = budget.as_ref().map_or(now, |budget| budget.ends_at).since(now);
        let mut records = Vec::new();
        for _ in 0..RACES {
            let registration =
                self.registration(&user, &key_id, &locale, budget.clone(), &records)?;
            match self.registrations.register(&registration).await? {
                VerifiableRegistered::Registered => {
                    count(user.realm.contract(), MetricEvent::SignUp);
                    return Ok(SignedUpToVerify { user: user.id, at: now });
                }
                VerifiableRegistered::BudgetSpent => {
                    return Err(SignUpToVerifyError::TooMany { retry_after });
                }
                VerifiableRegistered::Taken(taken) => {
                    // It tells who is registered, so it costs the client as much as a sign-up.
                    return match budget {
                        Some(budget) if !self.budgets.take(&budget).await? => {
                            Err(SignUpToVerifyError::TooMany { retry_after })
                        }
                        _ => Err(SignUpToVerifyError::Taken(taken)),
                    };
                }
                VerifiableRegistered::SendsChanged(newer) => records = newer,
            }
        }
        Err(SignUpToVerifyError::TooMany { retry_after: Duration::from_secs(1) })
    }

    /// The attribute that names the referrer, if there is such a user in the realm.
    async fn known_referrer(
        &self,
        referrer: Option<Referrer>,
        realm: &Realm,
        now: Timestamp,
    ) -> Result<Option<(String, String)>, PortError> {
        let Some(Referrer { id, attribute }) = referrer else { return Ok(None) };
        let found = self.users.find(&id, now).await?.filter(|user| user.realm == *realm);
        Ok(found.map(|user| (attribute.to_owned(), user.id.as_str().to_owned())))
    }

    /// One try: what was sent to the recipients before is as `records` say, or nothing.
    fn registration(
        &self,
        user: &NewUser,
        key_id: &KeyId,
        locale: &str,
        budget: Option<Budget>,
        records: &[(Identifier, SendRecord)],
    ) -> Result<VerifiableRegistration, SignUpToVerifyError> {
        let now = user.created_at;
        let mut challenges = Vec::new();
        let mut effects = Vec::new();
        let mut asked = Vec::new();
        for KnownBy { identifier, .. } in user.identifiers.iter() {
            let record = records.iter().find(|(recipient, _)| recipient == identifier);
            let record = record.map_or(SendRecord::EMPTY, |(_, record)| *record);
            let challenge = self.challenge(user, identifier, key_id, record)?;
            let seed = CodeSeed {
                key: challenge.key.clone(),
                nonce: challenge.nonce.clone(),
                key_id: challenge.key_id.clone(),
            };
            let (locale, expires_at) = (locale.to_owned(), challenge.expires_at);
            effects.push(match identifier {
                Identifier::Email(_) => Effect::Link(LinkMessage {
                    seed,
                    user: user.id.clone(),
                    locale,
                    sent_at: now,
                    expires_at,
                }),
                Identifier::Phone(_) | Identifier::Username(_) | Identifier::Card(_) => {
                    let deliver = challenge.sent;
                    Effect::Code(CodeMessage { seed, locale, sent_at: now, expires_at, deliver })
                }
            });
            if challenge.sent {
                asked.push(VerificationAsked { identifier: identifier.clone(), expires_at });
            }
            challenges.push(challenge);
        }
        let ids = EventIds::new(random(&*self.entropy)?);
        let fact = Fact::UserSignedUpToVerify { user: user.clone(), asked };
        let events = self.event_mapper.events(&fact, &ids)?.into_iter().map(Effect::Event);
        effects.extend(events);
        let entry = OutboxEntry::new(&ids, now, effects);
        Ok(VerifiableRegistration { budget, user: user.clone(), challenges, entry })
    }

    fn challenge(
        &self,
        user: &NewUser,
        identifier: &Identifier,
        key_id: &KeyId,
        record: SendRecord,
    ) -> Result<NewChallenge, SignUpToVerifyError> {
        let now = user.created_at;
        let limits = self.policy.limits;
        let sends = limits.admit(&record, now).map_err(|refusal| SignUpToVerifyError::TooMany {
            retry_after: refusal.retry_at.since(now),
        })?;
        let (lifetime, sent) = match identifier {
            Identifier::Email(_) => (LINK_LIFETIME, true),
            Identifier::Phone(phone) => {
                (self.policy.code_lifetime, self.policy.countries.allow(phone))
            }
            Identifier::Username(_) | Identifier::Card(_) => (self.policy.code_lifetime, false),
        };
        if !sent {
            tracing::warn!(recipient = ?identifier, "no text is sent: the country is not allowed");
        }
        Ok(NewChallenge {
            key: ChallengeKey {
                realm: user.realm.clone(),
                purpose: Purpose::Verify,
                recipient: identifier.clone(),
            },
            nonce: Nonce::new(random(&*self.entropy)?),
            key_id: key_id.clone(),
            expires_at: now.plus(lifetime),
            sent,
            sends,
            expected_revision: limits.apply().then_some(record.revision),
        })
    }
}
