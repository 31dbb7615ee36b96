//! The record of every call that a function made.

use std::collections::{BTreeSet, VecDeque};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::Mutex;

use anyhow::Context;
use serde::Serialize;

use super::Ask;
use super::caller::Service;
use super::rights::Right;
use crate::sync::lock;
use crate::{clock, files, random};

/// How many calls are remembered.
const KEPT_CALLS: usize = 200_000;

/// Calls in the order in which they arrived.
#[derive(Debug, Default)]
pub(crate) struct Calls(Mutex<Book>);

#[derive(Debug, Default)]
struct Book {
    calls: VecDeque<Call>,
    /// How many have been forgotten.
    forgotten: usize,
    rights: Option<RightsFile>,
}

/// Where the rights that the calls needed are written, each once, one JSON a line.
#[derive(Debug)]
struct RightsFile {
    file: File,
    written: BTreeSet<String>,
}

/// A line of that file.
#[derive(Debug, Serialize)]
struct Needed<'a> {
    function: &'a str,
    #[serde(flatten)]
    right: &'a Right,
}

/// One call.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Call {
    function: String,
    service: Service,
    operation: String,
    resources: Vec<String>,
    /// The HTTP status of the answer; null while there is none, or if there never was one.
    status: Option<u16>,
    units: Option<f64>,
    at: String,
}

/// Stands for a call whose answer is still to come.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ticket(usize);

impl Calls {
    /// Also writes what the calls needed to be allowed to a new file in `folder`.
    pub(crate) fn open(folder: Option<&Path>) -> anyhow::Result<Self> {
        let rights = folder.map(RightsFile::create).transpose()?;
        Ok(Self(Mutex::new(Book { rights, ..Book::default() })))
    }

    pub(super) fn begin(&self, function: &str, ask: &Ask) -> Ticket {
        let call = Call {
            function: function.to_owned(),
            service: ask.service,
            operation: ask.operation.clone(),
            resources: ask.resources.clone(),
            status: None,
            units: None,
            at: clock::iso_millis(clock::unix_millis()),
        };
        let mut book = lock(&self.0);
        if let Some(rights) = &mut book.rights {
            rights.add(function, &ask.rights);
        }
        if book.calls.len() >= KEPT_CALLS {
            book.calls.pop_front();
            book.forgotten = book.forgotten.saturating_add(1);
        }
        book.calls.push_back(call);
        Ticket(book.forgotten.saturating_add(book.calls.len()).saturating_sub(1))
    }

    pub(super) fn finish(&self, ticket: Ticket, status: u16, units: Option<f64>) {
        let mut book = lock(&self.0);
        let index = ticket.0.checked_sub(book.forgotten);
        if let Some(call) = index.and_then(|index| book.calls.get_mut(index)) {
            call.status = Some(status);
            call.units = units;
        }
    }

    /// The calls of one function, or of all.
    pub(crate) fn list(&self, function: Option<&str>) -> Vec<Call> {
        let book = lock(&self.0);
        let wanted = |call: &&Call| function.is_none_or(|function| call.function == function);
        book.calls.iter().filter(wanted).cloned().collect()
    }
}

impl RightsFile {
    fn create(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join(format!("{}.jsonl", random::uuid()));
        let cannot = || format!("cannot write {}", path.display());
        std::fs::create_dir_all(folder).with_context(cannot)?;
        let file = files::private(OpenOptions::new().append(true).create(true))
            .open(&path)
            .with_context(cannot)?;
        Ok(Self { file, written: BTreeSet::new() })
    }

    fn add(&mut self, function: &str, rights: &[Right]) {
        for right in rights {
            let Ok(line) = serde_json::to_string(&Needed { function, right }) else { continue };
            if !self.written.contains(&line) {
                // A line that a full disk loses is a right that seems unused, which is found out.
                drop(self.file.write_all(format!("{line}\n").as_bytes()));
                self.written.insert(line);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;

    fn ask(service: Service, operation: &str, resources: &[&str], rights: &[Right]) -> Ask {
        Ask {
            service,
            operation: operation.to_owned(),
            resources: resources.iter().map(|id| (*id).to_owned()).collect(),
            rights: rights.to_vec(),
        }
    }

    #[test]
    fn an_answer_finds_its_call_and_a_filter_the_function() {
        let calls = Calls::default();
        let first = calls.begin("f", &ask(Service::DynamoDb, "GetItem", &["Users"], &[]));
        calls.begin("g", &ask(Service::Sns, "Publish", &[], &[]));
        calls.finish(first, 200, Some(1.5));
        let all = serde_json::to_value(calls.list(None)).unwrap();
        assert_eq!(all.pointer("/0/service").unwrap(), "dynamodb");
        assert_eq!(all.pointer("/0/status").unwrap(), 200);
        assert_eq!(all.pointer("/0/units").unwrap(), 1.5);
        assert_eq!(all.pointer("/0/resources").unwrap(), &json!(["Users"]));
        assert!(all.pointer("/1/status").unwrap().is_null());
        assert_eq!(calls.list(Some("g")).len(), 1);
    }

    #[test]
    fn what_a_call_needed_is_written_once() {
        let folder = std::env::temp_dir().join(format!("local-rights-{}", random::uuid()));
        let calls = Calls::open(Some(&folder)).unwrap();
        let publish = ask(Service::Sns, "Publish", &[], &[Right::publish("Publish", None)]);
        for function in ["f", "f", "g"] {
            calls.begin(function, &publish);
        }
        let files: Vec<_> = std::fs::read_dir(&folder).unwrap().collect();
        let [Ok(file)] = files.as_slice() else { panic!("one file") };
        let text = std::fs::read_to_string(file.path()).unwrap();
        let lines: Vec<Json> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let needed = |function: &str| json!({ "function": function, "action": "sns:Publish", "resource": "*", "context": {} });
        assert_eq!(lines, [needed("f"), needed("g")]);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
