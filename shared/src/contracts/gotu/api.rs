//! Gotu's API, as its OpenAPI document describes it.

use super::wire::{RequestTokenResponse, Session};
use super::{Refusal, refusal::ErrorBody};
use crate::contracts::api::{
    Answer, Api, Body, Field, IDEMPOTENCY_KEY, Link, Operation, Parameter, Refused, bearer, refused,
};
use crate::http::KeyProblem;
use serde_json::{Value, json};
use std::time::Duration;

pub(super) const API: Api = Api {
    title: "Gotu",
    document: include_str!("../../../docs/openapi/gotu.json"),
    bases: &[""],
    schemes: &[("accessToken", || bearer("The access token of a session."))],
    operations: &[
        POST_OTP,
        POST_USERS,
        POST_SESSIONS,
        POST_SESSIONS_PHONE,
        POST_SESSIONS_REFRESH,
        DELETE_USERS,
        DELETE_SESSIONS,
        POST_OTP_VERIFICATION,
        PATCH_USERS_PHONE,
        PATCH_USERS_PASSWORD,
    ],
};

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
    Field::optional("phoneNumber", "By phone: the number in E.164.", || optional(phone())),
    Field::optional("otpCode", "By phone: the code of `otpType` `sign_up`.", || {
        optional(json!({"type": "string", "pattern": "^[0-9]{4,8}$"}))
    }),
    Field::optional("email", "By e-mail: the address.", || optional(email())),
    Field::optional("password", "By e-mail: the password, of at most 1024 bytes; not a common one.", || {
        optional(json!({"type": "string", "minLength": 8, "format": "password"}))
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
        optional(text())
    }),
    Field::optional(
        "identifier",
        "A phone number or an e-mail address of the user.",
        || json!({"type": ["string", "null"], "anyOf": [{"enum": ["", null]}, email(), phone()]}),
    ),
    Field::optional("otpCode", "A code of `otpType` `delete_account` to that identifier.", || {
        optional(json!({"type": "string", "pattern": "^[0-9]{4,8}$"}))
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
fn optional(schema: Value) -> Value {
    json!({"anyOf": [schema, {"enum": ["", null]}]})
}

const DEVICE_ID: Parameter = header("X-Device-Id", "The id that the app gives its device.");
const DEVICE: [Parameter; 6] = [
    Field::optional(
        "X-Device-Platform",
        "The platform, in any case of letters.",
        || json!({"type": "string", "enum": ["ios", "android", "web"]}),
    )
    .in_header(),
    DEVICE_ID,
    header("X-Device-Token", "The token for push messages."),
    header("X-Device-Model", "The model of the device."),
    header("X-App-Version", "The version of the app."),
    IDEMPOTENCY_KEY,
];

const fn header(name: &'static str, about: &'static str) -> Parameter {
    Field::optional(name, about, || json!({"type": "string", "maxLength": 4096})).in_header()
}

/// A request without credentials that changes something. What can be refused is what is common to
/// all, and `more`.
const fn operation(function: &'static str, more: fn() -> Vec<Refused>) -> Operation {
    Operation {
        function,
        path: "",
        security: &[],
        parameters: &[IDEMPOTENCY_KEY],
        body: None,
        answers: &[],
        links: &[],
        error: |schemas| schemas.subschema_for::<ErrorBody<'_>>(),
        refusals: more,
    }
}

/// What can be refused in every request that has a body and changes something, and `more`.
fn with_body(field: &str, more: Vec<Refusal>) -> Vec<Refused> {
    let of_body =
        [Refusal::Body, Refusal::Invalid(format!("{field} is required")), Refusal::BodyTooLarge];
    let keys = KeyProblem::SAMPLES.map(Refusal::Key);
    let all = of_body.into_iter().chain([Refusal::Origin]).chain(more).chain(keys);
    refused(all.chain([TOO_MANY, Refusal::Internal]))
}

const TOO_MANY: Refusal = Refusal::TooMany { retry_after: Duration::ZERO };

const SESSION: Answer =
    Answer::json(200, "A session.", |schemas| schemas.subschema_for::<Session>());

const REFRESHED: Link = Link {
    function: "gotu-post-sessions-refresh",
    fields: &[("refreshToken", "/data/refreshToken")],
};
const PROVED: &[(&str, &str)] = &[("requestToken", "/data/requestToken")];

const POST_OTP: Operation = Operation {
    body: Some(&OTP),
    answers: &[Answer::empty(
        204,
        "The same for every well-formed request, whether a code is sent or not.",
    )],
    ..operation("gotu-post-otp", || with_body("identifier", vec![]))
};
const POST_USERS: Operation = Operation {
    parameters: &DEVICE,
    body: Some(&SIGN_UP),
    answers: &[SESSION],
    links: &[REFRESHED],
    ..operation("gotu-post-users", || {
        with_body(
            "type",
            vec![Refusal::PhoneTaken, Refusal::EmailTaken, Refusal::Code, Refusal::Forbidden],
        )
    })
};
const POST_SESSIONS: Operation = Operation {
    parameters: &DEVICE,
    body: Some(&SIGN_IN),
    answers: &[SESSION],
    links: &[REFRESHED],
    ..operation("gotu-post-sessions", || {
        with_body("email", vec![Refusal::NoSuchUser, Refusal::Password])
    })
};
const POST_SESSIONS_PHONE: Operation = Operation {
    parameters: &DEVICE,
    body: Some(&SIGN_IN_BY_PHONE),
    answers: &[SESSION],
    links: &[REFRESHED],
    ..operation("gotu-post-sessions-phone", || with_body("phoneNumber", vec![Refusal::Code]))
};
const POST_SESSIONS_REFRESH: Operation = Operation {
    parameters: &[DEVICE_ID, IDEMPOTENCY_KEY],
    body: Some(&REFRESH),
    answers: &[SESSION],
    links: &[REFRESHED],
    ..operation("gotu-post-sessions-refresh", || {
        with_body("refreshToken", vec![Refusal::RefreshToken])
    })
};
const DELETE_USERS: Operation = Operation {
    security: &["accessToken"],
    parameters: &[DEVICE_ID, IDEMPOTENCY_KEY],
    body: Some(&DELETION),
    answers: &[Answer::empty(204, "The account is deleted.")],
    ..operation("gotu-delete-users", || {
        with_body("identifier", vec![Refusal::AccessToken, Refusal::Password, Refusal::Code])
    })
};
const DELETE_SESSIONS: Operation = Operation {
    security: &["accessToken"],
    parameters: &[
        Field::optional(
            "all",
            "`true` ends all sessions of the user.",
            || json!({"type": "string"}),
        )
        .in_query(),
        IDEMPOTENCY_KEY,
    ],
    answers: &[Answer::empty(204, "The session is over.")],
    ..operation("gotu-delete-sessions", || {
        let keys = KeyProblem::SAMPLES.map(Refusal::Key);
        refused(
            [Refusal::Origin, Refusal::AccessToken]
                .into_iter()
                .chain(keys)
                .chain([TOO_MANY, Refusal::Internal]),
        )
    })
};
const POST_OTP_VERIFICATION: Operation = Operation {
    body: Some(&VERIFICATION),
    answers: &[Answer::json(200, "A token that allows one change.", |schemas| {
        schemas.subschema_for::<RequestTokenResponse>()
    })],
    links: &[
        Link { function: "gotu-patch-users-phone", fields: PROVED },
        Link { function: "gotu-patch-users-password", fields: PROVED },
    ],
    ..operation("gotu-post-otp-verification", || {
        with_body("identifier", vec![Refusal::Verification])
    })
};
const PATCH_USERS_PHONE: Operation = Operation {
    security: &["accessToken"],
    parameters: &[DEVICE_ID, IDEMPOTENCY_KEY],
    body: Some(&NEW_PHONE),
    answers: &[Answer::empty(204, "The phone number is changed.")],
    ..operation("gotu-patch-users-phone", || {
        let more =
            [Refusal::AccessToken, Refusal::RequestToken, Refusal::Forbidden, Refusal::PhoneTaken];
        with_body("requestToken", more.into())
    })
};
const PATCH_USERS_PASSWORD: Operation = Operation {
    body: Some(&NEW_PASSWORD),
    answers: &[Answer::empty(204, "The password is changed, and all sessions are over.")],
    ..operation("gotu-patch-users-password", || {
        let more = [Refusal::RequestToken, Refusal::Forbidden, Refusal::SamePassword];
        with_body("requestToken", more.into())
    })
};
