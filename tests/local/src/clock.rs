//! The current time, and the formats in which AWS writes times.

use jiff::Timestamp;
use std::time::{SystemTime, UNIX_EPOCH};

/// Returns the current time in milliseconds since the Unix epoch.
pub(crate) fn unix_millis() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Formats a time like `2026-11-22T03:42:34.120Z`, as the admin API does.
pub(crate) fn iso_millis(millis: i64) -> String {
    format(millis, "%Y-%m-%dT%H:%M:%S%.3fZ")
}

/// Formats a time like `2026-11-22T03:42:34Z`, as EventBridge does for `time`.
pub(crate) fn iso_seconds(millis: i64) -> String {
    format(millis, "%Y-%m-%dT%H:%M:%SZ")
}

/// Formats a time like `22/Nov/2026:03:42:34 +0000`, as API Gateway does for
/// `requestContext.time`.
pub(crate) fn access_log(millis: i64) -> String {
    format(millis, "%d/%b/%Y:%H:%M:%S +0000")
}

/// Formats a day like `2026/11/22`, as the names of Lambda's log streams begin.
pub(crate) fn slashed_day(millis: i64) -> String {
    format(millis, "%Y/%m/%d")
}

fn format(millis: i64, pattern: &str) -> String {
    Timestamp::from_millisecond(millis).unwrap_or_default().strftime(pattern).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOMENT: i64 = 1_795_318_954_120;

    #[test]
    fn times_have_the_formats_of_aws() {
        assert_eq!(iso_millis(MOMENT), "2026-11-22T03:42:34.120Z");
        assert_eq!(iso_seconds(MOMENT), "2026-11-22T03:42:34Z");
        assert_eq!(access_log(MOMENT), "22/Nov/2026:03:42:34 +0000");
        assert_eq!(slashed_day(MOMENT), "2026/11/22");
    }

    #[test]
    fn full_seconds_have_three_decimals() {
        assert_eq!(iso_millis(0), "1970-01-01T00:00:00.000Z");
    }
}
