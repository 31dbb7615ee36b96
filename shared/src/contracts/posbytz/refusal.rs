//! Every refusal of PosBytz, except those of the token endpoint ([`super::TokenRefusal`]).

use super::FieldErrors;
use crate::contracts::{ContractRefusal, UnmatchedRequest, internal_error};
use crate::domain::identifier::IdentifierKind;
use crate::http::{self, BodyError, CorsPolicy, KeyProblem, Request, Response};
use crate::ports::PortError;
use crate::usecases::Taken;
use lambda_http::http::header::WWW_AUTHENTICATE;
use lambda_http::http::{HeaderValue, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;
use std::time::Duration;

/// A refusal of PosBytz.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The body is not a JSON object.
    Body,
    BodyTooLarge,
    /// A foreign page sent the request.
    Origin,
    /// Fields are missing or wrong.
    Invalid(FieldErrors),
    /// No client is authenticated.
    NoClient,
    /// The client's scopes do not allow this.
    InsufficientScope,
    /// Some identifiers have an account already.
    Taken(FieldErrors),
    /// The link of a mail is not genuine, was used, or has expired.
    InvalidLink,
    /// The code is wrong, was used or replaced, or has expired.
    Otp,
    /// The identifier has no account, or the password is wrong.
    Credentials,
    /// The password is right, but no identifier is verified.
    NotVerified,
    /// The password is right, but an operator banned the customer.
    Blocked,
    /// The idempotency key is malformed, was used with another request, or belongs to a request in
    /// progress.
    Key(KeyProblem),
    TooMany {
        retry_after: Duration,
    },
    /// An internal failure; already logged.
    Internal,
}

/// The body of a refusal. The order of the fields is the documented one.
#[derive(JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Error")]
pub(super) struct ErrorBody {
    status_code: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "FieldErrors")]
    errors: Option<FieldErrors>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    message: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    error: Option<&'static str>,
}

impl ErrorBody {
    /// A body with a status and a message only.
    const fn message(status: StatusCode, message: &'static str) -> Self {
        Self { status_code: status.as_u16(), errors: None, message: Some(message), error: None }
    }

    fn error(status: StatusCode, message: &'static str, error: &'static str) -> Self {
        Self { error: Some(error), ..Self::message(status, message) }
    }

    fn fields(errors: FieldErrors) -> Self {
        Self { errors: Some(errors), ..Self::message(StatusCode::BAD_REQUEST, "Bad Request") }
    }
}

