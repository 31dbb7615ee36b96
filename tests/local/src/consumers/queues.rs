//! Queues as SQS keeps them, in memory.

use crate::random;
use crate::sync::lock;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;
use template::Queue as Settings;
use tokio::sync::watch;

/// The queues, by name. Times are milliseconds since the Unix epoch, which the caller reads from the
/// clock.
#[derive(Debug, Default)]
pub(crate) struct Queues(BTreeMap<String, Queue>);

#[derive(Debug)]
pub(crate) struct Queue {
    pub(crate) settings: Settings,
    messages: Mutex<Vec<Message>>,
    /// Changes when a message can be visible earlier than before.
    changed: watch::Sender<()>,
}

#[derive(Debug, Clone)]
struct Message {
    id: String,
    body: String,
    sent: i64,
    visible: i64,
    received: u32,
    first_time: Option<i64>,
    /// The handle of the last time that the message was received.
    handle: Option<String>,
}

/// A message as a request for messages returns it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Received {
    pub(crate) id: String,
    pub(crate) handle: String,
    pub(crate) body: String,
    pub(crate) sent: i64,
    pub(crate) first_time: i64,
    /// How often the message was received, with this time.
    pub(crate) count: u32,
}

/// The numbers of messages of a queue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) visible: usize,
    pub(crate) in_flight: usize,
    pub(crate) delayed: usize,
}

/// What became of a change of the visibility of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    Done,
    NotInFlight,
    /// The queue has no message with the handle.
    NoMessage,
}

