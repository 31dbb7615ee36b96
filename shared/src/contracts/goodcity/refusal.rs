//! Every refusal of GoodCity.

use crate::contracts::{ContractRefusal, UnmatchedRequest, internal_error};
use crate::http::{self, BodyError, CorsPolicy, KeyProblem, Request, Response};
use crate::ports::PortError;
use lambda_http::http::header::{ACCESS_CONTROL_REQUEST_HEADERS, VARY};
use lambda_http::http::{HeaderValue, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;
use std::time::Duration;

/// A refusal of GoodCity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The body is neither a JSON object nor a form.
    Body,
    BodyTooLarge,
    /// A foreign page sent the request.
    Origin,
    /// A parameter is missing or has the wrong type; the text names it.
    Parameter(String),
    /// The value of a parameter is not acceptable; the text says why.
    Invalid(&'static str),
    /// The app header names an unknown app.
    InvalidHost,
    /// The mobile is missing or empty.
    MobileBlank,
    /// The number does not belong to the region.
    MobileInvalid,
    /// The pin is wrong, was replaced by a later one, or has expired.
    Pin,
    /// The bearer token is not genuine, or its user does not exist any more.
    InvalidToken,
    ExpiredToken,
    /// The platform is unknown.
    Platform,
    /// The idempotency key is malformed, was used with another request, or belongs to a request in
    /// progress.
    Key(KeyProblem),
    TooMany {
        retry_after: Duration,
    },
    /// An internal failure; already logged.
    Internal,
}

/// The body of a refusal in JSON. The original has two error keys.
#[derive(JsonSchema, Serialize)]
#[serde(untagged)]
#[schemars(rename = "Error")]
pub(super) enum ErrorBody {
    /// Errors of values.
    Errors { errors: Errors },
    /// Errors of parameters and tokens.
    Error { error: String },
}

/// What is wrong with values.
#[derive(JsonSchema, Serialize)]
#[serde(untagged)]
pub(super) enum Errors {
    Text(&'static str),
    /// What is wrong with a pin.
    OfPin {
        pin: &'static str,
    },
}

/// The content of a refusal.
enum Content {
    Json(ErrorBody),
    /// The one refusal of the original that is a plain text.
    Plain(&'static str),
}

impl Refusal {
    /// One refusal of each variant, in the order of the table in `CONTRACT.md`.
    #[must_use]
    pub fn samples() -> Vec<Self> {
        let mut samples = vec![
            Self::Body,
            Self::BodyTooLarge,
            Self::Origin,
            Self::Parameter("Missing parameter user_auth".to_owned()),
            Self::Invalid("Address district is invalid"),
            Self::InvalidHost,
            Self::MobileBlank,
            Self::MobileInvalid,
            Self::Pin,
            Self::InvalidToken,
            Self::ExpiredToken,
            Self::Platform,
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
                | Self::Parameter(_)
                | Self::Invalid(_)
                | Self::InvalidHost
                | Self::MobileBlank
                | Self::MobileInvalid
                | Self::Pin
                | Self::InvalidToken
                | Self::ExpiredToken
                | Self::Platform
                | Self::Key(_)
                | Self::TooMany { .. }
                | Self::Internal => {}
            }
        }
        samples
    }

    fn parts(&self) -> (StatusCode, Content) {
        let errors = |text| Content::Json(ErrorBody::Errors { errors: Errors::Text(text) });
        let error = |text: &str| Content::Json(ErrorBody::Error { error: text.to_owned() });
        let unprocessable = StatusCode::UNPROCESSABLE_ENTITY;
        match self {
            Self::Body => (StatusCode::BAD_REQUEST, error("Invalid request body")),
            Self::BodyTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, error("Request body too large")),
            Self::Origin => (StatusCode::FORBIDDEN, error("This page may not send this request")),
            Self::Parameter(text) => (unprocessable, error(text)),
            Self::Invalid(text) => (unprocessable, errors(text)),
            Self::InvalidHost => (StatusCode::FORBIDDEN, errors("Invalid host")),
            Self::MobileBlank => (unprocessable, errors("Mobile can't be blank")),
            Self::MobileInvalid => (unprocessable, errors("Mobile must begin with +852")),
            Self::Pin => {
                let errors = Errors::OfPin { pin: "Invalid SMS code." };
                (unprocessable, Content::Json(ErrorBody::Errors { errors }))
            }
            Self::InvalidToken => (StatusCode::UNAUTHORIZED, error("Invalid token")),
            Self::ExpiredToken => (StatusCode::UNAUTHORIZED, error("Expired token")),
            Self::Platform => {
                let text =
                    "Unrecognised platform, expecting 'fcm' or 'gcm' (Android) or 'aps' (iOS)";
                (StatusCode::BAD_REQUEST, Content::Plain(text))
            }
            Self::Key(problem) => (problem.status(), error(problem.text())),
            Self::TooMany { .. } => (StatusCode::TOO_MANY_REQUESTS, errors("Too many requests")),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, errors("Internal Server Error")),
        }
    }

    /// The status and the body.
    #[must_use]
    pub fn status_and_body(&self) -> (u16, String) {
        let (status, body) = self.parts();
        let text = match body {
            Content::Json(body) => serde_json::to_string(&body).unwrap_or_default(),
            Content::Plain(text) => text.to_owned(),
        };
        (status.as_u16(), text)
    }
}

impl http::Refusal for Refusal {
    const INTERNAL: Self = Self::Internal;
    const FOREIGN_PAGE: Option<Self> = Some(Self::Origin);
    fn of_key(problem: KeyProblem) -> Self {
        Self::Key(problem)
    }

    /// As in the original: GoodCity has no cookies.
    const CORS: CorsPolicy = CorsPolicy::AnyOrigin;

    fn into_response(self, _: &Request) -> Response {
        let (status, body) = self.parts();
        let response = match body {
            Content::Json(body) => http::json(status, &body),
            Content::Plain(text) => http::text(status, text),
        };
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

/// The response to a request that no route serves.
pub(super) fn not_found(request: &UnmatchedRequest<'_>) -> Response {
    let status = request.status();
    let wrong_method = status == StatusCode::METHOD_NOT_ALLOWED;
    let text = if wrong_method { "Method not allowed" } else { "Not found" };
    http::json(status, &ErrorBody::Error { error: text.to_owned() })
}

/// The response to a preflight: any origin, any method, any header, as in the original.
pub(super) fn preflight(request: &UnmatchedRequest<'_>) -> Response {
    let requested = request.request.headers().get(ACCESS_CONTROL_REQUEST_HEADERS).cloned();
    let mut response = http::preflight("GET, POST, PUT, PATCH, DELETE, OPTIONS", requested);
    let vary = HeaderValue::from_static("Access-Control-Request-Headers");
    response.headers_mut().insert(VARY, vary);
    response
}
