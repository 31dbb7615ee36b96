//! The requests to the API, each with what it caused.

use super::entries::{Entry, Expected};
use serde::Serialize;
use serde_json::{Map, Value as Json};
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::time::{Duration, Instant};

/// The number of requests that are kept.
pub(super) const KEPT_REQUESTS: usize = 1000;
/// The most entries of the outbox that are followed until they are delivered.
const MOST_OPEN: usize = 5000;
/// The most calls, messages and events of a request that are kept.
const MOST_WORK: usize = 500;
/// The most log lines of a request that are kept.
const MOST_LINES: usize = 200;
/// The bytes of a body that are kept.
const MOST_OF_BODY: usize = 64 * 1024;
/// The number of withheld codes that are kept.
const KEPT_WITHHELD: usize = 1000;

/// A request as a list shows it.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Summary {
    pub(crate) id: String,
    pub(crate) at: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) route: String,
    pub(crate) function: String,
    pub(crate) contract: Option<String>,
    /// Null until it is answered.
    pub(crate) status: Option<u16>,
    pub(crate) duration_ms: Option<f64>,
    /// The capacity units of its calls and of what it caused.
    pub(crate) units: f64,
    pub(crate) calls: usize,
    pub(crate) messages: usize,
    pub(crate) events: usize,
    pub(crate) withheld: usize,
    /// Whether its process started for it.
    pub(crate) cold: bool,
    /// The fault that a call met.
    pub(crate) fault: Option<String>,
    /// The error of the function.
    pub(crate) error: Option<String>,
}

/// What a client sent.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Asked {
    pub(crate) headers: Map<String, Json>,
    pub(crate) body: Option<String>,
    pub(crate) body_is_base64: bool,
}

/// A request with everything that is known of it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Request {
    #[serde(flatten)]
    pub(crate) summary: Summary,
    #[serde(flatten)]
    asked: Asked,
    answer: Option<Json>,
    work: Vec<Work>,
    logs: VecDeque<String>,
    #[serde(skip)]
    began: Instant,
}

/// Something that a request caused.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Work {
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    pub(crate) function: Option<String>,
    /// The time since the request began.
    pub(crate) start_ms: f64,
    pub(crate) duration_ms: Option<f64>,
    pub(crate) label: String,
    pub(crate) service: Option<String>,
    pub(crate) operation: Option<String>,
    pub(crate) resources: Vec<String>,
    pub(crate) status: Option<u16>,
    pub(crate) units: Option<f64>,
    pub(crate) fault: Option<&'static str>,
    /// The id of the message or of the event.
    #[serde(rename = "ref")]
    pub(crate) reference: Option<String>,
}

/// A code that was asked for and not sent.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Withheld {
    pub(crate) id: String,
    pub(crate) at: String,
    pub(crate) contract: String,
    pub(crate) to: String,
    pub(crate) purpose: String,
    pub(crate) reason: String,
    pub(crate) request_id: Option<String>,
    pub(crate) correlation_id: String,
}

/// An entry of the outbox that is not delivered yet.
#[derive(Debug)]
struct Open {
    /// The id of the request that caused it.
    request: Option<String>,
    correlation: String,
    messages: Vec<Awaited>,
}

#[derive(Debug)]
struct Awaited {
    expected: Expected,
    /// Why it is not sent, if that is known.
    reason: Option<&'static str>,
    is_sent: bool,
}

/// An invocation of a function.
#[derive(Debug)]
pub(super) struct Invocation {
    pub(super) function: String,
    began: Instant,
    /// Whether it answers the request with its own id.
    is_request: bool,
    is_cold: bool,
    /// The entries that its calls named.
    entries: HashSet<u64>,
    /// The requests that it worked for.
    requests: HashSet<String>,
}

