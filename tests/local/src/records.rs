//! The messages and events that the functions sent.

use crate::activity::{self, Activity};
use crate::admin_api::Replay;
use crate::consumers::Consumers;
use crate::sync::lock;
use crate::{clock, files, random};
use anyhow::Context;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value as Json, json};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};
use tokio::sync::watch;

/// Everything that was sent to SNS, SES and EventBridge, oldest first.
#[derive(Debug)]
pub(crate) struct Records {
    messages: Mutex<Journal<Message>>,
    events: Mutex<Journal<Event>>,
    activity: Arc<Activity>,
    /// The number of changes.
    changes: watch::Sender<u64>,
    /// Who gets the events.
    pub(crate) consumers: Arc<Consumers>,
}

/// A message as the admin API shows it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Message {
    pub(crate) id: String,
    /// `sms` or `email`.
    pub(crate) channel: String,
    pub(crate) to: String,
    pub(crate) subject: Option<String>,
    pub(crate) body: String,
    pub(crate) html: Option<String>,
    /// The carrier of a text, if it is not SNS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) carrier: Option<String>,
    /// What the carrier of a text got beside the text: its attributes, or the headers of the webhook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) attributes: Option<Json>,
    pub(crate) sent_at: String,
    /// Who sends it: the address of a mail, or the sender id or number of a text.
    #[serde(default)]
    pub(crate) from: Option<String>,
    /// The request to the API that caused it.
    #[serde(default)]
    pub(crate) request_id: Option<String>,
    /// The id of the transaction that caused it, which its events have, too.
    #[serde(default)]
    pub(crate) correlation_id: Option<String>,
}

/// An event as the admin API shows it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) bus_name: String,
    pub(crate) source: String,
    pub(crate) detail_type: String,
    /// The JSON text that the function sent.
    pub(crate) detail: Box<RawValue>,
    /// The time at which it was put.
    pub(crate) time: String,
    /// The request to the API that caused it.
    #[serde(default)]
    pub(crate) request_id: Option<String>,
    /// What breaks its schema; null if its type has none.
    #[serde(default)]
    pub(crate) problems: Option<Vec<String>>,
    /// The time that the function gave it, as a consumer gets it; that at which it
    /// was put if absent.
    #[serde(skip)]
    pub(crate) occurred: Option<String>,
    #[serde(skip)]
    pub(crate) resources: Vec<String>,
}

/// What a replay did.
#[derive(Debug, Serialize)]
pub(crate) struct Replayed {
    /// The name, which consumers find in the field `replay-name` of an event.
    name: String,
    /// The number of events that were replayed.
    events: usize,
    /// The number of deliveries to consumers that this causes.
    deliveries: usize,
}

impl Event {
    /// Returns the time of the event as a consumer gets it.
    pub(crate) fn happened(&self) -> &str {
        self.occurred.as_deref().unwrap_or(&self.time)
    }
}

#[derive(Debug)]
struct Journal<T> {
    entries: Vec<T>,
    /// The file that keeps the entries between runs: one JSON object per line.
    file: Option<File>,
}

/// A message with what is in it.
#[derive(Debug, Serialize)]
pub(crate) struct ShownMessage<'m> {
    #[serde(flatten)]
    message: &'m Message,
    code: Option<&'m str>,
    link: Option<&'m str>,
    segments: Option<usize>,
    encoding: Option<&'static str>,
    /// The region of the number (ISO 3166).
    country: Option<String>,
}

impl Message {
    /// Returns the message as the admin API shows it.
    pub(crate) fn shown(&self) -> ShownMessage<'_> {
        let is_text = self.channel == "sms";
        let segments = is_text.then(|| activity::segments(&self.body));
        ShownMessage {
            message: self,
            code: activity::code(&self.body),
            link: activity::link(&self.body),
            segments: segments.map(|segments| segments.segments),
            encoding: segments.map(|segments| segments.encoding),
            country: if is_text { activity::country(&self.to) } else { None },
        }
    }
}

impl Default for Records {
    fn default() -> Self {
        Self::of(Journal::default(), Journal::default(), Arc::default())
    }
}

impl Records {
    fn of(messages: Journal<Message>, events: Journal<Event>, activity: Arc<Activity>) -> Self {
        let (messages, events) = (Mutex::new(messages), Mutex::new(events));
        let changes = watch::channel(0).0;
        Self { messages, events, activity, changes, consumers: Arc::default() }
    }

    /// Reads the records of earlier runs in `folder`, if there is one, and appends to them.
    pub(crate) fn open(folder: Option<&Path>, activity: Arc<Activity>) -> anyhow::Result<Self> {
        let Some(folder) = folder else {
            return Ok(Self::of(Journal::default(), Journal::default(), activity));
        };
        let messages = Journal::open(&folder.join("messages.jsonl"))?;
        Ok(Self::of(messages, Journal::open(&folder.join("events.jsonl"))?, activity))
    }

