//! Breakers: a carrier that fails or hangs is left alone for a while, so that it holds up nothing
//! else.
//!
//! A process counts failures on its own. The pauses are shared through the outbox, so that one process
//! learns by a call that a carrier hangs, and not each of them.

use crate::domain::event::EventMessage;
use crate::domain::time::Timestamp;
use crate::ports::{PauseChange, PausedCarriers};
use std::collections::BTreeMap;
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
    known: Mutex<BTreeMap<Line, Breaker>>,
}

/// The name of a carrier, as one contract uses it in one region.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Line(String);

impl Line {
    /// A carrier of messages. `region` is that of a sender; `None` for the one of the stack.
    pub(super) fn of_messages(carrier: &str, contract: &str, region: Option<&str>) -> Self {
        Self(format!("{carrier}#{contract}#{}", region.unwrap_or_default()))
    }

    /// The event bus, as the contract of an event uses it.
    pub(super) fn of_events(event: &EventMessage) -> Self {
        Self::of_messages("events", &event.source, None)
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Breaker {
    failures: u32,
    /// The end of its pause, or of the call that tries the carrier after it.
    open_until: Timestamp,
    /// The end of the pause that the processes share, as far as this one knows.
    shared: Option<Timestamp>,
    /// The time of the last change by this process.
    changed_at: Timestamp,
}

/// Whether a call may begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Begin {
    Now,
    /// After the pause is over, and if the other processes let this one try: the change must be shared
    /// first.
    AsProbe(PauseChange),
    /// The carrier is left alone until then.
    After(Timestamp),
}

impl Breakers {
    #[must_use]
    pub fn new(pause: Duration) -> Self {
        Self { pause, known: Mutex::default() }
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<Line, Breaker>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes over the pauses that the processes share. They were read at `read_at` or later: what this
    /// process changed since then stays. Does nothing if none were read.
    pub(super) fn learn(&self, paused: Option<&PausedCarriers>, read_at: Timestamp) {
        let Some(paused) = paused.filter(|_| !self.pause.is_zero()) else { return };
        let mut known = self.known();
        known.retain(|line, breaker| {
            let is_over = breaker.shared.is_some() && !paused.contains_key(&line.0);
            !is_over || breaker.changed_at >= read_at
        });
        for (line, until) in paused {
            let breaker = known.entry(Line(line.clone())).or_default();
            if breaker.shared != Some(*until) && breaker.changed_at < read_at {
                breaker.failures = breaker.failures.max(FAILURES);
                breaker.open_until = *until;
                breaker.shared = Some(*until);
            }
        }
    }

    /// Takes over the pause of a carrier that was found when this process tried to change it.
    pub(super) fn shared(&self, line: &Line, until: Option<Timestamp>) {
        let mut known = self.known();
        match (until, known.get_mut(line)) {
            (Some(until), Some(breaker)) => {
                breaker.open_until = until;
                breaker.shared = Some(until);
            }
            (None, Some(_)) => drop(known.remove(line)),
            (_, None) => {}
        }
    }

    /// Returns the time until which the carrier is left alone.
    pub(super) fn open_until(&self, line: &Line, now: Timestamp) -> Option<Timestamp> {
        let until = self.known().get(line)?.open_until;
        (until > now).then_some(until)
    }

    /// Begins a call, unless the carrier is left alone. After a pause, one call begins alone.
    pub(super) fn begin(&self, line: &Line, now: Timestamp) -> Begin {
        let mut known = self.known();
        let Some(breaker) = known.get_mut(line).filter(|it| it.failures >= FAILURES) else {
            return Begin::Now;
        };
        if breaker.open_until > now {
            return Begin::After(breaker.open_until);
        }
        breaker.open_until = now.plus(PROBE);
        Begin::AsProbe(breaker.change(line, Some(breaker.open_until), now))
    }

    /// Notes a call that succeeded at `now`. Returns the change to share.
    pub(super) fn succeeded(&self, line: &Line, now: Timestamp) -> Option<PauseChange> {
        let mut breaker = self.known().remove(line)?;
        breaker.shared?;
        Some(breaker.change(line, None, now))
    }

    /// Notes a call that failed at `now`, `took` after its start. Returns the change to share.
    pub(super) fn failed(
        &self,
        line: &Line,
        took: Duration,
        now: Timestamp,
    ) -> Option<PauseChange> {
        if self.pause.is_zero() {
            return None;
        }
        let mut known = self.known();
        let breaker = known.entry(line.clone()).or_default();
        let least = if took >= HANGS { FAILURES } else { 1 };
        breaker.failures = breaker.failures.saturating_add(1).max(least);
        let more = breaker.failures.checked_sub(FAILURES)?;
        let pauses = 1_u32.checked_shl(more).unwrap_or(MOST_PAUSES).min(MOST_PAUSES);
        breaker.open_until = now.plus(self.pause.saturating_mul(pauses));
        Some(breaker.change(line, Some(breaker.open_until), now))
    }
}

impl Breaker {
    /// Notes a change of the shared pause by this process.
    fn change(&mut self, line: &Line, to: Option<Timestamp>, now: Timestamp) -> PauseChange {
        let from = std::mem::replace(&mut self.shared, to);
        self.changed_at = now;
        PauseChange { carrier: line.0.clone(), from, to }
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
        Line::of_messages("sms", contract, None)
    }