/// The requests and what they wait for.
#[derive(Debug, Default)]
pub(super) struct Requests {
    kept: VecDeque<Request>,
    /// The number of requests that are not kept any more.
    forgotten: usize,
    places: HashMap<String, usize>,
    /// The request of a transaction.
    by_correlation: HashMap<String, String>,
    open: BTreeMap<u64, Open>,
    open_by_id: HashMap<String, u64>,
    last_open: u64,
    pub(super) invocations: HashMap<String, Invocation>,
    pub(super) withheld: VecDeque<Withheld>,
}

impl Request {
    /// Returns the body of the answer.
    pub(crate) fn answer_body(&self) -> Option<&str> {
        self.answer.as_ref()?.get("body")?.as_str()
    }

    /// Returns what it caused, in the order of its beginning.
    pub(crate) fn work(&self) -> &[Work] {
        &self.work
    }
}

/// Rounds to two decimals: a part of a shared call can have many.
fn hundredths(units: f64) -> f64 {
    (units * 100.0).round() / 100.0
}

/// Cuts a text that is too long to keep.
pub(super) fn cut(mut text: String) -> String {
    if text.len() > MOST_OF_BODY {
        text.truncate(text.floor_char_boundary(MOST_OF_BODY));
        text.push_str("… (cut)");
    }
    text
}

fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

impl Requests {
    /// Forgets everything that has ended. An invocation that runs goes on.
    pub(super) fn clear(&mut self) {
        let invocations = std::mem::take(&mut self.invocations);
        *self = Self { invocations, ..Self::default() };
    }

    pub(super) fn begin(&mut self, summary: Summary, mut asked: Asked, began: Instant) {
        asked.body = asked.body.map(cut);
        if self.kept.len() >= KEPT_REQUESTS
            && let Some(oldest) = self.kept.pop_front()
        {
            self.forgotten = self.forgotten.saturating_add(1);
            self.places.remove(&oldest.summary.id);
            self.by_correlation.retain(|_, request| *request != oldest.summary.id);
        }
        let place = self.forgotten.saturating_add(self.kept.len());
        self.places.insert(summary.id.clone(), place);
        let (work, logs) = (Vec::new(), VecDeque::new());
        self.kept.push_back(Request { summary, asked, answer: None, work, logs, began });
    }

    pub(super) fn get(&mut self, id: &str) -> Option<&mut Request> {
        let place = self.places.get(id)?.checked_sub(self.forgotten)?;
        self.kept.get_mut(place)
    }

    /// Returns the newest requests, or those before one, newest first.
    pub(super) fn newest(&self, before: Option<&str>, limit: usize) -> Vec<Summary> {
        let end = before.and_then(|id| self.places.get(id)?.checked_sub(self.forgotten));
        let earlier = self.kept.iter().take(end.unwrap_or(usize::MAX));
        earlier.rev().take(limit).map(|request| request.summary.clone()).collect()
    }

    pub(super) fn end(
        &mut self,
        id: &str,
        status: u16,
        answer: Option<Json>,
        error: Option<String>,
    ) {
        if let Some(request) = self.get(id) {
            request.summary.status = Some(status);
            request.summary.duration_ms = Some(millis(request.began.elapsed()));
            request.summary.error = error;
            request.answer = answer;
        }
    }

    pub(super) fn begin_invocation(&mut self, id: &str, function: &str, is_cold: bool) {
        let is_request = self.places.contains_key(id);
        if is_request
            && is_cold
            && let Some(request) = self.get(id)
        {
            request.summary.cold = true;
        }
        let invocation = Invocation {
            function: function.to_owned(),
            began: Instant::now(),
            is_request,
            is_cold,
            entries: HashSet::new(),
            requests: HashSet::new(),
        };
        self.invocations.insert(id.to_owned(), invocation);
    }

