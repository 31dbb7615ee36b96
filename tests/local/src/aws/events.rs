//! A stand-in for EventBridge, which records the events that are put on a bus.

use super::reply::Reply;
use crate::clock;
use crate::records::{Event, Records};
use axum::http::StatusCode;
use jiff::SignedDuration;
use serde_json::value::RawValue;
use serde_json::{Value as Json, json};
use template::EventBus;

/// The largest number of entries of a call.
const ENTRY_LIMIT: usize = 10;

/// The largest size of all entries of a call together, in bytes.
const SIZE_LIMIT: usize = 256 * 1024;

/// The bus that every account has.
const DEFAULT_BUS: &str = "default";

/// The buses of the template.
#[derive(Debug)]
pub(crate) struct EventBuses(pub(crate) Vec<EventBus>);

impl EventBuses {
    pub(crate) fn call(&self, operation: &str, body: &[u8], records: &Records) -> Reply {
        match operation {
            "PutEvents" => self.put(&entries(body), records),
            other => Reply::unknown_operation(other),
        }
    }

    fn put(&self, entries: &[Json], records: &Records) -> Reply {
        if entries.is_empty() || entries.len() > ENTRY_LIMIT {
            return Reply::bad_request(
                "ValidationException",
                "1 validation error detected: 'entries' must have between 1 and 10 members",
            );
        }
        if entries.iter().map(size).fold(0, usize::saturating_add) > SIZE_LIMIT {
            return Reply::bad_request(
                "ValidationException",
                "Total size of the entries in the request is over the limit.",
            );
        }
        let known = |name: &str| name == DEFAULT_BUS || self.0.iter().any(|bus| bus.name == name);
        if let Some(name) = entries.iter().map(bus_name).find(|name| !known(name)) {
            return Reply::bad_request(
                "ResourceNotFoundException",
                &format!("Event bus {name} does not exist."),
            );
        }
        let mut failed = 0_usize;
        let results: Vec<_> = entries
            .iter()
            .map(|entry| match record(entry, records) {
                Ok(id) => json!({ "EventId": id }),
                Err((code, message)) => {
                    failed = failed.saturating_add(1);
                    json!({ "ErrorCode": code, "ErrorMessage": message })
                }
            })
            .collect();
        Reply::json(StatusCode::OK, &json!({ "FailedEntryCount": failed, "Entries": results }))
    }
}

/// Returns the reply of the fault mode `partial`: HTTP 200, with every entry failed.
pub(super) fn all_failed(body: &[u8]) -> Reply {
    let results: Vec<_> = entries(body)
        .iter()
        .map(|_| json!({ "ErrorCode": "InternalFailure", "ErrorMessage": "a requested fault" }))
        .collect();
    Reply::json(StatusCode::OK, &json!({ "FailedEntryCount": results.len(), "Entries": results }))
}

fn record(entry: &Json, records: &Records) -> Result<String, (&'static str, String)> {
    let required = |name: &str| {
        entry.get(name).and_then(Json::as_str).filter(|text| !text.is_empty()).ok_or_else(|| {
            let message =
                format!("Parameter {name} is not valid. Reason: {name} is a required argument.");
            ("InvalidArgument", message)
        })
    };
    let (source, detail_type, detail) =
        (required("Source")?, required("DetailType")?, required("Detail")?);
    let detail = serde_json::from_str::<Box<RawValue>>(detail)
        .ok()
        .filter(|detail| detail.get().starts_with('{'))
        .ok_or(("MalformedDetail", "Detail is malformed.".to_owned()))?;
    if source.starts_with("aws.") {
        let message = "Parameter Source is not valid. Reason: aws. is reserved.".to_owned();
        return Err(("NotAuthorizedForSourceException", message));
    }
    Ok(records.event(Event {
        id: String::new(),
        bus_name: bus_name(entry).to_owned(),
        source: source.to_owned(),
        detail_type: detail_type.to_owned(),
        detail,
        time: String::new(),
        request_id: None,
        problems: None,
        occurred: time(entry),
        resources: members(entry, "Resources").map(str::to_owned).collect(),
    }))
}

