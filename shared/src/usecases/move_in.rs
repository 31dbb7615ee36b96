//! Moves a user in from the old system when a request names an identifier that is unknown here.

use super::import_users::{ImportMode, ImportUsers};
use super::user_line::{LineProblem, UserLine};
use crate::domain::identifier::Identifier;
use crate::domain::realm::Realm;
use crate::domain::time::Timestamp;
use crate::ports::{MetricEvent, OldSystem, PortError, record_metric};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::OnceCell;

const ACTION: &str = "move a user in";
/// How long a process does not ask again for an identifier that no user of the old system has: a sign-up
/// names its identifier in several reads.
const UNKNOWN_FOR: Duration = Duration::from_secs(30);
/// The most identifiers that a process remembers.
const MOST_REMEMBERED: usize = 1000;

/// Moves users in, each when an identifier of it is named for the first time.
pub struct MoveIn {
    pub old: Arc<dyn OldSystem>,
    /// Reads an answer of the old system.
    pub read: fn(&Realm, &[u8]) -> Result<UserLine, LineProblem>,
    pub import: ImportUsers,
    /// The highest id of the old system, for a contract that counts its ids: no new user may get an id that
    /// belongs to a user who has not moved yet.
    pub highest_id: Option<u32>,
    /// Whether this process has reserved the ids up to it.
    pub reserved: OnceCell<()>,
    /// The identifiers that no user of the old system has.
    pub unknown: UnknownThere,
}

/// What a process remembers of the old system.
#[derive(Debug, Default)]
pub struct UnknownThere(Mutex<HashMap<(Realm, Identifier), Timestamp>>);

impl UnknownThere {
    fn contains(&self, name: &(Realm, Identifier), now: Timestamp) -> bool {
        let names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        names.get(name).is_some_and(|end| *end > now)
    }

    fn insert(&self, name: (Realm, Identifier), now: Timestamp) {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if names.len() >= MOST_REMEMBERED {
            names.retain(|_, end| *end > now);
        }
        if names.len() < MOST_REMEMBERED {
            names.insert(name, now.plus(UNKNOWN_FOR));
        }
    }
}

impl MoveIn {
    /// Asks for the user of an identifier that is unknown here, and writes the user. Returns whether the
    /// user is there now.
    ///
    /// # Errors
    /// The old system failed or answered with what cannot be imported, or the store failed. Without an
    /// answer, a person could get a second account, so the request fails too.
    pub(super) async fn run(
        &self,
        realm: &Realm,
        identifier: &Identifier,
        now: Timestamp,
    ) -> Result<bool, PortError> {
        if let Some(highest) = self.highest_id {
            let reserve = || self.import.store.reserve_ids(realm, highest);
            self.reserved.get_or_try_init(reserve).await?;
        }
        let name = (realm.clone(), identifier.clone());
        if self.unknown.contains(&name, now) {
            return Ok(false);
        }
        let Some(answer) = self.old.user_of(realm, identifier).await? else {
            self.unknown.insert(name, now);
            return Ok(false);
        };
        let line = (self.read)(realm, &answer);
        let line = line.map_err(|problem| PortError::misconfiguration(ACTION, problem))?;
        if line.id.is_none() {
            return Err(PortError::misconfiguration(ACTION, "the answer has no id"));
        }
        if !line.identifiers.iter().any(|known| known.identifier == *identifier) {
            let problem = "the answer does not contain the identifier that was asked for";
            return Err(PortError::misconfiguration(ACTION, problem));
        }
        let report = self.import.run(vec![Ok(line)], ImportMode::Write).await?;
        match report.problems.first() {
            None => {
                // Another request can have been faster.
                if report.created > 0 {
                    record_metric(Some(realm.contract()), MetricEvent::UserMovedIn);
                }
                Ok(true)
            }
            Some((
                _,
                problem @ (LineProblem::IdTaken | LineProblem::Taken(_) | LineProblem::Departed),
            )) => {
                tracing::warn!(
                    contract = realm.contract(),
                    reason = %problem,
                    "a user of the old system cannot move in, so the identifier stays unknown"
                );
                self.unknown.insert(name, now);
                Ok(false)
            }
            Some((_, problem)) => Err(PortError::misconfiguration(ACTION, *problem)),
        }
    }
}