    /// Ends an invocation. Returns the requests that it worked for.
    pub(super) fn end_invocation(&mut self, id: &str, error: Option<&str>) -> HashSet<String> {
        let Some(ended) = self.invocations.remove(id) else { return HashSet::new() };
        let mut requests = ended.requests;
        if ended.is_request {
            requests.insert(id.to_owned());
        }
        let start = if ended.is_cold { " (cold start)" } else { "" };
        for request in &requests {
            let work = Work {
                kind: "invocation",
                function: Some(ended.function.clone()),
                label: format!("{}{start}", ended.function),
                fault: error.map(|_| "failed"),
                ..Work::default()
            };
            self.add(request, work, ended.began, Some(ended.began.elapsed()));
        }
        requests
    }

    /// Adds a log line of an invocation.
    pub(super) fn line(&mut self, invocation: &str, text: String) {
        if let Some(request) = self.get(invocation) {
            if request.logs.len() >= MOST_LINES {
                request.logs.pop_front();
            }
            request.logs.push_back(text);
        }
    }

    /// Adds work to a request.
    pub(super) fn add(
        &mut self,
        request: &str,
        mut work: Work,
        began: Instant,
        took: Option<Duration>,
    ) {
        let Some(request) = self.get(request) else { return };
        let count = match work.kind {
            "call" => Some(&mut request.summary.calls),
            "message" => Some(&mut request.summary.messages),
            "event" => Some(&mut request.summary.events),
            "withheld" => Some(&mut request.summary.withheld),
            _ => None,
        };
        if let Some(count) = count {
            *count = count.saturating_add(1);
        }
        work.units = work.units.map(hundredths);
        request.summary.units = hundredths(request.summary.units + work.units.unwrap_or_default());
        if let Some(fault) = work.fault
            && work.kind == "call"
        {
            let service = work.service.as_deref().unwrap_or_default();
            request.summary.fault.get_or_insert_with(|| format!("{service} {fault}"));
        }
        work.start_ms = millis(began.saturating_duration_since(request.began));
        work.duration_ms = took.map(millis);
        if request.work.len() < MOST_WORK {
            let later = |other: &Work| other.start_ms <= work.start_ms;
            let place = request.work.partition_point(later);
            request.work.insert(place, work);
        }
    }

    /// Follows the entries that a call writes. `reason` tells why a message is not sent.
    pub(super) fn open(
        &mut self,
        invocation: Option<&str>,
        entries: Vec<Entry>,
        reason: impl Fn(&Expected) -> &'static str,
    ) {
        let request = invocation.filter(|id| self.places.contains_key(*id)).map(str::to_owned);
        for entry in entries {
            let correlation = correlation(&entry.id).to_owned();
            if let Some(request) = &request {
                self.by_correlation.insert(correlation.clone(), request.clone());
            }
            // The SDK repeats a call whose reply was lost.
            self.close(&entry.id);
            let messages = entry.messages.into_iter().map(|expected| {
                let reason = (!expected.is_sent).then(|| reason(&expected));
                Awaited { expected, reason, is_sent: false }
            });
            let open = Open { request: request.clone(), correlation, messages: messages.collect() };
            self.last_open = self.last_open.saturating_add(1);
            self.open_by_id.insert(entry.id, self.last_open);
            self.open.insert(self.last_open, open);
            if self.open.len() > MOST_OPEN
                && let Some((oldest, _)) = self.open.pop_first()
            {
                self.open_by_id.retain(|_, number| *number != oldest);
            }
        }
    }

    fn close(&mut self, entry: &str) -> Option<Open> {
        self.open_by_id.remove(entry).and_then(|number| self.open.remove(&number))
    }

    /// Forgets entries that were not written.
    pub(super) fn not_written(&mut self, entries: &[String]) {
        for entry in entries {
            self.close(entry);
        }
    }

