//! Creates an account with a password. Its identifiers are proved later, or never.

use super::gate::{Gate, SendBudgets, target};
use super::open_session::{Entered, OpenSessions};
use super::password_gate::PasswordGate;
use super::verification::{Asking, Verification, VerificationMessages, key};
use super::{Basics, Failure, NewIds, ResendVerification};
use crate::domain::account::{Account, Credential, Draft, NewAccount};
use crate::domain::attributes::Attributes;
use crate::domain::device::DeviceInfo;
use crate::domain::event::Fact;
use crate::domain::id::UserId;
use crate::domain::identifier::Identifier;
use crate::domain::known_sources::{Entrance, KnownSources};
use crate::domain::outbox::OutboxEntry;
use crate::domain::password::{Password, PasswordHash};
use crate::domain::proof::Opener;
use crate::domain::realm::Realm;
use crate::domain::sends::SendRecord;
use crate::domain::session::SignInMethod;
use crate::domain::source::Source;
use crate::domain::time::Timestamp;
use crate::domain::user::{UNVERIFIED_LIFETIME, User};
use crate::ports::{
    Accounts, ChallengeState, Entry, EntryOutcome, Holder, MetricEvent, PasswordVerdict, Passwords,
    PortError, Recorder, Standing, StandingQuery, Users, record_metric, trace_user,
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
    /// The user waits. A link is sent to the e-mail address and a code to the phone number. Who
    /// signs up again with the password of an unverified user gets new ones.
    Waits(Box<ResendToKnown>),
}

/// Sends verification to new users, and again to known ones who state their password.
pub struct ResendToKnown {
    pub resend: ResendVerification,
    pub attempts: PasswordGate,
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

/// Who asks for an account, and for which identifiers.
struct Asked<'a> {
    realm: &'a Realm,
    identifiers: &'a [Identifier],
    source: &'a Source,
    locale: &'a str,
    at: Timestamp,
}

/// The other parts of a sign-up that are the same in every try.
struct Applicant<'a> {
    id: UserId,
    password: PasswordHash,
    attributes: Attributes,
    device: DeviceInfo,
    recorder: &'a Recorder<'a, Entered>,
}

/// What is known of the source and of the recipients before a try.
struct ApplicantStanding {
    budgets: SendBudgets,
    challenges: Vec<(Identifier, ChallengeState)>,
}

/// A sign-up whose identifiers are taken.
struct KnownApplicant {
    taken: Vec<Identifier>,
    /// A user that has not verified some of them, and these identifiers.
    waiting: Option<(Holder, Vec<Identifier>)>,
    budgets: SendBudgets,
}

impl KnownApplicant {
    fn of(taken: &[(&Identifier, Holder)], budgets: SendBudgets) -> Self {
        let waiting = taken.iter().find(|(_, holder)| holder.reserved_until.is_some());
        let waiting = waiting.map(|(_, waiting)| {
            let own = taken.iter().filter(|(_, holder)| holder.user == waiting.user);
            (waiting.clone(), own.map(|(identifier, _)| (*identifier).clone()).collect())
        });
        let taken = taken.iter().map(|(identifier, _)| (*identifier).clone()).collect();
        Self { taken, waiting, budgets }
    }
}

/// What became of one try: the new user, or the outcome because of which there is none.
type Attempt = Result<Entered, EntryOutcome>;

