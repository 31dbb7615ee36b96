//! Enters an account with a code: signs up, signs in, or does what fits the recipient.

use super::check_code::{CheckCode, CheckedCode, CodeRefused, Guess};
use super::open_session::{Entered, OpenSessions};
use super::{Basics, Failure, NewIds, WalletPolicy};
use crate::domain::account::{
    Account, Credential, Draft, IdentifierProof, KnownAccount, NewAccount, Visit,
};
use crate::domain::attributes::Attributes;
use crate::domain::bill::Bill;
use crate::domain::budget::BudgetUse;
use crate::domain::challenge::{Audience, ChallengeHandle, ChallengeKey, Purpose};
use crate::domain::device::DeviceInfo;
use crate::domain::event::Fact;
use crate::domain::id::UserId;
use crate::domain::identifier::Identifier;
use crate::domain::known_sources::{Entrance, KnownSources};
use crate::domain::proof::ProvenCode;
use crate::domain::session::{SessionEndReason, SignInMethod};
use crate::domain::source::Source;
use crate::domain::time::Timestamp;
use crate::domain::wallet::{CardNumber, Credit};
use crate::ports::{
    Accounts, Entry, EntryOutcome, Holder, MetricEvent, PortError, Recorder, Users, record_metric,
    trace_user,
};
use futures_util::future::join;
use std::sync::Arc;

/// The number of tries. A try fails if another request changes the account after it was read.
const MAX_TRIES: usize = 4;

/// Enters accounts with codes.
pub struct EnterByCode {
    pub check_code: CheckCode,
    /// What a used code gives back.
    pub bill: Arc<Bill>,
    pub accounts: Arc<dyn Accounts>,
    pub users: Arc<dyn Users>,
    pub sessions: OpenSessions,
    /// The ids of new users.
    pub ids: NewIds,
    /// Who may enter: users that exist, recipients without an account, who sign up, or both.
    pub audience: Audience,
    /// The content of a new user's wallet, for contracts with wallets.
    pub wallet: Option<WalletPolicy>,
    pub basics: Basics,
}

/// What a caller presents with a code.
#[derive(Debug)]
pub enum Presented {
    /// The recipient of the code, and its purpose.
    Recipient(ChallengeKey),
    /// The handle that the client got when it asked for the code, and the purpose of that code.
    Handle(ChallengeHandle, Purpose),
}

/// A request to enter an account.
#[derive(Debug)]
pub struct EnterByCodeCommand {
    pub presented: Presented,
    /// The code that the caller sent.
    pub code: String,
    /// The attributes of the user, if there is no account yet. They are added to those of a sign-up
    /// that waited for the code.
    pub attributes: Attributes,
    pub device: DeviceInfo,
    pub source: Source,
}

/// The reason why a caller may not enter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnterRefused {
    /// There is no valid code, or it belongs to nothing that may be entered. See
    /// [`CodeRefused::NoCode`].
    #[error("there is no valid code")]
    NoCode,
    #[error("the code is wrong")]
    WrongCode,
    /// The recipient, or another identifier of the new user, belongs to a user. The code stays
    /// valid.
    #[error("the identifier is taken")]
    Taken,
    /// An operator banned the user of the recipient. The code stays valid.
    #[error("the user is banned")]
    Banned,
}

impl From<CodeRefused> for EnterRefused {
    fn from(refused: CodeRefused) -> Self {
        match refused {
            CodeRefused::NoCode => Self::NoCode,
            CodeRefused::Wrong => Self::WrongCode,
        }
    }
}

/// What one request needs to make or use an account.
#[derive(Clone)]
struct Visitor<'a> {
    attributes: Attributes,
    device: DeviceInfo,
    source: Source,
    /// What the check of the code gives back.
    uses: Vec<BudgetUse>,
    recorder: &'a Recorder<'a, Entered>,
    now: Timestamp,
}

/// Who enters an account that exists.
enum Entrant {
    /// The user of the recipient of the code.
    ByRecipient(Holder),
    /// The user of a handle.
    ByHandle(UserId),
}

