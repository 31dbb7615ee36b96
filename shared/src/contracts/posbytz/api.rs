//! PosBytz's API, as its OpenAPI document describes it.

use super::oauth2::{TokenErrorBody, TokenRefusal, TokenResponse};
use super::refusal::ErrorBody;
use super::wire::{CustomerCreated, CustomerDeleted, CustomerSession, Success};
use super::{FieldErrors, Refusal};
use crate::contracts::api::{
    Answer, Api, Body, Field, IDEMPOTENCY_KEY, Link, Operation, Parameter, Refused, bearer, refused,
};
use crate::http::KeyProblem;
use serde_json::{Value, json};
use std::time::Duration;

pub(super) const API: Api = Api {
    title: "PosBytz",
    document: include_str!("../../../docs/openapi/posbytz.json"),
    bases: &[""],
    schemes: &[
        ("client", || {
            json!({"type": "apiKey", "in": "header", "name": "X-Api-Authorization",
                "description": "The token of a client with the scopes `user:read` and `user:write`, with or \
                without `Bearer`. Without this header it is read from `Authorization: Bearer`."})
        }),
        ("customer", || bearer("The token of a customer.")),
        ("clientSecret", || {
            json!({"type": "http", "scheme": "basic",
                "description": "The id and the secret of a client, instead of those in the body."})
        }),
    ],
    operations: &[
        TOKEN,
        SIGNUP,
        SIGNIN,
        OTP_VERIFY,
        OTP_RESEND,
        EMAIL_RESEND,
        PASSWORD_FORGOT,
        PASSWORD_RESET,
        EMAIL_VERIFY,
        EMAIL_CONFIRM,
        DELETE_USER,
    ],
};

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

const USER_ID: Parameter = Field::required(
    "userId",
    "The id of the customer.",
    || json!({"type": "string", "pattern": "^[0-9a-fA-F]{24}$"}),
)
.in_query();
const LINK_TOKEN: Parameter =
    Field::required("token", "The secret of the mailed link.", || json!({"type": "string"}))
        .in_query();

const fn operation(function: &'static str, refusals: fn() -> Vec<Refused>) -> Operation {
    Operation {
        function,
        path: "",
        security: &["client"],
        parameters: &[IDEMPOTENCY_KEY],
        body: None,
        answers: &[],
        links: &[],
        error: |schemas| schemas.subschema_for::<ErrorBody>(),
        refusals,
    }
}

fn invalid() -> Refusal {
    let mut errors = FieldErrors::default();
    errors.add("email", vec!["email must be an email"]);
    Refusal::Invalid(errors)
}

/// What can be refused in every request of a client, and `more`.
fn of_client(more: &[Refusal]) -> Vec<Refused> {
    let before = [Refusal::NoClient, Refusal::InsufficientScope, Refusal::Body, invalid()];
    let keys = KeyProblem::SAMPLES.map(Refusal::Key);
    let all = before.into_iter().chain([Refusal::BodyTooLarge, Refusal::Origin]);
    refused(all.chain(more.iter().cloned()).chain(keys).chain([TOO_MANY, Refusal::Internal]))
}

const TOO_MANY: Refusal = Refusal::TooMany { retry_after: Duration::ZERO };

const SUCCESS: Answer =
    Answer::json(200, "It succeeded.", |schemas| schemas.subschema_for::<Success>());
const SESSION: Answer = Answer::json(200, "The token of a customer.", |schemas| {
    schemas.subschema_for::<CustomerSession>()
});

const TOKEN: Operation = Operation {
    security: &[],
    parameters: &[],
    body: Some(&GRANT),
    answers: &[Answer::json(200, "A token.", |schemas| schemas.subschema_for::<TokenResponse>())
        .with(&["Pragma"])],
    error: |schemas| schemas.subschema_for::<TokenErrorBody>(),
    ..operation("posbytz-oauth2-token", || refused(TokenRefusal::samples()))
};
const SIGNUP: Operation = Operation {
    body: Some(&SIGN_UP),
    answers: &[Answer::json(201, "The customer.", |schemas| {
        schemas.subschema_for::<CustomerCreated>()
    })],
    links: &[Link { function: "posbytz-signin", fields: &[("email", "/data/email/id")] }],
    ..operation("posbytz-signup", || {
        let mut errors = FieldErrors::default();
        errors.add("email", vec!["Email already exists"]);
        of_client(&[Refusal::Taken(errors)])
    })
};
const SIGNIN: Operation = Operation {
    body: Some(&SIGN_IN),
    answers: &[SESSION],
    ..operation("posbytz-signin", || of_client(&[Refusal::Credentials, Refusal::NotVerified]))
};
const OTP_VERIFY: Operation = Operation {
    body: Some(&CODE),
    answers: &[SESSION],
    ..operation("posbytz-otp-verify", || of_client(&[Refusal::Otp]))
};
const OTP_RESEND: Operation = Operation {
    path: "/ecommerce/v1/auth/otp/resend",
    body: Some(&RECIPIENT_MOBILE),
    answers: &[SUCCESS],
    ..operation("posbytz-resend", || of_client(&[]))
};
const EMAIL_RESEND: Operation = Operation {
    path: "/ecommerce/v1/auth/email/resend",
    body: Some(&RECIPIENT_EMAIL),
    ..OTP_RESEND
};
const PASSWORD_FORGOT: Operation = Operation {
    body: Some(&RECIPIENT),
    answers: &[SUCCESS],
    ..operation("posbytz-password-forgot", || of_client(&[]))
};
const PASSWORD_RESET: Operation = Operation {
    body: Some(&RESET),
    answers: &[SUCCESS],
    ..operation("posbytz-password-reset", || of_client(&[Refusal::Otp]))
};
const EMAIL_VERIFY: Operation = Operation {
    security: &[],
    parameters: &[USER_ID, LINK_TOKEN],
    answers: &[
        SUCCESS,
        Answer::page(200, "For a browser: the page that asks for the button."),
        Answer::page(401, "For a browser: the page of a link that does not work."),
    ],
    ..operation("posbytz-email-verify", || {
        refused([invalid(), Refusal::InvalidLink, Refusal::Internal])
    })
};
const EMAIL_CONFIRM: Operation = Operation {
    security: &[],
    parameters: &[USER_ID, LINK_TOKEN],
    answers: &[
        Answer::page(200, "The page: the address is verified, now or before."),
        Answer::page(401, "The page: the link does not work."),
        Answer::page(500, "The page: it did not work, with the button again."),
    ],
    ..operation("posbytz-email-confirm", || refused([Refusal::Origin]))
};
const DELETE_USER: Operation = Operation {
    security: &["client", "customer"],
    body: Some(&DELETION),
    answers: &[Answer::json(200, "The customer is deleted.", |schemas| {
        schemas.subschema_for::<CustomerDeleted>()
    })],
    ..operation("posbytz-delete-user", || of_client(&[Refusal::Credentials]))
};
