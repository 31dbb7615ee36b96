//! Verifies an e-mail address with a link.

use super::enter_by_code::taken_over;
use super::{Basics, Failure};
use crate::domain::account::{Account, Credential, IdentifierProof, KnownAccount, Visit};
use crate::domain::challenge::{ChallengeKey, Lane, Purpose};
use crate::domain::email::EmailAddress;
use crate::domain::event::Fact;
use crate::domain::id::UserId;
use crate::domain::identifier::Identifier;
use crate::domain::known_sources::KnownSources;
use crate::domain::proof::ProvenCode;
use crate::domain::realm::Realm;
use crate::domain::user::User;
use crate::ports::{
    Accounts, Challenges, CodeKeys, Entry, EntryOutcome, MetricEvent, PortError, Users,
    record_metric, trace_user,
};
use futures_util::future::try_join_all;
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
    /// contains the user's id, the user's address is the key of the challenges, and the challenge is
    /// used up at the end. An unknown user causes the same reads. Guesses are not counted, because
    /// 256 bits cannot be guessed, and because an attacker with a user's id could otherwise use up
    /// the link.
    pub async fn run(&self, id: &UserId, token: &str) -> Result<(), Failure<LinkRefused>> {
        let user = self.find(id).await?;
        let link = self.check(user.as_ref(), token).await?;
        let (Some(mut user), Some(mut link)) = (user, link) else {
            return Err(Failure::Refused(LinkRefused));
        };
        for _ in 0..MAX_TRIES {
            if IdentifierProof::is_void(&user, &link) {
                return Err(Failure::Refused(LinkRefused));
            }
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
            user = self.find(id).await?.ok_or(Failure::Refused(LinkRefused))?;
            // A takeover by another identifier may have taken the address away.
            if user.identifiers.find(&link.key().recipient).is_none() {
                return Err(Failure::Refused(LinkRefused));
            }
        }
        Err(Failure::overtaken())
    }

    async fn find(&self, id: &UserId) -> Result<Option<User>, PortError> {
        let found = self.users.find(id, self.basics.now()).await?;
        let found = found.filter(|user| user.realm.contract() == self.contract);
        if let Some(user) = &found {
            trace_user(&user.id);
        }
        Ok(found)
    }

    /// Compares the secret with the current links of the user's address: that of any source, then
    /// that of the sources that the account knows. Without an address it reads the links of an
    /// address that no user has.
    async fn check(
        &self,
        user: Option<&User>,
        token: &str,
    ) -> Result<Option<ProvenCode>, PortError> {
        let address = user.and_then(|user| {
            let email = user.identifiers.email()?;
            Some((user.realm.clone(), email.identifier.clone()))
        });
        let (realm, recipient) = address.unwrap_or_else(|| {
            let nowhere = Identifier::Email(EmailAddress::placeholder());
            (Realm::of_contract(self.contract), nowhere)
        });
        let key = ChallengeKey::new(realm, Purpose::Verify, recipient);
        let lanes = [Lane::Strangers, Lane::Network, Lane::Device].map(|lane| key.in_lane(lane));
        let links = try_join_all(lanes.iter().map(|key| self.challenges.current(key))).await?;
        for live in links.into_iter().flatten() {
            let right = self.code_keys.derive_link(&live.seed).await?;
            if let Some(proven) = live.prove_link(&right, token) {
                return Ok(Some(proven));
            }
        }
        Ok(None)
    }
}
