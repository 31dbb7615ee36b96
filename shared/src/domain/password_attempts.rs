//! Attempts at a password, slowed down the more of them fail.

use super::id::UserId;
use super::identifier::Identifier;
use super::realm::Realm;
use super::time::{HOUR, Timestamp};
use std::time::Duration;

/// What attempts are counted for. An account has one record whatever name of it was typed; a name that is
/// nobody's has one of its own, so that it answers like an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttemptsAt {
    /// An account.
    Account(UserId),
    /// A name that is nobody's.
    Nobody(Realm, Identifier),
}

/// What is known of the attempts at one account since somebody last got in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttemptRecord {
    /// How many there were.
    pub count: u32,
    /// When the last one was.
    pub last_at: Timestamp,
}

impl AttemptRecord {
    /// No attempt yet.
    pub const NONE: Self = Self { count: 0, last_at: Timestamp::from_millis(0) };
}

/// Another attempt has to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotYet {
    /// Until then.
    pub retry_at: Timestamp,
}

/// How attempts are slowed down. Nobody is locked out: the longest pause is a minute, so a stranger
/// who keeps failing costs the owner a minute at most (OWASP Authentication Cheat Sheet).
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    /// Attempts without a pause.
    pub free: u32,
    /// The first pause; each further attempt doubles it.
    pub first: Duration,
    /// The longest pause.
    pub most: Duration,
    /// After so long without an attempt all are forgotten.
    pub forget: Duration,
}

impl Backoff {
    /// Everybody's: five attempts, then pauses from two seconds to a minute, for an hour.
    pub const DEFAULT: Self =
        Self { free: 5, first: Duration::from_secs(2), most: Duration::from_mins(1), forget: HOUR };

    /// The record with one more attempt.
    ///
    /// # Errors
    /// [`NotYet`] when the pause is not over.
    pub fn admit(&self, record: &AttemptRecord, now: Timestamp) -> Result<AttemptRecord, NotYet> {
        if now.since(record.last_at) >= self.forget {
            return Ok(AttemptRecord { count: 1, last_at: now });
        }
        let retry_at = record.last_at.plus(self.pause(record.count));
        if now < retry_at {
            return Err(NotYet { retry_at });
        }
        Ok(AttemptRecord { count: record.count.saturating_add(1), last_at: now })
    }

    fn pause(&self, count: u32) -> Duration {
        match count.checked_sub(self.free) {
            None => Duration::ZERO,
            Some(over) => self.first.saturating_mul(2_u32.saturating_pow(over)).min(self.most),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_minute_and_are_forgotten_after_an_hour() {
        let slow = Backoff::DEFAULT;
        let mut record = AttemptRecord::NONE;
        let mut now = Timestamp::from_seconds(1_000_000);
        for _ in 0..5 {
            record = slow.admit(&record, now).unwrap();
        }
        for pause in [2, 4, 8, 16, 32, 60, 60] {
            let retry_at = now.plus(Duration::from_secs(pause));
            assert_eq!(slow.admit(&record, now), Err(NotYet { retry_at }));
            now = retry_at;
            record = slow.admit(&record, now).unwrap();
        }
        let later = now.plus(HOUR);
        assert_eq!(slow.admit(&record, later), Ok(AttemptRecord { count: 1, last_at: later }));
    }
}
