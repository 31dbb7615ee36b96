//! Sets a new password in two steps: a code proves control of a recipient, then that proof allows
//! one change of the password.

use super::check_code::{CheckCode, CheckedCode, CodeRefused, Guess};
use super::{Basics, Failure};
use crate::domain::account::{Account, Credential, KnownAccount, Visit};
use crate::domain::bill::Bill;
use crate::domain::challenge::ChallengeKey;
use crate::domain::device::devices_to_silence;
use crate::domain::event::Fact;
use crate::domain::id::UserId;
use crate::domain::identifier::IdentifierKind;
use crate::domain::known_sources::{Entrance, KnownSources};
use crate::domain::password::Password;
use crate::domain::realm::Realm;
use crate::domain::source::Source;
use crate::domain::time::Timestamp;
use crate::ports::{
    Accounts, Clock, Devices, Entry, EntryOutcome, MetricEvent, PasswordVerdict, Passwords,
    Recorder, Users, record_metric, trace_user,
};
use std::sync::Arc;

/// The number of tries. A try fails if another request changes the account after it was read.
const MAX_TRIES: usize = 4;

/// Proves control of a recipient.
pub struct ProveRecipient {
    pub check_code: CheckCode,
    /// What a used code gives back.
    pub bill: Arc<Bill>,
    pub accounts: Arc<dyn Accounts>,
    pub clock: Arc<dyn Clock>,
}

/// A proof that the caller controls a recipient.
#[derive(Debug)]
pub struct RecipientProof {
    /// The challenge, with the recipient and the purpose of the proof.
    pub key: ChallengeKey,
    /// The user that the recipient belongs to.
    pub user: Option<UserId>,
    /// The time of the proof.
    pub at: Timestamp,
}

impl ProveRecipient {
    /// Checks the code and uses it up.
    pub async fn run(
        &self,
        key: ChallengeKey,
        code: &str,
        source: &Source,
        recorder: &Recorder<'_, RecipientProof>,
    ) -> Result<RecipientProof, Failure<CodeRefused>> {
        let now = self.clock.now();
        let guess = Guess { code, source };
        let CheckedCode { code, holder, uses } =
            self.check_code.of_account(key, &guess, now).await?;
        let user = holder.map(|holder| holder.user);
        let proof = RecipientProof { key: code.key().clone(), user, at: now };
        let mut budgets = self.check_code.gate.give_back(&self.bill, source, &code, now)?;
        budgets.extend(uses);
        let answer = recorder.record(&proof)?;
        let entry = Entry { budgets, answer, ..Entry::of(Account::None(Some(code)), now) };
        match self.accounts.commit(&entry).await? {
            EntryOutcome::Committed => {
                record_metric(Some(proof.key.realm.contract()), MetricEvent::CodeVerified);
                Ok(proof)
            }
            EntryOutcome::CodeLost
            | EntryOutcome::BudgetSpent(_)
            | EntryOutcome::Taken(_)
            | EntryOutcome::AccountChanged
            | EntryOutcome::ChallengesChanged(_) => Err(Failure::Refused(CodeRefused::NoCode)),
        }
    }
}

/// Sets new passwords.
pub struct ResetPassword {
    pub accounts: Arc<dyn Accounts>,
    pub users: Arc<dyn Users>,
    pub passwords: Arc<dyn Passwords>,
    /// The devices of users; `None` for a contract whose sessions are signed tokens.
    pub devices: Option<Arc<dyn Devices>>,
    /// The realm of the users. A proof that names a user of another one is void.
    pub realm: Realm,
    pub basics: Basics,
}

/// What entitles a user to a new password: a code that was used up ([`ProveRecipient`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResetProof {
    pub user: UserId,
    /// The time of the proof.
    pub at: Timestamp,
    /// The kind of the recipient, if it is known. The identifier becomes verified.
    pub kind: Option<IdentifierKind>,
}

/// The reason why no password was set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResetRefused {
    /// The user or the proved recipient does not exist any more, or the password was changed after
    /// the proof. One proof allows one change.
    #[error("the proof was used before")]
    ProofUsedUp,
    #[error("the new password is the current one")]
    SamePassword,
    /// An operator banned the user.
    #[error("the user is banned")]
    Banned,
}

impl ResetPassword {
    /// Sets the password of a user who proved control of a recipient, and ends all sessions of the
    /// user.
    pub async fn run(
        &self,
        proof: ResetProof,
        password: Password,
        source: &Source,
        recorder: &Recorder<'_, ()>,
    ) -> Result<(), Failure<ResetRefused>> {
        for _ in 0..MAX_TRIES {
            match self.attempt(&proof, &password, source, recorder).await? {
                EntryOutcome::Committed => return Ok(()),
                EntryOutcome::AccountChanged => {}
                EntryOutcome::CodeLost
                | EntryOutcome::BudgetSpent(_)
                | EntryOutcome::Taken(_)
                | EntryOutcome::ChallengesChanged(_) => {
                    return Err(Failure::Refused(ResetRefused::ProofUsedUp));
                }
            }
        }
        Err(Failure::overtaken())
    }

    /// Makes one try. The clock is read after the user and the hash, so that sessions which the
    /// user has by then can be ended.
    async fn attempt(
        &self,
        proof: &ResetProof,
        password: &Password,
        source: &Source,
        recorder: &Recorder<'_, ()>,
    ) -> Result<EntryOutcome, Failure<ResetRefused>> {
        const USED_UP: Failure<ResetRefused> = Failure::Refused(ResetRefused::ProofUsedUp);
        let ResetProof { user, at: proved_at, kind: proved } = proof;
        let (proved_at, proved) = (*proved_at, *proved);
        let user = self.users.find(user, self.basics.now()).await?;
        let user = user.filter(|user| user.realm == self.realm).ok_or(USED_UP)?;
        trace_user(&user.id);
        if user.is_banned() {
            return Err(Failure::Refused(ResetRefused::Banned));
        }
        // This comes before the comparison: a proof that is used up must not reveal whether the
        // password is the current one.
        let is_used_up = user.password_changed_at.is_some_and(|changed| changed >= proved_at);
        // A takeover by another identifier may have taken the proved one away.
        let is_void = proved.is_some_and(|kind| user.identifiers.of_kind(kind).is_none());
        if is_used_up || is_void {
            return Err(USED_UP);
        }
        if let Some(known) = &user.password {
            let verdict = self.passwords.verify(password.clone(), Some(known.clone())).await?;
            if matches!(verdict, PasswordVerdict::Right { .. }) {
                return Err(Failure::Refused(ResetRefused::SamePassword));
            }
        }
        let hash = self.passwords.hash(password.clone()).await?;
        let silenced = match &self.devices {
            Some(devices) => devices_to_silence(devices.of_user(&user.id).await?, None),
            None => Vec::new(),
        };
        let now = self.basics.now();
        let (id, realm) = (user.id.clone(), user.realm.clone());
        let fact = Fact::PasswordChanged { user: id, realm, at: now };
        let effects = Some(self.basics.announce(&[fact], now)?);
        // The sources of before may be those of a thief. Only the one of the owner stays known.
        let known_sources = Some(KnownSources::only(&user.id, source, Entrance::Proved, now));
        let credential = Credential::EarlierCode { hash, proved_at, proved };
        let account = KnownAccount { user, credential, visit: Visit::StaysOut };
        let answer = recorder.record(&())?;
        let parts = Entry { known_sources, effects, ..Entry::of(Account::Use(account), now) };
        let entry = Entry { silenced, answer, ..parts };
        Ok(self.accounts.commit(&entry).await?)
    }
}
