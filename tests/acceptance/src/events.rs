//! Published events, and the schemas that they must match.

use serde_json::Value;

/// The events of a detail type.
#[must_use]
pub fn of_type<'a>(events: &'a [Value], detail_type: &str) -> Vec<&'a Value> {
    events.iter().filter(|event| event["detailType"] == detail_type).collect()
}

/// The detail types of events, in their order.
#[must_use]
pub fn types(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["detailType"].as_str().unwrap()).collect()
}

/// Requires that an event matches the closed schema of its detail type.
pub(crate) fn assert_schema(event: &Value) {
    let text = |name: &str| event[name].as_str().unwrap();
    let problems = event_schemas::problems(text("source"), text("detailType"), &event["detail"]);
    let problems = problems.unwrap_or_else(|| panic!("{event}: its type has no schema"));
    assert!(problems.is_empty(), "{event}: {problems:?}");
}
