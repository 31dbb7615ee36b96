//! What operators do with single people: find, ban, sign out, unlock, send again, erase, export.

mod ban;
mod erase;
mod explain;
mod find;
mod resend;

pub use erase::ErasedPerson;
pub use explain::{DeliveryFacts, Explanation, Finding, SpentPart, histories};
pub use find::{FoundPerson, PersonName, PersonQuery};
pub use resend::Resent;

use super::{Basics, Failure, ImportUsers, SignOut};
use crate::domain::client::Client;
use crate::domain::event::{EventIds, EventMessage, Fact};
use crate::domain::id::UserId;
use crate::domain::outbox::{Effect, OutboxEntry};
use crate::domain::realm::Realm;
use crate::domain::session::SessionsToEnd;
use crate::domain::test_numbers::TestNumbers;
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::ports::{
    Accounts, Audit, AuditEntry, Challenges, Clients, Clock, Devices, Entropy, EventMapper,
    OperatorEvents, OperatorFact, People, PersonHashes, Recorder, Sessions, StoredParts, UserPage,
    UserPages, Users, random,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The number of tries at a change. A try fails if another request changes the user after the read.
const MAX_TRIES: usize = 4;

/// What operators do with single people.
pub struct ManagePeople {
    pub people: Arc<dyn People>,
    pub users: Arc<dyn Users>,
    pub accounts: Arc<dyn Accounts>,
    pub sessions: Arc<dyn Sessions>,
    pub devices: Arc<dyn Devices>,
    pub challenges: Arc<dyn Challenges>,
    pub clients: Arc<dyn Clients>,
    pub audit: Arc<dyn Audit>,
    pub hashes: Arc<dyn PersonHashes>,
    pub import: ImportUsers,
    pub pages: Arc<dyn UserPages>,
    /// What explains why a person gets no messages.
    pub delivery: DeliveryFacts,
    pub operator_events: Arc<dyn OperatorEvents>,
    /// The events of each contract, by its name.
    pub contracts: BTreeMap<&'static str, Arc<dyn EventMapper>>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
}

/// The reason why nothing was done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PersonRefused {
    #[error("there is no such person")]
    Unknown,
    #[error("there are several such people: name one of {}", .0.join(", "))]
    Several(Vec<String>),
    #[error("there is no such user: name a contract to do it for the recipient")]
    NoRealm,
    #[error("there is no such contract")]
    NoContract,
    #[error("the user is banned already")]
    BannedBefore,
    #[error("the user is not banned")]
    NotBanned,
    #[error("no code or link waits for the person, who has to ask for a new one")]
    NothingWaits,
    #[error("why must not name the person, because it is kept")]
    NamesPerson,
}

/// Who calls, and why. Both are kept.
#[derive(Clone, Debug)]
pub struct Call {
    pub verb: &'static str,
    pub who: String,
    pub why: String,
}

type Refused = Failure<PersonRefused>;

const fn refused(refused: PersonRefused) -> Refused {
    Failure::Refused(refused)
}

impl ManagePeople {
    /// Does the work of a call between two records: that it begins, and how it ended. `person` is how
    /// the caller names the person.
    ///
    /// # Errors
    /// The call was refused or failed, or could not be recorded.
    pub async fn audited<T>(
        &self,
        call: Call,
        person: Option<&PersonName>,
        work: impl Future<Output = Result<T, Refused>>,
    ) -> Result<T, Refused> {
        let at = self.clock.now();
        if let Some(person) = person
            && person.is_telling()
            && [&call.who, &call.why].into_iter().any(|text| text.contains(person.text()))
        {
            return Err(refused(PersonRefused::NamesPerson));
        }
        let hash = match person {
            Some(person) => Some(self.hashes.hash(person.kind(), person.text(), at).await?),
            None => None,
        };
        let id = data_encoding::HEXLOWER.encode(&random::<4>(&*self.entropy)?);
        let Call { verb, who, why } = call;
        let entry = AuditEntry { at, id, what: verb.to_owned(), who, why, person: hash };
        self.audit.begin(&entry).await?;
        let result = work.await;
        let outcome = match &result {
            Ok(_) => "done".to_owned(),
            Err(Failure::Refused(refused)) => format!("refused: {}", refused.rule()),
            Err(Failure::TooMany { .. }) => "refused: other requests were faster".to_owned(),
            Err(Failure::Internal(_)) => "failed".to_owned(),
        };
        let AuditEntry { who, why, person, .. } = &entry;
        tracing::warn!(verb, who, why, person, outcome, "an operator called");
        self.audit.end(&entry, &outcome).await?;
        result
    }

