//! The delivery of events to one consumer: in which order, how often, and again after a failure.

use super::envelope::Envelope;
use super::queues::Queues;
use super::{Consumer, Place};
use crate::clock::Clock;
use crate::logs::Logs;
use axum::http::{StatusCode, header};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

/// The time in which a consumer must answer, as an API destination must.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// Shuffled events are collected until no event has come for this time.
const QUIET: Duration = Duration::from_millis(500);

/// Shuffled events are collected for this time at most.
const LONGEST_COLLECTION: Duration = Duration::from_secs(3);

/// How often and in which order events are delivered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Mode {
    /// Once, in the order in which they were put.
    #[default]
    Plain,
    /// Each one twice.
    Doubled,
    /// In another order than they were put in.
    Shuffled,
    DoubledShuffled,
    /// Not until the mode changes.
    Held,
}

impl Mode {
    const fn copies(self) -> usize {
        match self {
            Self::Doubled | Self::DoubledShuffled => 2,
            Self::Plain | Self::Shuffled | Self::Held => 1,
        }
    }

    const fn shuffles(self) -> bool {
        matches!(self, Self::Shuffled | Self::DoubledShuffled)
    }
}

/// When a delivery that failed is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retries {
    /// How often it is tried again.
    pub most: u32,
    /// The age of an event that is given up.
    pub age: Duration,
    /// The pause before the first time. Each further pause is twice as long.
    pub first_pause: Duration,
    pub longest_pause: Duration,
}

impl Default for Retries {
    /// The bounds of EventBridge. It does not document its pauses; these are for a developer who
    /// waits for an event.
    fn default() -> Self {
        Self {
            most: 185,
            age: Duration::from_hours(24),
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_mins(1),
        }
    }
}

impl Retries {
    /// Returns the pause after this many failures, without jitter.
    fn pause(&self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
        self.first_pause.saturating_mul(factor).min(self.longest_pause)
    }
}

/// An event on its way.
#[derive(Debug, Clone)]
struct Delivery {
    event: Arc<Envelope>,
    since: Instant,
    failures: u32,
}

/// What became of an attempt.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Delivered,
    /// It can succeed later, after this pause at least.
    Failed(String, Duration),
    /// It is not tried again.
    Refused(String),
}

/// Delivers the events of one consumer.
#[derive(Debug)]
pub(super) struct Courier {
    pub(super) consumer: Arc<Consumer>,
    pub(super) events: mpsc::UnboundedReceiver<Arc<Envelope>>,
    pub(super) mode: watch::Receiver<Mode>,
    pub(super) retries: Retries,
    pub(super) client: reqwest::Client,
    pub(super) queues: Arc<Queues>,
    pub(super) clock: Clock,
    pub(super) logs: Arc<Logs>,
}

/// The deliveries that a courier has not finished.
#[derive(Debug, Default)]
struct Bag {
    /// Events whose order is not decided yet.
    collected: Vec<Delivery>,
    /// The time of the last event of these.
    last: Option<Instant>,
    ready: VecDeque<Delivery>,
    /// Deliveries that are tried again, by time and number.
    later: BTreeMap<(Instant, u64), Delivery>,
    /// The number of the next delivery that is tried again.
    next: u64,
}

