//! The limits of messages to one recipient.

use super::challenge::Lane;
use super::identifier::Identifier;
use super::phone::DialCodes;
use super::time::{DAY, HOUR, Timestamp};
use std::time::Duration;

/// The limits of one recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SendLimits {
    /// The shortest time between two sends.
    pub pause: Duration,
    /// The number of sends in one hour; 0 switches every limit of the recipient off.
    pub per_hour: u32,
    /// The number of sends in one day.
    pub per_day: u32,
}

/// The limits of sending.
#[derive(Clone, Debug)]
pub struct SendPolicy {
    /// The lifetime of a code.
    pub code_lifetime: Duration,
    /// The limits of one recipient.
    pub limits: SendLimits,
    /// The countries that text messages may be sent to.
    pub countries: DialCodes,
}

impl SendPolicy {
    /// Returns whether messages may be sent to the recipient.
    #[must_use]
    pub fn reaches(&self, recipient: &Identifier) -> bool {
        match recipient {
            Identifier::Email(_) => true,
            Identifier::Phone(phone) => self.countries.allow(phone),
            Identifier::Username(_) | Identifier::Card(_) => false,
        }
    }
}

/// The number of uses in one window of time. Windows start at whole hours or days.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WindowCount {
    /// The start of the window.
    pub window: Timestamp,
    /// The number of uses in that window.
    pub used: u32,
}

impl WindowCount {
    pub const EMPTY: Self = Self { window: Timestamp::from_millis(0), used: 0 };

    /// Returns the number of uses in the window that contains `now`.
    fn used_at(self, now: Timestamp, span: Duration) -> u32 {
        if self.window == now.window_start(span) { self.used } else { 0 }
    }

    /// Returns the count after one more use at `now`.
    fn after_one_more(self, now: Timestamp, span: Duration) -> Self {
        Self { window: now.window_start(span), used: self.used_at(now, span).saturating_add(1) }
    }
}

/// The record of the sends to one recipient.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SendRecord {
    /// A number that grows by one with every send. It shows whether a record changed since it was
    /// read.
    pub revision: u64,
    /// The time of the last send.
    pub sent_at: Option<Timestamp>,
    /// The sends in the hour.
    pub hour: WindowCount,
    /// The sends in the day, since a code was last used.
    pub day: WindowCount,
}

/// The error for a send that a limit forbids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SendRefused {
    /// The time from which on the send is allowed.
    pub retry_at: Timestamp,
}

impl SendRecord {
    /// The record of a recipient that nothing was sent to.
    pub const EMPTY: Self =
        Self { revision: 0, sent_at: None, hour: WindowCount::EMPTY, day: WindowCount::EMPTY };
}

impl SendLimits {
    /// Returns whether the recipient has any limits.
    #[must_use]
    pub const fn apply(&self) -> bool {
        self.per_hour > 0
    }

    /// Returns the limits of one lane of a recipient. The sources that the account knows have the
    /// same pause and hour as strangers, and half of the day.
    #[must_use]
    pub const fn in_lane(&self, lane: Lane) -> Self {
        match lane {
            Lane::Strangers | Lane::Unsent => *self,
            Lane::Network | Lane::Device => Self { per_day: self.per_day.div_ceil(2), ..*self },
        }
    }

    /// Returns the record after one more send at `now`. The pause also follows a send `before`, which
    /// is in another record.
    ///
    /// # Errors
    /// [`SendRefused`] as in [`SendLimits::admit`].
    pub fn admit_after(
        &self,
        before: Option<Timestamp>,
        record: &SendRecord,
        now: Timestamp,
    ) -> Result<SendRecord, SendRefused> {
        let retry_at = before.map(|sent| sent.plus(self.pause)).filter(|end| *end > now);
        match (self.admit(record, now), retry_at) {
            (Err(refused), Some(retry_at)) => {
                Err(SendRefused { retry_at: refused.retry_at.max(retry_at) })
            }
            (Ok(_), Some(retry_at)) if self.apply() => Err(SendRefused { retry_at }),
            (admitted, _) => admitted,
        }
    }

