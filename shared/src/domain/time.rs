//! Points in time, in whole milliseconds since the Unix epoch.

use std::time::Duration;

/// A point in time: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(i64);

impl Timestamp {
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Returns the whole seconds since the epoch, rounded down.
    #[must_use]
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
    }

    #[must_use]
    pub fn minus(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
    }

    /// Returns the time since `earlier`; zero when `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Returns the start of the window of length `span` that contains this point. Windows are
    /// counted from the epoch.
    #[must_use]
    pub fn window_start(self, span: Duration) -> Self {
        let span = i64::try_from(span.as_millis()).unwrap_or(i64::MAX).max(1);
        Self(self.0.div_euclid(span).saturating_mul(span))
    }
}

pub const HOUR: Duration = Duration::from_hours(1);
pub const DAY: Duration = Duration::from_hours(24);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_starts_at_or_before_its_points() {
        let hour = Timestamp::from_seconds(7200);
        assert_eq!(Timestamp::from_millis(7_200_000).window_start(HOUR), hour);
        assert_eq!(Timestamp::from_millis(10_799_999).window_start(HOUR), hour);
        assert_eq!(Timestamp::from_millis(-1).window_start(HOUR), Timestamp::from_seconds(-3600));
    }

    #[test]
    fn the_time_since_a_later_point_is_zero() {
        let (early, late) = (Timestamp::from_seconds(1), Timestamp::from_seconds(3));
        assert_eq!(late.since(early), Duration::from_secs(2));
        assert_eq!(early.since(late), Duration::ZERO);
    }

    #[test]
    fn seconds_are_rounded_down() {
        for (millis, seconds) in [(1999, 1), (2000, 2), (-1, -1), (-1000, -1)] {
            let point = Timestamp::from_millis(millis);
            assert_eq!((point.as_millis(), point.as_seconds()), (millis, seconds));
        }
    }

    #[test]
    fn a_span_is_added_and_subtracted_in_milliseconds() {
        let point = Timestamp::from_millis(5000);
        assert_eq!(point.plus(Duration::from_millis(1)), Timestamp::from_millis(5001));
        assert_eq!(point.minus(Duration::from_millis(1)), Timestamp::from_millis(4999));
    }
}