impl Refusal {
    /// One refusal of each variant, in the order of the table in `CONTRACT.md`.
    #[must_use]
    pub fn samples() -> Vec<Self> {
        let field = |name: &'static str, text: &'static str| {
            let mut errors = FieldErrors::default();
            errors.add(name, vec![text]);
            errors
        };
        let mut samples = vec![
            Self::Body,
            Self::BodyTooLarge,
            Self::Origin,
            Self::Invalid(field("email", "email must be an email")),
            Self::NoClient,
            Self::InsufficientScope,
            Self::Taken(field("email", "Email already exists")),
            Self::InvalidLink,
            Self::Otp,
            Self::Credentials,
            Self::NotVerified,
            Self::Blocked,
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
                | Self::NoClient
                | Self::InsufficientScope
                | Self::Taken(_)
                | Self::InvalidLink
                | Self::Otp
                | Self::Credentials
                | Self::NotVerified
                | Self::Blocked
                | Self::Key(_)
                | Self::TooMany { .. }
                | Self::Internal => {}
            }
        }
        samples
    }

    pub(super) fn parts(&self) -> (StatusCode, ErrorBody) {
        let body = match self {
            Self::Body => ErrorBody::fields(FieldErrors::default()),
            Self::BodyTooLarge => {
                ErrorBody::message(StatusCode::PAYLOAD_TOO_LARGE, "Payload Too Large")
            }
            Self::Origin => ErrorBody::error(
                StatusCode::FORBIDDEN,
                "This page may not send this request",
                "Forbidden",
            ),
            Self::Invalid(errors) => ErrorBody::fields(errors.clone()),
            Self::NoClient => ErrorBody::error(
                StatusCode::UNAUTHORIZED,
                "authorization header missing or invalid",
                "Unauthorized",
            ),
            Self::InsufficientScope => {
                ErrorBody::error(StatusCode::FORBIDDEN, "insufficient_scope", "Forbidden")
            }
            // The one refusal without a message.
            Self::Taken(errors) => ErrorBody {
                status_code: StatusCode::UNPROCESSABLE_ENTITY.as_u16(),
                errors: Some(errors.clone()),
                message: None,
                error: None,
            },
            Self::InvalidLink => {
                ErrorBody::error(StatusCode::UNAUTHORIZED, "Invalid token", "Unauthorized")
            }
            Self::Otp => {
                ErrorBody::error(StatusCode::UNAUTHORIZED, "OTP invalid or expired", "Unauthorized")
            }
            Self::Credentials => {
                ErrorBody::error(StatusCode::UNAUTHORIZED, "Invalid credentials", "Unauthorized")
            }
            Self::NotVerified => {
                ErrorBody::error(StatusCode::FORBIDDEN, "Account not verified", "Forbidden")
            }
            Self::Blocked => {
                ErrorBody::error(StatusCode::FORBIDDEN, "Account blocked", "Forbidden")
            }
            Self::Key(problem) => ErrorBody::message(problem.status(), problem.text()),
            Self::TooMany { .. } => {
                ErrorBody::message(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests")
            }
            Self::Internal => {
                ErrorBody::message(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error")
            }
        };
        let status = StatusCode::from_u16(body.status_code);
        (status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), body)
    }

    /// The `WWW-Authenticate` challenge for a refused token (RFC 6750 3).
    const fn challenge(&self) -> Option<&'static str> {
        match self {
            Self::NoClient => Some("Bearer"),
            Self::InsufficientScope => {
                Some("Bearer error=\"insufficient_scope\", scope=\"user:read user:write\"")
            }
            Self::Body
            | Self::BodyTooLarge
            | Self::Origin
            | Self::Invalid(_)
            | Self::Taken(_)
            | Self::InvalidLink
            | Self::Otp
            | Self::Credentials
            | Self::NotVerified
            | Self::Blocked
            | Self::Key(_)
            | Self::TooMany { .. }
            | Self::Internal => None,
        }
    }

    /// The status and the body.
    #[must_use]
    pub fn status_and_body(&self) -> (u16, String) {
        let (status, body) = self.parts();
        (status.as_u16(), serde_json::to_string(&body).unwrap_or_default())
    }
}

impl http::Refusal for Refusal {
    const INTERNAL: Self = Self::Internal;
    const FOREIGN_PAGE: Option<Self> = Some(Self::Origin);
    fn of_key(problem: KeyProblem) -> Self {
        Self::Key(problem)
    }

    /// The callers are the shops' servers; their tokens do not belong in a browser.
    const CORS: CorsPolicy = CorsPolicy::NoOrigin;

    fn into_response(self, _: &Request) -> Response {
        let (status, body) = self.parts();
        let mut response = http::json(status, &body);
        if let Some(challenge) = self.challenge() {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
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
            BodyError::TooLarge => Self::BodyTooLarge,
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

impl From<Taken> for Refusal {
    /// E-mail before mobile, whatever the order of the request.
    fn from(Taken(identifiers): Taken) -> Self {
        let mut errors = FieldErrors::default();
        for (kind, field, text) in [
            (IdentifierKind::Email, "email", "Email already exists"),
            (IdentifierKind::Phone, "mobile", "Mobile already exists"),
        ] {
            if identifiers.iter().any(|identifier| identifier.kind() == kind) {
                errors.add(field, vec![text]);
            }
        }
        Self::Taken(errors)
    }
}

/// The response to a request that no route serves.
pub(super) fn not_found(request: &UnmatchedRequest<'_>) -> Response {
    let status = request.status();
    let wrong_method = status == StatusCode::METHOD_NOT_ALLOWED;
    let text = if wrong_method { "Method Not Allowed" } else { "Not Found" };
    http::json(status, &ErrorBody::message(status, text))
}
