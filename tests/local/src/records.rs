//! What went out of the system: messages and events.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::Mutex;

use anyhow::Context;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::sync::lock;
use crate::{clock, files, random};

/// Everything that SNS, SES and EventBridge were given, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Records {
    messages: Mutex<Book<Message>>,
    events: Mutex<Book<Event>>,
}

/// A message that went out.
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
    pub(crate) sent_at: String,
}

/// An event that was put on a bus.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) bus_name: String,
    pub(crate) source: String,
    pub(crate) detail_type: String,
    /// Exactly as it was put.
    pub(crate) detail: Box<RawValue>,
    pub(crate) time: String,
}

#[derive(Debug)]
struct Book<T> {
    entries: Vec<T>,
    /// Where entries are kept between runs, one JSON a line.
    file: Option<File>,
}

impl Records {
    /// Reads what earlier runs recorded in `folder`, and keeps adding to it.
    pub(crate) fn open(folder: &Path) -> anyhow::Result<Self> {
        Ok(Self {
            messages: Mutex::new(Book::open(&folder.join("messages.jsonl"))?),
            events: Mutex::new(Book::open(&folder.join("events.jsonl"))?),
        })
    }

    /// Records a message, giving it its id and time.
    pub(crate) fn message(&self, mut message: Message) -> String {
        (message.id, message.sent_at) = stamp();
        let id = message.id.clone();
        lock(&self.messages).add(message);
        id
    }

    /// Records an event, giving it its id and time.
    pub(crate) fn event(&self, mut event: Event) -> String {
        (event.id, event.time) = stamp();
        let id = event.id.clone();
        lock(&self.events).add(event);
        id
    }

    /// The messages to one recipient, or all.
    pub(crate) fn messages(&self, to: Option<&str>) -> Vec<Message> {
        lock(&self.messages).only(|message| to.is_none_or(|to| message.to == to))
    }

    /// The events of one detail type, or all.
    pub(crate) fn events(&self, detail_type: Option<&str>) -> Vec<Event> {
        lock(&self.events).only(|event| detail_type.is_none_or(|kind| event.detail_type == kind))
    }
}

fn stamp() -> (String, String) {
    (random::uuid(), clock::iso_millis(clock::unix_millis()))
}

impl<T> Default for Book<T> {
    fn default() -> Self {
        Self { entries: Vec::new(), file: None }
    }
}

impl<T: Clone + Serialize + DeserializeOwned> Book<T> {
    fn open(path: &Path) -> anyhow::Result<Self> {
        let text = files::read_if_there(path)?.unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        // A line that a killed run left half-written is no record.
        let entries = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let cannot = || format!("cannot write {}", path.display());
        let mut file = files::private(OpenOptions::new().append(true).create(true))
            .open(path)
            .with_context(cannot)?;
        if !text.is_empty() && !text.ends_with('\n') {
            file.write_all(b"\n").with_context(cannot)?;
        }
        Ok(Self { entries, file: Some(file) })
    }

    fn add(&mut self, entry: T) {
        if let (Some(file), Ok(line)) = (&mut self.file, serde_json::to_string(&entry)) {
            // A full disk must not stop the delivery; the entry is still there for this run.
            drop(file.write_all(format!("{line}\n").as_bytes()));
        }
        self.entries.push(entry);
    }

    fn only(&self, wanted: impl Fn(&T) -> bool) -> Vec<T> {
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
    fn records_survive_a_restart_and_a_line_cut_short() {
        let folder = std::env::temp_dir().join(format!("local-records-{}", random::uuid()));
        std::fs::create_dir_all(&folder).unwrap();
        let first = Records::open(&folder).unwrap();
        first.message(message("+1"));
        drop(first);
        let path = folder.join("messages.jsonl");
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"{\"id\":").unwrap();
        let second = Records::open(&folder).unwrap();
        second.message(message("+2"));
        drop(second);
        let third = Records::open(&folder).unwrap();
        let to: Vec<_> = third.messages(None).into_iter().map(|message| message.to).collect();
        assert_eq!(to, ["+1", "+2"]);
        assert_eq!(third.messages(Some("+2")).len(), 1);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
