//! UrbanFits' API, as its OpenAPI document describes it.

use super::Refusal;
use super::bodies;
use super::cookies::SESSION_TOKEN;
use super::refusal::MessageBody;
use super::wire::{CodeSentResponse, PendingResponse, UserResponse};
use crate::contracts::api::{Answer, Api, IDEMPOTENCY_KEY, Link, Operation, Refused, refused};
use crate::http::KeyProblem;
use schemars::SchemaGenerator;
use serde_json::json;
use std::time::Duration;

pub(super) const API: Api = Api {
    title: "UrbanFits",
    document: include_str!("../../../docs/openapi/urbanfits.json"),
    bases: &["", "/api"],
    schemes: &[("session", || {
        json!({"type": "apiKey", "in": "cookie", "name": SESSION_TOKEN,
            "description": "The cookie of a session. The browser sends it."})
    })],
    operations: &[
        SIGNUP,
        CALLBACK,
        RESEND,
        FORGOT_PASSWORD,
        CHANGE_PASSWORD,
        LOGIN,
        LOGOUT,
        GET_ME,
        DELETE_ME,
        VERIFY_OTP_PAGE,
    ],
};

const fn operation(function: &'static str, refusals: fn() -> Vec<Refused>) -> Operation {
    Operation {
        function,
        path: "",
        security: &[],
        parameters: &[IDEMPOTENCY_KEY],
        body: None,
        answers: &[],
        links: &[],
        error: SchemaGenerator::subschema_for::<MessageBody<'_>>,
        refusals,
    }
}

/// What can be refused in every request that has a body, and `more`.
fn with_body(more: &[Refusal]) -> Vec<Refused> {
    let keys = KeyProblem::SAMPLES.map(Refusal::Key);
    let all = more.iter().cloned().chain([Refusal::BodyTooLarge, Refusal::Origin]).chain(keys);
    refused(all.chain([TOO_MANY, Refusal::Internal]))
}

const TOO_MANY: Refusal = Refusal::TooMany { retry_after: Duration::ZERO };
const INVALID_EMAIL: Refusal = Refusal::Invalid("Email should be a valid email address.");
const INVALID_PASSWORD: Refusal = Refusal::Invalid("Password should be at least 8 characters.");

const fn user(about: &'static str) -> Answer {
    Answer::json(200, about, SchemaGenerator::subschema_for::<UserResponse>)
}

const fn message(about: &'static str) -> Answer {
    Answer::json(200, about, SchemaGenerator::subschema_for::<MessageBody<'_>>)
}

const fn code_sent(about: &'static str) -> Answer {
    Answer::json(200, about, SchemaGenerator::subschema_for::<CodeSentResponse>)
}

const COOKIES: &[&str] = &["Set-Cookie"];

const HELD: &[(&str, &str)] = &[("otp_id", "/otp_id")];
const RESENT: Link = Link { function: "urbanfits-signup-resend", fields: HELD };
const CONFIRMED: Link = Link { function: "urbanfits-signup-callback", fields: HELD };
const CHANGED: Link = Link { function: "urbanfits-change-password", fields: HELD };

const SIGNUP: Operation = Operation {
    body: Some(&bodies::SIGN_UP),
    answers: &[Answer::json(
        200,
        "The sign-up waits for its code.",
        SchemaGenerator::subschema_for::<PendingResponse>,
    )],
    links: &[CONFIRMED, RESENT],
    ..operation("urbanfits-signup", || {
        let of_fields = [Refusal::Parameters, INVALID_PASSWORD, Refusal::Policies];
        with_body(&[of_fields.as_slice(), &[Refusal::Taken, Refusal::Waiting]].concat())
    })
};
const CALLBACK: Operation = Operation {
    body: Some(&bodies::HELD_CODE),
    answers: &[user("The user is registered and signed in.").with(COOKIES)],
    ..operation("urbanfits-signup-callback", || {
        let of_code = [Refusal::Expired, Refusal::Incorrect];
        with_body(&[&[Refusal::CallbackParameters, Refusal::Taken], of_code.as_slice()].concat())
    })
};
const RESEND: Operation = Operation {
    body: Some(&bodies::HANDLE),
    answers: &[code_sent("The code is sent again; the address is masked.")],
    links: &[CONFIRMED, RESENT],
    ..operation("urbanfits-signup-resend", || {
        with_body(&[Refusal::ResendParameters, Refusal::Expired])
    })
};
const FORGOT_PASSWORD: Operation = Operation {
    body: Some(&bodies::ADDRESS),
    answers: &[code_sent("The same for every address, whether it has an account or not.")],
    links: &[CHANGED],
    ..operation("urbanfits-forgot-password", || {
        with_body(&[Refusal::ForgotParameters, INVALID_EMAIL])
    })
};
const CHANGE_PASSWORD: Operation = Operation {
    body: Some(&bodies::NEW_PASSWORD),
    answers: &[message("The password is changed, and all sessions are over.")],
    ..operation("urbanfits-change-password", || {
        let of_code = [Refusal::Expired, Refusal::Incorrect];
        with_body(&[&[Refusal::ChangeParameters, INVALID_PASSWORD], of_code.as_slice()].concat())
    })
};
const LOGIN: Operation = Operation {
    body: Some(&bodies::SIGN_IN),
    answers: &[user("The user is signed in.").with(COOKIES)],
    ..operation("urbanfits-login", || {
        with_body(&[Refusal::LoginParameters, Refusal::Provider, Refusal::Credentials])
    })
};
const LOGOUT: Operation = Operation {
    body: Some(&bodies::SIGN_OUT),
    answers: &[message("The user is signed out, with or without a session.").with(COOKIES)],
    ..operation("urbanfits-logout", || {
        let keys = KeyProblem::SAMPLES.map(Refusal::Key);
        let all = [Refusal::BodyTooLarge, Refusal::Origin].into_iter().chain(keys);
        refused(all.chain([TOO_MANY, Refusal::Internal]))
    })
};
const GET_ME: Operation = Operation {
    security: &["session"],
    parameters: &[],
    answers: &[user("The user.")],
    ..operation("urbanfits-get-me", || refused([Refusal::Session, Refusal::Internal]))
};
const DELETE_ME: Operation = Operation {
    security: &["session"],
    body: Some(&bodies::DELETION),
    answers: &[message("The account is deleted.").with(COOKIES)],
    ..operation("urbanfits-delete-me", || {
        with_body(&[Refusal::DeletionParameters, Refusal::Credentials, Refusal::Session])
    })
};
const VERIFY_OTP_PAGE: Operation = Operation {
    parameters: &[],
    answers: &[Answer::page(200, "The page that asks for the code.")],
    ..operation("urbanfits-verify-otp-page", Vec::new)
};
