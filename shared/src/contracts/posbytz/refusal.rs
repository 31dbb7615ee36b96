//! Every way in which PosBytz says no, but at the token endpoint ([`super::TokenRefusal`]).

use super::FieldErrors;
use crate::contracts::Unrouted;
use crate::domain::identifier::Identifier;
use crate::http::{self, Answer, BodyError};
use crate::ports::{PortError, chain};
use crate::usecases::{CheckCodeError, SignInError, SignUpToVerifyError, VerifyLinkError};
use lambda_http::http::header::WWW_AUTHENTICATE;
use lambda_http::http::{HeaderValue, StatusCode};
use serde::Serialize;
use std::time::Duration;

/// Why PosBytz refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The body is not a JSON object.
    Body,
    /// The body is too large.
    BodyTooLarge,
    /// Fields are missing or wrong.
    Invalid(FieldErrors),
    /// Nobody who may call calls.
    NoClient,
    /// The client may not do this.
    InsufficientScope,
    /// Identifiers are taken.
    Taken(FieldErrors),
    /// The link of a mail is none of ours, was used, or has ended.
    InvalidLink,
    /// The code is wrong, was used or replaced, or has ended.
    Otp,
    /// Nobody is known by that, or the password is wrong.
    Credentials,
    /// The password is right, but nothing is verified.
    NotVerified,
    /// Too many requests.
    TooMany {
        /// How long to wait.
        retry_after: Duration,
    },
    /// The world broke; logged where it was met.
    Internal,
}

/// The body of a refusal. The order of the fields is the documented one.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Said {
    status_code: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<FieldErrors>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
}

impl Said {
    /// A status and its message alone.
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
    /// The status and the body.
    pub(super) fn spelling(&self) -> (StatusCode, Said) {
        let said = match self {
            Self::Body => Said::fields(FieldErrors::default()),
            Self::BodyTooLarge => Said::message(StatusCode::PAYLOAD_TOO_LARGE, "Payload Too Large"),
            Self::Invalid(errors) => Said::fields(errors.clone()),
            Self::NoClient => Said::error(
                StatusCode::UNAUTHORIZED,
                "authorization header missing or invalid",
                "Unauthorized",
            ),
            Self::InsufficientScope => {
                Said::error(StatusCode::FORBIDDEN, "insufficient_scope", "Forbidden")
            }
            // The one refusal without a message.
            Self::Taken(errors) => Said {
                status_code: StatusCode::UNPROCESSABLE_ENTITY.as_u16(),
                errors: Some(errors.clone()),
                message: None,
                error: None,
            },
            Self::InvalidLink => {
                Said::error(StatusCode::UNAUTHORIZED, "Invalid token", "Unauthorized")
            }
            Self::Otp => {
                Said::error(StatusCode::UNAUTHORIZED, "OTP invalid or expired", "Unauthorized")
            }
            Self::Credentials => {
                Said::error(StatusCode::UNAUTHORIZED, "Invalid credentials", "Unauthorized")
            }
            Self::NotVerified => {
                Said::error(StatusCode::FORBIDDEN, "Account not verified", "Forbidden")
            }
            Self::TooMany { .. } => {
                Said::message(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests")
            }
            Self::Internal => {
                Said::message(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error")
            }
        };
        let status = StatusCode::from_u16(said.status_code);
        (status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), said)
    }

    /// The challenge that goes with a refused token (RFC 6750 3).
    const fn challenge(&self) -> Option<&'static str> {
        match self {
            Self::NoClient => Some("Bearer"),
            Self::InsufficientScope => {
                Some("Bearer error=\"insufficient_scope\", scope=\"user:read user:write\"")
            }
            Self::Body
            | Self::BodyTooLarge
            | Self::Invalid(_)
            | Self::Taken(_)
            | Self::InvalidLink
            | Self::Otp
            | Self::Credentials
            | Self::NotVerified
            | Self::TooMany { .. }
            | Self::Internal => None,
        }
    }

    /// The status and the body as text, for the house rules.
    #[must_use]
    pub fn rendered(&self) -> (u16, String) {
        let (status, said) = self.spelling();
        (status.as_u16(), serde_json::to_string(&said).unwrap_or_default())
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
        tracing::error!(error = chain(&error), "a request failed");
        Self::Internal
    }
}

/// What is said of identifiers that are taken: e-mail before mobile, whatever came first.
fn taken(identifiers: &[Identifier]) -> FieldErrors {
    let mut errors = FieldErrors::default();
    for (kind, field, text) in
        [("email", "email", "Email already exists"), ("phone", "mobile", "Mobile already exists")]
    {
        if identifiers.iter().any(|identifier| identifier.kind() == kind) {
            errors.add(field, vec![text]);
        }
    }
    errors
}

impl From<SignUpToVerifyError> for Refusal {
    fn from(error: SignUpToVerifyError) -> Self {
        match error {
            SignUpToVerifyError::Taken(identifiers) => Self::Taken(taken(&identifiers)),
            SignUpToVerifyError::TooMany { retry_after } => Self::TooMany { retry_after },
            SignUpToVerifyError::Internal(error) => error.into(),
        }
    }
}

impl From<VerifyLinkError> for Refusal {
    fn from(error: VerifyLinkError) -> Self {
        match error {
            VerifyLinkError::Refused => Self::InvalidLink,
            VerifyLinkError::Internal(error) => error.into(),
        }
    }
}

impl From<SignInError> for Refusal {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::NoSuchUser | SignInError::WrongPassword | SignInError::CodeRefused => {
                Self::Credentials
            }
            SignInError::NotVerified => Self::NotVerified,
            SignInError::TooMany { retry_after } => Self::TooMany { retry_after },
            SignInError::Internal(error) => error.into(),
        }
    }
}

impl From<CheckCodeError> for Refusal {
    fn from(error: CheckCodeError) -> Self {
        match error {
            CheckCodeError::NoCode | CheckCodeError::Wrong => Self::Otp,
            CheckCodeError::TooMany { retry_after } => Self::TooMany { retry_after },
            CheckCodeError::Internal(error) => error.into(),
        }
    }
}

/// An answer, or the refusal in the contract's shape.
#[must_use]
pub fn answer(result: Result<Answer, Refusal>) -> Answer {
    result.unwrap_or_else(|refusal| {
        let (status, said) = refusal.spelling();
        let mut answer = http::json(status, &said);
        if let Some(challenge) = refusal.challenge() {
            answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        match refusal {
            Refusal::TooMany { retry_after } => http::retry_after(answer, retry_after),
            _ => answer,
        }
    })
}

/// The answer when the world broke.
#[must_use]
pub fn internal_error() -> Answer {
    answer(Err(Refusal::Internal))
}

/// Answers a request that no route serves.
pub(super) fn unrouted(unrouted: &Unrouted<'_>) -> Answer {
    let status = unrouted.status();
    let wrong_method = status == StatusCode::METHOD_NOT_ALLOWED;
    let text = if wrong_method { "Method Not Allowed" } else { "Not Found" };
    http::json(status, &Said::message(status, text))
}

/// Answers a preflight: no page of another origin may read an answer, because the callers are
/// the shops' servers, and their tokens have no business in a browser.
pub(super) fn preflight() -> Answer {
    http::empty(StatusCode::NO_CONTENT)
}
