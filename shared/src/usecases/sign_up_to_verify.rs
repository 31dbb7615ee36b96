//! Creates an account with a password, and sends a link and a code to verify the e-mail address and
//! the phone number.

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
use crate::domain::sends::{SendPolicy, SendRecord};
use crate::domain::time::Timestamp;
use crate::domain::user::{Attributes, Identifiers, KnownBy, NewUser};
use crate::ports::{
    Budgets, Clock, CodeKeys, Entropy, EventMapper, MetricEvent, NewChallenge, Passwords,
    PortError, RegisterVerifiableOutcome, TakeOutcome, Users, VerifiableRegistration,
    VerifiableRegistrations, random, record_metric,
};
use std::sync::Arc;
use std::time::Duration;

/// The number of tries. A try fails if another request sends to one of the recipients after the
/// last try.
const MAX_TRIES: usize = 4;

/// Creates accounts in the shop of a client.
pub struct SignUpToVerify {
    pub registrations: Arc<dyn VerifiableRegistrations>,
    /// The users, to look up the referrer.
    pub users: Arc<dyn Users>,
    /// The budgets that refused sign-ups are counted in. Successful ones are counted in their own
    /// transaction.
    pub budgets: Arc<dyn Budgets>,
    pub passwords: Arc<dyn Passwords>,
    pub code_keys: Arc<dyn CodeKeys>,
    pub event_mapper: Arc<dyn EventMapper>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    /// The limits of sending.
    pub policy: SendPolicy,
}

/// The user that may have referred the new user.
#[derive(Debug)]
pub struct Referrer {
    /// The id that the caller sent.
    pub id: UserId,
    /// The attribute that stores the referrer, if it is a user of the same realm.
    pub attribute: &'static str,
}

/// A request to sign up a user.
#[derive(Debug)]
pub struct SignUpToVerifyCommand {
    /// The client that sent the request. Its budget is used.
    pub client: ClientId,
    pub realm: Realm,
    /// The e-mail address; a link is sent to it.
    pub email: Option<EmailAddress>,
    /// The phone number; a code is sent to it.
    pub phone: Option<PhoneNumber>,
    pub password: Password,
    pub attributes: Attributes,
    pub referrer: Option<Referrer>,
    /// The language of the messages: a BCP 47 tag such as `en`.
    pub locale: String,
}

/// A successful sign-up. No identifier is verified yet.
#[derive(Debug)]
pub struct SignedUpToVerify {
    pub user: UserId,
    pub at: Timestamp,
}

/// The reason why a sign-up was refused.
#[derive(Debug, thiserror::Error)]
pub enum SignUpToVerifyError {
    /// These identifiers belong to other users.
    #[error("the identifiers are taken")]
    Taken(Vec<Identifier>),
    /// A limit of the client or of a recipient was reached.
    #[error("a limit of sign-ups was reached")]
    TooMany { retry_after: Duration },
    #[error(transparent)]
    Internal(#[from] PortError),
}

impl SignUpToVerify {
    /// Creates the account and sends the link and the code, in one round trip. A referrer needs one
    /// more, because it is stored only if it is a user of the realm. Only the transaction reports
    /// identifiers that belong to other users, after all other checks succeeded.
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
        for _ in 0..MAX_TRIES {
            let registration =
                self.registration(&user, &key_id, &locale, budget.clone(), &records)?;
            match self.registrations.register(&registration).await? {
                RegisterVerifiableOutcome::Registered => {
                    record_metric(Some(user.realm.contract()), MetricEvent::SignUp);
                    return Ok(SignedUpToVerify { user: user.id, at: now });
                }
                RegisterVerifiableOutcome::BudgetSpent => {
                    return Err(SignUpToVerifyError::TooMany { retry_after });
                }
                RegisterVerifiableOutcome::Taken(taken) => {
                    // A refusal reveals who is registered, so it costs the client as much as a
                    // sign-up.
                    return match budget {
                        Some(budget) if self.budgets.take(&budget).await? == TakeOutcome::Spent => {
                            Err(SignUpToVerifyError::TooMany { retry_after })
                        }
                        _ => Err(SignUpToVerifyError::Taken(taken)),
                    };
                }
                RegisterVerifiableOutcome::SendsChanged(newer) => records = newer,
            }
        }
        Err(SignUpToVerifyError::TooMany { retry_after: Duration::from_secs(1) })
    }

    /// Returns the attribute with the referrer, if there is such a user in the realm.
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

    /// Returns the registration for one try. `records` are the send records of the recipients; a
    /// recipient without a record is treated as new.
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
            let recipient = identifier;
            tracing::warn!(?recipient, "no text message was sent: the country is not allowed");
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
