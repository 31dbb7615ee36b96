//! A clock that stays where the test sets it.

use latchkey::domain::time::Timestamp;
use latchkey::ports::Clock;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// The time at which every test begins: 2026-01-01, 09:00 UTC. It is the start of a window of one
/// hour, and fifteen hours before the end of a window of one day.
pub const START: Timestamp = Timestamp::from_seconds(1_767_258_000);

/// A clock that only the test moves.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl Default for ManualClock {
    fn default() -> Self {
        Self(AtomicI64::new(START.as_millis()))
    }
}

impl ManualClock {
    /// Returns a clock that is ahead of this one.
    #[must_use]
    pub fn ahead(&self, span: Duration) -> Self {
        Self(AtomicI64::new(self.now().plus(span).as_millis()))
    }

    /// Moves the clock forward.
    pub fn advance(&self, span: Duration) {
        self.0.store(self.now().plus(span).as_millis(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}
