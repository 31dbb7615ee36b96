//! GoodCity's rule for mobiles (CONTRACT.md, "Identifiers and ids").

use super::Refusal;
use crate::domain::phone::PhoneNumber;
use crate::domain::user::{Identifiers, KnownBy};
use crate::ports::PortError;
use serde_json::Value;

/// The beginning of every mobile.
const PREFIX: &str = "+852";
/// The first digits of the number after the prefix. The code of the original accepted more digits
/// in 2019; its document did not.
const FIRST_DIGITS: [char; 3] = ['5', '6', '9'];
/// The number of digits after the prefix.
const LENGTH: usize = 8;

/// Reads a mobile: `+852`, then 5, 6 or 9, then seven more digits. Does not trim.
pub(super) fn parse(value: Option<&Value>) -> Result<PhoneNumber, Refusal> {
    let text = match value {
        None | Some(Value::Null) => return Err(Refusal::MobileBlank),
        Some(Value::String(text)) if text.trim().is_empty() => return Err(Refusal::MobileBlank),
        Some(Value::String(text)) => text,
        Some(_) => return Err(Refusal::MobileInvalid),
    };
    let number = text.strip_prefix(PREFIX).ok_or(Refusal::MobileInvalid)?;
    if number.len() != LENGTH || !number.starts_with(FIRST_DIGITS) {
        return Err(Refusal::MobileInvalid);
    }
    PhoneNumber::parse(text).map_err(|_| Refusal::MobileInvalid)
}

/// The mobile as responses show it: without `+852`.
pub(super) fn shown(mobile: &str) -> &str {
    mobile.strip_prefix(PREFIX).unwrap_or(mobile)
}

/// The mobile of a user.
pub(super) fn of(identifiers: &Identifiers) -> Result<&KnownBy, PortError> {
    let mobile = identifiers.phone();
    mobile.ok_or_else(|| PortError::new("read a user", "a user without a mobile"))
}
