//! Verifies an identifier with a code and a handle.

use super::announce::announce;
use super::check_code::{CheckCode, CheckCodeError, CheckedCode, Guess};
use crate::domain::challenge::ChallengeHandle;
use crate::domain::event::Fact;
use crate::domain::outbox::OutboxEntry;
use crate::domain::source::SourceAddress;
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::ports::{
    Clock, Entropy, EventMapper, MetricEvent, Users, Verification, VerifyOutcome, record_metric,
};
use std::sync::Arc;

/// Verifies the identifiers of users.
pub struct VerifyCode {
    pub check_code: CheckCode,
    pub users: Arc<dyn Users>,
    pub event_mapper: Arc<dyn EventMapper>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
}

/// A user with a verified identifier.
#[derive(Debug)]
pub struct VerifiedAccount {
    /// The user before the verification.
    pub user: User,
    pub at: Timestamp,
}

impl VerifyCode {
    /// Checks the code and marks the identifier as verified, in three round trips. The user can be
    /// read only after the guess, which finds the handle's user, and a transaction does not return
    /// items.
    ///
    /// # Errors
    /// [`CheckCodeError`]. The handle of a decoy or of a deleted user is refused like a wrong code.
    pub async fn run(
        &self,
        handle: ChallengeHandle,
        code: &str,
        source: &SourceAddress,
    ) -> Result<VerifiedAccount, CheckCodeError> {
        let now = self.clock.now();
        let guess = Guess { code, source };
        let checked = self.check_code.of_handle(&handle, &guess, now).await?;
        // The handle is a decoy: its code was never sent.
        let Some(holder) = &checked.holder else { return Err(CheckCodeError::NoCode) };
        let Some(user) = self.users.find(holder, now).await? else {
            return Err(CheckCodeError::NoCode);
        };
        let fact = Fact::UserVerified { user: user.clone(), at: now };
        let entry = announce(&*self.event_mapper, &*self.entropy, &fact, now)?;
        verify(&*self.users, user, (checked, Some(handle)), entry, now).await
    }
}

/// Marks the recipient of a right code as verified and uses up the code and its handle.
pub(super) async fn verify(
    users: &dyn Users,
    user: User,
    (checked, handle): (CheckedCode, Option<ChallengeHandle>),
    entry: OutboxEntry,
    now: Timestamp,
) -> Result<VerifiedAccount, CheckCodeError> {
    let retry_at = checked.retry_at(now);
    let CheckedCode { key, nonce, guesses, .. } = checked;
    let id = user.id.clone();
    let verification = Verification { key, handle, nonce, guesses, user: id, at: now, entry };
    match users.verify(&verification).await? {
        VerifyOutcome::Verified => {
            record_metric(Some(user.realm.contract()), MetricEvent::CodeVerified);
            record_metric(Some(user.realm.contract()), MetricEvent::SignIn);
            Ok(VerifiedAccount { user, at: now })
        }
        VerifyOutcome::ChallengeLost | VerifyOutcome::UserGone => Err(CheckCodeError::NoCode),
        VerifyOutcome::BudgetSpent => {
            Err(CheckCodeError::TooMany { retry_after: retry_at.since(now) })
        }
    }
}
