//! PosBytz's API, as its OpenAPI document describes it.

use super::bodies;
use super::oauth2::{TokenErrorBody, TokenRefusal, TokenResponse};
use super::refusal::ErrorBody;
use super::wire::{CustomerCreated, CustomerDeleted, CustomerSession, Success};
use super::{FieldErrors, Refusal};
use crate::contracts::api::{
    Answer, Api, Field, IDEMPOTENCY_KEY, Link, Operation, Parameter, Refused, bearer, refused,
};
use crate::http::KeyProblem;
use schemars::SchemaGenerator;
use serde_json::json;
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
        error: SchemaGenerator::subschema_for::<ErrorBody>,
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
    Answer::json(200, "It succeeded.", SchemaGenerator::subschema_for::<Success>);
const SESSION: Answer = Answer::json(
    200,
    "The token of a customer.",
    SchemaGenerator::subschema_for::<CustomerSession>,
);

const TOKEN: Operation = Operation {
    security: &[],
    parameters: &[],
    body: Some(&bodies::GRANT),
    answers: &[Answer::json(200, "A token.", SchemaGenerator::subschema_for::<TokenResponse>)
        .with(&["Pragma"])],
    error: SchemaGenerator::subschema_for::<TokenErrorBody>,
    ..operation("posbytz-oauth2-token", || refused(TokenRefusal::samples()))
};
const SIGNUP: Operation = Operation {
    body: Some(&bodies::SIGN_UP),
    answers: &[Answer::json(
        201,
        "The customer.",
        SchemaGenerator::subschema_for::<CustomerCreated>,
    )],
    links: &[Link { function: "posbytz-signin", fields: &[("email", "/data/email/id")] }],
    ..operation("posbytz-signup", || {
        let mut errors = FieldErrors::default();
        errors.add("email", vec!["Email already exists"]);
        of_client(&[Refusal::Taken(errors)])
    })
};
const SIGNIN: Operation = Operation {
    body: Some(&bodies::SIGN_IN),
    answers: &[SESSION],
    ..operation("posbytz-signin", || {
        of_client(&[Refusal::Credentials, Refusal::NotVerified, Refusal::Blocked])
    })
};
const OTP_VERIFY: Operation = Operation {
    body: Some(&bodies::CODE),
    answers: &[SESSION],
    ..operation("posbytz-otp-verify", || of_client(&[Refusal::Otp]))
};
const OTP_RESEND: Operation = Operation {
    path: "/ecommerce/v1/auth/otp/resend",
    body: Some(&bodies::RECIPIENT_MOBILE),
    answers: &[SUCCESS],
    ..operation("posbytz-resend", || of_client(&[]))
};
const EMAIL_RESEND: Operation = Operation {
    path: "/ecommerce/v1/auth/email/resend",
    body: Some(&bodies::RECIPIENT_EMAIL),
    ..OTP_RESEND
};
const PASSWORD_FORGOT: Operation = Operation {
    body: Some(&bodies::RECIPIENT),
    answers: &[SUCCESS],
    ..operation("posbytz-password-forgot", || of_client(&[]))
};
const PASSWORD_RESET: Operation = Operation {
    body: Some(&bodies::RESET),
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
    body: Some(&bodies::DELETION),
    answers: &[Answer::json(
        200,
        "The customer is deleted.",
        SchemaGenerator::subschema_for::<CustomerDeleted>,
    )],
    ..operation("posbytz-delete-user", || of_client(&[Refusal::Credentials]))
};
