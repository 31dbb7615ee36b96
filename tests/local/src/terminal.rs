//! What a person reads in the terminal: one line for each request with what it caused, and what went wrong.

use crate::activity::{Activity, News, Request, Work};
use serde_json::Value as Json;
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::io::{IsTerminal as _, Write as _};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How long the line of a request waits for what the request causes.
const PATIENCE: Duration = Duration::from_millis(800);
/// The characters of the body of a refusal that are shown.
const MOST_OF_BODY: usize = 160;
/// The requests of which late messages are known.
const REMEMBERED: usize = 1000;

/// How a text is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    Plain,
    Strong,
    Dim,
    Good,
    Bad,
    Warning,
}

/// The colours of a terminal, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Colours(bool);

impl Colours {
    /// Returns colours if standard error is a terminal that wants them (<https://no-color.org>).
    pub(crate) fn of_stderr() -> Self {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self(!refused && !is_dumb && std::io::stderr().is_terminal())
    }

    fn paint(self, text: &str, look: Look) -> String {
        let code = match look {
            _ if !self.0 => return text.to_owned(),
            Look::Plain => return text.to_owned(),
            Look::Strong => "1",
            Look::Dim => "2",
            Look::Good => "32",
            Look::Bad => "31",
            Look::Warning => "33",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

/// Prints a line to standard error.
pub(crate) fn print(line: &str) {
    // There is no other place to report that standard error is closed.
    drop(writeln!(std::io::stderr().lock(), "{line}"));
}

/// Returns the lines that a started stack shows.
pub(crate) fn banner(colours: Colours, url: &str, dynamodb: &str, data: Option<&str>) -> String {
    // With this name, pages of this machine and the API are one site, so that cookies work.
    let api = url.replace("//127.0.0.1:", "//localhost:");
    let state = data.map_or("in memory; keep it with -- --data DIR", |folder| folder);
    let lines = [
        ("API", api.as_str()),
        ("Console", &format!("{api}/_local")),
        ("Inbox", &format!("{api}/_local#/inbox")),
        ("OpenAPI", &format!("{api}/openapi/")),
        ("DynamoDB", dynamodb),
        ("Data", state),
    ];
    let lines = lines.map(|(name, value)| {
        let name = colours.paint(&format!("{name:<9}"), Look::Dim);
        let look = if value.starts_with("http") { Look::Strong } else { Look::Plain };
        format!("  {name} {}", colours.paint(value, look))
    });
    lines.join("\n")
}

/// Returns a log line of a function as a person reads it; `None` if it says nothing that matters.
pub(crate) fn readable(colours: Colours, source: &str, text: &str) -> Option<String> {
    let source = colours.paint(source, Look::Dim);
    let Ok(Json::Object(mut fields)) = serde_json::from_str(text) else {
        return (!text.trim().is_empty()).then(|| format!("{source} {text}"));
    };
    let (level, look) = match fields.get("level").and_then(Json::as_str) {
        Some("ERROR") => ("error", Look::Bad),
        Some("WARN") => ("warning", Look::Warning),
        _ => return None,
    };
    let known = ["timestamp", "level", "message", "request_id", "trace_id", "gateway_request_id"];
    let message = fields.get("message").and_then(Json::as_str).unwrap_or_default().to_owned();
    fields.retain(|name, _| !known.contains(&name.as_str()));
    // As the function wrote them, or by name: serde_json has both orders.
    let fields: BTreeMap<_, _> = fields.into_iter().collect();
    let details = fields.iter().map(|(name, value)| match value {
        Json::String(text) => format!("{name}: {text}"),
        other => format!("{name}: {other}"),
    });
    let details = details.collect::<Vec<_>>().join(", ");
    let level = colours.paint(level, look);
    let line = format!("{source} {level} {message} {}", colours.paint(&details, Look::Dim));
    Some(line.trim_end().to_owned())
}

/// The requests whose lines wait or were printed.
#[derive(Debug, Default)]
struct Shown {
    /// When the line of a request is printed at the latest.
    waiting: BTreeMap<String, Instant>,
    printed: VecDeque<String>,
    /// The messages whose requests have no line yet, as they are shown.
    messages: BTreeMap<String, String>,
    /// The messages that were printed.
    references: HashSet<String>,
}

/// Prints what happens until the stack ends.
pub(crate) async fn follow(activity: Arc<Activity>, colours: Colours) {
    let (mut changes, mut last) = activity.feed.watch();
    let mut shown = Shown::default();
    loop {
        changes.borrow_and_update();
        match activity.feed.after(last) {
            News::Lost(newest) => last = newest,
            News::These(these) => {
                for (number, text) in these {
                    last = number;
                    let news: Json = serde_json::from_str(&text).unwrap_or_default();
                    shown.take(&activity, colours, &news);
                }
            }
        }
        let next = shown.print_ready(&activity, colours);
        tokio::select! {
            ended = changes.changed() => if ended.is_err() { return },
            () = sleep_until(next) => {}
        }
    }
}

async fn sleep_until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

impl Shown {
    fn take(&mut self, activity: &Activity, colours: Colours, news: &Json) {
        let text = |pointer: &str| news.pointer(pointer).and_then(Json::as_str);
        match text("/kind") {
            Some("request") => {
                let Some(id) = text("/request/id") else { return };
                let is_answered = news.pointer("/request/status").is_some_and(Json::is_number);
                if is_answered && !self.printed.iter().any(|printed| printed == id) {
                    let now = Instant::now();
                    let end = now.checked_add(PATIENCE).unwrap_or(now);
                    self.waiting.entry(id.to_owned()).or_insert(end);
                }
            }
            Some("message") => {
                let line = message(colours, |name| text(&format!("/message/{name}")));
                self.late(text("/message/requestId"), text("/message/id"), line);
            }
            Some("withheld") => {
                let part = |name: &str| text(&format!("/withheld/{name}")).unwrap_or_default();
                let line = withheld(colours, part("to"), part("reason"));
                self.late(text("/withheld/requestId"), text("/withheld/id"), line);
            }
            Some("reload") if activity.newest(None, 1).is_empty() => *self = Self::default(),
            _ => {}
        }
    }

    /// Prints a message that came after the line of its request, or without a request.
    fn late(&mut self, request: Option<&str>, reference: Option<&str>, line: String) {
        let is_printed = request.is_none_or(|id| self.printed.iter().any(|printed| printed == id));
        let is_new = reference.is_none_or(|reference| !self.references.contains(reference));
        if is_printed && is_new {
            print(&format!("  {line}"));
        } else if let Some(reference) = reference.filter(|_| is_new) {
            self.messages.insert(reference.to_owned(), line);
        }
    }

    /// Prints the lines that wait for nothing any more. Returns when the next one must be printed.
    fn print_ready(&mut self, activity: &Activity, colours: Colours) -> Option<Instant> {
        let now = Instant::now();
        let is_ready = |(id, end): &(&String, &Instant)| **end <= now || !activity.waits(id);
        let ready: Vec<_> =
            self.waiting.iter().filter(is_ready).map(|(id, _)| id.clone()).collect();
        for id in ready {
            self.waiting.remove(&id);
            if let Some(request) = activity.request(&id) {
                print(&self.line(colours, &request));
                for reference in request.work().iter().filter_map(|it| it.reference.clone()) {
                    self.messages.remove(&reference);
                    self.references.insert(reference);
                }
            }
            if self.printed.len() >= REMEMBERED {
                self.printed.pop_front();
                self.references.clear();
            }
            self.printed.push_back(id);
        }
        self.waiting.values().min().copied()
    }

    /// Returns the line of a request.
    fn line(&self, colours: Colours, request: &Request) -> String {
        let summary = &request.summary;
        let status = summary.status.unwrap_or_default();
        let look = match status {
            0..400 => Look::Good,
            400..500 => Look::Warning,
            _ => Look::Bad,
        };
        let status = colours.paint(&status.to_string(), look);
        let took = summary.duration_ms.unwrap_or_default();
        let cold = if summary.cold { " (cold start)" } else { "" };
        let time = colours.paint(&format!("{took:.0} ms{cold}"), Look::Dim);
        let mut parts = vec![format!("{} {} {status} {time}", summary.method, summary.path)];
        let refusal = request.answer_body().filter(|_| summary.status >= Some(400));
        let refusal = refusal.map(|body| body.chars().take(MOST_OF_BODY).collect::<String>());
        parts.extend(refusal.map(|body| body.replace(char::is_control, " ")));
        parts.extend(summary.error.iter().map(|error| colours.paint(error, Look::Bad)));
        let fault = summary.fault.iter().map(|fault| format!("fault: {fault}"));
        parts.extend(fault.map(|fault| colours.paint(&fault, Look::Warning)));
        let of = |kind: &'static str| request.work().iter().filter(move |work| work.kind == kind);
        for work in of("message") {
            let found = work.reference.as_deref().and_then(|id| self.messages.get(id));
            parts.extend(found.cloned());
        }
        for work in of("withheld") {
            parts.push(colours.paint(&masked_label(work), Look::Warning));
        }
        let events: Vec<_> = of("event").map(|work| work.label.as_str()).collect();
        if !events.is_empty() {
            parts.push(colours.paint(&events.join(", "), Look::Dim));
        }
        if summary.units > 0.0 {
            parts.push(colours.paint(&format!("{} units", summary.units), Look::Dim));
        }
        parts.join(" · ")
    }
}

fn masked_label(work: &Work) -> String {
    let label = work.label.strip_prefix("not sent to ").unwrap_or(&work.label);
    match label.split_once(": ") {
        Some((to, reason)) => format!("not sent to {}: {reason}", masked(to)),
        None => work.label.clone(),
    }
}

fn withheld(colours: Colours, to: &str, reason: &str) -> String {
    colours.paint(&format!("not sent to {}: {reason}", masked(to)), Look::Warning)
}

/// Returns what is shown of a message. The secret of a link is not.
fn message<'m>(colours: Colours, part: impl Fn(&str) -> Option<&'m str>) -> String {
    let to = part("to").unwrap_or_default();
    let channel = if part("channel") == Some("sms") { "SMS" } else { "mail" };
    let mut line = format!("{channel} → {}", masked(to));
    if let Some(code) = part("code") {
        line.push_str(" code ");
        line.push_str(&colours.paint(code, Look::Strong));
    } else if part("link").is_some() {
        line.push_str(" with a link");
    }
    line
}

/// Hides the middle of a phone number or of an address.
fn masked(recipient: &str) -> String {
    let part = |text: &str, from: usize, count: usize| {
        text.chars().skip(from).take(count).collect::<String>()
    };
    let length = |text: &str| text.chars().count();
    if let Some((name, domain)) = recipient.split_once('@') {
        return format!("{}…@{domain}", part(name, 0, 2));
    }
    let end = length(recipient).saturating_sub(4);
    if end <= 3 {
        return recipient.to_owned();
    }
    format!("{}…{}", part(recipient, 0, 3), part(recipient, end, 4))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recipient_is_masked() {
        assert_eq!(masked("+6282243350992"), "+62…0992");
        assert_eq!(masked("harish@bytize.in"), "ha…@bytize.in");
        assert_eq!(masked("+12345"), "+12345");
    }

    #[test]
    fn a_message_shows_its_code_and_never_its_link() {
        let shown =
            |parts: Json| message(Colours(false), |name| parts.get(name).and_then(Json::as_str));
        let text = serde_json::json!({"channel": "sms", "to": "+6282243350992", "code": "50905"});
        assert_eq!(shown(text), "SMS → +62…0992 code 50905");
        let mail = serde_json::json!({"channel": "email", "to": "a@b.example", "link": "http://x?token=1"});
        assert_eq!(shown(mail), "mail → a…@b.example with a link");
    }

    #[test]
    fn only_warnings_errors_and_panics_are_readable() {
        let shown = |text: &str| readable(Colours(false), "relay", text);
        assert_eq!(shown(r#"{"level":"INFO","message":"request"}"#), None);
        assert_eq!(shown(r#"{"_aws":{},"CodesSent":1}"#), None);
        assert_eq!(shown(""), None);
        let warning =
            r#"{"level":"WARN","message":"it waits","tries":2,"error":"no","request_id":"1"}"#;
        assert_eq!(shown(warning).unwrap(), "relay warning it waits error: no, tries: 2");
        assert_eq!(shown("thread 'main' panicked").unwrap(), "relay thread 'main' panicked");
    }

    #[test]
    fn the_links_have_the_name_of_this_machine_or_the_address_for_others() {
        let shown = |url: &str| banner(Colours(false), url, "http://127.0.0.1:1", None);
        assert!(shown("http://127.0.0.1:9000").contains("http://localhost:9000/_local#/inbox"));
        assert!(shown("http://192.168.1.5:9000").contains("http://192.168.1.5:9000/_local"));
    }

    #[test]
    fn colours_end_after_the_text() {
        assert_eq!(Colours(true).paint("204", Look::Good), "\u{1b}[32m204\u{1b}[0m");
        assert_eq!(Colours(false).paint("204", Look::Good), "204");
    }
}
