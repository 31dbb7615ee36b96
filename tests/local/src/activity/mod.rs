//! What the stack did: each request to the API with the calls, the messages and the events that it
//! caused, also those that the relay makes after the answer.
//!
//! A process handles one invocation at a time, so its calls belong to that invocation. A call of the
//! relay belongs to the requests whose transactions or recipients it names.

mod content;
mod entries;
mod feed;
mod requests;

pub(crate) use content::{code, country, link, segments};
pub(crate) use feed::{Feed, News};
pub(crate) use requests::{Asked, Request, Summary, Withheld, Work};

use crate::aws::ApiCall;
use crate::backend::Backend;
use crate::clock::Clock;
use crate::lambda::Outcome;
use crate::records::{Event, Message};
use crate::sync::lock;
use entries::Expected;
use requests::Requests;
use serde_json::{Value as Json, json};
use std::sync::Mutex;
use std::time::Instant;

/// Follows what happens in a stack.
#[derive(Debug, Default)]
pub(crate) struct Activity {
    pub(crate) clock: Clock,
    pub(crate) feed: Feed,
    /// The physical name of the outbox.
    outbox: String,
    requests: Mutex<Requests>,
}

/// A call of a function that has no reply yet.
#[derive(Debug)]
pub(crate) struct Followed {
    invocation: Option<String>,
    function: String,
    owners: Vec<String>,
    began: Instant,
    written: Vec<String>,
    deleted: Option<String>,
    /// The body of a call to a carrier, which names the recipient.
    message: Option<String>,
}

impl Activity {
    pub(crate) fn new(clock: Clock, outbox: &str) -> Self {
        Self { clock, outbox: outbox.to_owned(), ..Self::default() }
    }

    /// Forgets everything that happened.
    pub(crate) fn clear(&self) {
        lock(&self.requests).clear();
        self.reload();
    }

    /// Tells those who watch that anything may have changed.
    pub(crate) fn reload(&self) {
        self.feed.add(|| json!({ "kind": "reload" }));
    }

    /// Notes a request before its function is invoked with its id.
    pub(crate) fn request_begins(&self, summary: Summary, asked: Asked) {
        lock(&self.requests).begin(summary, asked, Instant::now());
    }

    /// Notes the answer to a request.
    pub(crate) fn request_ends(&self, id: &str, status: u16, outcome: &Outcome) {
        let answer = match outcome {
            Outcome::Answered(answer) => serde_json::from_slice(answer).ok(),
            Outcome::Failed(_) | Outcome::TimedOut(_) => None,
        };
        let answer = answer.map(|answer: Json| {
            let part = |name: &str| answer.get(name).cloned().unwrap_or_default();
            json!({
                "headers": part("headers"),
                "cookies": part("cookies"),
                "body": part("body").as_str().map(|body| requests::cut(body.to_owned())),
                "bodyIsBase64": part("isBase64Encoded"),
            })
        });
        lock(&self.requests).end(id, status, answer, outcome.error());
        self.changed(id);
    }

    /// Tells those who watch that a request has changed.
    fn changed(&self, id: &str) {
        let summary = lock(&self.requests).get(id).map(|request| request.summary.clone());
        if let Some(summary) = summary {
            self.feed.add(|| json!({ "kind": "request", "request": summary }));
        }
    }

    /// Notes that an instance gets an invocation.
    pub(crate) fn invocation_begins(&self, id: &str, function: &str, is_cold: bool) {
        lock(&self.requests).begin_invocation(id, function, is_cold);
    }

    /// Notes that an invocation has ended.
    pub(crate) fn invocation_ends(&self, id: &str, outcome: &Outcome) {
        let error = outcome.error();
        let requests = lock(&self.requests).end_invocation(id, error.as_deref());
        for request in requests.iter().filter(|request| *request != id) {
            self.changed(request);
        }
    }

    /// Notes a log line of an invocation.
    pub(crate) fn line(&self, invocation: &str, function: &str, text: &str) {
        lock(&self.requests).line(invocation, format!("[{function}] {text}"));
    }

    /// Notes a call before it is executed.
    pub(crate) fn call_begins(
        &self,
        invocation: Option<&str>,
        function: &str,
        call: &ApiCall,
        body: &[u8],
        backend: &Backend,
    ) -> Followed {
        let text = String::from_utf8_lossy(body);
        let is_of_outbox = call.resources.iter().any(|table| table == "Outbox");
        let request = if is_of_outbox { serde_json::from_str(&text).ok() } else { None };
        let request: Json = request.unwrap_or_default();
        let written = entries::written(&request, &self.outbox);
        let deleted = entries::deleted(&call.operation, &request, &self.outbox);
        let ids = entries::ids(&text);
        let reasons: Vec<_> = written
            .iter()
            .flat_map(|entry| &entry.messages)
            .filter(|message| !message.is_sent)
            .map(|message| {
                let is_known = backend.has_identifier(&message.identifier());
                let is_phone = message.channel == "phone";
                let is_allowed = !is_phone || backend.sends_texts_to(function, &message.to);
                (message.clone(), reason(message, is_known, is_allowed))
            })
            .collect();
        let written_ids = written.iter().map(|entry| entry.id.clone()).collect();
        let mut requests = lock(&self.requests);
        let owners = match invocation {
            Some(invocation) => requests.owners(invocation, &ids, &text),
            None => Vec::new(),
        };
        requests.open(invocation, written, |expected: &Expected| {
            let found = reasons.iter().find(|(message, _)| message == expected);
            found.map_or("a rule withheld it", |(_, reason)| reason)
        });
        drop(requests);
        Followed {
            invocation: invocation.map(str::to_owned),
            function: function.to_owned(),
            owners,
            began: Instant::now(),
            written: written_ids,
            deleted,
            message: call.service.is_carrier().then(|| text.into_owned()),
        }
    }