impl SignUpByPassword {
    /// Creates the account, in two round trips: the read that judges the source, and the
    /// transaction. A referrer needs one more, because it is stored only if it is a user of the
    /// realm. An identifier that belongs to another user is refused before the password is hashed;
    /// of two sign-ups at once, the transaction refuses one.
    pub async fn run(
        &self,
        command: SignUpCommand,
        recorder: &Recorder<'_, Entered>,
    ) -> Result<Entered, Failure<Taken>> {
        let now = self.basics.now();
        let SignUpCommand { realm, identifiers, mut attributes, source, .. } = command;
        let (locale, at) = (&*command.locale, now);
        let asked = Asked { realm: &realm, identifiers: &identifiers, source: &source, locale, at };
        let standing = match self.standing(&asked).await? {
            Ok(standing) => standing,
            Err(known) => return Err(self.refuse_known(known, &asked, command.password).await),
        };
        if let Some((name, id)) = self.known_referrer(command.referrer, &realm, now).await? {
            attributes.insert(name, id.as_str());
        }
        let password = self.passwords.hash(command.password).await?;
        let applicant = Applicant {
            id: self.ids.user(&realm, now).await?,
            password,
            attributes,
            device: command.device,
            recorder,
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
        applicant: &Applicant<'_>,
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
                    standing = match self.standing(asked).await? {
                        Ok(standing) => standing,
                        Err(known) => {
                            let KnownApplicant { taken, budgets, .. } = known;
                            return Err(self.refuse(taken, &budgets, asked.at).await);
                        }
                    };
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

    /// Refuses a sign-up whose identifiers are taken. If the user that they belong to waits for
    /// verification and has this password, it gets new messages. The refusal does not show it.
    async fn refuse_known(
        &self,
        known: KnownApplicant,
        asked: &Asked<'_>,
        password: Password,
    ) -> Failure<Taken> {
        let KnownApplicant { taken, waiting, budgets } = known;
        let sent = match (&self.unproved, waiting) {
            (Unproved::Waits(waits), Some((holder, identifiers))) => {
                self.send_again(waits, &holder, &identifiers, asked, password).await
            }
            _ => Ok(false),
        };
        match sent {
            // The message was counted like that of a sign-up.
            Ok(true) => Failure::Refused(Taken(taken)),
            Ok(false) => self.refuse(taken, &budgets, asked.at).await,
            Err(error) => error.into(),
        }
    }

    async fn send_again(
        &self,
        waits: &ResendToKnown,
        holder: &Holder,
        identifiers: &[Identifier],
        asked: &Asked<'_>,
        password: Password,
    ) -> Result<bool, PortError> {
        let Asked { realm, source, locale, at, .. } = *asked;
        let subject = PasswordGate::subject(holder, source, at);
        match waits.attempts.admit::<Taken>(&subject, None, at).await {
            Ok(()) => {}
            Err(Failure::Internal(error)) => return Err(error),
            Err(_) => return Ok(false),
        }
        let user = self.users.find(&holder.user, at).await?;
        let hash = user.as_ref().and_then(|user| user.password.clone());
        let verdict = self.passwords.verify(password, hash.clone()).await?;
        let (PasswordVerdict::Right { .. }, Some(user), Some(seen)) = (verdict, user, hash) else {
            return Ok(false);
        };
        let credential = || Credential::Password {
            seen: seen.clone(),
            renewed: None,
            attempts: subject.clone(),
        };
        let opener = Opener::StatedPassword;
        let asking = Asking { realm, source, locale, at, opener };
        waits.resend.run(asking, &user, credential, identifiers).await
    }

    /// Judges the source, and reads the states of the identifiers, in one read.
    async fn standing(
        &self,
        asked: &Asked<'_>,
    ) -> Result<Result<ApplicantStanding, KnownApplicant>, Failure<Taken>> {
        let Asked { realm, identifiers, source, at: now, .. } = *asked;
        let name = identifiers.first().map(|first| target(source, realm, first));
        let name = name.unwrap_or_default();
        let keys: Vec<_> = match &self.unproved {
            Unproved::Enters(_) => Vec::new(),
            Unproved::Waits(_) => identifiers.iter().map(|to| key(realm, to)).collect(),
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
            Unproved::Waits(waits) => {
                let Verification { bill, policy, .. } = &waits.resend.verification;
                let to: Vec<_> = identifiers.iter().filter(|to| policy.reaches(to)).collect();
                self.gate.judge_send(bill, source, (realm, &to), (&name, query), now).await?
            }
        };
        if let Some(end) = judgement.spent_until {
            return Err(self.gate.refuse(&budgets.source, &name, end, now));
        }
        let Standing { holders, challenges, .. } = judgement.standing;
        let taken = identifiers.iter().zip(holders);
        let taken: Vec<_> = taken.filter_map(|(known, holder)| Some((known, holder?))).collect();
        if !taken.is_empty() {
            return Ok(Err(KnownApplicant::of(&taken, budgets)));
        }
        if let Unproved::Waits(waits) = &self.unproved {
            for state in &challenges {
                waits.resend.verification.admit::<Taken>(&state.sends, now)?;
            }
        }
        let challenges = identifiers.iter().cloned().zip(challenges).collect();
        Ok(Ok(ApplicantStanding { budgets, challenges }))
    }

    /// Makes one try.
    async fn attempt(
        &self,
        asked: &Asked<'_>,
        applicant: &Applicant<'_>,
        standing: &ApplicantStanding,
    ) -> Result<Attempt, Failure<Taken>> {
        let now = asked.at;
        let Applicant { id, password, attributes, device, recorder } = applicant;
        let draft = Draft { id: id.clone(), attributes: attributes.clone(), created_at: now };
        let (identifiers, password) = (asked.identifiers.to_vec(), Some(password.clone()));
        let account = NewAccount::unproved(draft, asked.realm.clone(), identifiers, password);
        let account = match &self.unproved {
            Unproved::Enters(_) => account,
            Unproved::Waits(_) => account.until(now.plus(UNVERIFIED_LIFETIME)),
        };
        let user = account.user().clone();
        let VerificationMessages { challenges, messages, asked: verifying } =
            self.verification(asked, &user, &standing.challenges).await?;
        let method = SignInMethod::Password;
        let (session, tokens) = match &self.unproved {
            Unproved::Enters(sessions) => {
                let session = sessions.open(&user, device.clone(), method, recorder, now).await?;
                let tokens = sessions.tokens(session.as_ref(), now)?;
                (session, tokens)
            }
            Unproved::Waits(_) => (None, None),
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
        let entered = Entered { user, is_new: true, at: now, session: tokens };
        let (user, answer) = (&entered.user, recorder.record(&entered)?);
        let account = Account::Make(account);
        let parts = Entry { challenges, session, effects, ..Entry::of(account, now) };
        let entry = Entry { budgets, known_sources, answer, ..parts };
        let failed = match self.accounts.commit(&entry).await? {
            EntryOutcome::Committed => {
                record_metric(Some(user.realm.contract()), MetricEvent::SignUp);
                trace_user(&user.id);
                return Ok(Ok(entered));
            }
            failed => failed,
        };
        if let Unproved::Enters(sessions) = &self.unproved {
            sessions.discard(user, entry.session.as_ref());
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
        user: &User,
        states: &[(Identifier, ChallengeState)],
    ) -> Result<VerificationMessages, Failure<Taken>> {
        let Unproved::Waits(waits) = &self.unproved else {
            return Ok(VerificationMessages::default());
        };
        let Asked { realm, source, locale, at, .. } = *asked;
        let verification = &waits.resend.verification;
        let mut recipients = Vec::new();
        for identifier in asked.identifiers {
            let state = states.iter().find(|(recipient, _)| recipient == identifier);
            let record = state.map_or(SendRecord::EMPTY, |(_, state)| state.sends);
            recipients.push((identifier, verification.admit::<Taken>(&record, at)?));
        }
        let opener = Opener::StatedPassword;
        let asking = Asking { realm, source, locale, at, opener };
        Ok(verification.messages(&self.basics, asking, user, &recipients).await?)
    }
}
