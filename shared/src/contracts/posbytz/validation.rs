//! The rules of the fields, with the texts of class-validator in its order: max, min, type, empty.

use super::{FieldErrors, bodies};
use crate::contracts::api::Fields;
use crate::domain::email::EmailAddress;
use crate::domain::id::UserId;
use crate::domain::password::{self, Password, PasswordError};
use crate::domain::phone::PhoneNumber;
use serde_json::Value;

/// The length of a password, in code points (CONTRACT.md, "Differences from the original").
const PASSWORD: std::ops::RangeInclusive<usize> = 8..=32;
/// The length of the longest referral code, in code points.
const REFERRAL_CODE_MAX: usize = 64;
/// The number of digits of a phone number without the country code.
const NUMBER_DIGITS: std::ops::RangeInclusive<usize> = 4..=14;

/// The text for an address that is missing.
pub(super) const NO_EMAIL: &str = "email should not be empty";
/// The text for a mobile that is missing.
pub(super) const NO_MOBILE: &str = "mobile should not be empty";

/// A mobile in the two parts of the contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mobile {
    /// The country code with `+`.
    pub(super) code: String,
    /// The whole number.
    pub(super) phone: PhoneNumber,
}

impl Mobile {
    /// The number without the country code.
    pub(super) fn number(&self) -> &str {
        number_of(&self.phone, &self.code)
    }
}

/// A phone number without the country code.
pub(super) fn number_of<'a>(phone: &'a PhoneNumber, code: &str) -> &'a str {
    phone.as_str().strip_prefix(code).unwrap_or_default()
}

/// A field, unless it is absent or `null`.
pub(super) fn given<'a>(fields: &'a Fields<'_>, name: &str) -> Option<&'a Value> {
    fields.get(name).filter(|value| !value.is_null())
}

pub(super) fn email(value: &Value, errors: &mut FieldErrors) -> Option<EmailAddress> {
    let email = value.as_str().and_then(|text| EmailAddress::parse(text.trim()).ok());
    if email.is_none() {
        errors.add("email", vec!["email must be an email"]);
    }
    email
}

/// Reads a country code with or without `+`, and returns it with `+`.
fn country_code(value: &Value) -> Option<String> {
    let text = value.as_str()?;
    let digits = text.strip_prefix('+').unwrap_or(text);
    let fits = (1..=4).contains(&digits.len())
        && !digits.starts_with('0')
        && digits.bytes().all(|byte| byte.is_ascii_digit());
    fits.then(|| format!("+{digits}"))
}

fn digits(value: &Value) -> Option<&str> {
    let text = value.as_str()?;
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    (digits && NUMBER_DIGITS.contains(&text.len())).then_some(text)
}

pub(super) fn mobile(value: &Value, errors: &mut FieldErrors) -> Option<Mobile> {
    let Some(object) = value.as_object() else {
        errors.add("mobile", vec!["mobile must be an object"]);
        return None;
    };
    let object = Fields::of(object, bodies::MOBILE_PARTS);
    let code = object.get("code").and_then(country_code);
    let number = object.get("number").and_then(digits);
    let phone = match (&code, number) {
        (Some(code), Some(number)) => PhoneNumber::international(code, number).ok(),
        _ => None,
    };
    let mut nested = FieldErrors::default();
    if code.is_none() {
        nested.add("code", vec!["code must be a valid country code"]);
    }
    // If both parts together are too long, the error is reported for the number.
    if number.is_none() || (code.is_some() && phone.is_none()) {
        nested.add("number", vec!["number must be a valid phone number"]);
    }
    errors.add_nested("mobile", nested);
    Some(Mobile { code: code?, phone: phone? })
}

pub(super) fn password(value: Option<&Value>, errors: &mut FieldErrors) -> Option<Password> {
    let text = value.and_then(Value::as_str);
    let length = text.map(password::length);
    let mut wrong = Vec::new();
    if length.is_none_or(|length| length > *PASSWORD.end()) {
        wrong.push("password must be shorter than or equal to 32 characters");
    }
    if length.is_none_or(|length| length < *PASSWORD.start()) {
        wrong.push("password must be longer than or equal to 8 characters");
    }
    if text.is_none() {
        wrong.push("password must be a string");
    }
    if value.is_none() || text == Some("") {
        wrong.push("password should not be empty");
    }
    let chosen = text.filter(|_| wrong.is_empty());
    let chosen = chosen.map(|text| Password::parse_new(text, *PASSWORD.start(), None));
    if matches!(chosen, Some(Err(PasswordError::TooCommon))) {
        wrong.push("password is too common");
    }
    errors.add("password", wrong);
    chosen?.ok()
}

/// Reads a code, which is a JSON number.
pub(super) fn otp(fields: &Fields<'_>, errors: &mut FieldErrors) -> Option<String> {
    let otp = given(fields, "otp").filter(|value| value.is_number());
    if otp.is_none() {
        errors.add("otp", vec!["otp must be a number conforming to the specified constraints"]);
    }
    otp.map(Value::to_string)
}

/// Reads the password of a customer who has one.
pub(super) fn known_password<'a>(
    fields: &'a Fields<'_>,
    errors: &mut FieldErrors,
) -> Option<&'a str> {
    let password = given(fields, "password").and_then(Value::as_str);
    if password.is_none_or(str::is_empty) {
        let texts = ["password must be a string", "password should not be empty"];
        let texts = texts.into_iter().skip(usize::from(password.is_some()));
        errors.add("password", texts.collect());
    }
    password
}