/// What became of a sign-up.
enum SignUp {
    Done(Entered),
    /// An identifier belongs to another user. The code is still valid.
    Taken(Option<ProvenCode>),
}

/// What became of one try to sign in.
enum SignIn {
    Done(Entered),
    /// Another request changed the account. The code is still valid.
    Changed(ProvenCode),
}

impl EnterByCode {
    /// Checks the code, and makes or uses the account of its recipient.
    ///
    /// Only the owner of the recipient learns whether it is registered. A sign-up takes three round
    /// trips: the read that judges the source, the guess, and the transaction. A sign-in takes four:
    /// the user is read between the guess and the transaction.
    pub async fn run(
        &self,
        command: EnterByCodeCommand,
        recorder: &Recorder<'_, Entered>,
    ) -> Result<Entered, Failure<EnterRefused>> {
        let EnterByCodeCommand { presented, code, attributes, device, source } = command;
        let now = self.basics.now();
        let by_recipient = matches!(presented, Presented::Recipient(_));
        let guess = Guess { code: &code, source: &source };
        let checked = self.check(presented, &guess, now).await;
        let (checked, entrant) = checked.map_err(|failure| failure.map(EnterRefused::from))?;
        let CheckedCode { code, uses, .. } = checked;
        let visitor = Visitor { attributes, device, source, uses, recorder, now };
        let may_sign_up = self.audience != Audience::Registered
            // The handle of a decoy has no user and no sign-up. Its code was never sent.
            && (by_recipient || code.pending().is_some());
        match (entrant, self.audience) {
            (Some(entrant), Audience::Registered | Audience::Everyone) => {
                self.sign_in(entrant, code, &visitor).await
            }
            (None, _) if may_sign_up => self.sign_up(code, visitor).await,
            _ => Err(Failure::Refused(EnterRefused::NoCode)),
        }
    }

    /// Checks the code and finds the user that it belongs to. If users that exist may not enter,
    /// the transaction of the sign-up finds out.
    async fn check(
        &self,
        presented: Presented,
        guess: &Guess<'_>,
        now: Timestamp,
    ) -> Result<(CheckedCode, Option<Entrant>), Failure<CodeRefused>> {
        match presented {
            Presented::Handle(handle, purpose) => {
                let checked = self.check_code.of_held(handle, purpose, guess, now).await?;
                let user = checked.code.holder().cloned();
                user.iter().for_each(trace_user);
                Ok((checked, user.map(Entrant::ByHandle)))
            }
            Presented::Recipient(key) => {
                let checked = self.check_code.of_account(key, guess, now).await?;
                let may_enter = self.audience != Audience::Unregistered;
                let holder = checked.holder.clone().filter(|_| may_enter);
                Ok((checked, holder.map(Entrant::ByRecipient)))
            }
        }
    }

    async fn sign_up(
        &self,
        code: ProvenCode,
        visitor: Visitor<'_>,
    ) -> Result<Entered, Failure<EnterRefused>> {
        let now = visitor.now;
        let code = match self.make(code, &visitor).await? {
            SignUp::Done(entered) => return Ok(entered),
            SignUp::Taken(Some(code)) if self.audience == Audience::Everyone => code,
            SignUp::Taken(_) => return Err(Failure::Refused(EnterRefused::Taken)),
        };
        // Another request of the same recipient was faster.
        let key = code.key();
        let user = self.users.known_by(&key.realm, &key.recipient, now).await?;
        let holder = user.ok_or(Failure::Refused(EnterRefused::Taken))?;
        self.sign_in(Entrant::ByRecipient(holder), code, &visitor).await
    }

