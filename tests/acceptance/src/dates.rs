//! Dates that follow from the time of the machine.

use jiff::Timestamp;
use latchkey::adapters::system::SystemClock;
use latchkey::ports::Clock as _;

/// The date in so many days, in UTC: `2026-11-28`.
#[must_use]
pub fn date_in(days: i64) -> String {
    let then = SystemClock.now().as_seconds().saturating_add(days.saturating_mul(86_400));
    let then = Timestamp::from_second(then).unwrap().to_string();
    then.chars().take("YYYY-MM-DD".len()).collect()
}
