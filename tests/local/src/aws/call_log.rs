//! The record of every call of the functions.

use super::ApiCall;
use super::Service;
use super::rights::Right;
use crate::files;
use crate::sync::lock;
use serde::Serialize;
use std::collections::{BTreeSet, VecDeque};
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Mutex;

/// The number of calls that are kept.
const KEPT_CALLS: usize = 200_000;

/// The newest calls in the order in which they arrived.
#[derive(Debug, Default)]
pub(crate) struct CallLog(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    calls: VecDeque<Call>,
    /// The number of older calls that are not kept any more.
    forgotten: usize,
    rights: Option<RightsFile>,
}

/// A file of the rights that the calls needed: each right once, one JSON object per line.
#[derive(Debug)]
struct RightsFile {
    file: File,
    written: BTreeSet<String>,
}

/// A line of the file.
#[derive(Debug, Serialize)]
struct Needed<'a> {
    function: &'a str,
    #[serde(flatten)]
    right: &'a Right,
}

/// A call as the admin API shows it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Call {
    function: String,
    service: Service,
    operation: String,
    resources: Vec<String>,
    /// The HTTP status of the reply; null until there is a reply.
    status: Option<u16>,
    /// The consumed capacity, where the service reports it.
    units: Option<f64>,
    at: String,
}

/// The number of a call since the start.
#[derive(Debug, Clone, Copy)]
pub(super) struct CallId(usize);

impl CallLog {
    /// Opens an empty log. With a `folder`, the rights that the calls need go to a new file in it.
    pub(crate) fn open(folder: Option<&Path>) -> anyhow::Result<Self> {
        let rights = folder.map(RightsFile::create).transpose()?;
        Ok(Self(Mutex::new(State { rights, ..State::default() })))
    }

    /// Adds a call that has no reply yet.
    pub(super) fn begin(&self, function: &str, call: &ApiCall, at: String) -> CallId {
        let entry = Call {
            function: function.to_owned(),
            service: call.service,
            operation: call.operation.clone(),
            resources: call.resources.clone(),
            status: None,
            units: None,
            at,
        };
        let mut state = lock(&self.0);
        if let Some(rights) = &mut state.rights {
            rights.add(function, &call.rights);
        }
        if state.calls.len() >= KEPT_CALLS {
            state.calls.pop_front();
            state.forgotten = state.forgotten.saturating_add(1);
        }
        state.calls.push_back(entry);
        CallId(state.forgotten.saturating_add(state.calls.len()).saturating_sub(1))
    }

    /// Adds the reply to a call.
    pub(super) fn finish(&self, id: CallId, status: u16, units: Option<f64>) {
        let mut state = lock(&self.0);
        let index = id.0.checked_sub(state.forgotten);
        if let Some(call) = index.and_then(|index| state.calls.get_mut(index)) {
            call.status = Some(status);
            call.units = units;
        }
    }

    /// Forgets all calls.
    pub(crate) fn clear(&self) {
        let mut state = lock(&self.0);
        let count = state.calls.len();
        state.calls.clear();
        state.forgotten = state.forgotten.saturating_add(count);
    }

    /// Returns the calls of one function, or all.
    pub(crate) fn list(&self, function: Option<&str>) -> Vec<Call> {
        let state = lock(&self.0);
        let wanted = |call: &&Call| function.is_none_or(|function| call.function == function);
        state.calls.iter().filter(wanted).cloned().collect()
    }
}

impl RightsFile {
    fn create(folder: &Path) -> anyhow::Result<Self> {
        Ok(Self { file: files::new_record(folder)?, written: BTreeSet::new() })
    }

    fn add(&mut self, function: &str, rights: &[Right]) {
        for right in rights {
            let Ok(line) = serde_json::to_string(&Needed { function, right }) else { continue };
            if !self.written.contains(&line) {
                // A line that is lost because the disk is full makes a right look unused, which the
                // check of the rights reports.
                drop(self.file.write_all(format!("{line}\n").as_bytes()));
                self.written.insert(line);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value as Json, json};

    fn call(service: Service, operation: &str, resources: &[&str], rights: &[Right]) -> ApiCall {
        ApiCall {
            service,
            operation: operation.to_owned(),
            resources: resources.iter().map(|id| (*id).to_owned()).collect(),
            rights: rights.to_vec(),
        }
    }

    #[test]
    fn a_reply_is_added_to_its_call_and_a_filter_selects_a_function() {
        let calls = CallLog::default();
        let begin = |function: &str, call| calls.begin(function, &call, String::new());
        let first = begin("f", call(Service::DynamoDb, "GetItem", &["Users"], &[]));
        begin("g", call(Service::Sns, "Publish", &[], &[]));
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
    fn each_needed_right_is_written_once() {
        let folder = std::env::temp_dir().join(format!("local-rights-{}", crate::random::uuid()));
        let calls = CallLog::open(Some(&folder)).unwrap();
        let publish = call(Service::Sns, "Publish", &[], &[Right::publish("Publish", None)]);
        for function in ["f", "f", "g"] {
            calls.begin(function, &publish, String::new());
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
