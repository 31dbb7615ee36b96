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
    Accounts, Challenges, CodeKeys, Entry, EntryOutcome, MetricEvent, PortError, StoredLinks,
    Users, record_metric, trace_user,
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

/// The reason why an address was not verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkRefused {
    /// The link is wrong, is void, was replaced or has expired. These are deliberately not
    /// distinguished.
    #[error("the link is not valid")]
    Invalid,
    /// The link verified the address before. Only its holder learns that.
    #[error("the link was used")]
    Used,
}

/// The outcome of the comparison of a link.
enum Checked {
    Right(Box<ProvenCode>),
    Used,
    Wrong,
}

const INVALID: Failure<LinkRefused> = Failure::Refused(LinkRefused::Invalid);
const USED: Failure<LinkRefused> = Failure::Refused(LinkRefused::Used);

impl VerifyLink {
    /// Verifies the address of the user, once for each link, in three round trips: the link
    /// contains the user's id, the user's address is the key of the challenges, and the challenge is
    /// used up at the end. An unknown user causes the same reads. Guesses are not counted, because
    /// 256 bits cannot be guessed, and because an attacker with a user's id could otherwise use up
    /// the link.
    pub async fn run(&self, id: &UserId, token: &str) -> Result<(), Failure<LinkRefused>> {
        let user = self.find(id).await?;
        let (mut user, mut link) = match (self.check(user.as_ref(), token).await?, user) {
            (Checked::Right(link), Some(user)) => (user, *link),
            (Checked::Used, _) => return Err(USED),
            (Checked::Right(_) | Checked::Wrong, _) => return Err(INVALID),
        };
        for _ in 0..MAX_TRIES {
            if user.is_banned() || IdentifierProof::is_void(&user, &link) {
                return Err(INVALID);
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
                // Another request may have used the same link.
                EntryOutcome::CodeLost => {
                    return match self.check(entry.account.user(), token).await? {
                        Checked::Used => Err(USED),
                        Checked::Right(_) | Checked::Wrong => Err(INVALID),
                    };
                }
                EntryOutcome::BudgetSpent(_)
                | EntryOutcome::Taken(_)
                | EntryOutcome::ChallengesChanged(_) => return Err(INVALID),
            }
            link = entry.account.into_code().ok_or(INVALID)?;
            user = self.find(id).await?.ok_or(INVALID)?;
            // A takeover by another identifier may have taken the address away.
            if user.identifiers.find(&link.key().recipient).is_none() {
                return Err(INVALID);
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
    async fn check(&self, user: Option<&User>, token: &str) -> Result<Checked, PortError> {
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
        let links = try_join_all(lanes.iter().map(|key| self.challenges.links(key))).await?;
        let mut checked = Checked::Wrong;
        for StoredLinks { live, used } in links {
            if let Some(live) = live {
                let right = self.code_keys.derive_link(&live.seed).await?;
                if let Some(proven) = live.prove_link(&right, token) {
                    return Ok(Checked::Right(Box::new(proven)));
                }
            }
            if let Some(seed) = used
                && self.code_keys.derive_link(&seed).await.is_ok_and(|used| used.matches(token))
            {
                checked = Checked::Used;
            }
        }
        Ok(checked)
    }
}
