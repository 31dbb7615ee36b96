//! Every refusal of Gotu.

use crate::contracts::{ContractRefusal, UnmatchedRequest, internal_error};
use crate::http::{self, BodyError, CorsPolicy, KeyProblem, MAX_BODY_BYTES, Request, Response};
use crate::ports::PortError;
use lambda_http::http::{HeaderValue, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;
use std::time::Duration;

/// The body of a refusal.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "Error")]
pub(super) struct ErrorBody<'a> {
    /// What is wrong.
    error: &'a str,
}

/// A refusal of Gotu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The body is not a JSON object.
    Body,
    BodyTooLarge,
    /// A foreign page sent the request.
    Origin,
    /// A field or header is missing or wrong; the text names it.
    Invalid(String),
    /// The phone number has an account.
    PhoneTaken,
    /// The e-mail address has an account.
    EmailTaken,
    /// At sign-up and sign-in: the code is wrong, was replaced by a later one, or has expired.
    Code,
    /// The same as [`Self::Code`] at `POST /otp/verification`, with another status.
    Verification,
    /// No account has the e-mail address.
    NoSuchUser,
    Password,
    /// The new password equals the current one.
    SamePassword,
    /// The refresh token is unknown, or its session has ended.
    RefreshToken,
    /// The access token is not genuine, has expired, or its session has ended.
    AccessToken,
    /// The request token is not genuine, has expired, or was used.
    RequestToken,
    /// The request asks for rights that only an administrator can grant.
    Forbidden,
    /// The idempotency key is malformed, was used with another request, or belongs to a request in
    /// progress.
    Key(KeyProblem),
    TooMany {
        retry_after: Duration,
    },
    /// An internal failure; already logged.
    Internal,
}

impl Refusal {
    /// One refusal of each variant, in the order of the table in `CONTRACT.md`.
    #[must_use]
    pub fn samples() -> Vec<Self> {
        let mut samples = vec![
            Self::Body,
            Self::BodyTooLarge,
            Self::Origin,
            Self::Invalid("otpCode is required".to_owned()),
            Self::PhoneTaken,
            Self::EmailTaken,
            Self::Code,
            Self::Verification,
            Self::NoSuchUser,
            Self::Password,
            Self::SamePassword,
            Self::RefreshToken,
            Self::AccessToken,
            Self::RequestToken,
            Self::Forbidden,
            Self::TooMany { retry_after: Duration::ZERO },
            Self::Internal,
        ];
        samples.extend(KeyProblem::SAMPLES.map(Self::Key));
        // A new variant stops this from compiling until it has a sample.
        for sample in &samples {
            match sample {
                Self::Body
                | Self::BodyTooLarge
                | Self::Origin
                | Self::Invalid(_)
                | Self::PhoneTaken
                | Self::EmailTaken
                | Self::Code
                | Self::Verification
                | Self::NoSuchUser
                | Self::Password
                | Self::SamePassword
                | Self::RefreshToken
                | Self::AccessToken
                | Self::RequestToken
                | Self::Forbidden
                | Self::Key(_)
                | Self::TooMany { .. }
                | Self::Internal => {}
            }
        }
        samples
    }

    /// The status, and the text of the body's `error`.
    #[must_use]
    pub fn status_and_text(&self) -> (StatusCode, String) {
        let (status, text) = match self {
            Self::Body => (StatusCode::BAD_REQUEST, "invalid request body"),
            Self::BodyTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "request body too large"),
            Self::Origin => (StatusCode::FORBIDDEN, "this page may not send this request"),
            Self::Invalid(text) => (StatusCode::BAD_REQUEST, text.as_str()),
            Self::PhoneTaken => (StatusCode::BAD_REQUEST, "phone number already registered"),
            Self::EmailTaken => (StatusCode::BAD_REQUEST, "email already registered"),
            Self::Code => (StatusCode::UNAUTHORIZED, "invalid or expired otp code"),
            Self::Verification => (StatusCode::BAD_REQUEST, "invalid or expired otp code"),
            Self::NoSuchUser => (StatusCode::NOT_FOUND, "user not found"),
            Self::Password => (StatusCode::UNAUTHORIZED, "invalid password"),
            Self::SamePassword => {
                (StatusCode::BAD_REQUEST, "newPassword must be different from the current password")
            }
            Self::RefreshToken => (StatusCode::UNAUTHORIZED, "invalid or expired refresh token"),
            Self::AccessToken => (StatusCode::UNAUTHORIZED, "invalid or expired access token"),
            Self::RequestToken => (StatusCode::UNAUTHORIZED, "invalid or expired request token"),
            Self::Forbidden => (StatusCode::FORBIDDEN, "forbidden"),
            Self::Key(problem) => (problem.status(), problem.text()),
            Self::TooMany { .. } => (StatusCode::TOO_MANY_REQUESTS, "too many requests"),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal server error"),
        };
        (status, text.to_owned())
    }

    /// The status and the body.
    #[must_use]
    pub fn status_and_body(&self) -> (u16, String) {
        let (status, text) = self.status_and_text();
        (status.as_u16(), serde_json::to_string(&ErrorBody { error: &text }).unwrap_or_default())
    }
}

impl http::Refusal for Refusal {
    const INTERNAL: Self = Self::Internal;
    const FOREIGN_PAGE: Option<Self> = Some(Self::Origin);
    fn of_key(problem: KeyProblem) -> Self {
        Self::Key(problem)
    }

    /// No cookies.
    const CORS: CorsPolicy = CorsPolicy::AnyOrigin;

    fn into_response(self, _: &Request) -> Response {
        let (status, text) = self.status_and_text();
        let response = error(status, &text);
        match self {
            Self::TooMany { retry_after } => http::retry_after(response, retry_after),
            Self::Key(problem) => problem.complete(response),
            _ => response,
        }
    }
}

impl From<BodyError> for Refusal {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge => {
                tracing::info!(limit_bytes = MAX_BODY_BYTES, "the body of a request is too large");
                Self::BodyTooLarge
            }
            BodyError::Malformed => Self::Body,
        }
    }
}

impl From<PortError> for Refusal {
    fn from(error: PortError) -> Self {
        internal_error(&error)
    }
}

impl ContractRefusal for Refusal {
    fn too_many(retry_after: Duration) -> Self {
        Self::TooMany { retry_after }
    }
}

fn error(status: StatusCode, text: &str) -> Response {
    http::json(status, &ErrorBody { error: text })
}

/// The response to a request that no route serves.
pub(super) fn not_found(request: &UnmatchedRequest<'_>) -> Response {
    let status = request.status();
    let text =
        if status == StatusCode::METHOD_NOT_ALLOWED { "method not allowed" } else { "not found" };
    error(status, text)
}

/// The response to a preflight.
pub(super) fn preflight(request: &UnmatchedRequest<'_>) -> Response {
    let allowed = "authorization, content-type, idempotency-key, x-app-version, x-device-id, x-device-model, \
                   x-device-platform, x-device-token";
    http::preflight(&request.methods.join(", "), Some(HeaderValue::from_static(allowed)))
}