impl Queues {
    pub(crate) fn new(settings: Vec<Settings>) -> Self {
        let queue = |settings: Settings| {
            let (changed, _) = watch::channel(());
            (settings.name.clone(), Queue { settings, messages: Mutex::default(), changed })
        };
        Self(settings.into_iter().map(queue).collect())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Queue> {
        self.0.get(name)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Queue> {
        self.0.values()
    }

    /// Takes up to `most` visible messages of a queue, oldest first. They are invisible for
    /// `invisible`. A message that was received too often goes to the dead letter queue instead.
    pub(crate) fn receive(
        &self,
        queue: &Queue,
        now: i64,
        most: usize,
        invisible: Duration,
    ) -> Vec<Received> {
        let redrive = queue.settings.redrive.as_ref();
        let letters = redrive.and_then(|redrive| self.get(&redrive.queue));
        let is_dead = |message: &Message| {
            letters.is_some() && redrive.is_some_and(|redrive| message.received >= redrive.after)
        };
        let (dead, taken) = queue.take(now, most, invisible, is_dead);
        if let Some(letters) = letters.filter(|_| !dead.is_empty()) {
            // The time at which it was sent stays the same.
            let moved = dead.into_iter().map(|message| Message {
                visible: now,
                received: 0,
                first_time: None,
                handle: None,
                ..message
            });
            lock(&letters.messages).extend(moved);
            letters.changed.send_replace(());
        }
        taken
    }
}

impl Queue {
    pub(crate) fn send(&self, body: String, now: i64) {
        lock(&self.messages).push(Message {
            id: random::uuid(),
            body,
            sent: now,
            visible: now.saturating_add(millis(self.settings.delay)),
            received: 0,
            first_time: None,
            handle: None,
        });
        self.changed.send_replace(());
    }

    /// Takes out the dead messages that are visible, and makes up to `most` others invisible.
    fn take(
        &self,
        now: i64,
        most: usize,
        invisible: Duration,
        is_dead: impl Fn(&Message) -> bool,
    ) -> (Vec<Message>, Vec<Received>) {
        let mut messages = lock(&self.messages);
        self.forget_old(&mut messages, now);
        let is_visible = |message: &Message| message.visible <= now;
        let (dead, kept): (Vec<_>, Vec<_>) =
            messages.drain(..).partition(|message| is_visible(message) && is_dead(message));
        *messages = kept;
        let taken = messages.iter_mut().filter(|message| message.visible <= now).take(most);
        let taken = taken.map(|message| {
            let handle = format!("{}:{}", message.id, random::uuid());
            message.received = message.received.saturating_add(1);
            message.visible = now.saturating_add(millis(invisible));
            message.handle = Some(handle.clone());
            Received {
                id: message.id.clone(),
                handle,
                body: message.body.clone(),
                sent: message.sent,
                first_time: *message.first_time.get_or_insert(now),
                count: message.received,
            }
        });
        let taken = taken.collect();
        (dead, taken)
    }

    /// Deletes the message that was received with a handle, if it was not received again since.
    pub(crate) fn delete(&self, handle: &str) {
        lock(&self.messages).retain(|message| message.handle.as_deref() != Some(handle));
    }

    /// Makes a message that was received visible after `invisible`.
    pub(crate) fn change_visibility(&self, handle: &str, now: i64, invisible: Duration) -> Change {
        let mut messages = lock(&self.messages);
        let found = messages.iter_mut().find(|found| found.handle.as_deref() == Some(handle));
        match found {
            None => Change::NoMessage,
            Some(message) if message.visible <= now => Change::NotInFlight,
            Some(message) => {
                message.visible = now.saturating_add(millis(invisible));
                self.changed.send_replace(());
                Change::Done
            }
        }
    }

    pub(crate) fn purge(&self) {
        lock(&self.messages).clear();
    }

    pub(crate) fn counts(&self, now: i64) -> Counts {
        let mut messages = lock(&self.messages);
        self.forget_old(&mut messages, now);
        let mut counts = Counts::default();
        for message in messages.iter() {
            let count = if message.visible <= now {
                &mut counts.visible
            } else if message.received == 0 {
                &mut counts.delayed
            } else {
                &mut counts.in_flight
            };
            *count = count.saturating_add(1);
        }
        counts
    }

    /// Returns how long it takes until the next message is visible, if no other is sent.
    pub(crate) fn until_visible(&self, now: i64) -> Option<Duration> {
        let next = lock(&self.messages).iter().map(|message| message.visible).min()?;
        let millis = u64::try_from(next.saturating_sub(now)).unwrap_or_default();
        Some(Duration::from_millis(millis))
    }

    /// Returns what changes when a message can be visible earlier than before.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    fn forget_old(&self, messages: &mut Vec<Message>, now: i64) {
        let retention = millis(self.settings.retention);
        messages.retain(|message| message.sent.saturating_add(retention) > now);
    }
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use template::Redrive;

    const SECONDS: i64 = 1_000;

    /// A queue `work` that gives a message up after two times, and its dead letter queue `letters`.
    fn queues() -> Queues {
        let redrive = Redrive { queue: "letters".to_owned(), after: 2 };
        let work = Settings { redrive: Some(redrive), ..Settings::new("work".to_owned()) };
        Queues::new(vec![work, Settings::new("letters".to_owned())])
    }

    fn receive(queues: &Queues, name: &str, now: i64, most: usize) -> Vec<Received> {
        let queue = queues.get(name).unwrap();
        queues.receive(queue, now, most, queue.settings.visibility_timeout)
    }

    fn bodies(received: &[Received]) -> Vec<&str> {
        received.iter().map(|message| message.body.as_str()).collect()
    }

    #[test]
    fn a_message_is_invisible_while_it_is_handled_and_gone_when_it_is_deleted() {
        let queues = queues();
        let work = queues.get("work").unwrap();
        for body in ["a", "b", "c"] {
            work.send(body.to_owned(), 0);
        }
        let first = receive(&queues, "work", 0, 2);
        assert_eq!(bodies(&first), ["a", "b"]);
        assert_eq!(bodies(&receive(&queues, "work", 0, 10)), ["c"]);
        assert_eq!(work.counts(0), Counts { in_flight: 3, ..Counts::default() });
        assert_eq!(work.until_visible(10 * SECONDS), Some(Duration::from_secs(20)));
        work.delete(&first[0].handle);
        assert!(receive(&queues, "work", 30 * SECONDS - 1, 10).is_empty());
        let again = receive(&queues, "work", 30 * SECONDS, 10);
        assert_eq!(bodies(&again), ["b", "c"]);
        assert_eq!(again[0].id, first[1].id);
        assert_eq!((again[0].count, again[0].sent, again[0].first_time), (2, 0, 0));
        // The handle of the first time is old.
        work.delete(&first[1].handle);
        assert_eq!(work.counts(30 * SECONDS).in_flight, 2);
        work.purge();
        assert_eq!(work.counts(0), Counts::default());
    }

    #[test]
    fn a_message_that_was_received_too_often_is_a_dead_letter() {
        let queues = queues();
        let work = queues.get("work").unwrap();
        work.send("bad".to_owned(), 0);
        for (turn, now) in [0, 30, 60].into_iter().enumerate() {
            let received = receive(&queues, "work", now * SECONDS, 1);
            assert_eq!(received.len(), usize::from(turn < 2), "{turn}");
        }
        assert_eq!(work.counts(60 * SECONDS), Counts::default());
        let letters = receive(&queues, "letters", 60 * SECONDS, 1);
        assert_eq!((bodies(&letters), letters[0].count, letters[0].sent), (vec!["bad"], 1, 0));
        // The dead letter queue has no dead letter queue.
        for turn in 3..6 {
            assert_eq!(receive(&queues, "letters", turn * 30 * SECONDS, 1).len(), 1);
        }
    }

    #[test]
    fn the_visibility_of_a_message_changes_while_it_is_handled() {
        let queues = queues();
        let work = queues.get("work").unwrap();
        work.send("a".to_owned(), 0);
        let handle = receive(&queues, "work", 0, 1)[0].handle.clone();
        let changes = work.changes();
        assert_eq!(work.change_visibility(&handle, 0, Duration::ZERO), Change::Done);
        assert!(changes.has_changed().unwrap());
        assert_eq!(work.change_visibility(&handle, 0, Duration::ZERO), Change::NotInFlight);
        let handle = receive(&queues, "work", 0, 1)[0].handle.clone();
        assert_eq!(work.change_visibility(&handle, 0, Duration::from_hours(1)), Change::Done);
        assert!(receive(&queues, "work", 40 * SECONDS, 1).is_empty());
        assert_eq!(work.change_visibility("other", 0, Duration::ZERO), Change::NoMessage);
    }

    #[test]
    fn a_message_waits_for_the_delay_and_ends_after_the_retention() {
        let settings = Settings {
            delay: Duration::from_secs(5),
            retention: Duration::from_mins(1),
            ..Settings::new("slow".to_owned())
        };
        let queues = Queues::new(vec![settings]);
        let slow = queues.get("slow").unwrap();
        slow.send("a".to_owned(), 0);
        assert!(receive(&queues, "slow", 4 * SECONDS, 1).is_empty());
        assert_eq!(slow.counts(4 * SECONDS), Counts { delayed: 1, ..Counts::default() });
        assert_eq!(slow.counts(5 * SECONDS), Counts { visible: 1, ..Counts::default() });
        assert!(receive(&queues, "slow", 60 * SECONDS, 1).is_empty());
    }
}