    async fn make(
        &self,
        code: ProvenCode,
        visitor: &Visitor<'_>,
    ) -> Result<SignUp, Failure<EnterRefused>> {
        let budgets = self.give_back(&code, visitor)?;
        let Visitor { attributes, device, source, recorder, now, .. } = visitor.clone();
        let id = self.ids.user(&code.key().realm, now).await?;
        let draft = Draft { id, attributes, created_at: now };
        let (card, credit) = self.new_wallet(now)?.unzip();
        let card = card.map(Identifier::Card).into_iter().collect();
        let account = NewAccount::proven(draft, code, card);
        let user = account.user().clone();
        let session = self.sessions.open(&user, device, SignInMethod::Code, recorder, now).await?;
        let fact = Fact::UserSignedUp {
            user: user.clone(),
            device: session.as_ref().map(|session| session.device.clone()),
            credit: credit.clone(),
            asked: Vec::new(),
        };
        let effects = Some(self.basics.announce(&[fact], now)?);
        let tokens = self.sessions.tokens(session.as_ref(), now)?;
        let known_sources = Some(KnownSources::only(&user.id, &source, Entrance::Proved, now));
        let entered = Entered { user, is_new: true, at: now, session: tokens };
        let answer = recorder.record(&entered)?;
        let user = &entered.user;
        let account = Account::Make(account);
        let parts = Entry { session, credit, effects, ..Entry::of(account, now) };
        let entry = Entry { budgets, known_sources, answer, ..parts };
        let outcome = self.accounts.commit(&entry).await?;
        if !matches!(outcome, EntryOutcome::Committed) {
            self.ids.give_back_user(&user.realm, &user.id);
            self.sessions.discard(user, entry.session.as_ref());
        }
        match outcome {
            EntryOutcome::Committed => {
                let contract = user.realm.contract();
                trace_user(&user.id);
                record_metric(Some(contract), MetricEvent::SignUp);
                record_metric(Some(contract), MetricEvent::CodeVerified);
                Ok(SignUp::Done(entered))
            }
            EntryOutcome::Taken(taken) => {
                if taken.iter().all(|taken| matches!(taken, Identifier::Card(_))) {
                    return Err(PortError::new("open a wallet", "its card number is taken").into());
                }
                Ok(SignUp::Taken(entry.account.into_code()))
            }
            EntryOutcome::CodeLost
            | EntryOutcome::BudgetSpent(_)
            | EntryOutcome::AccountChanged
            | EntryOutcome::ChallengesChanged(_) => Err(Failure::Refused(EnterRefused::NoCode)),
        }
    }

    /// Returns what the used code gives back.
    fn give_back(
        &self,
        code: &ProvenCode,
        visitor: &Visitor<'_>,
    ) -> Result<Vec<BudgetUse>, PortError> {
        let Visitor { source, uses, now, .. } = visitor;
        let mut given = self.check_code.gate.give_back(&self.bill, source, code, *now)?;
        given.extend(uses.iter().cloned());
        Ok(given)
    }

    /// Returns a card and the first credit, for contracts with wallets.
    fn new_wallet(&self, at: Timestamp) -> Result<Option<(CardNumber, Credit)>, PortError> {
        let Some(WalletPolicy { card_prefix, card_digits, points, source }) = self.wallet else {
            return Ok(None);
        };
        let card = CardNumber::random(card_prefix, card_digits, self.basics.random()?);
        let card = card.ok_or_else(|| {
            PortError::new("open a wallet", "a card number of that length is invalid")
        })?;
        // The id of the ledger entry is the reason for the credit, so that a user gets it only once.
        Ok(Some((card, Credit { entry: source.to_owned(), points, source, at })))
    }

    async fn sign_in(
        &self,
        entrant: Entrant,
        mut code: ProvenCode,
        visitor: &Visitor<'_>,
    ) -> Result<Entered, Failure<EnterRefused>> {
        let mut entrant = entrant;
        for _ in 0..MAX_TRIES {
            match self.use_known(&entrant, code, visitor).await? {
                SignIn::Done(entered) => return Ok(entered),
                SignIn::Changed(unused) => code = unused,
            }
            // The sources that the account knows may have changed.
            if let Entrant::ByRecipient(holder) = entrant {
                entrant = Entrant::ByHandle(holder.user);
            }
        }
        Err(Failure::overtaken())
    }

