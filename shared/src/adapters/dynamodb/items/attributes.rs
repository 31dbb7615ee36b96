//! Attributes of users and sessions: JSON values as DynamoDB values.

use super::value::{Item, read, text};
use crate::domain::attributes::Attributes;
use crate::ports::PortError;
use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Map, Number, Value};

/// Returns the value of the attribute that holds a contract's attributes.
pub(crate) fn attributes_value(attributes: &Attributes) -> AttributeValue {
    let attributes = attributes.iter().map(|(name, value)| (name.to_owned(), to_stored(value)));
    AttributeValue::M(attributes.collect())
}

/// Reads the attributes that a contract stored.
pub(crate) fn read_attributes(item: &Item) -> Result<Attributes, PortError> {
    let attributes = read(item, "attributes", |value| value.as_m().ok())?;
    attributes.iter().map(|(name, value)| Ok((name.clone(), from_stored(value)?))).collect()
}

/// The attributes of items that are hashes, nonces or keys, and the names of things that only this
/// program uses.
const SECRETS: [&str; 15] = [
    "password_hash",
    "nonce",
    "used_nonce",
    "key_id",
    "used_key_id",
    "used_with",
    "token_hash",
    "predecessor",
    "family",
    "client_device",
    "guess_ids",
    "handles",
    "challenge_id",
    "opened_by",
    "known_sources",
];

/// Returns the attributes of an item as JSON, without secrets. An attribute that has no form in JSON is
/// left out.
pub(crate) fn plain_attributes(item: &Item) -> Attributes {
    let shown = item.iter().filter(|(name, _)| !SECRETS.contains(&name.as_str()));
    shown.filter_map(|(name, value)| Some((name.clone(), plain(value)?))).collect()
}

fn plain(value: &AttributeValue) -> Option<Value> {
    match value {
        AttributeValue::L(values) => Some(values.iter().filter_map(plain).collect()),
        AttributeValue::M(values) => {
            let shown = values.iter().filter(|(name, _)| !SECRETS.contains(&name.as_str()));
            let shown = shown.filter_map(|(name, value)| Some((name.clone(), plain(value)?)));
            Some(Value::Object(shown.collect()))
        }
        value => from_stored(value).ok(),
    }
}

fn to_stored(value: &Value) -> AttributeValue {
    match value {
        Value::Null => AttributeValue::Null(true),
        Value::Bool(value) => AttributeValue::Bool(*value),
        Value::Number(number) => AttributeValue::N(number.to_string()),
        Value::String(value) => text(value),
        Value::Array(values) => AttributeValue::L(values.iter().map(to_stored).collect()),
        Value::Object(values) => {
            let values = values.iter().map(|(name, value)| (name.clone(), to_stored(value)));
            AttributeValue::M(values.collect())
        }
    }
}

fn from_stored(value: &AttributeValue) -> Result<Value, PortError> {
    Ok(match value {
        AttributeValue::Null(_) => Value::Null,
        AttributeValue::Bool(value) => Value::Bool(*value),
        AttributeValue::N(number) => Value::Number(as_json_number(number)?),
        AttributeValue::S(value) => Value::String(value.clone()),
        AttributeValue::L(values) => {
            Value::Array(values.iter().map(from_stored).collect::<Result<_, _>>()?)
        }
        AttributeValue::M(values) => {
            let values = values.iter().map(|(name, value)| Ok((name.clone(), from_stored(value)?)));
            Value::Object(values.collect::<Result<Map<_, _>, PortError>>()?)
        }
        _ => return Err(PortError::new("read a stored item", "an attribute is not JSON")),
    })
}

/// Reads a number. DynamoDB drops a decimal point with only zeros behind it.
fn as_json_number(text: &str) -> Result<Number, PortError> {
    let bad = |error: serde_json::Error| PortError::new("read a stored item", error);
    serde_json::from_str(text).map_err(bad)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn attributes_keep_their_json_types() {
        let value = json!({
            "text": "a", "empty": "", "number": 7, "negative": -1.5, "yes": true, "none": null,
            "list": [1, "b", []], "nested": {"deep": {"er": [null]}},
        });
        let Value::Object(map) = value else { panic!("an object") };
        let attributes: Attributes = map.into_iter().collect();
        let item = Item::from([("attributes".to_owned(), attributes_value(&attributes))]);
        assert_eq!(read_attributes(&item).unwrap(), attributes);
    }

    #[test]
    fn a_value_that_is_not_json_is_an_error() {
        let set = AttributeValue::Ss(vec!["a".to_owned()]);
        let map = AttributeValue::M(Item::from([("set".to_owned(), set)]));
        assert!(read_attributes(&Item::from([("attributes".to_owned(), map)])).is_err());
        assert!(read_attributes(&Item::new()).is_err());
    }
}