/// Reads a referral code. An empty one is absent.
pub(super) fn referral_code(value: &Value, errors: &mut FieldErrors) -> Option<String> {
    let text = value.as_str();
    let mut wrong = Vec::new();
    if text.is_none_or(|text| text.chars().count() > REFERRAL_CODE_MAX) {
        wrong.push("referralCode must be shorter than or equal to 64 characters");
    }
    if text.is_none() {
        wrong.push("referralCode must be a string");
    }
    let right = wrong.is_empty();
    errors.add("referralCode", wrong);
    text.filter(|text| right && !text.is_empty()).map(str::to_owned)
}

/// Reads an id of 24 hex digits, and returns it in lower case.
pub(super) fn mongodb_id(text: &str) -> Option<UserId> {
    let fits = text.len() == 24 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    fits.then(|| UserId::from_stored(&text.to_ascii_lowercase()))
}

pub(super) fn referred_by(value: &Value, errors: &mut FieldErrors) -> Option<UserId> {
    let id = value.as_str().and_then(mongodb_id);
    if id.is_none() {
        errors.add("referredBy", vec!["referredBy must be a mongodb id"]);
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn wrong<T>(read: impl Fn(&Value, &mut FieldErrors) -> Option<T>, value: &Value) -> Value {
        let mut errors = FieldErrors::default();
        let read = read(value, &mut errors).is_some();
        assert!(!read || errors.is_empty());
        serde_json::to_value(&errors).unwrap()
    }

    #[test]
    fn a_mobile_is_a_country_and_a_number_of_fifteen_digits_at_most() {
        let parts = |code: &str, number: &str| json!({"code": code, "number": number});
        let good = [
            ("+91", "9962794005", "+91", "9962794005"),
            ("91", "9962794005", "+91", "9962794005"),
            ("1", "2345", "+1", "2345"),
            ("+9", "12345678901234", "+9", "12345678901234"),
            ("1234", "12345678901", "+1234", "12345678901"),
        ];
        for (code, number, canonical, kept) in good {
            let mobile = mobile(&parts(code, number), &mut FieldErrors::default()).unwrap();
            assert_eq!((mobile.code.as_str(), mobile.number()), (canonical, kept));
        }
        let code = json!({"mobile": {"code": ["code must be a valid country code"]}});
        for bad in ["", "+", "0", "+0", "12345", "++1", "9a", " 91", "+91 ", "-91"] {
            assert_eq!(wrong(mobile, &parts(bad, "9962794005")), code, "{bad:?}");
        }
        let number = json!({"mobile": {"number": ["number must be a valid phone number"]}});
        for bad in ["", "123", "123456789012345", "99627 94005", "+9962794005", "99627a"] {
            assert_eq!(wrong(mobile, &parts("+91", bad)), number, "{bad:?}");
        }
        assert_eq!(wrong(mobile, &parts("+1234", "123456789012")), number);
        assert_eq!(wrong(mobile, &json!({"code": "+91", "number": 9_962_794_005_u64})), number);
        let both = json!({"mobile": {"code": ["code must be a valid country code"],
            "number": ["number must be a valid phone number"]}});
        assert_eq!(wrong(mobile, &json!({})), both);
        let object = json!({"mobile": ["mobile must be an object"]});
        for bad in [json!("+919962794005"), json!(1), json!([]), json!(true)] {
            assert_eq!(wrong(mobile, &bad), object);
        }
    }

    #[test]
    fn a_passwords_errors_come_in_class_validators_order() {
        let wrong = |value| wrong(|value, errors| password(Some(value), errors), &value);
        let (max, min, kind, empty) = (
            "password must be shorter than or equal to 32 characters",
            "password must be longer than or equal to 8 characters",
            "password must be a string",
            "password should not be empty",
        );
        for good in ["87654320", &"é".repeat(32), "        "] {
            assert_eq!(wrong(json!(good)), json!({}), "{good}");
        }
        assert_eq!(wrong(json!("12345678")), json!({"password": ["password is too common"]}));
        assert_eq!(wrong(json!("1234567")), json!({"password": [min]}));
        assert_eq!(wrong(json!("é".repeat(33))), json!({"password": [max]}));
        assert_eq!(wrong(json!("")), json!({"password": [min, empty]}));
        assert_eq!(wrong(json!(12_345_678)), json!({"password": [max, min, kind]}));
        let mut errors = FieldErrors::default();
        assert!(password(None, &mut errors).is_none());
        let all = json!({"password": [max, min, kind, empty]});
        assert_eq!(serde_json::to_value(&errors).unwrap(), all);
    }

    #[test]
    fn referrals_are_read() {
        let most = "referralCode must be shorter than or equal to 64 characters";
        assert_eq!(wrong(referral_code, &json!("x".repeat(64))), json!({}));
        assert_eq!(wrong(referral_code, &json!("")), json!({}));
        assert_eq!(wrong(referral_code, &json!("x".repeat(65))), json!({"referralCode": [most]}));
        let texts = json!({"referralCode": [most, "referralCode must be a string"]});
        assert_eq!(wrong(referral_code, &json!(7)), texts);
        assert_eq!(wrong(referred_by, &json!("632C34752269f12c57952275")), json!({}));
        let text = json!({"referredBy": ["referredBy must be a mongodb id"]});
        for bad in [json!(""), json!("632c"), json!("g".repeat(24)), json!(7)] {
            assert_eq!(wrong(referred_by, &bad), text);
        }
    }
}
