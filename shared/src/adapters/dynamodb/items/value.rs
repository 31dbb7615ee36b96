//! Attribute values of DynamoDB items.
//!
//! Times are numbers. Attributes that the code compares, such as `created_at`, hold seconds since
//! the epoch with milliseconds as a fraction ([`time`]). Attributes that DynamoDB deletes by (TTL)
//! hold the next whole second ([`purge_time`]).

use crate::domain::time::Timestamp;
use crate::ports::PortError;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use std::collections::HashMap;

/// An item in the form of the SDK.
pub(crate) type Item = HashMap<String, AttributeValue>;

pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(crate) fn number(value: impl Into<u64>) -> AttributeValue {
    AttributeValue::N(value.into().to_string())
}

/// Returns a number that may be negative.
pub(crate) fn integer(value: i64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

pub(crate) const fn flag(value: bool) -> AttributeValue {
    AttributeValue::Bool(value)
}

pub(crate) fn bytes(value: &[u8]) -> AttributeValue {
    AttributeValue::B(Blob::new(value))
}

/// Returns a point in time as seconds since the epoch with three decimal places.
pub(crate) fn time(value: Timestamp) -> AttributeValue {
    let millis = value.as_millis().rem_euclid(1000);
    AttributeValue::N(format!("{}.{millis:03}", value.as_seconds()))
}

/// Returns a point in time for a TTL attribute: whole seconds, never before the point itself.
pub(crate) fn purge_time(value: Timestamp) -> AttributeValue {
    AttributeValue::N(value.as_seconds().saturating_add(1).to_string())
}

/// Reads an attribute.
///
/// # Errors
/// The attribute is missing or has another type; the error contains its name.
pub(crate) fn read<'a, T>(
    item: &'a Item,
    name: &'static str,
    as_type: impl FnOnce(&'a AttributeValue) -> Option<T>,
) -> Result<T, PortError> {
    let value = item.get(name).and_then(as_type);
    value.ok_or_else(|| PortError::new("read a stored item", format!("bad attribute {name}")))
}

pub(crate) fn as_text(value: &AttributeValue) -> Option<&str> {
    value.as_s().ok().map(String::as_str)
}

pub(crate) fn as_bytes(value: &AttributeValue) -> Option<&[u8]> {
    value.as_b().ok().map(Blob::as_ref)
}

pub(crate) fn as_number(value: &AttributeValue) -> Option<u64> {
    value.as_n().ok()?.parse().ok()
}

/// Reads a number that may be negative.
pub(crate) fn as_integer(value: &AttributeValue) -> Option<i64> {
    value.as_n().ok()?.parse().ok()
}

pub(crate) fn as_flag(value: &AttributeValue) -> Option<bool> {
    value.as_bool().ok().copied()
}

/// Reads a point in time, with or without decimal places.
pub(crate) fn as_time(value: &AttributeValue) -> Option<Timestamp> {
    let (seconds, fraction) = match value.as_n().ok()?.split_once('.') {
        Some((seconds, fraction)) => (seconds, format!("{fraction:0<3}")),
        None => (value.as_n().ok()?.as_str(), "000".to_owned()),
    };
    let seconds: i64 = seconds.parse().ok()?;
    let millis: i64 = fraction.get(..3)?.parse().ok()?;
    Some(Timestamp::from_millis(seconds.checked_mul(1000)?.checked_add(millis)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_back() {
        for millis in [0, 1, 1_763_782_954_120, 1_763_782_954_007] {
            let stamp = Timestamp::from_millis(millis);
            assert_eq!(as_time(&time(stamp)), Some(stamp));
        }
        // DynamoDB removes trailing zeros.
        let shortened = AttributeValue::N("12.5".to_owned());
        assert_eq!(as_time(&shortened), Some(Timestamp::from_millis(12_500)));
        let whole = AttributeValue::N("12".to_owned());
        assert_eq!(as_time(&whole), Some(Timestamp::from_millis(12_000)));
    }
}