    /// Ends all sessions of a user.
    ///
    /// # Errors
    /// There is no such user, or the store failed.
    pub async fn sign_out(&self, query: &PersonQuery) -> Result<FoundPerson, Refused> {
        let found = self.user(query).await?;
        let sign_out = SignOut {
            sessions: Arc::clone(&self.sessions),
            devices: Some(Arc::clone(&self.devices)),
            basics: self.basics(&found.user.realm)?,
        };
        let ended = sign_out.run(&found.user.id, SessionsToEnd::All, &Recorder::NONE).await;
        ended.map_err(|failure| failure.map(|_| PersonRefused::Unknown))?;
        Ok(found)
    }

    /// Ends the pauses of a person. Returns the number of items that were changed.
    ///
    /// # Errors
    /// The person cannot be found, or the store failed.
    pub async fn unlock(&self, query: &PersonQuery) -> Result<usize, Refused> {
        let person = self.person(query).await?;
        Ok(self.people.unlock(&person).await?)
    }

    /// Returns everything that is stored about a person.
    ///
    /// # Errors
    /// The person cannot be found, or the store failed.
    pub async fn export(&self, query: &PersonQuery) -> Result<StoredParts, Refused> {
        let person = self.person(query).await?;
        Ok(self.people.stored(&person).await?)
    }

    /// Returns users with their hashes, of one contract or of all, after the user `after`.
    ///
    /// # Errors
    /// There is no such contract, or the store failed.
    pub async fn all_users(
        &self,
        contract: Option<&str>,
        after: Option<&UserId>,
    ) -> Result<UserPage, Refused> {
        if contract.is_some_and(|contract| !self.contracts.contains_key(contract)) {
            return Err(refused(PersonRefused::NoContract));
        }
        Ok(self.pages.page(contract, after, self.clock.now()).await?)
    }

    /// Returns all clients of shops, sorted by shop and id.
    ///
    /// # Errors
    /// The store failed.
    pub async fn clients(&self) -> Result<Vec<Client>, Refused> {
        let mut clients = self.clients.list().await?;
        clients.sort_by(|a, b| {
            (a.realm.contract(), a.realm.shop(), a.id.as_str()).cmp(&(
                b.realm.contract(),
                b.realm.shop(),
                b.id.as_str(),
            ))
        });
        Ok(clients)
    }

    fn basics(&self, realm: &Realm) -> Result<Basics, Refused> {
        let mapper = self.contracts.get(realm.contract());
        Ok(Basics {
            clock: Arc::clone(&self.clock),
            entropy: Arc::clone(&self.entropy),
            event_mapper: Arc::clone(mapper.ok_or(refused(PersonRefused::NoContract))?),
            // Events that name the id of a user alone are not marked.
            test_numbers: TestNumbers::default(),
        })
    }

    /// Returns an outbox entry with the events of the contract for facts about a user, and then that of
    /// the operator.
    fn announce(
        &self,
        user: &User,
        facts: &[Fact],
        fact: OperatorFact,
        at: Timestamp,
    ) -> Result<OutboxEntry, Refused> {
        let basics = self.basics(&user.realm)?;
        let ids: EventIds = basics.event_ids()?;
        let mut effects = basics.events(facts, &ids)?;
        let event = self.operator_events.event(user, fact, &ids.after(effects.len()), at)?;
        let event = EventMessage { user: Some(user.id.clone()), ..event };
        effects.push(Effect::Event(event));
        Ok(OutboxEntry::new(&ids, at, effects))
    }
}

impl PersonRefused {
    /// The rule that the call broke, without the name of a person.
    fn rule(&self) -> String {
        match self {
            Self::Several(_) => "there are several such people".to_owned(),
            other => other.to_string(),
        }
    }
}
