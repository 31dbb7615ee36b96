//! The bodies of GoodCity's requests: their fields and what these can be.

use crate::contracts::api::{Body, Field};
use serde_json::{Value, json};

const MOBILE: Field = Field::required(
    "mobile",
    "A mobile of Hong Kong.",
    || json!({"type": "string", "pattern": "^\\+852[569][0-9]{7}$"}),
);

pub(super) const PIN: Body = Body::form_or_json(&[MOBILE]);
pub(super) const USER: Body =
    Body::form_or_json(&[Field::required("user_auth", "The user.", || object(USER_FIELDS))]);
pub(super) const USER_FIELDS: &[Field] = &[
    MOBILE,
    name("first_name", "The first name."),
    name("last_name", "The last name."),
    Field::required("address_attributes", "The address.", || object(ADDRESS_FIELDS)),
];
pub(super) const ADDRESS_FIELDS: &[Field] = &[
    Field::optional(
        "district_id",
        "The number of the district.",
        || json!({"type": "string", "pattern": "^[0-9]{0,9}$"}),
    ),
    name("address_type", "The type of the address."),
];
pub(super) const HELD_PIN: Body = Body::form_or_json(&[
    Field::required("otp_auth_key", "The key of the last `send_pin` or `signup`.", text),
    Field::required("pin", "The pin that was texted.", text),
]);
pub(super) const DEVICE: Body = Body::form_or_json(&[
    Field::required(
        "handle",
        "The registration id at the push service.",
        || json!({"type": "string", "minLength": 1, "maxLength": 4096, "pattern": "\\S"}),
    ),
    Field::required(
        "platform",
        "The push service.",
        || json!({"type": "string", "enum": ["fcm", "gcm", "aps"]}),
    ),
]);

const fn name(name: &'static str, about: &'static str) -> Field {
    Field::optional(name, about, || json!({"type": "string", "maxLength": 255}))
}

fn text() -> Value {
    json!({"type": "string", "pattern": "\\S"})
}

fn object(fields: &'static [Field]) -> Value {
    Body::json(fields).schema()
}
