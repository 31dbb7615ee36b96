//! GoodCity's rule for mobiles (contracts.md B.0).

use super::Refusal;
use crate::domain::phone::PhoneNumber;
use crate::domain::user::{Identifiers, KnownBy};
use crate::ports::PortError;
use serde_json::Value;

/// What every mobile begins with.
const PREFIX: &str = "+852";
/// What the number itself may begin with. The original took more digits in 2019; its document did
/// not.
const FIRST_DIGITS: [char; 3] = ['5', '6', '9'];
/// The digits of the number itself.
const LENGTH: usize = 8;

/// Reads a mobile: `+852`, then 5, 6 or 9, then seven more digits. Nothing is trimmed.
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

/// The mobile as the contract shows it: without `+852`.
pub(super) fn shown(mobile: &str) -> &str {
    mobile.strip_prefix(PREFIX).unwrap_or(mobile)
}

/// The mobile that a user is known by.
pub(super) fn of(identifiers: &Identifiers) -> Result<&KnownBy, PortError> {
    let mobile = identifiers.phone();
    mobile.ok_or_else(|| PortError::new("read a user", "a user without a mobile"))
}