    /// Returns a receiver that changes with each record.
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn changed(&self) {
        self.changes.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Records a message and returns its new id.
    pub(crate) fn message(&self, mut message: Message) -> String {
        (message.id, message.sent_at) = (random::uuid(), self.activity.clock.stamp());
        self.activity.message(&mut message);
        self.activity.feed.add(|| json!({ "kind": "message", "message": message.shown() }));
        let id = message.id.clone();
        lock(&self.messages).add(message);
        self.changed();
        id
    }

    /// Records an event, hands it to its consumers and returns its new id.
    pub(crate) fn event(&self, mut event: Event) -> String {
        (event.id, event.time) = (random::uuid(), self.activity.clock.stamp());
        self.activity.event(&mut event);
        let detail = serde_json::from_str(event.detail.get()).unwrap_or_default();
        event.problems = event_schemas::problems(&event.source, &event.detail_type, &detail);
        event.occurred.get_or_insert_with(|| clock::iso_seconds(self.activity.clock.millis()));
        self.activity.feed.add(|| json!({ "kind": "event", "event": event }));
        let id = event.id.clone();
        let mut events = lock(&self.events);
        self.consumers.publish(&event, None);
        events.add(event);
        drop(events);
        self.changed();
        id
    }

    /// Hands recorded events to their consumers again.
    pub(crate) fn replay(&self, replay: &Replay) -> Replayed {
        let name = format!("replay-{}", random::uuid());
        let (mut events, mut deliveries) = (0_usize, 0_usize);
        for event in self.events(None) {
            if replay.takes(&event.source, &event.detail_type, event.happened()) {
                events = events.saturating_add(1);
                let taken = self.consumers.publish(&event, Some(&name));
                deliveries = deliveries.saturating_add(taken);
            }
        }
        Replayed { name, events, deliveries }
    }

    /// Deletes all messages.
    pub(crate) fn clear_messages(&self) -> anyhow::Result<()> {
        let cleared = lock(&self.messages).clear();
        self.changed();
        cleared
    }

    /// Deletes all events.
    pub(crate) fn clear_events(&self) -> anyhow::Result<()> {
        let cleared = lock(&self.events).clear();
        self.changed();
        cleared
    }

    /// Returns the messages to one recipient, or all.
    pub(crate) fn messages(&self, to: Option<&str>) -> Vec<Message> {
        lock(&self.messages).filtered(|message| to.is_none_or(|to| message.to == to))
    }

    /// Returns the events of one detail type, or all.
    pub(crate) fn events(&self, detail_type: Option<&str>) -> Vec<Event> {
        lock(&self.events)
            .filtered(|event| detail_type.is_none_or(|kind| event.detail_type == kind))
    }
}

impl<T> Default for Journal<T> {
    fn default() -> Self {
        Self { entries: Vec::new(), file: None }
    }
}

impl<T: Clone + Serialize + DeserializeOwned> Journal<T> {
    fn open(path: &Path) -> anyhow::Result<Self> {
        let text = files::read_if_exists(path)?.unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        // A run that was killed can leave an incomplete line.
        let entries = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let failed = || format!("failed to write {}", path.display());
        let mut file = files::private(OpenOptions::new().append(true).create(true))
            .open(path)
            .with_context(failed)?;
        if !text.is_empty() && !text.ends_with('\n') {
            file.write_all(b"\n").with_context(failed)?;
        }
        Ok(Self { entries, file: Some(file) })
    }

    fn add(&mut self, entry: T) {
        if let (Some(file), Ok(line)) = (&mut self.file, serde_json::to_string(&entry)) {
            // A full disk does not stop the delivery: this run still has the entry.
            drop(file.write_all(format!("{line}\n").as_bytes()));
        }
        self.entries.push(entry);
    }

    fn clear(&mut self) -> anyhow::Result<()> {
        self.entries.clear();
        match &mut self.file {
            Some(file) => file.set_len(0).context("failed to empty a file of records"),
            None => Ok(()),
        }
    }

    fn filtered(&self, wanted: impl Fn(&T) -> bool) -> Vec<T> {
        self.entries.iter().filter(|entry| wanted(entry)).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(to: &str) -> Message {
        Message {
            channel: "sms".to_owned(),
            to: to.to_owned(),
            body: "x".to_owned(),
            ..Message::default()
        }
    }

    #[test]
    fn records_survive_a_restart_and_an_incomplete_line() {
        let folder = std::env::temp_dir().join(format!("local-records-{}", random::uuid()));
        std::fs::create_dir_all(&folder).unwrap();
        let first = Records::open(Some(&folder), Arc::default()).unwrap();
        first.message(message("+1"));
        drop(first);
        let path = folder.join("messages.jsonl");
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"{\"id\":").unwrap();
        let second = Records::open(Some(&folder), Arc::default()).unwrap();
        second.message(message("+2"));
        drop(second);
        let third = Records::open(Some(&folder), Arc::default()).unwrap();
        let to: Vec<_> = third.messages(None).into_iter().map(|message| message.to).collect();
        assert_eq!(to, ["+1", "+2"]);
        assert_eq!(third.messages(Some("+2")).len(), 1);
        third.clear_messages().unwrap();
        third.message(message("+3"));
        drop(third);
        let fourth = Records::open(Some(&folder), Arc::default()).unwrap();
        assert_eq!(fourth.messages(None).len(), 1);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
