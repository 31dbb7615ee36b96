//! The clock of a stack, which can be put ahead, and the formats in which AWS writes times.

use crate::{files, random};
use anyhow::{Context, ensure};
use jiff::Timestamp;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::watch;

/// The most that a clock can be ahead: a hundred years.
const MOST_AHEAD: i64 = 100 * 366 * 24 * 60 * 60 * 1000;

/// The clock of a stack and of its functions. It shows the time of the machine and what it was put ahead.
#[derive(Debug, Clone)]
pub(crate) struct Clock(Arc<Ahead>);

#[derive(Debug)]
struct Ahead {
    millis: AtomicI64,
    /// The number of times that time passed at once.
    passed: watch::Sender<u64>,
    /// The file that the functions read. A clock of a test has none.
    file: Option<PathBuf>,
    /// Whether the file ends with the stack.
    is_temporary: bool,
}

/// What the admin API shows of a clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Reading {
    now: String,
    offset_ms: i64,
}

impl Default for Clock {
    /// Returns a clock that no function reads.
    fn default() -> Self {
        Self::of(0, None, false)
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        if let Some(file) = self.file.as_ref().filter(|_| self.is_temporary) {
            // A file that stays in the folder for temporary files harms nothing.
            drop(std::fs::remove_file(file));
        }
    }
}

impl Clock {
    /// Opens the clock of a stack, which is as far ahead as an earlier run left it in `folder`.
    pub(crate) fn open(folder: Option<&Path>) -> anyhow::Result<Self> {
        let temporary = || std::env::temp_dir().join(format!("latchkey-clock-{}", random::uuid()));
        let file = folder.map_or_else(temporary, |folder| folder.join("clock"));
        let file = std::path::absolute(&file).context("failed to find the folder of the clock")?;
        let text = files::read_if_exists(&file)?.unwrap_or_default();
        let millis = String::from_utf8_lossy(&text).trim().parse().unwrap_or_default();
        Ok(Self::of(millis, Some(file), folder.is_none()))
    }

    fn of(millis: i64, file: Option<PathBuf>, is_temporary: bool) -> Self {
        let (millis, passed) = (AtomicI64::new(millis), watch::channel(0).0);
        Self(Arc::new(Ahead { millis, passed, file, is_temporary }))
    }

    /// Returns a receiver that changes when time has passed at once.
    pub(crate) fn passes(&self) -> watch::Receiver<u64> {
        self.0.passed.subscribe()
    }

    /// Tells those who wait that time has passed.
    pub(crate) fn passed(&self) {
        self.0.passed.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Returns the file that the functions read.
    pub(crate) fn file(&self) -> Option<&Path> {
        self.0.file.as_deref()
    }

    /// Returns the time in milliseconds since the Unix epoch.
    pub(crate) fn millis(&self) -> i64 {
        machine_millis().saturating_add(self.0.millis.load(Ordering::Relaxed))
    }

    /// Returns the time as the admin API shows it.
    pub(crate) fn stamp(&self) -> String {
        iso_millis(self.millis())
    }

    pub(crate) fn reading(&self) -> Reading {
        Reading { now: self.stamp(), offset_ms: self.0.millis.load(Ordering::Relaxed) }
    }

    /// Lets this time pass at once.
    pub(crate) fn advance(&self, by: Duration) -> anyhow::Result<()> {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        let millis = self.0.millis.load(Ordering::Relaxed).saturating_add(by);
        ensure!(millis <= MOST_AHEAD, "the clock can be a hundred years ahead at most");
        self.set(millis)
    }

    /// Goes back to the time of the machine.
    pub(crate) fn reset(&self) -> anyhow::Result<()> {
        self.set(0)
    }

    fn set(&self, millis: i64) -> anyhow::Result<()> {
        if let Some(file) = self.file() {
            files::replace(file, millis.to_string().as_bytes())?;
        }
        self.0.millis.store(millis, Ordering::Relaxed);
        Ok(())
    }
}

/// Reads a span of time such as `90s`, `6m`, `2h` or `1d`.
pub(crate) fn span(text: &str) -> Option<Duration> {
    let text = text.trim();
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return None,
    };
    Some(Duration::from_secs(number.parse::<u32>().ok()?.into()).saturating_mul(seconds))
}

/// Returns the time of the machine in milliseconds since the Unix epoch.
pub(crate) fn machine_millis() -> i64 {
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
    fn a_clock_goes_ahead_and_back_and_keeps_its_place_in_a_folder() {
        let folder = std::env::temp_dir().join(format!("local-clock-{}", random::uuid()));
        std::fs::create_dir_all(&folder).unwrap();
        let clock = Clock::open(Some(&folder)).unwrap();
        clock.advance(Duration::from_mins(6)).unwrap();
        clock.advance(Duration::from_secs(1)).unwrap();
        assert_eq!(Clock::open(Some(&folder)).unwrap().reading().offset_ms, 361_000);
        assert!(clock.millis() >= machine_millis() + 360_000);
        assert!(clock.advance(Duration::MAX).is_err());
        clock.reset().unwrap();
        assert_eq!(std::fs::read_to_string(folder.join("clock")).unwrap(), "0");
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn spans_have_a_whole_number_and_a_unit() {
        for (text, seconds) in [("90s", 90), ("6m", 360), (" 2h ", 7200), ("1d", 86_400), ("0s", 0)]
        {
            assert_eq!(span(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "6", "m", "-1m", "1.5h", "6 m", "1w", "99999999999s", "6µ"] {
            assert_eq!(span(text), None, "{text}");
        }
    }

    #[test]
    fn full_seconds_have_three_decimals() {
        assert_eq!(iso_millis(0), "1970-01-01T00:00:00.000Z");
    }
}
