//! Every way in which Gotu says no, on one screen.

use crate::contracts::Unrouted;
use crate::http::{self, Answer, BodyError, MAX_BODY_BYTES};
use crate::ports::{PortError, chain};
use crate::usecases::{
    CheckCodeError, RefreshError, RequestCodeError, ResetPasswordError, SignInError, SignUpError,
};
use lambda_http::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_MAX_AGE,
};
use lambda_http::http::{HeaderValue, StatusCode};
use serde_json::json;
use std::time::Duration;

/// Why Gotu refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The body is no JSON object.
    Body,
    /// The body is too large.
    BodyTooLarge,
    /// A field or header is missing or wrong; the text names it.
    Invalid(String),
    /// The phone number has an account.
    PhoneTaken,
    /// The e-mail address has an account.
    EmailTaken,
    /// The code is not the one that was sent, or not any more.
    Code,
    /// The code that was to be verified is not the one that was sent, or not any more.
    Verification,
    /// Nobody has that e-mail address.
    NoSuchUser,
    /// The password is wrong.
    Password,
    /// It is the password they have.
    SamePassword,
    /// The refresh token is none, or its session is over.
    RefreshToken,
    /// The access token is none, has ended, or its session is over.
    AccessToken,
    /// The request token is none, has ended, or is used up.
    RequestToken,
    /// Somebody asks for rights that nobody can give themselves.
    Forbidden,
    /// Too many requests.
    TooMany {
        /// How long to wait.
        retry_after: Duration,
    },
    /// The world broke; logged where it was met.
    Internal,
}

impl Refusal {
    /// The status and the text.
    #[must_use]
    pub fn spelling(&self) -> (StatusCode, String) {
        let (status, text) = match self {
            Self::Body => (StatusCode::BAD_REQUEST, "invalid request body"),
            Self::BodyTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "request body too large"),
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
            Self::TooMany { .. } => (StatusCode::TOO_MANY_REQUESTS, "too many requests"),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal server error"),
        };
        (status, text.to_owned())
    }
}

impl From<BodyError> for Refusal {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge => {
                tracing::info!(limit_bytes = MAX_BODY_BYTES, "a body is too large");
                Self::BodyTooLarge
            }
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

impl From<SignInError> for Refusal {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::NoSuchUser => Self::NoSuchUser,
            SignInError::WrongPassword => Self::Password,
            SignInError::CodeRefused => Self::Code,
            // Gotu lets people in whose address is not proved.
            SignInError::NotVerified => Self::Forbidden,
            SignInError::TooMany { retry_after } => Self::TooMany { retry_after },
            SignInError::Internal(error) => error.into(),
        }
    }
}

impl From<CheckCodeError> for Refusal {
    fn from(error: CheckCodeError) -> Self {
        match error {
            CheckCodeError::NoCode | CheckCodeError::Wrong => Self::Verification,
            CheckCodeError::TooMany { retry_after } => Self::TooMany { retry_after },
            CheckCodeError::Internal(error) => error.into(),
        }
    }
}

impl From<RefreshError> for Refusal {
    fn from(error: RefreshError) -> Self {
        match error {
            RefreshError::Refused => Self::RefreshToken,
            RefreshError::Internal(error) => error.into(),
        }
    }
}

impl From<ResetPasswordError> for Refusal {
    fn from(error: ResetPasswordError) -> Self {
        match error {
            ResetPasswordError::ProofUsedUp => Self::RequestToken,
            ResetPasswordError::SamePassword => Self::SamePassword,
            ResetPasswordError::Internal(error) => error.into(),
        }
    }
}

impl Refusal {
    /// Says why nobody signed up; `taken` is what the contract says of a taken identifier.
    #[must_use]
    pub fn of_sign_up(error: SignUpError, taken: Self) -> Self {
        match error {
            SignUpError::CodeRefused => Self::Code,
            SignUpError::Taken => taken,
            SignUpError::TooMany { retry_after } => Self::TooMany { retry_after },
            SignUpError::Internal(error) => error.into(),
        }
    }
}

/// Lets any web page read the answer: Gotu uses no cookies, so a page gains nothing by it.
fn readable_anywhere(mut answer: Answer) -> Answer {
    answer.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    answer
}

fn refuse(status: StatusCode, text: &str) -> Answer {
    readable_anywhere(http::json(status, &json!({"error": text})))
}

/// An answer, or the refusal in the contract's shape: `{"error":"…"}`.
#[must_use]
pub fn answer(result: Result<Answer, Refusal>) -> Answer {
    match result {
        Ok(answer) => readable_anywhere(answer),
        Err(refusal) => {
            let (status, text) = refusal.spelling();
            let answer = refuse(status, &text);
            match refusal {
                Refusal::TooMany { retry_after } => http::retry_after(answer, retry_after),
                _ => answer,
            }
        }
    }
}

/// The answer when the world broke.
#[must_use]
pub fn internal_error() -> Answer {
    answer(Err(Refusal::Internal))
}

/// Answers a request that no route serves.
pub(super) fn unrouted(unrouted: &Unrouted<'_>) -> Answer {
    let status = unrouted.status();
    let text =
        if status == StatusCode::METHOD_NOT_ALLOWED { "method not allowed" } else { "not found" };
    refuse(status, text)
}

/// Answers a preflight (Fetch standard, CORS protocol).
pub(super) fn preflight(methods: &[&str]) -> Answer {
    let mut answer = readable_anywhere(http::empty(StatusCode::NO_CONTENT));
    let headers = answer.headers_mut();
    if let Ok(methods) = HeaderValue::from_str(&methods.join(", ")) {
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
    }
    let allowed = "authorization, content-type, x-app-version, x-device-id, x-device-model, \
                   x-device-platform, x-device-token";
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(allowed));
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    answer
}
