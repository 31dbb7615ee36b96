//! Verify: follow the link that was mailed, and prove that the address is one's own.

use super::announce::announce;
use crate::domain::challenge::{ChallengeKey, Purpose};
use crate::domain::code::CodeSeed;
use crate::domain::event::Fact;
use crate::domain::id::UserId;
use crate::ports::{
    Challenges, Clock, CodeKeys, Entropy, EventMapper, MetricEvent, PortError, Users, Verification,
    Verified, count,
};
use std::sync::Arc;

/// Verifies e-mail addresses by the links that were mailed to them.
pub struct VerifyLink {
    /// The users.
    pub users: Arc<dyn Users>,
    /// Where challenges live.
    pub challenges: Arc<dyn Challenges>,
    /// The keys that links are derived with.
    pub code_keys: Arc<dyn CodeKeys>,
    /// How the contract spells its events.
    pub event_mapper: Arc<dyn EventMapper>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Random bytes.
    pub entropy: Arc<dyn Entropy>,
    /// The contract: a user of another one is none.
    pub contract: &'static str,
}

/// Why an address is not verified.
#[derive(Debug, thiserror::Error)]
pub enum VerifyLinkError {
    /// The link is wrong, was used or replaced, or has ended: no difference is told.
    #[error("link refused")]
    Refused,
    /// The world broke.
    #[error(transparent)]
    Internal(#[from] PortError),
}

impl VerifyLink {
    /// Verifies the user's address, once for each link. Three round trips: a link names the user,
    /// the user's address names the challenge, and only what is there can be consumed. Guesses are
    /// not counted: nobody guesses 256 bits, and who knew a user's id could use up their link.
    ///
    /// # Errors
    /// [`VerifyLinkError`].
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
            Verified::Verified => {
                count(self.contract, MetricEvent::CodeVerified);
                Ok(())
            }
            Verified::ChallengeLost | Verified::BudgetSpent | Verified::UserGone => {
                Err(VerifyLinkError::Refused)
            }
        }
    }
}
