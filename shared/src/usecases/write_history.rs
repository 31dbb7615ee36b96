//! Writes what happens into the histories of recipients and users.

use crate::domain::history::{Counted, Happening, HistoryItem, HistoryOf};
use crate::domain::time::Timestamp;
use crate::ports::{Histories, PortError, chain};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long a process counts the same refusal of the same recipient once.
const ONCE_IN: Duration = Duration::from_mins(1);
/// The refusals that a process counts in that time. A refused request costs a read and no write, and must
/// not become dear by being counted.
const MOST_IN: usize = 30;

/// Writes histories. A failure is logged and no more: what happened has happened, and waits for no history.
#[derive(Clone)]
pub struct WriteHistory {
    histories: Arc<dyn Histories>,
    refusals: Arc<Refusals>,
}

/// The refusals that a process counted lately, each with its time.
#[derive(Default)]
struct Refusals(Mutex<HashMap<(String, &'static str), Timestamp>>);

impl Refusals {
    /// Returns whether a refusal is to be counted, and remembers it then.
    fn admit(&self, of: &HistoryOf, what: Counted, now: Timestamp) -> bool {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counted.retain(|_, at| now.since(*at) < ONCE_IN);
        let name = (of.name(), what.as_str());
        if counted.len() >= MOST_IN || counted.contains_key(&name) {
            return false;
        }
        counted.insert(name, now);
        true
    }
}

impl WriteHistory {
    #[must_use]
    pub fn new(histories: Arc<dyn Histories>) -> Self {
        Self { histories, refusals: Arc::default() }
    }

    /// Writes what happened in a transaction.
    pub(super) async fn add(
        &self,
        of: &HistoryOf,
        transaction: &str,
        at: Timestamp,
        what: Happening,
    ) {
        let item = HistoryItem { at, transaction: Some(transaction.to_owned()), what };
        log(self.histories.add(of, &item).await);
    }

    /// Counts a wrong guess.
    pub(super) async fn guess(&self, of: &HistoryOf, what: Counted, now: Timestamp) {
        log(self.histories.count(of, what, now).await);
    }

    /// Counts the refusal of a request that writes nothing else: once a minute for each recipient and reason,
    /// and 30 times a minute in all of a process, so that a flood of refused requests causes no flood of writes.
    pub(super) async fn refusal(&self, of: &HistoryOf, what: Counted, now: Timestamp) {
        if self.refusals.admit(of, what, now) {
            log(self.histories.count(of, what, now).await);
        }
    }
}

fn log(written: Result<(), PortError>) {
    if let Err(error) = written {
        tracing::warn!(error = chain(&error), "a part of a history was not written");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::UserId;

    #[test]
    fn a_flood_of_refusals_is_counted_thirty_times_a_minute() {
        let (refusals, at) = (Refusals::default(), Timestamp::from_seconds);
        let admit = |id: u32, now| {
            refusals.admit(&HistoryOf::User(UserId::number(id)), Counted::OverBill, now)
        };
        assert!(admit(0, at(0)));
        assert!(!admit(0, at(59)));
        let admitted = (1..100).filter(|id| admit(*id, at(59))).count();
        assert_eq!(admitted, 29);
        assert!(admit(0, at(60)));
        let of = HistoryOf::User(UserId::number(0));
        assert!(!refusals.admit(&of, Counted::OverRecipientLimit, at(60)));
        assert!(refusals.admit(&of, Counted::OverRecipientLimit, at(119)));
    }
}
