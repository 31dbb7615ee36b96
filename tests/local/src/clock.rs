//! The time, and the ways in which AWS writes it down.

use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;

/// Milliseconds since the Unix epoch.
pub(crate) fn unix_millis() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// `2026-11-22T03:42:34.120Z`: the form of the inspection API.
pub(crate) fn iso_millis(millis: i64) -> String {
    format(millis, "%Y-%m-%dT%H:%M:%S%.3fZ")
}

/// `2026-11-22T03:42:34Z`: the form in which EventBridge writes `time`.
pub(crate) fn iso_seconds(millis: i64) -> String {
    format(millis, "%Y-%m-%dT%H:%M:%SZ")
}

/// `22/Nov/2026:03:42:34 +0000`: the form of API Gateway's `requestContext.time`.
pub(crate) fn access_log(millis: i64) -> String {
    format(millis, "%d/%b/%Y:%H:%M:%S +0000")
}

/// `2026/11/22`: the first part of a Lambda log stream's name.
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
    fn each_form_is_the_one_aws_uses() {
        assert_eq!(iso_millis(MOMENT), "2026-11-22T03:42:34.120Z");
        assert_eq!(iso_seconds(MOMENT), "2026-11-22T03:42:34Z");
        assert_eq!(access_log(MOMENT), "22/Nov/2026:03:42:34 +0000");
        assert_eq!(slashed_day(MOMENT), "2026/11/22");
    }

    #[test]
    fn whole_seconds_keep_their_three_digits() {
        assert_eq!(iso_millis(0), "1970-01-01T00:00:00.000Z");
    }
}
