//! Verifies an identifier with the code that was sent at the sign-up. The caller names only the
//! recipient.

use super::announce::announce;
use super::check_code::{CheckCode, CheckCodeError, Guess};
use super::verify_code::{VerifiedAccount, verify};
use crate::domain::challenge::ChallengeKey;
use crate::domain::event::Fact;
use crate::domain::source::SourceAddress;
use crate::ports::{Clock, Entropy, EventMapper, Users};
use std::sync::Arc;

/// Verifies the identifiers of users.
pub struct VerifyRecipient {
    pub check_code: CheckCode,
    pub users: Arc<dyn Users>,
    pub event_mapper: Arc<dyn EventMapper>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
}

impl VerifyRecipient {
    /// Checks the code and marks the identifier as verified, in three round trips: the user is read
    /// between the guess and the transaction.
    ///
    /// # Errors
    /// [`CheckCodeError`]. The code of a deleted user is refused like a code that was used.
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