/// Returns the time of an entry as the envelope of an event has it.
fn time(entry: &Json) -> Option<String> {
    let seconds = SignedDuration::try_from_secs_f64(entry.get("Time")?.as_f64()?).ok()?;
    Some(clock::iso_seconds(i64::try_from(seconds.as_millis()).ok()?))
}

fn members<'e>(entry: &'e Json, name: &str) -> impl Iterator<Item = &'e str> {
    let list = entry.get(name).and_then(Json::as_array).into_iter().flatten();
    list.filter_map(Json::as_str)
}

fn entries(body: &[u8]) -> Vec<Json> {
    let body: Json = serde_json::from_slice(body).unwrap_or_default();
    body.get("Entries").and_then(Json::as_array).cloned().unwrap_or_default()
}

/// Returns the name of an entry's bus, which the entry can also name by its ARN.
pub(super) fn bus_name(entry: &Json) -> &str {
    let name = entry.get("EventBusName").and_then(Json::as_str).unwrap_or(DEFAULT_BUS);
    match name.split_once(":event-bus/") {
        Some((_, name)) => name,
        None => name,
    }
}

/// Returns the size of an entry as EventBridge counts it: 14 bytes for a time, and the texts.
fn size(entry: &Json) -> usize {
    let time = if entry.get("Time").is_some() { 14 } else { 0 };
    let texts = ["Source", "DetailType", "Detail"]
        .iter()
        .filter_map(|name| entry.get(name)?.as_str())
        .map(str::len)
        .fold(0, usize::saturating_add);
    let resources = members(entry, "Resources").map(str::len).fold(0, usize::saturating_add);
    texts.saturating_add(resources).saturating_add(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buses() -> EventBuses {
        EventBuses(vec![EventBus { id: "Bus".into(), name: "latchkey-events".into() }])
    }

    fn put(entries: &Json, records: &Records) -> (u16, Json) {
        let body = json!({ "Entries": entries }).to_string();
        let reply = buses().call("PutEvents", body.as_bytes(), records);
        (reply.status.as_u16(), serde_json::from_slice(&reply.body).unwrap())
    }

    fn entry(bus: &str, detail: &str) -> Json {
        json!({ "EventBusName": bus, "Source": "auth-service", "DetailType": "T", "Detail": detail })
    }

    #[test]
    fn valid_events_are_recorded_in_order_and_each_invalid_one_fails() {
        let records = Records::default();
        let arn = "arn:aws:events:us-east-1:000000000000:event-bus/latchkey-events";
        let (status, answer) = put(
            &json!([
                entry("latchkey-events", r#"{"n":1}"#),
                entry(arn, "[]"),
                entry(arn, r#"{"n":2}"#)
            ]),
            &records,
        );
        assert_eq!((status, answer.get("FailedEntryCount").unwrap()), (200, &json!(1)));
        assert_eq!(answer.pointer("/Entries/1/ErrorCode").unwrap(), "MalformedDetail");
        let details: Vec<_> =
            records.events(Some("T")).iter().map(|event| event.detail.get().to_owned()).collect();
        assert_eq!(details, [r#"{"n":1}"#, r#"{"n":2}"#]);
        assert!(records.events(None).iter().all(|event| event.bus_name == "latchkey-events"));
    }

    #[test]
    fn an_invalid_call_is_refused_and_records_nothing() {
        let records = Records::default();
        let good = entry("latchkey-events", "{}");
        let (_, answer) = put(&json!([good, entry("nowhere", "{}")]), &records);
        assert_eq!(answer.get("__type").unwrap(), "ResourceNotFoundException");
        assert_eq!(put(&json!(vec![good.clone(); 11]), &records).0, 400);
        assert_eq!(put(&json!([]), &records).0, 400);
        let huge = format!("{{\"a\":\"{}\"}}", "x".repeat(SIZE_LIMIT));
        assert_eq!(put(&json!([entry("default", &huge)]), &records).0, 400);
        assert!(records.events(None).is_empty());
    }

    #[test]
    fn a_partial_fault_fails_every_entry() {
        let body =
            json!({ "Entries": [entry("default", "{}"), entry("default", "{}")] }).to_string();
        let answer: Json = serde_json::from_slice(&all_failed(body.as_bytes()).body).unwrap();
        assert_eq!(answer.get("FailedEntryCount").unwrap(), 2);
    }
}
