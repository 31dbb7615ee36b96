//! Password attempts. Pauses between them grow with the number of failures.

use super::id::UserId;
use super::identifier::Identifier;
use super::known_sources::SourcePart;
use super::realm::Realm;
use super::time::{HOUR, Timestamp};
use std::time::Duration;

/// The subject that password attempts are counted for. All identifiers of an account share a
/// record. An unknown identifier has a record of its own, so that the answers do not show whether
/// it exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttemptSubject {
    /// An account, for sources that it does not know.
    Account(UserId),
    /// An account, for the sources that it knows. Strangers cannot delay their attempts, and
    /// neighbours in a network not those of a known device.
    AccountFromKnown(UserId, SourcePart),
    /// An identifier that is not known in the realm.
    UnknownIdentifier(Realm, Identifier),
}

/// The password attempts for one subject since the last successful sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordAttempts {
    /// The number of attempts.
    pub count: u32,
    /// The time of the last attempt.
    pub last_at: Timestamp,
}

impl PasswordAttempts {
    /// The record without any attempt.
    pub const NONE: Self = Self { count: 0, last_at: Timestamp::from_millis(0) };
}

/// The error for an attempt that comes before the end of a pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttemptRefused {
    /// The end of the pause.
    pub retry_at: Timestamp,
}

/// The pauses between password attempts. No account is locked (OWASP Authentication Cheat Sheet): the
/// longest pause is one minute, and the sources that an account knows have pauses of their own.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    /// The number of attempts without a pause.
    pub free: u32,
    /// The first pause. Each further attempt doubles it.
    pub first: Duration,
    /// The longest pause.
    pub most: Duration,
    /// The time without an attempt after which the record is reset.
    pub forget: Duration,
}

impl Backoff {
    /// Five attempts without a pause, then pauses from two seconds to one minute; reset after one
    /// hour.
    pub const DEFAULT: Self =
        Self { free: 5, first: Duration::from_secs(2), most: Duration::from_mins(1), forget: HOUR };

    /// Returns the record after one more attempt at `now`.
    ///
    /// # Errors
    /// [`AttemptRefused`] when the pause is not over.
    pub fn admit(
        &self,
        record: &PasswordAttempts,
        now: Timestamp,
    ) -> Result<PasswordAttempts, AttemptRefused> {
        if now.since(record.last_at) >= self.forget {
            return Ok(PasswordAttempts { count: 1, last_at: now });
        }
        let retry_at = record.last_at.plus(self.pause(record.count));
        if now < retry_at {
            return Err(AttemptRefused { retry_at });
        }
        Ok(PasswordAttempts { count: record.count.saturating_add(1), last_at: now })
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
    fn pauses_double_up_to_a_minute_and_end_after_an_hour_without_attempts() {
        let backoff = Backoff::DEFAULT;
        let mut record = PasswordAttempts::NONE;
        let mut now = Timestamp::from_seconds(1_000_000);
        for _ in 0..5 {
            record = backoff.admit(&record, now).unwrap();
        }
        for pause in [2, 4, 8, 16, 32, 60, 60] {
            let retry_at = now.plus(Duration::from_secs(pause));
            assert_eq!(backoff.admit(&record, now), Err(AttemptRefused { retry_at }));
            now = retry_at;
            record = backoff.admit(&record, now).unwrap();
        }
        let later = now.plus(HOUR);
        assert_eq!(
            backoff.admit(&record, later),
            Ok(PasswordAttempts { count: 1, last_at: later })
        );
    }
}