impl Courier {
    /// Delivers until the stack ends.
    pub(super) async fn run(mut self) {
        let mut bag = Bag::default();
        loop {
            while let Ok(event) = self.events.try_recv() {
                bag.collect(event, Instant::now());
            }
            let mode = *self.mode.borrow_and_update();
            let now = Instant::now();
            if mode != Mode::Held {
                let copies = bag.release(mode, now);
                self.consumer.count(|counts| {
                    counts.waiting = counts.waiting.saturating_add(copies);
                });
                if let Some(delivery) = bag.ready.pop_front() {
                    self.deliver(delivery, &mut bag).await;
                    continue;
                }
            }
            let wake = bag.next_change(mode);
            let wait = async {
                match wake {
                    Some(time) => tokio::time::sleep_until(time).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                event = self.events.recv() => match event {
                    Some(event) => bag.collect(event, Instant::now()),
                    None => return,
                },
                changed = self.mode.changed() => if changed.is_err() { return },
                () = wait => {}
            }
        }
    }

    async fn deliver(&self, mut delivery: Delivery, bag: &mut Bag) {
        let (problem, pause) = match self.attempt(&delivery.event).await {
            Outcome::Delivered => {
                self.consumer.count(|counts| {
                    counts.delivered = counts.delivered.saturating_add(1);
                    counts.waiting = counts.waiting.saturating_sub(1);
                });
                return;
            }
            Outcome::Failed(problem, pause) => (problem, Some(pause)),
            Outcome::Refused(problem) => (problem, None),
        };
        delivery.failures = delivery.failures.saturating_add(1);
        let (id, failures) = (delivery.event.id.clone(), delivery.failures);
        let is_young = delivery.since.elapsed() < self.retries.age;
        let pause = pause.filter(|_| failures <= self.retries.most && is_young);
        let sentence = match pause {
            Some(_) if failures > 1 => None,
            Some(_) => Some(format!("{problem}; the event {id} is tried again")),
            None => Some(format!("{problem}; the event {id} is given up")),
        };
        if let Some(sentence) = sentence {
            self.logs.stack(&format!("consumer {}: {sentence}", self.consumer.name));
        }
        self.consumer.count(|counts| {
            counts.last_error = Some(format!("{} {problem}", self.clock.stamp()));
            if pause.is_none() {
                counts.failed = counts.failed.saturating_add(1);
                counts.waiting = counts.waiting.saturating_sub(1);
            }
        });
        if let Some(least) = pause {
            // Half of the pause is random, so that consumers are not all tried at the same time.
            let jitter = 0.5_f64.mul_add(fastrand::f64(), 0.5);
            let pause = self.retries.pause(failures).mul_f64(jitter).max(least);
            let now = Instant::now();
            bag.retry(delivery, now.checked_add(pause).unwrap_or(now));
        }
    }

    async fn attempt(&self, event: &Envelope) -> Outcome {
        let body = event.input(&self.consumer.rule, &self.consumer.input);
        match &self.consumer.place {
            Place::Queue(name) => match self.queues.get(name) {
                Some(queue) => {
                    queue.send(body, self.clock.millis());
                    Outcome::Delivered
                }
                None => Outcome::Refused(format!("there is no queue {name}")),
            },
            Place::Url(url) => {
                let request = self.client.post(url.clone()).timeout(ANSWER_LIMIT);
                let request = request.header(header::CONTENT_TYPE, "application/json").body(body);
                match request.send().await {
                    Ok(answer) => {
                        let pause = answer.headers().get(header::RETRY_AFTER);
                        let pause = pause.and_then(|pause| pause.to_str().ok()?.parse().ok());
                        judge(answer.status(), Duration::from_secs(pause.unwrap_or_default()))
                    }
                    Err(error) if error.is_timeout() => {
                        Outcome::Failed("it did not answer in 5 s".to_owned(), Duration::ZERO)
                    }
                    Err(error) => {
                        let cause = anyhow::Error::from(error.without_url());
                        Outcome::Failed(format!("{cause:#}"), Duration::ZERO)
                    }
                }
            }
        }
    }
}

/// Judges an answer as API destinations do: 401, 407, 409, 429 and 5xx are tried again.
fn judge(status: StatusCode, pause: Duration) -> Outcome {
    let code = status.as_u16();
    if status.is_success() {
        Outcome::Delivered
    } else if status.is_server_error() || [401, 407, 409, 429].contains(&code) {
        Outcome::Failed(format!("it answered {code}"), pause)
    } else {
        let problem = format!("it answered {code}, after which EventBridge does not try again");
        Outcome::Refused(problem)
    }
}

impl Bag {
    fn collect(&mut self, event: Arc<Envelope>, now: Instant) {
        self.collected.push(Delivery { event, since: now, failures: 0 });
        self.last = Some(now);
    }

    fn retry(&mut self, delivery: Delivery, time: Instant) {
        self.later.insert((time, self.next), delivery);
        self.next = self.next.wrapping_add(1);
    }

    /// Makes deliveries ready whose time has come. Returns how many there are more than events.
    fn release(&mut self, mode: Mode, now: Instant) -> usize {
        while let Some(entry) = self.later.first_entry().filter(|entry| entry.key().0 <= now) {
            self.ready.push_back(entry.remove());
        }
        if self.collected.is_empty() || self.end_of_collection(mode).is_some_and(|end| end > now) {
            return 0;
        }
        let events = std::mem::take(&mut self.collected);
        let before = events.len();
        let repeat = |event| std::iter::repeat_n(event, mode.copies());
        let mut events: Vec<_> = events.into_iter().flat_map(repeat).collect();
        if mode.shuffles() {
            shuffle(&mut events);
        }
        let copies = events.len().saturating_sub(before);
        self.ready.extend(events);
        copies
    }

    /// Returns the time at which the order of the collected events is decided; `None` if now.
    fn end_of_collection(&self, mode: Mode) -> Option<Instant> {
        let first = self.collected.first().filter(|_| mode.shuffles())?.since;
        let last = self.last?.checked_add(QUIET)?;
        Some(last.min(first.checked_add(LONGEST_COLLECTION)?))
    }

    /// Returns the next time at which a delivery can be ready without a new event.
    fn next_change(&self, mode: Mode) -> Option<Instant> {
        if mode == Mode::Held {
            return None;
        }
        let retry = self.later.keys().next().map(|(time, _)| *time);
        let end = self.end_of_collection(mode);
        retry.into_iter().chain(end).min()
    }
}

/// Brings deliveries into a random order that differs from the one that they have.
fn shuffle(deliveries: &mut [Delivery]) {
    let ids = |deliveries: &[Delivery]| -> Vec<String> {
        deliveries.iter().map(|delivery| delivery.event.id.clone()).collect()
    };
    let before = ids(deliveries);
    fastrand::shuffle(deliveries);
    if ids(deliveries) == before {
        deliveries.reverse();
    }
}

#[cfg(test)]
mod tests {
    use super::super::envelope::tests::event;
    use super::*;