    /// Returns the record after one more send at `now`.
    ///
    /// # Errors
    /// [`SendRefused`] when a limit forbids the send. It contains the end of the longest wait.
    pub fn admit(&self, record: &SendRecord, now: Timestamp) -> Result<SendRecord, SendRefused> {
        let waits = [
            record.sent_at.map(|sent| sent.plus(self.pause)).filter(|end| *end > now),
            (record.hour.used_at(now, HOUR) >= self.per_hour)
                .then(|| now.window_start(HOUR).plus(HOUR)),
            (record.day.used_at(now, DAY) >= self.per_day).then(|| now.window_start(DAY).plus(DAY)),
        ];
        match waits.into_iter().flatten().max() {
            Some(retry_at) if self.apply() => Err(SendRefused { retry_at }),
            _ => Ok(SendRecord {
                revision: record.revision.saturating_add(1),
                sent_at: Some(now),
                hour: record.hour.after_one_more(now, HOUR),
                day: record.day.after_one_more(now, DAY),
            }),
        }
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
        assert_eq!(LIMITS.admit(&record, at(1059)), Err(SendRefused { retry_at: at(1060) }));
        assert!(LIMITS.admit(&record, at(1060)).is_ok());
    }

    #[test]
    fn the_limit_of_an_hour_is_reset_in_the_next_hour() {
        let record = sent(&[0, 60, 120]);
        assert_eq!(LIMITS.admit(&record, at(180)), Err(SendRefused { retry_at: at(3600) }));
        assert!(LIMITS.admit(&record, at(3600)).is_ok());
    }

    #[test]
    fn the_limit_of_a_day_is_reset_on_the_next_day() {
        let record = sent(&[0, 60, 120, 3600]);
        assert_eq!(LIMITS.admit(&record, at(7200)), Err(SendRefused { retry_at: at(86_400) }));
        assert!(LIMITS.admit(&record, at(86_400)).is_ok());
    }

    #[test]
    fn a_limit_of_zero_per_hour_switches_every_limit_off() {
        let off = SendLimits { per_hour: 0, ..LIMITS };
        let record = sent(&[0, 60, 120, 3600]);
        assert!(off.admit(&record, at(3600)).is_ok());
    }

    #[test]
    fn known_sources_have_half_of_the_day() {
        let known = LIMITS.in_lane(Lane::Network);
        assert_eq!((known.pause, known.per_hour, known.per_day), (LIMITS.pause, 3, 2));
        assert_eq!(LIMITS.in_lane(Lane::Strangers), LIMITS);
    }

    #[test]
    fn the_longest_wait_counts() {
        let record = sent(&[0, 60, 3590]);
        assert_eq!(LIMITS.admit(&record, at(3595)), Err(SendRefused { retry_at: at(3650) }));
        assert!(LIMITS.admit(&record, at(3650)).is_ok());
    }

    #[test]
    fn the_pause_follows_a_send_of_another_record_too() {
        let none = SendRecord::EMPTY;
        let refused = SendRefused { retry_at: at(1060) };
        assert_eq!(LIMITS.admit_after(Some(at(1000)), &none, at(1059)), Err(refused));
        assert!(LIMITS.admit_after(Some(at(1000)), &none, at(1060)).is_ok());
        assert!(LIMITS.admit_after(None, &none, at(1000)).is_ok());
        let refused = SendRefused { retry_at: at(1090) };
        assert_eq!(LIMITS.admit_after(Some(at(1000)), &sent(&[1030]), at(1059)), Err(refused));
        let off = SendLimits { per_hour: 0, ..LIMITS };
        assert!(off.admit_after(Some(at(1000)), &none, at(1001)).is_ok());
    }

    #[test]
    fn each_send_changes_the_revision() {
        let record = sent(&[0, 60]);
        assert_eq!((record.revision, record.sent_at), (2, Some(at(60))));
        assert_eq!((record.hour.used, record.day.used), (2, 2));
    }
}
