//! Verifies an e-mail address with a link.

use super::enter_by_code::taken_over;
use super::{Basics, Failure};
use crate::domain::account::{Account, Credential, KnownAccount, Visit};
use crate::domain::challenge::{ChallengeKey, Lane, Purpose};
use crate::domain::event::Fact;
use crate::domain::id::UserId;
use crate::domain::known_sources::KnownSources;
use crate::domain::proof::ProvenCode;
use crate::domain::user::User;
use crate::ports::{
    Accounts, Challenges, CodeKeys, Entry, EntryOutcome, MetricEvent, Users, record_metric,
    trace_user,
};
use std::sync::Arc;

/// The number of tries. A try fails if another request changes the account after it was read.
const MAX_TRIES: usize = 4;

/// Verifies the e-mail addresses of one contract's users.
pub struct VerifyLink {
    pub accounts: Arc<dyn Accounts>,
    pub users: Arc<dyn Users>,
    pub challenges: Arc<dyn Challenges>,
    pub code_keys: Arc<dyn CodeKeys>,
    pub basics: Basics,
    /// The contract. A user of another contract is treated as unknown.
    pub contract: &'static str,
}

/// The reason why an address was not verified: the link is wrong, was used, was replaced or has
/// expired. These are deliberately not distinguished.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the link is not valid")]
pub struct LinkRefused;

impl VerifyLink {
    /// Verifies the address of the user, once for each link, in three round trips: the link
    /// contains the user's id, the user's address is the key of the challenge, and the challenge is
    /// used up at the end. Guesses are not counted, because 256 bits cannot be guessed, and because
    /// an attacker with a user's id could otherwise use up the link.
    pub async fn run(&self, id: &UserId, token: &str) -> Result<(), Failure<LinkRefused>> {
        let mut user = self.user(id).await?;
        let mut link = self.check(&user, token).await?;
        for _ in 0..MAX_TRIES {
            // The clock is read after the user, so that sessions which the user has by then can be
            // ended.
            let now = self.basics.now();
            let fact = Fact::IdentifierVerified {
                user: user.id.clone(),
                realm: user.realm.clone(),
                identifier: link.key().recipient.clone(),
                at: now,
            };
            let (credential, visit) = (Credential::Code(link), Visit::StaysOut);
            let account = KnownAccount { user, credential, visit };
            let facts: Vec<_> = taken_over(&account, now).into_iter().chain([fact]).collect();
            let effects = Some(self.basics.announce(&facts, now)?);
            // The request that follows a link says nothing about the devices of its owner.
            let known_sources = account.takes_over().then(KnownSources::default);
            let entry = Entry { known_sources, effects, ..Entry::of(Account::Use(account), now) };
            match self.accounts.commit(&entry).await? {
                EntryOutcome::Committed => {
                    record_metric(Some(self.contract), MetricEvent::CodeVerified);
                    return Ok(());
                }
                EntryOutcome::AccountChanged => {}
                EntryOutcome::CodeLost
                | EntryOutcome::BudgetSpent(_)
                | EntryOutcome::Taken(_)
                | EntryOutcome::ChallengesChanged(_) => {
                    return Err(Failure::Refused(LinkRefused));
                }
            }
            link = entry.account.into_code().ok_or(Failure::Refused(LinkRefused))?;
            user = self.user(id).await?;
            // A takeover by another identifier may have taken the address away.
            if user.identifiers.find(&link.key().recipient).is_none() {
                return Err(Failure::Refused(LinkRefused));
            }
        }
        Err(Failure::overtaken())
    }

    async fn user(&self, id: &UserId) -> Result<User, Failure<LinkRefused>> {
        let found = self.users.find(id, self.basics.now()).await?;
        let found = found.filter(|user| user.realm.contract() == self.contract);
        if let Some(user) = &found {
            trace_user(&user.id);
        }
        found.ok_or(Failure::Refused(LinkRefused))
    }

    /// Compares the secret with the current links of the user's address: that of any source, then
    /// that of the sources that the account knows.
    async fn check(&self, user: &User, token: &str) -> Result<ProvenCode, Failure<LinkRefused>> {
        const REFUSED: Failure<LinkRefused> = Failure::Refused(LinkRefused);
        let email = user.identifiers.email().ok_or(REFUSED)?;
        let (realm, recipient) = (user.realm.clone(), email.identifier.clone());
        let key = ChallengeKey::new(realm, Purpose::Verify, recipient);
        for lane in [Lane::Strangers, Lane::Network, Lane::Device] {
            let Some(live) = self.challenges.current(&key.in_lane(lane)).await? else { continue };
            let right = self.code_keys.derive_link(&live.seed).await?;
            if let Some(proven) = live.prove_link(&right, token) {
                return Ok(proven);
            }
        }
        Err(REFUSED)
    }
}
