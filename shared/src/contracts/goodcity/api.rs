//! GoodCity's API, as its OpenAPI document describes it.

use super::UserObject;
use super::bodies;
use super::refusal::{ErrorBody, Refusal};
use super::wire::{OtpAuthKey, VerifiedUser};
use crate::contracts::api::{
    Answer, Api, Field, IDEMPOTENCY_KEY, Link, Operation, Parameter, Refused, bearer, refused,
};
use crate::http::KeyProblem;
use schemars::SchemaGenerator;
use serde_json::json;
use std::time::Duration;

pub(super) const API: Api = Api {
    title: "GoodCity",
    document: include_str!("../../../docs/openapi/goodcity.json"),
    bases: &[""],
    schemes: &[("token", || bearer("The `jwt_token` of `POST /api/v1/auth/verify`."))],
    operations: &[SEND_PIN, SIGNUP, VERIFY, PROFILE, REGISTER_DEVICE, DELETE_USER],
};

const APP: Parameter = Field::optional(
    "X-GOODCITY-APP-NAME",
    "The app; without it, `app`.",
    || json!({"type": "string", "pattern": "^(app|admin|stock|browse)(\\.goodcity)?$"}),
)
.in_header();
const DEVICE_ID: Parameter = Field::optional(
    "X-GOODCITY-DEVICE-ID",
    "The id that the app gives its device.",
    || json!({"type": "string"}),
)
.in_header();
const APP_VERSION: Parameter = Field::optional(
    "X-GOODCITY-APP-VERSION",
    "The version of the app.",
    || json!({"type": "string"}),
)
.in_header();
const LANGUAGE: Parameter =
    Field::optional("Accept-Language", "The language of the SMS.", || json!({"type": "string"}))
        .in_header();

const fn operation(function: &'static str, refusals: fn() -> Vec<Refused>) -> Operation {
    Operation {
        function,
        path: "",
        security: &[],
        parameters: &[],
        body: None,
        answers: &[],
        links: &[],
        error: SchemaGenerator::subschema_for::<ErrorBody>,
        refusals,
    }
}

/// What can be refused in every request that has a body, and `more`.
fn with_body(more: &[Refusal]) -> Vec<Refused> {
    let of_body = [Refusal::Body, Refusal::BodyTooLarge, Refusal::Origin];
    let keys = KeyProblem::SAMPLES.map(Refusal::Key);
    let all = of_body.into_iter().chain(more.iter().cloned()).chain(keys);
    refused(all.chain([TOO_MANY, Refusal::Internal]))
}

const TOO_MANY: Refusal = Refusal::TooMany { retry_after: Duration::ZERO };
const OF_MOBILES: [Refusal; 3] =
    [Refusal::InvalidHost, Refusal::MobileBlank, Refusal::MobileInvalid];

const KEY: Answer = Answer::json(
    200,
    "The key to a pin, alike for every mobile.",
    SchemaGenerator::subschema_for::<OtpAuthKey>,
);

const HELD: &[(&str, &str)] = &[("otp_auth_key", "/otp_auth_key")];
const VERIFIED: Link = Link { function: "goodcity-verify", fields: HELD };
const DELETED: Link = Link { function: "goodcity-delete-user", fields: HELD };

const SEND_PIN: Operation = Operation {
    parameters: &[APP, DEVICE_ID, LANGUAGE, IDEMPOTENCY_KEY],
    body: Some(&bodies::PIN),
    answers: &[KEY],
    links: &[VERIFIED, DELETED],
    ..operation("goodcity-send-pin", || with_body(&OF_MOBILES))
};
const SIGNUP: Operation = Operation {
    parameters: &[APP, DEVICE_ID, LANGUAGE, IDEMPOTENCY_KEY],
    body: Some(&bodies::USER),
    answers: &[KEY],
    links: &[VERIFIED, DELETED],
    ..operation("goodcity-signup", || {
        let [host, blank, invalid] = OF_MOBILES;
        let parameter = Refusal::Parameter("Missing parameter user_auth".to_owned());
        with_body(&[host, parameter, blank, invalid, Refusal::Invalid("First name is too long")])
    })
};
const VERIFY: Operation = Operation {
    parameters: &[APP, DEVICE_ID, IDEMPOTENCY_KEY],
    body: Some(&bodies::HELD_PIN),
    answers: &[Answer::json(
        200,
        "A token and the user.",
        SchemaGenerator::subschema_for::<VerifiedUser>,
    )],
    ..operation("goodcity-verify", || with_body(&[Refusal::Pin]))
};
const PROFILE: Operation = Operation {
    security: &["token"],
    answers: &[Answer::json(200, "The user.", SchemaGenerator::subschema_for::<UserObject>)],
    ..operation("goodcity-current-user-profile", || {
        refused([Refusal::InvalidToken, Refusal::ExpiredToken, Refusal::Internal])
    })
};
const REGISTER_DEVICE: Operation = Operation {
    security: &["token"],
    parameters: &[APP, DEVICE_ID, APP_VERSION, IDEMPOTENCY_KEY],
    body: Some(&bodies::DEVICE),
    answers: &[Answer::empty(204, "The device is registered.")],
    ..operation("goodcity-register-device", || {
        with_body(&[
            Refusal::InvalidToken,
            Refusal::ExpiredToken,
            Refusal::InvalidHost,
            Refusal::Platform,
            Refusal::Invalid("Handle can't be blank"),
        ])
    })
};
const DELETE_USER: Operation = Operation {
    security: &["token"],
    parameters: &[APP, DEVICE_ID, IDEMPOTENCY_KEY],
    body: Some(&bodies::HELD_PIN),
    answers: &[Answer::empty(204, "The account is deleted.")],
    ..operation("goodcity-delete-user", || {
        with_body(&[Refusal::InvalidToken, Refusal::ExpiredToken, Refusal::Pin])
    })
};