    fn envelope(number: usize) -> Arc<Envelope> {
        Arc::new(Envelope::new(&event(number), None).unwrap())
    }

    /// The ids of the events that are ready after these were released.
    fn released(mode: Mode, numbers: &[usize]) -> (Vec<String>, usize) {
        let now = Instant::now();
        let mut bag = Bag::default();
        for number in numbers {
            bag.collect(envelope(*number), now);
        }
        let copies = bag.release(mode, now.checked_add(QUIET).unwrap());
        let ready = bag.ready.iter().map(|delivery| delivery.event.id.clone());
        (ready.collect(), copies)
    }

    #[test]
    fn a_mode_decides_on_copies_and_order() {
        let ids = |numbers: &[usize]| -> Vec<_> {
            numbers.iter().map(|number| format!("event-{number}")).collect()
        };
        assert_eq!(released(Mode::Plain, &[1, 2, 3]), (ids(&[1, 2, 3]), 0));
        assert_eq!(released(Mode::Doubled, &[1, 2]), (ids(&[1, 1, 2, 2]), 2));
        for _ in 0..20 {
            assert_eq!(released(Mode::Shuffled, &[1, 2]), (ids(&[2, 1]), 0));
            let (mut shuffled, _) = released(Mode::Shuffled, &[1, 2, 3]);
            assert_ne!(shuffled, ids(&[1, 2, 3]));
            shuffled.sort();
            assert_eq!(shuffled, ids(&[1, 2, 3]));
            let (mut both, copies) = released(Mode::DoubledShuffled, &[1, 2, 3]);
            assert_ne!(both, ids(&[1, 1, 2, 2, 3, 3]));
            both.sort();
            assert_eq!((both, copies), (ids(&[1, 1, 2, 2, 3, 3]), 3));
        }
    }

    #[test]
    fn shuffled_events_are_collected_until_it_is_quiet_or_too_long() {
        let start = Instant::now();
        let after = |millis| start.checked_add(Duration::from_millis(millis)).unwrap();
        let mut bag = Bag::default();
        bag.collect(envelope(1), start);
        bag.collect(envelope(2), after(400));
        assert_eq!(bag.next_change(Mode::Shuffled), Some(after(900)));
        bag.release(Mode::Shuffled, after(899));
        assert!(bag.ready.is_empty());
        bag.release(Mode::Shuffled, after(900));
        assert_eq!(bag.ready.len(), 2);
        for number in 0..8 {
            bag.collect(envelope(number), after(1_000 + 400 * number as u64));
        }
        assert_eq!(bag.next_change(Mode::Shuffled), Some(after(4_000)));
        assert_eq!(bag.next_change(Mode::Held), None);
        // Another mode does not wait.
        bag.release(Mode::Plain, after(3_800));
        assert_eq!(bag.ready.len(), 10);
    }

    #[test]
    fn a_delivery_that_failed_is_ready_after_its_pause_and_behind_no_other() {
        let start = Instant::now();
        let after = |millis| start.checked_add(Duration::from_millis(millis)).unwrap();
        let mut bag = Bag::default();
        for (number, pause) in [(1, 50), (2, 20), (3, 50)] {
            let delivery = Delivery { event: envelope(number), since: start, failures: 1 };
            bag.retry(delivery, after(pause));
        }
        assert_eq!(bag.next_change(Mode::Plain), Some(after(20)));
        bag.release(Mode::Doubled, after(20));
        assert_eq!(bag.ready.len(), 1);
        bag.release(Mode::Doubled, after(50));
        let ids: Vec<_> = bag.ready.iter().map(|delivery| delivery.event.id.as_str()).collect();
        assert_eq!(ids, ["event-2", "event-1", "event-3"]);
    }

    #[test]
    fn pauses_double_up_to_the_longest_one() {
        let retries = Retries::default();
        let pauses: Vec<_> = [1, 2, 3, 7, 8, 40].map(|n| retries.pause(n).as_millis()).into();
        assert_eq!(pauses, [500, 1_000, 2_000, 32_000, 60_000, 60_000]);
    }

    #[test]
    fn an_answer_is_judged_as_by_an_api_destination() {
        for (code, expected) in [
            (200, "delivered"),
            (204, "delivered"),
            (301, "refused"),
            (400, "refused"),
            (401, "failed"),
            (404, "refused"),
            (409, "failed"),
            (429, "failed"),
            (500, "failed"),
            (503, "failed"),
        ] {
            let status = StatusCode::from_u16(code).unwrap();
            let outcome = match judge(status, Duration::from_secs(7)) {
                Outcome::Delivered => "delivered",
                Outcome::Failed(_, pause) => {
                    assert_eq!(pause, Duration::from_secs(7));
                    "failed"
                }
                Outcome::Refused(_) => "refused",
            };
            assert_eq!(outcome, expected, "{code}");
        }
    }
}