    fn change(from: Option<i64>, to: Option<i64>) -> PauseChange {
        PauseChange { carrier: "sms#one#".to_owned(), from: from.map(at), to: to.map(at) }
    }

    #[test]
    fn a_breaker_opens_after_three_failures_for_longer_and_longer() {
        let breakers = Breakers::new(PAUSE);
        let (one, other) = (line("one"), line("other"));
        for second in [1, 2] {
            assert_eq!(breakers.failed(&one, Duration::ZERO, at(second)), None);
            assert_eq!(breakers.open_until(&one, at(second)), None);
        }
        let mut before = None;
        for (second, end) in [(3, 18), (18, 48), (48, 78), (78, 108)] {
            let shared = breakers.failed(&one, Duration::ZERO, at(second));
            assert_eq!(shared, Some(change(before.replace(end), Some(end))));
            assert_eq!(breakers.open_until(&one, at(second)), Some(at(end)));
            assert_eq!(breakers.begin(&one, at(second)), Begin::After(at(end)));
            assert_eq!(breakers.open_until(&one, at(end)), None);
        }
        assert_eq!(breakers.open_until(&other, at(3)), None);
        assert_eq!(breakers.succeeded(&one, at(110)), Some(change(before, None)));
        assert_eq!(breakers.failed(&one, Duration::ZERO, at(400)), None);
        assert_eq!(breakers.open_until(&one, at(400)), None);
    }

    #[test]
    fn after_a_pause_one_call_tries_the_carrier() {
        let (breakers, one) = (Breakers::new(PAUSE), line("one"));
        let probe = |from, to| Begin::AsProbe(change(Some(from), Some(to)));
        assert_eq!(breakers.begin(&one, at(0)), Begin::Now);
        breakers.failed(&one, HANGS, at(0));
        assert_eq!(breakers.begin(&one, at(14)), Begin::After(at(15)));
        assert_eq!(breakers.begin(&one, at(15)), probe(15, 25));
        assert_eq!(breakers.begin(&one, at(15)), Begin::After(at(25)));
        breakers.failed(&one, HANGS, at(23));
        assert_eq!(breakers.begin(&one, at(25)), Begin::After(at(53)));
        assert_eq!(breakers.begin(&one, at(53)), probe(53, 63));
        breakers.succeeded(&one, at(54));
        assert_eq!(breakers.begin(&one, at(54)), Begin::Now);
        assert_eq!(breakers.begin(&one, at(54)), Begin::Now);
        // A call that tries it and never ends does not hold it for ever.
        breakers.failed(&one, HANGS, at(100));
        assert_eq!(breakers.begin(&one, at(115)), probe(115, 125));
        assert_eq!(breakers.begin(&one, at(125)), probe(125, 135));
    }

    #[test]
    fn a_process_takes_over_what_another_shares_but_not_what_is_older_than_its_own_change() {
        let (breakers, one) = (Breakers::new(PAUSE), line("one"));
        let paused = |end| PausedCarriers::from([("sms#one#".to_owned(), at(end))]);
        breakers.learn(Some(&paused(30)), at(20));
        assert_eq!(breakers.begin(&one, at(20)), Begin::After(at(30)));
        assert_eq!(breakers.begin(&one, at(30)), Begin::AsProbe(change(Some(30), Some(40))));
        // A read that began before the call that tries the carrier.
        breakers.learn(Some(&paused(30)), at(29));
        breakers.learn(Some(&PausedCarriers::new()), at(30));
        breakers.learn(None, at(35));
        assert_eq!(breakers.begin(&one, at(35)), Begin::After(at(40)));
        breakers.learn(Some(&paused(50)), at(35));
        assert_eq!(breakers.begin(&one, at(45)), Begin::After(at(50)));
        breakers.learn(Some(&PausedCarriers::new()), at(46));
        assert_eq!(breakers.begin(&one, at(46)), Begin::Now);
        // What was not shared yet is not over.
        breakers.failed(&one, Duration::ZERO, at(47));
        breakers.learn(Some(&PausedCarriers::new()), at(48));
        breakers.failed(&one, Duration::ZERO, at(49));
        assert_eq!(breakers.failed(&one, Duration::ZERO, at(50)), Some(change(None, Some(65))));
        breakers.shared(&one, Some(at(70)));
        assert_eq!(breakers.begin(&one, at(66)), Begin::After(at(70)));
        breakers.shared(&one, None);
        assert_eq!(breakers.begin(&one, at(67)), Begin::Now);
    }

    #[test]
    fn a_call_that_hangs_opens_it_at_once_and_zero_switches_it_off() {
        let breakers = Breakers::new(PAUSE);
        breakers.failed(&line("one"), HANGS, at(0));
        assert_eq!(breakers.open_until(&line("one"), at(0)), Some(at(15)));
        let off = Breakers::new(Duration::ZERO);
        assert_eq!(off.failed(&line("one"), HANGS, at(0)), None);
        off.learn(Some(&PausedCarriers::from([("sms#one#".to_owned(), at(30))])), at(1));
        assert_eq!(off.open_until(&line("one"), at(1)), None);
    }
}
