//! Sets a new password in two steps: a code proves control of a recipient, then that proof allows
//! one change of the password.

use super::announce::announce;
use super::check_code::{CheckCode, CheckCodeError, CheckedCode, Guess};
use crate::domain::challenge::ChallengeKey;
use crate::domain::event::Fact;
use crate::domain::id::UserId;
use crate::domain::password::Password;
use crate::domain::source::SourceAddress;
use crate::domain::time::Timestamp;
use crate::ports::{
    Challenges, Clock, Entropy, EventMapper, MetricEvent, PasswordChange, PasswordVerdict,
    Passwords, PortError, RedeemOutcome, Redemption, SetPasswordOutcome, Users, record_metric,
};
use std::sync::Arc;

/// Proves control of a recipient.
pub struct ProveRecipient {
    pub check_code: CheckCode,
    pub challenges: Arc<dyn Challenges>,
    pub users: Arc<dyn Users>,
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
        source: &SourceAddress,
    ) -> Result<RecipientProof, CheckCodeError> {
        let now = self.clock.now();
        let guess = Guess { code, source };
        let (checked, user) = self.check_code.of_account(&*self.users, key, &guess, now).await?;
        let retry_at = checked.retry_at(now);
        let CheckedCode { key, nonce, guesses, .. } = checked;
        let redemption = Redemption { key: key.clone(), nonce, guesses, at: now };
        match self.challenges.redeem(&redemption).await? {
            RedeemOutcome::Redeemed => {
                record_metric(Some(key.realm.contract()), MetricEvent::CodeVerified);
                Ok(RecipientProof { key, user, at: now })
            }
            RedeemOutcome::ChallengeLost => Err(CheckCodeError::NoCode),
            RedeemOutcome::BudgetSpent => {
                Err(CheckCodeError::TooMany { retry_after: retry_at.since(now) })
            }
        }
    }
}

/// Sets new passwords.
pub struct ResetPassword {
    pub users: Arc<dyn Users>,
    pub passwords: Arc<dyn Passwords>,
    pub event_mapper: Arc<dyn EventMapper>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
}

/// The reason why no password was set.
#[derive(Debug, thiserror::Error)]
pub enum ResetPasswordError {
    /// The user does not exist, or the password was changed after the proof. One proof allows one
    /// change.
    #[error("the proof was used before")]
    ProofUsedUp,
    #[error("the new password is the current one")]
    SamePassword,
    #[error(transparent)]
    Internal(#[from] PortError),
}

impl ResetPassword {
    /// Sets the password of a user who proved control of a recipient at `proved_at`, and ends all
    /// sessions of the user.
    pub async fn run(
        &self,
        user: UserId,
        proved_at: Timestamp,
        password: Password,
    ) -> Result<(), ResetPasswordError> {
        let now = self.clock.now();
        let found = self.users.find(&user, now).await?.ok_or(ResetPasswordError::ProofUsedUp)?;
        // This comes before the comparison: a proof that is used up must not reveal whether the
        // password is the current one.
        if found.password_changed_at.is_some_and(|changed| changed >= proved_at) {
            return Err(ResetPasswordError::ProofUsedUp);
        }
        if let Some(known) = found.password {
            let verdict = self.passwords.verify(password.clone(), Some(known)).await?;
            if verdict != PasswordVerdict::Wrong {
                return Err(ResetPasswordError::SamePassword);
            }
        }
        let hash = self.passwords.hash(password).await?;
        let fact = Fact::PasswordChanged { user: user.clone(), at: now };
        let entry = announce(&*self.event_mapper, &*self.entropy, &fact, now)?;
        let change = PasswordChange { user, hash, proved_at, at: now, entry };
        match self.users.set_password(&change).await? {
            SetPasswordOutcome::Changed => Ok(()),
            SetPasswordOutcome::ProofUsedUp => Err(ResetPasswordError::ProofUsedUp),
        }
    }
}
