//! Events as EventBridge sends them to a target.

use crate::records::Event;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use template::Input;
use template::arn::{ACCOUNT, REGION};

/// An event with its envelope.
#[derive(Debug)]
pub(super) struct Envelope {
    pub(super) id: String,
    bus: String,
    /// The JSON text that a target gets.
    pub(super) text: String,
    /// The same for patterns.
    pub(super) json: Json,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Fields<'e> {
    version: &'e str,
    id: &'e str,
    detail_type: &'e str,
    source: &'e str,
    account: &'e str,
    time: &'e str,
    region: &'e str,
    resources: &'e [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    replay_name: Option<&'e str>,
    detail: &'e RawValue,
}

impl Envelope {
    pub(super) fn new(event: &Event, replay: Option<&str>) -> serde_json::Result<Self> {
        let text = serde_json::to_string(&Fields {
            version: "0",
            id: &event.id,
            detail_type: &event.detail_type,
            source: &event.source,
            account: ACCOUNT,
            time: event.happened(),
            region: REGION,
            resources: &event.resources,
            replay_name: replay,
            detail: &event.detail,
        })?;
        let json = serde_json::from_str(&text)?;
        Ok(Self { id: event.id.clone(), bus: event.bus_name.clone(), text, json })
    }

    /// Returns what a target of a rule gets of the event.
    pub(super) fn input(&self, rule: &str, input: &Input) -> String {
        match input {
            Input::Event => self.text.clone(),
            Input::Constant(text) => text.clone(),
            Input::Path(path) => at(&self.text, path).unwrap_or_else(|| "{}".to_owned()),
            Input::Transformed { template, paths } => {
                fill(template, |name| match paths.get(name) {
                    // A variable without a value is empty.
                    Some(path) => Some(at(&self.text, path).unwrap_or_else(|| r#""""#.to_owned())),
                    None => self.reserved(rule, name),
                })
            }
        }
    }

    /// Returns the JSON text of a variable that every input transformer has.
    fn reserved(&self, rule: &str, name: &str) -> Option<String> {
        let value: Json = match name.strip_prefix("aws.events.")? {
            "rule-name" => rule.into(),
            "rule-arn" => {
                format!("arn:aws:events:{REGION}:{ACCOUNT}:rule/{}/{rule}", self.bus).into()
            }
            "event.ingestion-time" => self.json.get("time").cloned().unwrap_or_default(),
            "event.json" => return Some(self.text.clone()),
            // The event without its detail.
            "event" => {
                let mut event = self.json.clone();
                event.as_object_mut()?.remove("detail");
                event
            }
            _ => return None,
        };
        Some(value.to_string())
    }
}

/// Replaces each `<variable>` of a text by its value, which is JSON. In quotes, a text is put without
/// quotes of its own.
fn fill(template: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut filled = String::new();
    let mut rest = template;
    let mut in_quotes = false;
    while let Some(letter) = rest.chars().next() {
        let (head, tail) = rest.split_at(letter.len_utf8());
        let variable = (letter == '<').then(|| tail.split_once('>')).flatten();
        if let Some((value, after)) = variable.and_then(|(name, after)| Some((value(name)?, after)))
        {
            filled.push_str(&if in_quotes { quoted(&value) } else { value });
            rest = after;
            continue;
        }
        // A backslash and the letter behind it stay together.
        let escaped = if letter == '\\' { tail.chars().next() } else { None };
        in_quotes ^= letter == '"';
        filled.push_str(head);
        filled.extend(escaped);
        rest = tail.split_at(escaped.map_or(0, char::len_utf8)).1;
    }
    filled
}

/// Returns a JSON text in a form that can be a part of a text in quotes.
fn quoted(value: &str) -> String {
    let inner = |text: &str| {
        let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        inner.map(str::to_owned)
    };
    inner(value).unwrap_or_else(|| {
        let text = Json::from(value).to_string();
        inner(&text).unwrap_or(text)
    })
}

/// Returns the part of a JSON text that a path such as `$.detail.userId` names, as it is written.
fn at(text: &str, path: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Members<'t>(#[serde(borrow)] BTreeMap<String, &'t RawValue>);

    let mut part = text;
    for name in path.strip_prefix('$')?.split('.').filter(|name| !name.is_empty()) {
        let Members(members) = serde_json::from_str(part).ok()?;
        part = members.get(name)?.get();
    }
    Some(part.to_owned())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use serde_json::json;

    /// An event with this number as its detail.
    pub(in crate::consumers) fn event(number: usize) -> Event {
        Event {
            id: format!("event-{number}"),
            bus_name: "latchkey-events".to_owned(),
            source: "auth-service".to_owned(),
            detail_type: "AUTH_USER_CREATED".to_owned(),
            detail: RawValue::from_string(format!(r#"{{"z":1,"number":{number}}}"#)).unwrap(),
            time: "2026-11-22T03:42:34.120Z".to_owned(),
            request_id: None,
            problems: None,
            occurred: Some("2026-11-22T03:42:34Z".to_owned()),
            resources: Vec::new(),
        }
    }

    #[test]
    fn an_event_has_the_envelope_of_eventbridge() {
        let envelope = Envelope::new(&event(7), None).unwrap();
        let text = r#"{"version":"0","id":"event-7","detail-type":"AUTH_USER_CREATED","source":"auth-service","account":"000000000000","time":"2026-11-22T03:42:34Z","region":"us-east-1","resources":[],"detail":{"z":1,"number":7}}"#;
        assert_eq!(envelope.text, text);
        assert_eq!(envelope.json["detail"], json!({"number": 7, "z": 1}));
        let again = Envelope::new(&event(7), Some("again")).unwrap();
        assert_eq!(again.text, text.replace(r#","detail""#, r#","replay-name":"again","detail""#));
    }

    #[test]
    fn a_target_gets_the_event_a_part_of_it_or_a_constant() {
        let envelope = Envelope::new(&event(7), None).unwrap();
        let input = |input: Input| envelope.input("NewUsers", &input);
        assert_eq!(input(Input::Event), envelope.text);
        assert_eq!(input(Input::Path("$".into())), envelope.text);
        assert_eq!(input(Input::Path("$.detail".into())), r#"{"z":1,"number":7}"#);
        assert_eq!(input(Input::Path("$.detail.number".into())), "7");
        assert_eq!(input(Input::Path("$.nothing".into())), "{}");
        assert_eq!(input(Input::Constant("[1]".into())), "[1]");
    }

    #[test]
    fn an_input_transformer_fills_its_variables() {
        let envelope = Envelope::new(&event(7), None).unwrap();
        let paths = [("n", "$.detail.number"), ("kind", "$.detail-type"), ("all", "$.detail")];
        let paths: BTreeMap<_, _> =
            paths.map(|(name, path)| (name.to_owned(), path.to_owned())).into();
        for (template, expected) in [
            (
                r#"{"kind": <kind>, "number": <n>, "detail": <all>}"#,
                r#"{"kind": "AUTH_USER_CREATED", "number": 7, "detail": {"z":1,"number":7}}"#,
            ),
            (r#""the <kind> number <n>""#, r#""the AUTH_USER_CREATED number 7""#),
            (r#""a \" <all>""#, r#""a \" {\"z\":1,\"number\":7}""#),
            (r#"{"a": 1, "b": "<no variable>", "c": "1 < 2"}"#, ""),
            (r#"{"é": "<aws.events.rule-name>"}"#, r#"{"é": "NewUsers"}"#),
            (
                "<aws.events.rule-arn>",
                r#""arn:aws:events:us-east-1:000000000000:rule/latchkey-events/NewUsers""#,
            ),
            ("<aws.events.event.ingestion-time>", r#""2026-11-22T03:42:34Z""#),
            ("<aws.events.event.json>", &envelope.text),
        ] {
            let expected = if expected.is_empty() { template } else { expected };
            let input = Input::Transformed { template: template.to_owned(), paths: paths.clone() };
            assert_eq!(envelope.input("NewUsers", &input), expected);
        }
        let absent = Input::Transformed {
            template: r#"{"a": <a>, "b": "<a>"}"#.to_owned(),
            paths: BTreeMap::from([("a".to_owned(), "$.detail.nothing".to_owned())]),
        };
        assert_eq!(envelope.input("NewUsers", &absent), r#"{"a": "", "b": ""}"#);
        let event = Input::Transformed {
            template: "<aws.events.event>".to_owned(),
            paths: BTreeMap::new(),
        };
        let event: Json = serde_json::from_str(&envelope.input("NewUsers", &event)).unwrap();
        assert_eq!((&event["id"], event.get("detail")), (&json!("event-7"), None));
    }
}
