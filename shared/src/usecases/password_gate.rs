//! Counts attempts at passwords before they are compared.

use super::Failure;
use crate::domain::password_attempts::{AttemptSubject, Backoff, PasswordAttempts};
use crate::domain::source::Source;
use crate::domain::time::Timestamp;
use crate::ports::{AttemptRecords, Holder};
use std::sync::Arc;

/// The number of tries to count a password attempt. The first one reads the record, and the others
/// are needed if another request changes it.
const MAX_TRIES: usize = 5;

/// The attempts at the passwords of accounts, and the pauses between them.
#[derive(Clone)]
pub struct PasswordGate {
    pub attempts: Arc<dyn AttemptRecords>,
    /// The pauses; `None` switches them off.
    pub backoff: Option<Backoff>,
}

impl PasswordGate {
    /// Returns the record in which the attempts of a source at a known account are counted.
    pub(super) fn subject(holder: &Holder, source: &Source, now: Timestamp) -> AttemptSubject {
        let user = holder.user.clone();
        match holder.tie(source, now) {
            Some(tie) => AttemptSubject::AccountFromKnown(user, tie.by),
            None => AttemptSubject::Account(user),
        }
    }

    /// Counts the attempt before the password is compared, so that concurrent attempts have no
    /// advantage. The first try assumes that there was no attempt before; if there was, its failure
    /// returns the record. An address whose budget is spent has only the first attempt.
    pub(super) async fn admit<R>(
        &self,
        at: &AttemptSubject,
        spent_until: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), Failure<R>> {
        let backoff = match (self.backoff, spent_until) {
            (Some(backoff), _) => backoff,
            (None, Some(_)) => Backoff::DEFAULT,
            (None, None) => return Ok(()),
        };
        let mut seen = PasswordAttempts::NONE;
        for _ in 0..MAX_TRIES {
            let newer = backoff.admit(&seen, now);
            let newer = newer.map_err(|refusal| Failure::too_many(refusal.retry_at, now))?;
            match (self.attempts.count_password_attempt(at, seen, newer).await?, spent_until) {
                (None, _) => return Ok(()),
                (Some(record), Some(end)) if now.since(record.last_at) < backoff.forget => {
                    return Err(Failure::too_many(end, now));
                }
                (Some(record), _) => seen = record,
            }
        }
        Err(Failure::overtaken())
    }
}
