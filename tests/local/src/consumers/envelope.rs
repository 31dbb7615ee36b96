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
    detail: &'e RawValue,
}

impl Envelope {
    pub(super) fn new(event: &Event) -> serde_json::Result<Self> {
        let text = serde_json::to_string(&Fields {
            version: "0",
            id: &event.id,
            detail_type: &event.detail_type,
            source: &event.source,
            account: ACCOUNT,
            time: event.occurred.as_deref().unwrap_or(&event.time),
            region: REGION,
            resources: &event.resources,
            detail: &event.detail,
        })?;
        let json = serde_json::from_str(&text)?;
        Ok(Self { id: event.id.clone(), text, json })
    }

    /// Returns what a target gets of the event.
    pub(super) fn input(&self, input: &Input) -> String {
        match input {
            Input::Event => self.text.clone(),
            Input::Constant(text) => text.clone(),
            Input::Path(path) => at(&self.text, path).unwrap_or_else(|| "{}".to_owned()),
        }
    }
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
            occurred: Some("2026-11-22T03:42:34Z".to_owned()),
            resources: Vec::new(),
        }
    }

    #[test]
    fn an_event_has_the_envelope_of_eventbridge() {
        let envelope = Envelope::new(&event(7)).unwrap();
        let text = r#"{"version":"0","id":"event-7","detail-type":"AUTH_USER_CREATED","source":"auth-service","account":"000000000000","time":"2026-11-22T03:42:34Z","region":"us-east-1","resources":[],"detail":{"z":1,"number":7}}"#;
        assert_eq!(envelope.text, text);
        assert_eq!(envelope.json["detail"], json!({"number": 7, "z": 1}));
    }

    #[test]
    fn a_target_gets_the_event_a_part_of_it_or_a_constant() {
        let envelope = Envelope::new(&event(7)).unwrap();
        let input = |input: Input| envelope.input(&input);
        assert_eq!(input(Input::Event), envelope.text);
        assert_eq!(input(Input::Path("$".into())), envelope.text);
        assert_eq!(input(Input::Path("$.detail".into())), r#"{"z":1,"number":7}"#);
        assert_eq!(input(Input::Path("$.detail.number".into())), "7");
        assert_eq!(input(Input::Path("$.nothing".into())), "{}");
        assert_eq!(input(Input::Constant("[1]".into())), "[1]");
    }
}
