//! Verifies an e-mail address with a link.

use super::announce::announce;
use crate::domain::challenge::{ChallengeKey, Purpose};
use crate::domain::code::CodeSeed;
use crate::domain::event::Fact;
use crate::domain::id::UserId;
use crate::ports::{
    Challenges, Clock, CodeKeys, Entropy, EventMapper, MetricEvent, PortError, Users, Verification,
    VerifyOutcome, record_metric,
};
use std::sync::Arc;

/// Verifies the e-mail addresses of one contract's users.
pub struct VerifyLink {
    pub users: Arc<dyn Users>,
    pub challenges: Arc<dyn Challenges>,
    pub code_keys: Arc<dyn CodeKeys>,
    pub event_mapper: Arc<dyn EventMapper>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    /// The contract. A user of another contract is treated as unknown.
    pub contract: &'static str,
}

/// The reason why an address was not verified.
#[derive(Debug, thiserror::Error)]
pub enum VerifyLinkError {
    /// The link is wrong, was used, was replaced or has expired. These are deliberately not
    /// distinguished.
    #[error("the link is not valid")]
    Refused,
    #[error(transparent)]
    Internal(#[from] PortError),
}

impl VerifyLink {
    /// Verifies the address of the user, once for each link, in three round trips: the link
    /// contains the user's id, the user's address is the key of the challenge, and the challenge is
    /// used up at the end. Guesses are not counted, because 256 bits cannot be guessed, and because
    /// an attacker with a user's id could otherwise use up the link.
    pub async fn run(&self, id: &UserId, token: &str) -> Result<(), VerifyLinkError> {
        let now = self.clock.now();
        let found = self.users.find(id, now).await?;
        let found = found.filter(|user| user.realm.contract() == self.contract);
        let Some(user) = found else { return Err(VerifyLinkError::Refused) };
        let Some(email) = user.identifiers.email() else { return Err(VerifyLinkError::Refused) };
        let key = ChallengeKey {
            realm: user.realm,
            purpose: Purpose::Verify,
            recipient: email.identifier.clone(),
        };
        let Some(live) = self.challenges.current(&key).await? else {
            return Err(VerifyLinkError::Refused);
        };
        let seed = CodeSeed { key, nonce: live.nonce, key_id: live.key_id };
        if !(self.code_keys.derive_link(&seed).await?.matches(token) & live.sent) {
            return Err(VerifyLinkError::Refused);
        }
        let CodeSeed { key, nonce, .. } = seed;
        let fact = Fact::IdentifierVerified {
            user: user.id.clone(),
            realm: key.realm.clone(),
            identifier: key.recipient.clone(),
            at: now,
        };
        let entry = announce(&*self.event_mapper, &*self.entropy, &fact, now)?;
        let verification =
            Verification { key, handle: None, nonce, guesses: None, user: user.id, at: now, entry };
        match self.users.verify(&verification).await? {
            VerifyOutcome::Verified => {
                record_metric(Some(self.contract), MetricEvent::CodeVerified);
                Ok(())
            }
            VerifyOutcome::ChallengeLost | VerifyOutcome::BudgetSpent | VerifyOutcome::UserGone => {
                Err(VerifyLinkError::Refused)
            }
        }
    }
}
