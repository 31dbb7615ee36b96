//! Gotu's API, as its OpenAPI document describes it.

use super::bodies;
use super::wire::{RequestTokenResponse, Session};
use super::{Refusal, refusal::ErrorBody};
use crate::contracts::api::{
    Answer, Api, Field, IDEMPOTENCY_KEY, Link, Operation, Parameter, Refused, bearer, refused,
};
use crate::http::KeyProblem;
use schemars::SchemaGenerator;
use serde_json::json;
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
        error: SchemaGenerator::subschema_for::<ErrorBody<'_>>,
        refusals: more,
    }
}

/// What can be refused in every request that has a body and changes something, and `more`.
fn with_body(field: &str, more: &[Refusal]) -> Vec<Refused> {
    let of_body =
        [Refusal::Body, Refusal::Invalid(format!("{field} is required")), Refusal::BodyTooLarge];
    let keys = KeyProblem::SAMPLES.map(Refusal::Key);
    let all = of_body.into_iter().chain([Refusal::Origin]).chain(more.iter().cloned()).chain(keys);
    refused(all.chain([TOO_MANY, Refusal::Internal]))
}

const TOO_MANY: Refusal = Refusal::TooMany { retry_after: Duration::ZERO };

const SESSION: Answer = Answer::json(200, "A session.", SchemaGenerator::subschema_for::<Session>);

const REFRESHED: Link = Link {
    function: "gotu-post-sessions-refresh",
    fields: &[("refreshToken", "/data/refreshToken")],
};
const PROVED: &[(&str, &str)] = &[("requestToken", "/data/requestToken")];

const POST_OTP: Operation = Operation {
    body: Some(&bodies::OTP),
    answers: &[Answer::empty(
        204,
        "The same for every well-formed request, whether a code is sent or not.",
    )],
    ..operation("gotu-post-otp", || with_body("identifier", &[]))
};
const POST_USERS: Operation = Operation {
    parameters: &DEVICE,
    body: Some(&bodies::SIGN_UP),
    answers: &[SESSION],
    links: &[REFRESHED],
    ..operation("gotu-post-users", || {
        with_body(
            "type",
            &[Refusal::PhoneTaken, Refusal::EmailTaken, Refusal::Code, Refusal::Forbidden],
        )
    })
};
const POST_SESSIONS: Operation = Operation {
    parameters: &DEVICE,
    body: Some(&bodies::SIGN_IN),
    answers: &[SESSION],
    links: &[REFRESHED],
    ..operation("gotu-post-sessions", || {
        with_body("email", &[Refusal::NoSuchUser, Refusal::Password, Refusal::Forbidden])
    })
};
const POST_SESSIONS_PHONE: Operation = Operation {
    parameters: &DEVICE,
    body: Some(&bodies::SIGN_IN_BY_PHONE),
    answers: &[SESSION],
    links: &[REFRESHED],
    ..operation("gotu-post-sessions-phone", || {
        with_body("phoneNumber", &[Refusal::Code, Refusal::Forbidden])
    })
};
const POST_SESSIONS_REFRESH: Operation = Operation {
    parameters: &[DEVICE_ID, IDEMPOTENCY_KEY],
    body: Some(&bodies::REFRESH),
    answers: &[SESSION],
    links: &[REFRESHED],
    ..operation("gotu-post-sessions-refresh", || {
        with_body("refreshToken", &[Refusal::RefreshToken])
    })
};
const DELETE_USERS: Operation = Operation {
    security: &["accessToken"],
    parameters: &[DEVICE_ID, IDEMPOTENCY_KEY],
    body: Some(&bodies::DELETION),
    answers: &[Answer::empty(204, "The account is deleted.")],
    ..operation("gotu-delete-users", || {
        with_body("identifier", &[Refusal::AccessToken, Refusal::Password, Refusal::Code])
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
    body: Some(&bodies::VERIFICATION),
    answers: &[Answer::json(
        200,
        "A token that allows one change.",
        SchemaGenerator::subschema_for::<RequestTokenResponse>,
    )],
    links: &[
        Link { function: "gotu-patch-users-phone", fields: PROVED },
        Link { function: "gotu-patch-users-password", fields: PROVED },
    ],
    ..operation("gotu-post-otp-verification", || with_body("identifier", &[Refusal::Verification]))
};
const PATCH_USERS_PHONE: Operation = Operation {
    security: &["accessToken"],
    parameters: &[DEVICE_ID, IDEMPOTENCY_KEY],
    body: Some(&bodies::NEW_PHONE),
    answers: &[Answer::empty(204, "The phone number is changed.")],
    ..operation("gotu-patch-users-phone", || {
        let more =
            [Refusal::AccessToken, Refusal::RequestToken, Refusal::Forbidden, Refusal::PhoneTaken];
        with_body("requestToken", &more)
    })
};
const PATCH_USERS_PASSWORD: Operation = Operation {
    body: Some(&bodies::NEW_PASSWORD),
    answers: &[Answer::empty(204, "The password is changed, and all sessions are over.")],
    ..operation("gotu-patch-users-password", || {
        let more = [Refusal::RequestToken, Refusal::Forbidden, Refusal::SamePassword];
        with_body("requestToken", &more)
    })
};
