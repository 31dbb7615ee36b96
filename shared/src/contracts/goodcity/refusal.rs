//! Every way in which GoodCity says no, on one screen.

use crate::contracts::Unrouted;
use crate::http::{self, Answer, BodyError};
use crate::ports::{PortError, chain};
use crate::usecases::{CheckCodeError, RequestCodeError};
use lambda_http::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS, VARY,
};
use lambda_http::http::{HeaderValue, StatusCode};
use serde_json::{Value, json};
use std::time::Duration;

/// Why GoodCity refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The body is neither a JSON object nor a form.
    Body,
    /// The body is too large.
    BodyTooLarge,
    /// A parameter is missing, or not of its type; the text names it.
    Parameter(String),
    /// A parameter is of its type but not acceptable; the text says why.
    Invalid(&'static str),
    /// The app header names no app.
    InvalidHost,
    /// There is no mobile.
    MobileBlank,
    /// The mobile is none of the region.
    MobileInvalid,
    /// The pin is not the one that was sent with the key, or not any more.
    Pin,
    /// The bearer token is none of ours, or its user is gone.
    InvalidToken,
    /// The bearer token has ended.
    ExpiredToken,
    /// The platform is unknown.
    Platform,
    /// Too many requests.
    TooMany {
        /// How long to wait.
        retry_after: Duration,
    },
    /// The world broke; logged where it was met.
    Internal,
}

/// The body of a refusal: the two error keys of contracts.md 0.4, or plain text.
pub(super) enum Said {
    Errors(Value),
    Error(String),
    Plain(&'static str),
}

impl Refusal {
    /// The status and the body.
    pub(super) fn spelling(&self) -> (StatusCode, Said) {
        let errors = |text: &str| Said::Errors(text.into());
        let error = |text: &str| Said::Error(text.to_owned());
        let unprocessable = StatusCode::UNPROCESSABLE_ENTITY;
        match self {
            Self::Body => (StatusCode::BAD_REQUEST, error("Invalid request body")),
            Self::BodyTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, error("Request body too large")),
            Self::Parameter(text) => (unprocessable, error(text)),
            Self::Invalid(text) => (unprocessable, errors(text)),
            Self::InvalidHost => (StatusCode::FORBIDDEN, errors("Invalid host")),
            Self::MobileBlank => (unprocessable, errors("Mobile can't be blank")),
            Self::MobileInvalid => (unprocessable, errors("Mobile must begin with +852")),
            Self::Pin => (unprocessable, Said::Errors(json!({"pin": "Invalid SMS code."}))),
            Self::InvalidToken => (StatusCode::UNAUTHORIZED, error("Invalid token")),
            Self::ExpiredToken => (StatusCode::UNAUTHORIZED, error("Expired token")),
            Self::Platform => {
                let text =
                    "Unrecognised platform, expecting 'fcm' or 'gcm' (Android) or 'aps' (iOS)";
                (StatusCode::BAD_REQUEST, Said::Plain(text))
            }
            Self::TooMany { .. } => (StatusCode::TOO_MANY_REQUESTS, errors("Too many requests")),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, errors("Internal Server Error")),
        }
    }

    /// The status and the body as text, for the house rules.
    #[must_use]
    pub fn rendered(&self) -> (u16, String) {
        let (status, said) = self.spelling();
        let text = match said {
            Said::Errors(value) => json!({"errors": value}).to_string(),
            Said::Error(text) => json!({"error": text}).to_string(),
            Said::Plain(text) => text.to_owned(),
        };
        (status.as_u16(), text)
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

impl From<RequestCodeError> for Refusal {
    fn from(error: RequestCodeError) -> Self {
        match error {
            RequestCodeError::TooMany { retry_after } => Self::TooMany { retry_after },
            RequestCodeError::Internal(error) => error.into(),
        }
    }
}

impl From<CheckCodeError> for Refusal {
    fn from(error: CheckCodeError) -> Self {
        match error {
            CheckCodeError::NoCode | CheckCodeError::Wrong => Self::Pin,
            CheckCodeError::TooMany { retry_after } => Self::TooMany { retry_after },
            CheckCodeError::Internal(error) => error.into(),
        }
    }
}

/// Lets any web page read the answer, as the original does: there are no cookies to abuse.
fn readable_anywhere(mut answer: Answer) -> Answer {
    answer.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    answer
}

/// An answer, or the refusal in the contract's shape.
#[must_use]
pub fn answer(result: Result<Answer, Refusal>) -> Answer {
    let answer = result.unwrap_or_else(|refusal| {
        let (status, said) = refusal.spelling();
        let answer = match said {
            Said::Errors(value) => http::json(status, &json!({"errors": value})),
            Said::Error(text) => http::json(status, &json!({"error": text})),
            Said::Plain(text) => http::text(status, text),
        };
        match refusal {
            Refusal::TooMany { retry_after } => http::retry_after(answer, retry_after),
            _ => answer,
        }
    });
    readable_anywhere(answer)
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
    let text = if wrong_method { "Method not allowed" } else { "Not found" };
    readable_anywhere(http::json(status, &json!({"error": text})))
}

/// Answers a preflight: any origin, any verb, any header, as the original does.
pub(super) fn preflight(unrouted: &Unrouted<'_>) -> Answer {
    let mut answer = readable_anywhere(http::empty(StatusCode::NO_CONTENT));
    let verbs = HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE, OPTIONS");
    let asked = unrouted.request.headers().get(ACCESS_CONTROL_REQUEST_HEADERS).cloned();
    let headers = answer.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, verbs);
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    headers.insert(VARY, HeaderValue::from_static("Access-Control-Request-Headers"));
    if let Some(asked) = asked {
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, asked);
    }
    answer
}
