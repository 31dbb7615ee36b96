//! The bodies of UrbanFits's requests: their fields and what these can be.

use super::user::REGISTER_PROVIDER;
use crate::contracts::api::{Body, Field};
use serde_json::{Value, json};

const EMAIL: Field = Field::required(
    "email",
    "The e-mail address.",
    || json!({"type": "string", "format": "email", "maxLength": 254}),
);
const OTP_ID: Field = Field::required(
    "otp_id",
    "The handle of the code.",
    || json!({"type": "string", "minLength": 18}),
);
const OTP: Field = Field::required(
    "otp",
    "The code. A number is a wrong code.",
    || json!({"anyOf": [{"type": "string", "minLength": 1}, {"type": "number"}]}),
);
const PASSWORD: Field = Field::required("password", "The password.", text);

pub(super) const SIGN_UP: Body = Body::json(&[
    Field::required(
        "username",
        "The username.",
        || json!({"type": "string", "pattern": "^[A-Za-z0-9_.-]{4,30}$"}),
    ),
    EMAIL,
    Field::required(
        "phone_prefix",
        "The country code; with the number, 15 digits at most.",
        || json!({"type": "string", "pattern": "^\\+[1-9][0-9]{0,3}$"}),
    ),
    Field::required(
        "phone_number",
        "The number without the country code.",
        || json!({"type": "string", "pattern": "^[0-9]{4,14}$"}),
    ),
    Field::required("password", "The password; not a common one.", new_password),
    Field::required(
        "timezone",
        "A time zone of the IANA database, in any case of letters.",
        || json!({"type": "string", "format": "timezone", "examples": ["Asia/Dubai"]}),
    ),
    Field::required(
        "accept_policies",
        "That the policies are accepted.",
        || json!({"const": true}),
    ),
]);
pub(super) const HELD_CODE: Body = Body::json(&[OTP_ID, OTP]);
pub(super) const HANDLE: Body = Body::json(&[OTP_ID]);
pub(super) const ADDRESS: Body = Body::json(&[EMAIL]);
pub(super) const NEW_PASSWORD: Body = Body::json(&[
    OTP_ID,
    OTP,
    Field::required("new_password", "The new password; not a common one.", new_password),
]);
pub(super) const SIGN_IN: Body = Body::json(&[
    Field::required("email", "The e-mail address or the username.", text),
    PASSWORD,
    Field::optional(
        "register_provider",
        "Who registered the user.",
        || json!({"enum": [REGISTER_PROVIDER, null]}),
    ),
    Field::optional("remember_me", "`true` asks for a long session.", || json!({})),
]);
pub(super) const SIGN_OUT: Body =
    Body::json(&[Field::optional("all", "`true` ends all sessions of the user.", || json!({}))])
        .or_absent();
pub(super) const DELETION: Body = Body::json(&[PASSWORD]);

fn text() -> Value {
    json!({"type": "string", "minLength": 1})
}

fn new_password() -> Value {
    json!({"type": "string", "minLength": 8, "maxLength": 128, "format": "password"})
}
