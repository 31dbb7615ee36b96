//! Breakers: a carrier that fails or hangs is left alone for a while, so that it holds up nothing
//! else. The state is that of one process.

use crate::domain::event::EventMessage;
use crate::domain::time::Timestamp;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The failures in a row after which a breaker opens.
const FAILURES: u32 = 3;
/// A call that fails after so long has hung: its breaker opens at once.
const HANGS: Duration = Duration::from_secs(3);
/// When its pause is over, one call tries the carrier, and the others wait for its end: for so long at most.
/// It must be longer than the time limit of a carrier, so that its end is known before.
const PROBE: Duration = Duration::from_secs(10);
/// A breaker stays open for so many times its first pause at most: a code that waits for it should still
/// be useful.
const MOST_PAUSES: u32 = 2;

/// The breakers of the carriers, one for each contract.
#[derive(Debug)]
pub struct Breakers {
    /// How long a breaker stays open at first. It doubles while the carrier keeps failing. Zero
    /// switches breakers off.
    pause: Duration,
    known: Mutex<HashMap<Line, Breaker>>,
}

/// A carrier, as one contract uses it in one region.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Line {
    pub(super) carrier: &'static str,
    pub(super) contract: String,
    /// The region of a sender; `None` for the one of the stack.
    pub(super) region: Option<String>,
}

impl Line {
    /// The event bus, as the contract of an event uses it.
    pub(super) fn of_events(event: &EventMessage) -> Self {
        Self { carrier: "events", contract: event.source.clone(), region: None }
    }
}

#[derive(Debug)]
struct Breaker {
    failures: u32,
    /// The end of its pause, or of the call that tries the carrier after it.
    open_until: Timestamp,
}

impl Breakers {
    #[must_use]
    pub fn new(pause: Duration) -> Self {
        Self { pause, known: Mutex::default() }
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Line, Breaker>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the time until which the carrier is left alone.
    pub(super) fn open_until(&self, line: &Line, now: Timestamp) -> Option<Timestamp> {
        let until = self.known().get(line)?.open_until;
        (until > now).then_some(until)
    }

    /// Begins a call, unless the carrier is left alone; then returns until when. After a pause, one call
    /// begins alone.
    pub(super) fn begin(&self, line: &Line, now: Timestamp) -> Result<(), Timestamp> {
        let mut known = self.known();
        let Some(breaker) = known.get_mut(line).filter(|it| it.failures >= FAILURES) else {
            return Ok(());
        };
        if breaker.open_until > now {
            return Err(breaker.open_until);
        }
        breaker.open_until = now.plus(PROBE);
        Ok(())
    }

    /// Notes a call that succeeded.
    pub(super) fn succeeded(&self, line: &Line) {
        self.known().remove(line);
    }

    /// Notes a call that failed at `now`, `took` after its start.
    pub(super) fn failed(&self, line: &Line, took: Duration, now: Timestamp) {
        if self.pause.is_zero() {
            return;
        }
        let mut known = self.known();
        let breaker = known
            .entry(line.clone())
            .or_insert(Breaker { failures: 0, open_until: Timestamp::default() });
        let least = if took >= HANGS { FAILURES } else { 1 };
        breaker.failures = breaker.failures.saturating_add(1).max(least);
        let Some(more) = breaker.failures.checked_sub(FAILURES) else { return };
        let pauses = 1_u32.checked_shl(more).unwrap_or(MOST_PAUSES).min(MOST_PAUSES);
        breaker.open_until = now.plus(self.pause.saturating_mul(pauses));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSE: Duration = Duration::from_secs(15);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    fn line(contract: &str) -> Line {
        Line { carrier: "sms", contract: contract.to_owned(), region: None }
    }

    #[test]
    fn a_breaker_opens_after_three_failures_for_longer_and_longer() {
        let breakers = Breakers::new(PAUSE);
        let (one, other) = (line("one"), line("other"));
        for second in [1, 2] {
            breakers.failed(&one, Duration::ZERO, at(second));
            assert_eq!(breakers.open_until(&one, at(second)), None);
        }
        for (second, end) in [(3, 18), (18, 48), (48, 78), (78, 108)] {
            breakers.failed(&one, Duration::ZERO, at(second));
            assert_eq!(breakers.open_until(&one, at(second)), Some(at(end)));
            assert_eq!(breakers.begin(&one, at(second)), Err(at(end)));
            assert_eq!(breakers.open_until(&one, at(end)), None);
        }
        assert_eq!(breakers.open_until(&other, at(3)), None);
        breakers.succeeded(&one);
        breakers.failed(&one, Duration::ZERO, at(400));
        assert_eq!(breakers.open_until(&one, at(400)), None);
    }

    #[test]
    fn after_a_pause_one_call_tries_the_carrier() {
        let (breakers, one) = (Breakers::new(PAUSE), line("one"));
        assert_eq!(breakers.begin(&one, at(0)), Ok(()));
        breakers.failed(&one, HANGS, at(0));
        assert_eq!(breakers.begin(&one, at(14)), Err(at(15)));
        assert_eq!(breakers.begin(&one, at(15)), Ok(()));
        assert_eq!(breakers.begin(&one, at(15)), Err(at(25)));
        breakers.failed(&one, HANGS, at(23));
        assert_eq!(breakers.begin(&one, at(25)), Err(at(53)));
        assert_eq!(breakers.begin(&one, at(53)), Ok(()));
        breakers.succeeded(&one);
        assert_eq!((breakers.begin(&one, at(54)), breakers.begin(&one, at(54))), (Ok(()), Ok(())));
        // A call that tries it and never ends does not hold it for ever.
        breakers.failed(&one, HANGS, at(100));
        assert_eq!(breakers.begin(&one, at(115)), Ok(()));
        assert_eq!(breakers.begin(&one, at(125)), Ok(()));
    }

    #[test]
    fn a_call_that_hangs_opens_it_at_once_and_zero_switches_it_off() {
        let breakers = Breakers::new(PAUSE);
        breakers.failed(&line("one"), HANGS, at(0));
        assert_eq!(breakers.open_until(&line("one"), at(0)), Some(at(15)));
        let off = Breakers::new(Duration::ZERO);
        off.failed(&line("one"), HANGS, at(0));
        assert_eq!(off.open_until(&line("one"), at(0)), None);
    }
}
