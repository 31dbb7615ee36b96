//! Verify: type the code that was sent at sign-up, where nothing but the recipient names the account.

use super::announce::announce;
use super::check_code::{CheckCode, CheckCodeError, Guess};
use super::verify_code::{VerifiedAccount, verify};
use crate::domain::challenge::ChallengeKey;
use crate::domain::event::Fact;
use crate::domain::source::SourceAddress;
use crate::ports::{Clock, Entropy, EventMapper, Users};
use std::sync::Arc;

/// Verifies the identifier that a code was sent to.
pub struct VerifyRecipient {
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
    ) -> Result<VerifiedAccount, CheckCodeError> {
        let now = self.clock.now();
        let guess = Guess { code, source };
        let (checked, id) = self.check_code.of_account(&*self.users, key, &guess, now).await?;
        let Some(id) = id else { return Err(CheckCodeError::NoCode) };
        let Some(user) = self.users.find(&id, now).await? else {
            return Err(CheckCodeError::NoCode);
        };
        let fact = Fact::IdentifierVerified {
            user: id,
            realm: checked.key.realm.clone(),
            identifier: checked.key.recipient.clone(),
            at: now,
        };
        let entry = announce(&*self.event_mapper, &*self.entropy, &fact, now)?;
        verify(&*self.users, user, (checked, None), entry, now).await
    }
}
