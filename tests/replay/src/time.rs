//! Times as a person gives them.

use anyhow::{Context as _, Result, anyhow};
use jiff::{SignedDuration, Timestamp};
use std::str::FromStr;
use std::time::SystemTime;

/// A time, or how long ago it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    At(Timestamp),
    Ago(SignedDuration),
}

impl FromStr for Moment {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let at = text.parse().map(Self::At).ok();
        at.or_else(|| ago(text).map(Self::Ago)).ok_or_else(|| {
            anyhow!("expected a time such as 2026-11-28T09:00:00Z, or a number with s, m, h or d, such as 2h")
        })
    }
}

impl Moment {
    /// Returns the time itself.
    ///
    /// # Errors
    ///
    /// If it is too long ago.
    pub(crate) fn before(self, now: Timestamp) -> Result<Timestamp> {
        match self {
            Self::At(time) => Ok(time),
            Self::Ago(span) => now.checked_sub(span).ok().context("the time is too long ago"),
        }
    }
}

/// Returns the time of the machine.
///
/// # Errors
///
/// If the clock is before 1970 or far in the future.
pub(crate) fn now() -> Result<Timestamp> {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let millis = i64::try_from(since.context("the clock is before 1970")?.as_millis());
    Timestamp::from_millisecond(millis.unwrap_or(i64::MAX)).ok().context("the clock is wrong")
}

fn ago(text: &str) -> Option<SignedDuration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86400,
        _ => return None,
    };
    let number: u32 = number.parse().ok()?;
    i64::from(number).checked_mul(seconds).map(SignedDuration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_absolute_or_relative() {
        let now: Timestamp = "2026-11-28T09:00:00Z".parse().unwrap();
        let time = |text: &str| text.parse::<Moment>().unwrap().before(now).unwrap().to_string();
        assert_eq!(time("2026-11-28T10:00:00+02:00"), "2026-11-28T08:00:00Z");
        assert_eq!(time("90m"), "2026-11-28T07:30:00Z");
        assert_eq!(time("2d"), "2026-11-26T09:00:00Z");
        assert_eq!(time("0s"), "2026-11-28T09:00:00Z");
        for wrong in ["", "h", "yesterday", "-1h", "1w", "é"] {
            assert!(wrong.parse::<Moment>().is_err(), "{wrong}");
        }
    }
}
