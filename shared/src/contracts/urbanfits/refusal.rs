//! Every way in which UrbanFits says no, on one screen.

use crate::contracts::Unrouted;
use crate::http::{self, Answer, BodyError};
use crate::ports::{PortError, chain};
use crate::usecases::{CompleteSignUpError, SignInError, StartSignUpError};
use lambda_http::http::StatusCode;
use serde::Serialize;
use std::time::Duration;

/// Why UrbanFits refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A field of a sign-up is missing, empty or ill-typed, or the timezone is none.
    Parameters,
    /// A field of a sign-up breaks a rule; the text says which.
    Invalid(&'static str),
    /// The policies are not accepted.
    Policies,
    /// The address or the username is somebody's.
    Taken,
    /// An earlier sign-up with that address waits for its code.
    Waiting,
    /// A field of the callback is missing.
    CallbackParameters,
    /// No sign-up waits with that `otp_id`, or not any more.
    Expired,
    /// The code is wrong.
    Incorrect,
    /// A field of a sign-in is missing.
    LoginParameters,
    /// The account belongs to another provider.
    Provider,
    /// The address, the name or the password is wrong.
    Credentials,
    /// There is no session, or it is over.
    Session,
    /// A page of a stranger sent the request.
    Origin,
    /// The body is too large.
    BodyTooLarge,
    /// Too many requests.
    TooMany {
        /// How long to wait.
        retry_after: Duration,
    },
    /// The world broke; logged where it was met.
    Internal,
}

/// The body of a refusal.
#[derive(Serialize)]
struct Said<'a> {
    success: bool,
    msg: &'a str,
}

impl<'a> Said<'a> {
    const fn no(msg: &'a str) -> Self {
        Self { success: false, msg }
    }
}

impl Refusal {
    /// The status and the text.
    pub(super) const fn spelling(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Parameters => (
                StatusCode::BAD_REQUEST,
                "All valid parameters required. Body Parameters: username, email, phone_prefix, \
                 phone_number, password, accept_policies, timezone .",
            ),
            Self::Invalid(text) => (StatusCode::BAD_REQUEST, text),
            Self::Policies => (
                StatusCode::FORBIDDEN,
                "A user can't register without accepting our policies and terms of use.",
            ),
            Self::Taken => (StatusCode::CONFLICT, "This Email or Username already in use."),
            Self::Waiting => (
                StatusCode::UNAUTHORIZED,
                "You already have 'registration' session, try after 5 minutes.",
            ),
            Self::CallbackParameters => (
                StatusCode::UNAUTHORIZED,
                "All valid parameters are required. Body Parameter: otp_id, otp",
            ),
            Self::Expired => (StatusCode::UNAUTHORIZED, "The OTP has expired, please try again."),
            Self::Incorrect => (StatusCode::UNAUTHORIZED, "The OTP is incorrect."),
            Self::LoginParameters => (
                StatusCode::BAD_REQUEST,
                "All valid parameters are required. Body Parameters: email, password, \
                 register_provider, remember_me",
            ),
            Self::Provider => {
                (StatusCode::CONFLICT, "This account doesn't use the given register provider.")
            }
            Self::Credentials => {
                (StatusCode::UNAUTHORIZED, "Your email, username or password is incorrect.")
            }
            Self::Session => (
                StatusCode::UNAUTHORIZED,
                "Your session is invalid or expired. Please sign in again.",
            ),
            Self::Origin => (StatusCode::FORBIDDEN, "This page may not send this request."),
            Self::BodyTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "The request body is too large."),
            Self::TooMany { .. } => {
                (StatusCode::TOO_MANY_REQUESTS, "Too many requests, please try again later.")
            }
            Self::Internal => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "Internal Server Error occurred, please try again in a while.",
            ),
        }
    }

    /// The status and the body as text, for the house rules.
    #[must_use]
    pub fn rendered(&self) -> (u16, String) {
        let (status, text) = self.spelling();
        (status.as_u16(), serde_json::to_string(&Said::no(text)).unwrap_or_default())
    }
}

impl From<BodyError> for Refusal {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge => Self::BodyTooLarge,
            BodyError::Malformed => Self::Parameters,
        }
    }
}

impl From<PortError> for Refusal {
    fn from(error: PortError) -> Self {
        tracing::error!(error = chain(&error), "a request failed");
        Self::Internal
    }
}

impl From<StartSignUpError> for Refusal {
    fn from(error: StartSignUpError) -> Self {
        match error {
            StartSignUpError::Taken => Self::Taken,
            StartSignUpError::Waiting => Self::Waiting,
            StartSignUpError::TooMany { retry_after } => Self::TooMany { retry_after },
            StartSignUpError::Internal(error) => error.into(),
        }
    }
}

impl From<CompleteSignUpError> for Refusal {
    fn from(error: CompleteSignUpError) -> Self {
        match error {
            CompleteSignUpError::NotWaiting => Self::Expired,
            CompleteSignUpError::WrongCode => Self::Incorrect,
            CompleteSignUpError::Taken => Self::Taken,
            CompleteSignUpError::TooMany { retry_after } => Self::TooMany { retry_after },
            CompleteSignUpError::Internal(error) => error.into(),
        }
    }
}

impl From<SignInError> for Refusal {
    fn from(error: SignInError) -> Self {
        match error {
            // One text: who is registered is nobody's business (contracts.md C.4).
            SignInError::NoSuchUser
            | SignInError::WrongPassword
            | SignInError::CodeRefused
            | SignInError::NotVerified => Self::Credentials,
            SignInError::TooMany { retry_after } => Self::TooMany { retry_after },
            SignInError::Internal(error) => error.into(),
        }
    }
}

fn refuse(status: StatusCode, text: &str) -> Answer {
    http::json(status, &Said::no(text))
}

/// An answer, or the refusal in the contract's shape: `{"success":false,"msg":"…"}`.
#[must_use]
pub fn answer(result: Result<Answer, Refusal>) -> Answer {
    result.unwrap_or_else(|refusal| {
        let (status, text) = refusal.spelling();
        let answer = refuse(status, text);
        match refusal {
            Refusal::TooMany { retry_after } => http::retry_after(answer, retry_after),
            _ => answer,
        }
    })
}

/// The answer to somebody who signed out, whether they were signed in or not. The text is the
/// contract's, to the letter.
#[must_use]
pub fn signed_out() -> Answer {
    let msg = "You are Logged out successfully !";
    http::json(StatusCode::OK, &Said { success: true, msg })
}

/// The answer when the world broke.
#[must_use]
pub fn internal_error() -> Answer {
    answer(Err(Refusal::Internal))
}

/// Answers a request that no route serves.
pub(super) fn unrouted(unrouted: &Unrouted<'_>) -> Answer {
    let status = unrouted.status();
    let answer = if status == StatusCode::METHOD_NOT_ALLOWED {
        let methods: Vec<_> = unrouted.methods.iter().map(|method| format!("'{method}'")).collect();
        let methods = methods.join(", ");
        refuse(status, &format!("Method not allowed, Allowed methods: {methods}"))
    } else {
        refuse(status, "Not found.")
    };
    unrouted.origins.readers(unrouted.request).tell(answer)
}

/// Answers a preflight: with cookies, so for the configured origins alone.
pub(super) fn preflight(unrouted: &Unrouted<'_>) -> Answer {
    let answer = http::empty(StatusCode::NO_CONTENT);
    let readers = unrouted.origins.readers(unrouted.request);
    readers.tell_methods(answer, unrouted.methods, unrouted.request.headers())
}
