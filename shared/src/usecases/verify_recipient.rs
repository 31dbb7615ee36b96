//! Verify: type the code that was sent at sign-up, where nothing but the recipient names the account.

use super::check_code::{CheckCode, CheckCodeError, CheckedCode, Guess};
use super::verify_code::UserVerified;
use crate::domain::challenge::ChallengeKey;
use crate::domain::event::{EventIds, Fact};
use crate::domain::outbox::{Effect, OutboxEntry};
use crate::domain::source::SourceAddress;
use crate::ports::{
    Clock, Counted, Entropy, EventWording, Sessions, Users, Verification, Verified, count, random,
};
use futures_util::future::join;
use std::sync::Arc;

/// Verifies the identifier that a code was sent to.
pub struct VerifyRecipient {
    /// Checks the code.
    pub check_code: CheckCode,
    /// Finds whose the identifier is.
    pub sessions: Arc<dyn Sessions>,
    /// The users.
    pub users: Arc<dyn Users>,
    /// How the contract spells its events.
    pub wording: Arc<dyn EventWording>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Random bytes.
    pub entropy: Arc<dyn Entropy>,
}

impl VerifyRecipient {
    /// Checks the code and marks the identifier verified. Three round trips, as for a code with a
    /// handle: the user is read between the guess and the transaction.
    ///
    /// # Errors
    /// [`CheckCodeError`]; a user who is gone is refused like a code that is.
    pub async fn run(
        &self,
        key: ChallengeKey,
        code: &str,
        source: &SourceAddress,
    ) -> Result<UserVerified, CheckCodeError> {
        let now = self.clock.now();
        let guess = Guess { code, source };
        let (checked, account) = join(
            self.check_code.of_recipient(key.clone(), &guess, now),
            self.sessions.account(&key.realm, &key.recipient, now),
        )
        .await;
        let CheckedCode { key, nonce, guesses, .. } = checked?;
        let Some(id) = account?.user else { return Err(CheckCodeError::NoCode) };
        let Some(user) = self.users.find(&id, now).await? else {
            return Err(CheckCodeError::NoCode);
        };
        let retry_at = guesses.as_ref().map_or(now, |budget| budget.ends_at);
        let ids = EventIds::new(random(&*self.entropy)?);
        let fact = Fact::IdentifierVerified {
            user: id.clone(),
            realm: key.realm.clone(),
            identifier: key.recipient.clone(),
            at: now,
        };
        let events = self.wording.events(&fact, &ids)?;
        let verification = Verification {
            key,
            handle: None,
            nonce,
            guesses,
            user: id,
            at: now,
            entry: OutboxEntry::new(&ids, now, events.into_iter().map(Effect::Event).collect()),
        };
        match self.users.verify(&verification).await? {
            Verified::Verified => {
                count(user.realm.contract(), Counted::CodeVerified);
                count(user.realm.contract(), Counted::SignIn);
                Ok(UserVerified { user, at: now })
            }
            Verified::ChallengeLost | Verified::UserGone => Err(CheckCodeError::NoCode),
            Verified::BudgetSpent => {
                Err(CheckCodeError::TooMany { retry_after: retry_at.since(now) })
            }
        }
    }
}
