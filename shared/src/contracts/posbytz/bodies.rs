//! The bodies of PosBytz's requests: their fields and what these can be.

use crate::contracts::api::{Body, Field};
use serde_json::{Value, json};

const EMAIL: Field = Field::optional("email", "The e-mail address.", email);
const MOBILE: Field = Field::optional(
    "mobile",
    "The mobile; both parts have 15 digits at most.",
    || json!({"anyOf": [mobile(), {"type": "null"}]}),
);
const NEW_PASSWORD: Field = Field::required(
    "password",
    "The password; not a common one.",
    || json!({"type": "string", "minLength": 8, "maxLength": 32, "format": "password"}),
);
const PASSWORD: Field =
    Field::required("password", "The password.", || json!({"type": "string", "minLength": 1}));
const OTP: Field = Field::required("otp", "The code.", || json!({"type": "number"}));

pub(super) const MOBILE_PARTS: &[Field] = &[
    Field::required(
        "code",
        "The country code.",
        || json!({"type": "string", "pattern": "^\\+?[1-9][0-9]{0,3}$"}),
    ),
    Field::required(
        "number",
        "The number without the country code.",
        || json!({"type": "string", "pattern": "^[0-9]{4,14}$"}),
    ),
];
pub(super) const SIGN_UP: Body = Body::json(&[
    EMAIL,
    MOBILE,
    NEW_PASSWORD,
    Field::optional(
        "referralCode",
        "The code of a referral.",
        || json!({"type": ["string", "null"], "maxLength": 64}),
    ),
    Field::optional(
        "referredBy",
        "The id of the customer who referred this one.",
        || json!({"type": ["string", "null"], "pattern": "^[0-9a-fA-F]{24}$"}),
    ),
])
.with(one_contact);
pub(super) const SIGN_IN: Body = Body::json(&[EMAIL, MOBILE, PASSWORD]).with(one_contact);
pub(super) const CODE: Body = Body::json(&[
    OTP,
    Field::required(
        "source",
        "What the code was sent to; only a mobile gets one.",
        || json!({"type": "string", "enum": ["mobile", "email"]}),
    ),
    MOBILE,
])
.with(|| {
    json!({"anyOf": [
        {"title": "mobile", "required": ["mobile"], "properties": {"mobile": mobile()}},
        {"title": "email", "properties": {"source": {"const": "email"}}},
    ]})
});
pub(super) const RECIPIENT: Body = Body::json(&[EMAIL, MOBILE]).with(one_contact);
pub(super) const RECIPIENT_MOBILE: Body =
    Body::json(&[Field::required("mobile", "The mobile of the customer.", mobile)]);
pub(super) const RECIPIENT_EMAIL: Body =
    Body::json(&[Field::required("email", "The address of the customer.", address)]);
pub(super) const RESET: Body = Body::json(&[EMAIL, MOBILE, OTP, NEW_PASSWORD]).with(one_contact);
pub(super) const DELETION: Body = Body::json(&[PASSWORD]);
pub(super) const GRANT: Body = Body::form_or_json(&[
    Field::required(
        "grant_type",
        "The type of the grant.",
        || json!({"type": "string", "enum": ["client_credentials"]}),
    ),
    Field::optional(
        "client_id",
        "The id of the client, unless it is in `Authorization`.",
        || json!({"type": "string"}),
    ),
    Field::optional(
        "client_secret",
        "The secret of the client, unless it is in `Authorization`.",
        || json!({"type": "string"}),
    ),
    Field::optional(
        "scope",
        "Scopes, divided by spaces; without it, all scopes of the client.",
        || json!({"type": "string"}),
    ),
]);

fn address() -> Value {
    json!({"type": "string", "format": "email", "maxLength": 254})
}

fn email() -> Value {
    json!({"anyOf": [address(), {"type": "null"}]})
}

fn mobile() -> Value {
    Body::json(MOBILE_PARTS).schema()
}

/// A customer has an address, a mobile or both.
fn one_contact() -> Value {
    json!({"anyOf": [
        {"title": "email", "required": ["email"], "properties": {"email": address()}},
        {"title": "mobile", "required": ["mobile"], "properties": {"mobile": mobile()}},
    ]})
}
