//! Verify: type the code that was sent to an identifier, and prove that it is one's own.

use super::announce::announce;
use super::check_code::{CheckCode, CheckCodeError, CheckedCode, Guess};
use crate::domain::challenge::ChallengeHandle;
use crate::domain::event::Fact;
use crate::domain::outbox::OutboxEntry;
use crate::domain::source::SourceAddress;
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::ports::{
    Clock, Entropy, EventMapper, MetricEvent, Users, Verification, Verified, count,
};
use std::sync::Arc;

/// Verifies the identifier of a user.
pub struct VerifyCode {
    /// Checks the code.
    pub check_code: CheckCode,
    /// The users.
    pub users: Arc<dyn Users>,
    /// How the contract spells its events.
    pub event_mapper: Arc<dyn EventMapper>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Random bytes.
    pub entropy: Arc<dyn Entropy>,
}

/// Somebody verified.
#[derive(Debug)]
pub struct VerifiedAccount {
    /// Who.
    pub user: User,
    /// When.
    pub at: Timestamp,
}

impl VerifyCode {
    /// Checks the code and marks the identifier verified. Three round trips: the user, whom the
    /// answer describes, can only be read once the guess has told who it is, and a transaction
    /// returns nothing.
    ///
    /// # Errors
    /// [`CheckCodeError`]; a decoy's holder and a user who is gone are refused like a wrong code.
    pub async fn run(
        &self,
        handle: ChallengeHandle,
        code: &str,
        source: &SourceAddress,
    ) -> Result<VerifiedAccount, CheckCodeError> {
        let now = self.clock.now();
        let guess = Guess { code, source };
        let checked = self.check_code.of_handle(&handle, &guess, now).await?;
        // A decoy's code was never sent; who guesses it has found nobody.
        let Some(holder) = &checked.holder else { return Err(CheckCodeError::NoCode) };
        let Some(user) = self.users.find(holder, now).await? else {
            return Err(CheckCodeError::NoCode);
        };
        let fact = Fact::UserVerified { user: user.clone(), at: now };
        let entry = announce(&*self.event_mapper, &*self.entropy, &fact, now)?;
        verify(&*self.users, user, (checked, Some(handle)), entry, now).await
    }
}

/// Marks verified what a code that was right was sent to, and consumes it with its handle.
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
        Verified::Verified => {
            count(user.realm.contract(), MetricEvent::CodeVerified);
            count(user.realm.contract(), MetricEvent::SignIn);
            Ok(VerifiedAccount { user, at: now })
        }
        Verified::ChallengeLost | Verified::UserGone => Err(CheckCodeError::NoCode),
        Verified::BudgetSpent => Err(CheckCodeError::TooMany { retry_after: retry_at.since(now) }),
    }
}
