//! Carriers of messages and events that record what they get, and answer as the test says.

use crate::clock::ManualClock;
use async_trait::async_trait;
use latchkey::domain::event::EventMessage;
use latchkey::domain::identifier::Identifier;
use latchkey::ports::{
    Events, MOST_EVENTS, Message, Messages, PortError, RejectedEvent, SendOutcome,
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The answer of a carrier.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Answer {
    #[default]
    Accept,
    /// The carrier refuses the recipient permanently.
    Refuse,
    /// The carrier refuses everything that the account sends.
    Misconfigured,
    /// The carrier cannot be reached.
    Fail,
}

/// A message that a carrier accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    pub recipient: Identifier,
    pub text: String,
}

/// A carrier of texts or mails.
#[derive(Debug, Default)]
pub struct Carrier {
    answer: Mutex<Answer>,
    sent: Mutex<Vec<Sent>>,
    calls: Mutex<usize>,
    /// The clock to move with each message, and how far.
    slowness: Mutex<Option<(Arc<ManualClock>, Duration)>>,
}

/// An event bus.
#[derive(Debug, Default)]
pub struct EventBus {
    answer: Mutex<Answer>,
    /// The names of the events that are rejected.
    refused: Mutex<Vec<String>>,
    /// The names of the events that no call may have.
    breaking: Mutex<Vec<String>>,
    /// The number of events of each call.
    calls: Mutex<Vec<usize>>,
    published: Mutex<Vec<EventMessage>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Carrier {
    /// Sets the answer to every later message.
    pub fn answer(&self, answer: Answer) {
        *lock(&self.answer) = answer;
    }

    /// Makes every later message move the clock.
    pub(crate) fn slow(&self, clock: Arc<ManualClock>, span: Duration) {
        *lock(&self.slowness) = Some((clock, span));
    }

    /// Returns the number of messages that the carrier was asked to send.
    pub fn calls(&self) -> usize {
        *lock(&self.calls)
    }

    /// Returns the accepted messages, oldest first.
    pub fn sent(&self) -> Vec<Sent> {
        lock(&self.sent).clone()
    }

    /// Returns the texts of the accepted messages to one recipient.
    pub fn sent_to(&self, recipient: &Identifier) -> Vec<String> {
        let sent = self.sent().into_iter().filter(|sent| sent.recipient == *recipient);
        sent.map(|sent| sent.text).collect()
    }
}

#[async_trait]
impl Messages for Carrier {
    async fn send(&self, message: &Message) -> Result<SendOutcome, PortError> {
        let calls = self.calls().saturating_add(1);
        *lock(&self.calls) = calls;
        if let Some((clock, span)) = &*lock(&self.slowness) {
            clock.advance(*span);
        }
        match *lock(&self.answer) {
            Answer::Accept => {
                let (recipient, text) = (message.recipient.clone(), message.text.clone());
                lock(&self.sent).push(Sent { recipient, text });
                Ok(SendOutcome::Accepted(Some(calls.to_string())))
            }
            Answer::Refuse => Ok(SendOutcome::Refused("OptedOut".to_owned())),
            Answer::Misconfigured => {
                Err(PortError::misconfiguration("send a message", "no sender"))
            }
            Answer::Fail => Err(PortError::new("send a message", "no connection")),
        }
    }
}

impl EventBus {
    /// Sets the answer to every later call.
    pub fn answer(&self, answer: Answer) {
        *lock(&self.answer) = answer;
    }

    /// Rejects the events with this name from now on.
    pub fn refuse(&self, name: &str) {
        lock(&self.refused).push(name.to_owned());
    }

    /// Makes every call with an event of this name fail from now on.
    pub fn break_on(&self, name: &str) {
        lock(&self.breaking).push(name.to_owned());
    }

    /// Accepts all events again.
    pub fn mend(&self) {
        lock(&self.refused).clear();
        lock(&self.breaking).clear();
    }

    /// Returns the number of events of each call.
    pub fn calls(&self) -> Vec<usize> {
        lock(&self.calls).clone()
    }

    /// Returns the names of the published events, sorted: the relay delivers entries concurrently.
    pub fn published(&self) -> Vec<String> {
        let published = lock(&self.published);
        let mut names: Vec<_> = published.iter().map(|event| event.detail_type.clone()).collect();
        names.sort_unstable();
        names
    }

    /// Returns the details of the published events with this name, sorted.
    pub fn details(&self, name: &str) -> Vec<String> {
        let published = lock(&self.published);
        let named = published.iter().filter(|event| event.detail_type == name);
        let details = named.filter_map(|event| event.detail.lines().next());
        let mut details: Vec<_> = details.map(str::to_owned).collect();
        details.sort_unstable();
        details
    }

    /// Returns the names of the published events with the versions of their users, in the order of the calls.
    pub fn versions(&self) -> Vec<(String, u64)> {
        let published = lock(&self.published);
        let versions = published.iter().filter_map(|event| {
            Some((event.detail_type.clone(), event.detail.lines().nth(2)?.parse().ok()?))
        });
        versions.collect()
    }

    /// Returns the ids of the published events, in the order of the calls.
    pub fn event_ids(&self) -> Vec<String> {
        let published = lock(&self.published);
        let ids = published.iter().filter_map(|event| event.detail.lines().nth(1));
        ids.map(str::to_owned).collect()
    }
}

#[async_trait]
impl Events for EventBus {
    async fn publish(&self, events: &[&EventMessage]) -> Result<Vec<RejectedEvent>, PortError> {
        assert!(events.len() <= MOST_EVENTS, "{} events in a call", events.len());
        let answer = *lock(&self.answer);
        lock(&self.calls).push(events.len());
        let breaking = lock(&self.breaking).clone();
        let breaks = events.iter().any(|event| breaking.contains(&event.detail_type));
        if answer == Answer::Fail || breaks {
            return Err(PortError::new("publish events", "no connection"));
        }
        let refused = lock(&self.refused).clone();
        let (mut rejected, mut published) = (Vec::new(), lock(&self.published));
        for (place, event) in events.iter().enumerate() {
            if answer == Answer::Refuse || refused.contains(&event.detail_type) {
                rejected.push(RejectedEvent { place, reason: "InternalFailure".to_owned() });
            } else {
                published.push((*event).clone());
            }
        }
        Ok(rejected)
    }
}