    /// Ends an entry that was delivered. Returns its codes that were not sent.
    pub(super) fn delivered(&mut self, entry: &str, at: &str) -> Vec<Withheld> {
        let Some(open) = self.close(entry) else { return Vec::new() };
        let unsent = open.messages.into_iter().filter(|message| !message.is_sent);
        let late =
            "it was replaced, used or ended before it was sent, or its recipient cannot be reached";
        let withheld = unsent.map(|Awaited { expected, reason, .. }| Withheld {
            id: format!("{entry}#{}", expected.to),
            at: at.to_owned(),
            contract: expected.contract,
            to: expected.to,
            purpose: expected.purpose,
            reason: reason.unwrap_or(late).to_owned(),
            request_id: open.request.clone(),
            correlation_id: open.correlation.clone(),
        });
        let withheld: Vec<_> = withheld.collect();
        for one in &withheld {
            if self.withheld.len() >= KEPT_WITHHELD {
                self.withheld.pop_front();
            }
            self.withheld.push_back(one.clone());
            if let Some(request) = &one.request_id {
                let (kind, label) = ("withheld", format!("not sent to {}: {}", one.to, one.reason));
                let reference = Some(one.id.clone());
                let work = Work { kind, label, reference, ..Work::default() };
                self.add(request, work, Instant::now(), None);
            }
        }
        withheld
    }

    /// Notes that a carrier refused a message of an invocation.
    pub(super) fn refused(&mut self, invocation: &str, call: &str) {
        let Some(running) = self.invocations.get(invocation) else { return };
        for number in &running.entries {
            let messages = self.open.get_mut(number).map(|open| &mut open.messages);
            for message in messages.into_iter().flatten() {
                if is_in(call, &message.expected.to) {
                    message.reason = Some("the carrier refused the message");
                }
            }
        }
    }

    /// Returns the request and the transaction of a message to this recipient.
    pub(super) fn message(&mut self, to: &str) -> Option<(Option<String>, String)> {
        let waits = |message: &&mut Awaited| !message.is_sent && message.expected.is_sent;
        for open in self.open.values_mut().rev() {
            let mut messages = open.messages.iter_mut();
            if let Some(message) = messages.find(|it| waits(it) && it.expected.to == to) {
                message.is_sent = true;
                return Some((open.request.clone(), open.correlation.clone()));
            }
        }
        None
    }

    /// Returns the request of a transaction.
    pub(super) fn of_correlation(&self, correlation: &str) -> Option<String> {
        self.by_correlation.get(correlation).cloned()
    }

    /// Returns whether entries of a request are not delivered yet.
    pub(super) fn waits(&self, request: &str) -> bool {
        self.open.values().any(|open| open.request.as_deref() == Some(request))
    }

    /// Returns the requests that a call of an invocation works for: that of the invocation, or those whose
    /// transactions or recipients the call names.
    pub(super) fn owners(&mut self, invocation: &str, ids: &[&str], body: &str) -> Vec<String> {
        let Some(running) = self.invocations.get_mut(invocation) else { return Vec::new() };
        if running.is_request {
            return vec![invocation.to_owned()];
        }
        let mut owners: HashSet<String> =
            ids.iter().filter_map(|id| self.by_correlation.get(*id).cloned()).collect();
        for id in ids {
            let entry = ["m#", "e#"].map(|kind| self.open_by_id.get(&format!("{kind}{id}")));
            running.entries.extend(entry.into_iter().flatten());
        }
        if owners.is_empty() {
            // Calls to carriers and for challenges name the recipient alone.
            for open in running.entries.iter().filter_map(|number| self.open.get(number)) {
                let names = |message: &Awaited| is_in(body, &message.expected.to);
                if open.messages.iter().any(names) {
                    owners.extend(open.request.clone());
                }
            }
        }
        running.requests.extend(owners.iter().cloned());
        owners.into_iter().collect()
    }
}

/// Returns the id of the transaction of an entry.
fn correlation(entry: &str) -> &str {
    entry.split_once('#').map_or(entry, |(_, id)| id)
}

/// Returns whether a call names a recipient, in JSON or in a form.
fn is_in(body: &str, recipient: &str) -> bool {
    match recipient.strip_prefix('+') {
        Some(digits) => body.contains(digits),
        None => body.contains(recipient) || body.contains(&recipient.replace('@', "%40")),
    }
}
