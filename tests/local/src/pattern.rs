//! Event patterns, as far as filters on streams use them.

use anyhow::{Context, bail};
use serde_json::Value as Json;

/// What an event must look like: an object names the fields to look at, a list the values that will do.
#[derive(Debug, Clone)]
pub(crate) struct Pattern(Json);

impl Pattern {
    /// Reads a pattern and refuses every operator that `matches` would not understand.
    pub(crate) fn parse(text: &str) -> anyhow::Result<Self> {
        let pattern: Json = serde_json::from_str(text).context("a Pattern that is not JSON")?;
        check(&pattern)?;
        Ok(Self(pattern))
    }

    /// Whether an event has every field that the pattern names, with a value that it lists.
    pub(crate) fn matches(&self, event: &Json) -> bool {
        fields_match(&self.0, Some(event))
    }
}

fn check(pattern: &Json) -> anyhow::Result<()> {
    match pattern {
        Json::Object(fields) => fields.values().try_for_each(check),
        Json::Array(choices) => {
            for choice in choices {
                if let Some(operator) = choice.as_object() {
                    let known = operator.len() == 1
                        && (operator.get("prefix").is_some_and(Json::is_string)
                            || operator.get("exists").is_some_and(Json::is_boolean));
                    if !known {
                        bail!("the local stack knows only prefix and exists in a Pattern");
                    }
                }
            }
            Ok(())
        }
        _ => bail!("a Pattern holds objects and lists only"),
    }
}

fn fields_match(pattern: &Json, event: Option<&Json>) -> bool {
    match pattern {
        Json::Object(fields) => fields
            .iter()
            .all(|(name, inner)| fields_match(inner, event.and_then(|event| event.get(name)))),
        Json::Array(choices) => choices.iter().any(|choice| value_matches(choice, event)),
        _ => false,
    }
}

fn value_matches(choice: &Json, value: Option<&Json>) -> bool {
    match choice {
        Json::Object(operator) => match (operator.get("exists"), operator.get("prefix")) {
            (Some(exists), _) => exists.as_bool() == Some(value.is_some()),
            (None, Some(Json::String(prefix))) => {
                value.and_then(Json::as_str).is_some_and(|value| value.starts_with(prefix))
            }
            _ => false,
        },
        plain => value == Some(plain),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_record_matches_when_each_named_field_has_a_listed_value() {
        let pattern = Pattern::parse(r#"{"eventName":["INSERT","MODIFY"]}"#).unwrap();
        assert!(pattern.matches(&json!({ "eventName": "INSERT", "other": 1 })));
        assert!(!pattern.matches(&json!({ "eventName": "REMOVE" })));
        assert!(!pattern.matches(&json!({})));
    }

    #[test]
    fn nested_fields_and_operators_are_understood() {
        let pattern =
            Pattern::parse(r#"{"dynamodb":{"Keys":{"id":{"S":[{"prefix":"sms#"}]}},"OldImage":[{"exists":false}]}}"#)
                .unwrap();
        assert!(pattern.matches(&json!({ "dynamodb": { "Keys": { "id": { "S": "sms#1" } } } })));
        assert!(!pattern.matches(&json!({ "dynamodb": { "Keys": { "id": { "S": "x" } } } })));
        assert!(!pattern.matches(
            &json!({ "dynamodb": { "Keys": { "id": { "S": "sms#1" } }, "OldImage": {} } })
        ));
    }

    #[test]
    fn an_unknown_operator_is_refused_rather_than_ignored() {
        assert!(Pattern::parse(r#"{"a":[{"numeric":[">",1]}]}"#).is_err());
        assert!(Pattern::parse(r#"{"a":1}"#).is_err());
    }
}
