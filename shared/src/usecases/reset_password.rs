//! Set a new password: prove who one is with a code, then set it with what that proof gave.

use super::announce::announce;
use super::check_code::{CheckCode, CheckCodeError, CheckedCode, Guess};
use crate::domain::challenge::ChallengeKey;
use crate::domain::event::Fact;
use crate::domain::id::UserId;
use crate::domain::password::Password;
use crate::domain::source::SourceAddress;
use crate::domain::time::Timestamp;
use crate::ports::{
    Challenges, Clock, Entropy, EventMapper, MetricEvent, PasswordChange, Passwords, PortError,
    Redeemed, Redemption, Users, Verdict, count,
};
use std::sync::Arc;

/// Proves who holds a recipient.
pub struct ProveRecipient {
    /// Checks the code.
    pub check_code: CheckCode,
    /// Where the code is used up.
    pub challenges: Arc<dyn Challenges>,
    /// Finds whose the recipient is.
    pub users: Arc<dyn Users>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Somebody holds a recipient.
#[derive(Debug)]
pub struct RecipientProof {
    /// Which, and what they may do.
    pub key: ChallengeKey,
    /// Whose it is, if somebody's.
    pub user: Option<UserId>,
    /// When they proved it.
    pub at: Timestamp,
}

impl ProveRecipient {
    /// Checks the code and uses it up.
    ///
    /// # Errors
    /// [`CheckCodeError`].
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
            Redeemed::Redeemed => {
                count(key.realm.contract(), MetricEvent::CodeVerified);
                Ok(RecipientProof { key, user, at: now })
            }
            Redeemed::ChallengeLost => Err(CheckCodeError::NoCode),
            Redeemed::BudgetSpent => {
                Err(CheckCodeError::TooMany { retry_after: retry_at.since(now) })
            }
        }
    }
}

/// Sets new passwords.
pub struct ResetPassword {
    /// The users.
    pub users: Arc<dyn Users>,
    /// Hashes the password.
    pub passwords: Arc<dyn Passwords>,
    /// How the contract spells its events.
    pub event_mapper: Arc<dyn EventMapper>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Random bytes.
    pub entropy: Arc<dyn Entropy>,
}

/// Why no password was set.
#[derive(Debug, thiserror::Error)]
pub enum ResetPasswordError {
    /// The user is gone, or has changed their password since the proof: it is good for one change.
    #[error("the proof is used up")]
    ProofUsedUp,
    /// It is the password they have.
    #[error("the same password")]
    SamePassword,
    /// The world broke.
    #[error(transparent)]
    Internal(#[from] PortError),
}

impl ResetPassword {
    /// Sets the password of who proved at `proved_at` that they are `user`, and ends every session
    /// of theirs.
    ///
    /// # Errors
    /// [`ResetPasswordError`].
    pub async fn run(
        &self,
        user: UserId,
        proved_at: Timestamp,
        password: Password,
    ) -> Result<(), ResetPasswordError> {
        let now = self.clock.now();
        let found = self.users.find(&user, now).await?.ok_or(ResetPasswordError::ProofUsedUp)?;
        // Before the passwords are compared: a proof that is used up must not tell which one it is.
        if found.password_changed_at.is_some_and(|changed| changed >= proved_at) {
            return Err(ResetPasswordError::ProofUsedUp);
        }
        if let Some(known) = found.password {
            let verdict = self.passwords.verify(password.clone(), Some(known)).await?;
            if verdict != Verdict::Wrong {
                return Err(ResetPasswordError::SamePassword);
            }
        }
        let hash = self.passwords.hash(password).await?;
        let fact = Fact::PasswordChanged { user: user.clone(), at: now };
        let entry = announce(&*self.event_mapper, &*self.entropy, &fact, now)?;
        let change = PasswordChange { user, hash, proved_at, at: now, entry };
        if self.users.set_password(&change).await? {
            Ok(())
        } else {
            Err(ResetPasswordError::ProofUsedUp)
        }
    }
}