    /// Notes the reply to a call; `None` if it got none.
    pub(crate) fn call_ends(
        &self,
        followed: Followed,
        call: &ApiCall,
        reply: Option<(u16, Option<f64>)>,
        fault: Option<&'static str>,
    ) {
        let Followed { invocation, function, owners, began, written, deleted, message } = followed;
        let is_done = reply.is_some_and(|(status, _)| (200..300).contains(&status));
        let took = began.elapsed();
        let mut withheld = Vec::new();
        {
            let mut requests = lock(&self.requests);
            if reply.is_some() && !is_done {
                requests.not_written(&written);
            }
            let is_refused = reply.is_some_and(|(status, _)| (400..500).contains(&status));
            if let (Some(invocation), Some(message)) = (&invocation, &message)
                && is_refused
            {
                requests.refused(invocation, message);
            }
            let resources = call.resources.join(", ");
            // What a call does for several requests, each has a part of.
            let shares = f64::from(u32::try_from(owners.len()).unwrap_or(u32::MAX));
            for owner in &owners {
                let work = Work {
                    kind: "call",
                    function: Some(function.clone()),
                    label: format!("{} {resources}", call.operation).trim_end().to_owned(),
                    service: Some(call.service.name().to_owned()),
                    operation: Some(call.operation.clone()),
                    resources: call.resources.clone(),
                    status: reply.map(|(status, _)| status),
                    units: reply.and_then(|(_, units)| units).map(|units| units / shares),
                    fault,
                    ..Work::default()
                };
                requests.add(owner, work, began, Some(took));
            }
            if let Some(entry) = deleted.filter(|_| is_done && invocation.is_some()) {
                withheld = requests.delivered(&entry, &self.clock.stamp());
            }
        }
        for one in withheld {
            self.feed.add(|| json!({ "kind": "withheld", "withheld": one }));
        }
    }

    /// Notes a message, and names its request in it.
    pub(crate) fn message(&self, message: &mut Message) {
        let mut requests = lock(&self.requests);
        let Some((request, correlation)) = requests.message(&message.to) else { return };
        if let Some(request) = &request {
            let what = if message.channel == "sms" { "SMS" } else { "mail" };
            let work = Work {
                kind: "message",
                label: format!("{what} to {}", message.to),
                reference: Some(message.id.clone()),
                ..Work::default()
            };
            requests.add(request, work, Instant::now(), None);
        }
        message.request_id = request;
        message.correlation_id = Some(correlation);
    }

    /// Notes an event, and names its request in it.
    pub(crate) fn event(&self, event: &mut Event) {
        let detail: Json = serde_json::from_str(event.detail.get()).unwrap_or_default();
        let Some(correlation) = detail.get("correlationId").and_then(Json::as_str) else { return };
        let mut requests = lock(&self.requests);
        let Some(request) = requests.of_correlation(correlation) else { return };
        let work = Work {
            kind: "event",
            label: event.detail_type.clone(),
            reference: Some(event.id.clone()),
            ..Work::default()
        };
        requests.add(&request, work, Instant::now(), None);
        event.request_id = Some(request);
    }

    /// Returns the newest requests, or those before one, newest first.
    pub(crate) fn newest(&self, before: Option<&str>, limit: usize) -> Vec<Summary> {
        lock(&self.requests).newest(before, limit)
    }

    /// Returns a request with everything that is known of it.
    pub(crate) fn request(&self, id: &str) -> Option<Request> {
        lock(&self.requests).get(id).cloned()
    }

    /// Returns whether effects of a request are not delivered yet.
    pub(crate) fn waits(&self, request: &str) -> bool {
        lock(&self.requests).waits(request)
    }

    /// Returns the codes that were asked for and not sent, oldest first.
    pub(crate) fn withheld(&self) -> Vec<Withheld> {
        lock(&self.requests).withheld.iter().cloned().collect()
    }
}

/// Returns why a code is not sent.
fn reason(message: &Expected, is_known: bool, is_allowed: bool) -> &'static str {
    if !is_allowed {
        return "texts to this country are not allowed (SMS_COUNTRIES)";
    }
    match (message.purpose.as_str(), is_known) {
        ("sign_up", true) => "the recipient has an account already",
        ("sign_in" | "reset_password" | "delete_account", false) => "the recipient has no account",
        ("change_phone", true) => "another account has this number",
        _ => "a limit of messages or a rule of the contract withheld it",
    }
}
