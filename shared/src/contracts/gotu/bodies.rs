//! The bodies of Gotu's requests: their fields and what these can be.

use crate::contracts::api::{Body, Field};
use serde_json::{Value, json};

const IDENTIFIER: Field = Field::required(
    "identifier",
    "A phone number in E.164, or an e-mail address.",
    || json!({"type": "string", "anyOf": [email(), phone()]}),
);
const OTP_CODE: Field = Field::required(
    "otpCode",
    "The code that was sent.",
    || json!({"type": "string", "pattern": "^[0-9]{4,8}$"}),
);
const PHONE: Field = Field::required("phoneNumber", "A phone number in E.164.", phone);
const EMAIL: Field = Field::required("email", "An e-mail address.", email);
const REQUEST_TOKEN: Field =
    Field::required("requestToken", "A token of `POST /otp/verification`.", text);

pub(super) const OTP: Body = Body::json(&[
    IDENTIFIER,
    Field::required(
        "otpType",
        "What the code is for.",
        || json!({"type": "string", "enum": ["login", "change_phone", "reset_password", "sign_up", "delete_account"]}),
    ),
]);
pub(super) const VERIFICATION: Body = Body::json(&[
    IDENTIFIER,
    OTP_CODE,
    Field::required(
        "otpType",
        "What the code is for.",
        || json!({"type": "string", "enum": ["change_phone", "reset_password"]}),
    ),
]);
pub(super) const SIGN_UP: Body = Body::json(&[
    Field::optional("type", "The way of the sign-up; without it, the identifier decides.", || {
        json!({"type": ["string", "null"], "pattern": "^([pP][hH][oO][nN][eE]|[eE][mM][aA][iI][lL])?$"})
    }),
    Field::optional("phoneNumber", "By phone: the number in E.164.", || optional(&phone())),
    Field::optional("otpCode", "By phone: the code of `otpType` `sign_up`.", || {
        optional(&json!({"type": "string", "pattern": "^[0-9]{4,8}$"}))
    }),
    Field::optional("email", "By e-mail: the address.", || optional(&email())),
    Field::optional("password", "By e-mail: the password, of at most 1024 bytes; not a common one.", || {
        optional(&json!({"type": "string", "minLength": 8, "format": "password"}))
    }),
    Field::optional("userType", "The type of the user; by phone it is required.", || {
        json!({"enum": ["DNT", "HYG", "", null]})
    }),
    Field::optional("referralID", "The id of the user who referred this one; ignored unless it has 24 hex digits.", || {
        json!({"examples": ["5f1a2b3c4d5e6f7a8b9c0d1e"]})
    }),
    Field::optional("source", "Where the sign-up comes from.", || {
        json!({"type": ["string", "null"], "maxLength": 64})
    }),
])
.with(|| {
    let by = |way: &str, required: &[&str], given: Value| {
        json!({"title": way, "required": required, "properties": given})
    };
    let chosen = |way: &str| json!({"type": "string", "pattern": way});
    json!({"anyOf": [
        by("phone", &["type", "phoneNumber", "otpCode", "userType"], json!({
            "type": chosen("^[pP]"), "phoneNumber": phone(), "otpCode": {"type": "string"},
            "userType": {"enum": ["DNT", "HYG"]}})),
        by("email", &["type", "email", "password"], json!({
            "type": chosen("^[eE]"), "email": email(), "password": {"type": "string", "minLength": 8}})),
        by("phone, without type", &["phoneNumber", "otpCode", "userType"], json!({
            "type": {"enum": ["", null]}, "email": {"enum": ["", null]}, "phoneNumber": phone(),
            "otpCode": {"type": "string"}, "userType": {"enum": ["DNT", "HYG"]}})),
        by("email, without type", &["email", "password"], json!({
            "type": {"enum": ["", null]}, "phoneNumber": {"enum": ["", null]}, "email": email(),
            "password": {"type": "string", "minLength": 8}})),
    ]})
});
pub(super) const SIGN_IN: Body =
    Body::json(&[EMAIL, Field::required("password", "The password.", text)]);
pub(super) const SIGN_IN_BY_PHONE: Body = Body::json(&[PHONE, OTP_CODE]);
pub(super) const REFRESH: Body =
    Body::json(&[Field::required("refreshToken", "The refresh token of the session.", text)]);
pub(super) const DELETION: Body = Body::json(&[
    Field::optional("password", "The password; this, or `identifier` and `otpCode`.", || {
        optional(&text())
    }),
    Field::optional(
        "identifier",
        "A phone number or an e-mail address of the user.",
        || json!({"type": ["string", "null"], "anyOf": [{"enum": ["", null]}, email(), phone()]}),
    ),
    Field::optional("otpCode", "A code of `otpType` `delete_account` to that identifier.", || {
        optional(&json!({"type": "string", "pattern": "^[0-9]{4,8}$"}))
    }),
])
.with(|| {
    let absent = || json!({"enum": ["", null]});
    json!({"anyOf": [
        {"title": "by password", "required": ["password"],
         "properties": {"password": text(), "otpCode": absent()}},
        {"title": "by code", "required": ["identifier", "otpCode"],
         "properties": {"password": absent(), "identifier": text(), "otpCode": text()}},
    ]})
});
pub(super) const NEW_PHONE: Body = Body::json(&[REQUEST_TOKEN, PHONE]);
pub(super) const NEW_PASSWORD: Body = Body::json(&[
    REQUEST_TOKEN,
    Field::required(
        "newPassword",
        "The new password, of at most 1024 bytes; not a common one.",
        || json!({"type": "string", "minLength": 8, "format": "password"}),
    ),
]);

fn text() -> Value {
    json!({"type": "string", "minLength": 1})
}

fn phone() -> Value {
    json!({"type": "string", "pattern": "^\\+[1-9][0-9]{6,14}$"})
}

fn email() -> Value {
    json!({"type": "string", "format": "email", "maxLength": 254})
}

/// The schema of a field that can also be `null` or empty, which means that it is absent.
fn optional(schema: &Value) -> Value {
    json!({"anyOf": [schema, {"enum": ["", null]}]})
}