    /// Makes one try. The clock is read after the user, so that sessions which the user has by then
    /// can be ended.
    async fn use_known(
        &self,
        entrant: &Entrant,
        code: ProvenCode,
        visitor: &Visitor<'_>,
    ) -> Result<SignIn, Failure<EnterRefused>> {
        let refused = || Failure::Refused(EnterRefused::NoCode);
        let (key, now) = (code.key(), self.basics.now());
        let (user, holder) = match entrant {
            Entrant::ByRecipient(holder) => {
                (self.users.find(&holder.user, now).await?, Some(holder.clone()))
            }
            Entrant::ByHandle(user) => {
                let holder = self.users.known_by(&key.realm, &key.recipient, now);
                let (user, holder) = join(self.users.find(user, now), holder).await;
                (user?, holder?)
            }
        };
        // A takeover by another identifier may have taken this one away.
        let user = user.filter(|user| user.identifiers.find(&code.key().recipient).is_some());
        let user = user.filter(|user| !IdentifierProof::is_void(user, &code));
        let user = user.ok_or_else(refused)?;
        if user.is_banned() {
            return Err(Failure::Refused(EnterRefused::Banned));
        }
        let now = self.basics.now();
        let (source, method) = (&visitor.source, SignInMethod::Code);
        let budgets = self.give_back(&code, visitor)?;
        let device = visitor.device.clone();
        let session = self.sessions.open(&user, device, method, visitor.recorder, now).await?;
        let tokens = self.sessions.tokens(session.as_ref(), now)?;
        let device = session.as_ref().map(|session| session.device.clone());
        let proved = Some(code.key().recipient.clone());
        let (credential, visit) = (Credential::Code(code), Visit::SignsIn);
        let account = KnownAccount { user: user.clone(), credential, visit };
        let known = holder.filter(|holder| holder.user == user.id && !account.takes_over());
        let known_sources = match known {
            Some(holder) => holder.known_sources.with(&user.id, source, Entrance::Proved, now),
            None => Some(KnownSources::only(&user.id, source, Entrance::Proved, now)),
        };
        let mut facts = Vec::from_iter(taken_over(&account, now));
        facts.push(Fact::SignedIn { user: user.clone(), method, proved, device, at: now });
        let effects = Some(self.basics.announce(&facts, now)?);
        let at = self.sessions.entered_at(&account.after(now), now);
        let entered = Entered { user, is_new: false, at, session: tokens };
        let answer = visitor.recorder.record(&entered)?;
        let user = &entered.user;
        let parts = Entry { session, effects, ..Entry::of(Account::Use(account), now) };
        let entry = Entry { budgets, known_sources, answer, ..parts };
        let outcome = self.accounts.commit(&entry).await?;
        if !matches!(outcome, EntryOutcome::Committed) {
            self.sessions.discard(user, entry.session.as_ref());
        }
        match outcome {
            EntryOutcome::Committed => {
                let contract = user.realm.contract();
                record_metric(Some(contract), MetricEvent::SignIn);
                record_metric(Some(contract), MetricEvent::CodeVerified);
                Ok(SignIn::Done(entered))
            }
            EntryOutcome::AccountChanged => {
                Ok(SignIn::Changed(entry.account.into_code().ok_or_else(refused)?))
            }
            EntryOutcome::CodeLost
            | EntryOutcome::BudgetSpent(_)
            | EntryOutcome::Taken(_)
            | EntryOutcome::ChallengesChanged(_) => Err(refused()),
        }
    }
}

/// Returns the fact that the sessions of an account end, if a proof takes over an account that has
/// a password.
pub(super) fn taken_over(account: &KnownAccount, at: Timestamp) -> Option<Fact> {
    let had_password = account.user.password.is_some();
    (account.takes_over() && had_password).then(|| Fact::SessionEnded {
        user: account.user.id.clone(),
        device: None,
        reason: SessionEndReason::IdentifierProved,
        at,
    })
}
