//! How often one recipient may be sent a code.

use super::time::{DAY, HOUR, Timestamp};
use std::time::Duration;

/// The limits of one recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SendLimits {
    /// The pause between two sends.
    pub pause: Duration,
    /// Sends in one hour; 0 switches every limit of the recipient off.
    pub per_hour: u32,
    /// Sends in one day.
    pub per_day: u32,
}

/// How many times something was used in a fixed window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    /// Where the window starts.
    pub window: Timestamp,
    /// Uses in that window.
    pub used: u32,
}

impl Tally {
    /// A tally of nothing.
    pub const EMPTY: Self = Self { window: Timestamp::from_millis(0), used: 0 };

    /// The uses in the window that `now` lies in.
    fn used_at(self, now: Timestamp, span: Duration) -> u32 {
        if self.window == now.window_start(span) { self.used } else { 0 }
    }

    /// The tally after one more use at `now`.
    fn after_one_more(self, now: Timestamp, span: Duration) -> Self {
        Self { window: now.window_start(span), used: self.used_at(now, span).saturating_add(1) }
    }
}

/// What is remembered of the sends to one recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SendRecord {
    /// Grows by one with every send; tells whether a record is still the one that was read.
    pub revision: u64,
    /// When the last code was sent.
    pub sent_at: Option<Timestamp>,
    /// Sends of the hour.
    pub hour: Tally,
    /// Sends of the day, since the last success.
    pub day: Tally,
}

/// A send that has to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooSoon {
    /// From when on it is worth trying again.
    pub retry_at: Timestamp,
}

impl SendRecord {
    /// The record of a recipient that was never sent anything.
    pub const EMPTY: Self =
        Self { revision: 0, sent_at: None, hour: Tally::EMPTY, day: Tally::EMPTY };
}

impl SendLimits {
    /// Whether the recipient has limits at all.
    #[must_use]
    pub const fn apply(&self) -> bool {
        self.per_hour > 0
    }

    /// The record after one more send at `now`.
    ///
    /// # Errors
    /// [`TooSoon`] when a limit forbids the send; it names the end of the longest wait.
    pub fn admit(&self, record: &SendRecord, now: Timestamp) -> Result<SendRecord, TooSoon> {
        let waits = [
            record.sent_at.map(|sent| sent.plus(self.pause)).filter(|end| *end > now),
            (record.hour.used_at(now, HOUR) >= self.per_hour)
                .then(|| now.window_start(HOUR).plus(HOUR)),
            (record.day.used_at(now, DAY) >= self.per_day).then(|| now.window_start(DAY).plus(DAY)),
        ];
        match waits.into_iter().flatten().max() {
            Some(retry_at) if self.apply() => Err(TooSoon { retry_at }),
            _ => Ok(SendRecord {
                revision: record.revision.saturating_add(1),
                sent_at: Some(now),
                hour: record.hour.after_one_more(now, HOUR),
                day: record.day.after_one_more(now, DAY),
            }),
        }
    }

    /// The most guesses that one recipient's codes allow in a day, when no guess is right:
    /// sends of the day times guesses per code. `None` when sends are not limited.
    #[must_use]
    pub fn guesses_per_day(&self, per_code: u32) -> Option<u64> {
        self.apply().then(|| u64::from(self.per_day).saturating_mul(u64::from(per_code)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: SendLimits =
        SendLimits { pause: Duration::from_mins(1), per_hour: 3, per_day: 4 };

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    fn sent(times: &[i64]) -> SendRecord {
        times
            .iter()
            .fold(SendRecord::EMPTY, |record, time| LIMITS.admit(&record, at(*time)).unwrap())
    }

    #[test]
    fn a_second_send_waits_for_the_pause() {
        let record = sent(&[1000]);
        assert_eq!(LIMITS.admit(&record, at(1059)), Err(TooSoon { retry_at: at(1060) }));
        assert!(LIMITS.admit(&record, at(1060)).is_ok());
    }

    #[test]
    fn an_hour_allows_so_many_and_the_next_hour_again() {
        let record = sent(&[0, 60, 120]);
        assert_eq!(LIMITS.admit(&record, at(180)), Err(TooSoon { retry_at: at(3600) }));
        assert!(LIMITS.admit(&record, at(3600)).is_ok());
    }

    #[test]
    fn a_day_allows_so_many_and_the_next_day_again() {
        let record = sent(&[0, 60, 120, 3600]);
        assert_eq!(LIMITS.admit(&record, at(7200)), Err(TooSoon { retry_at: at(86_400) }));
        assert!(LIMITS.admit(&record, at(86_400)).is_ok());
    }

    #[test]
    fn zero_an_hour_switches_every_limit_off() {
        let off = SendLimits { per_hour: 0, ..LIMITS };
        let record = sent(&[0, 60, 120, 3600]);
        assert!(off.admit(&record, at(3600)).is_ok());
        assert_eq!(off.guesses_per_day(5), None);
        assert_eq!(LIMITS.guesses_per_day(5), Some(20));
    }
}
