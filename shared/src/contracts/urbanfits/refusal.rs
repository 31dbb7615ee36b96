//! Every refusal of UrbanFits.

use crate::contracts::{ContractRefusal, UnmatchedRequest, internal_error};
use crate::http::{self, BodyError, CorsPolicy, KeyProblem, Request, Response};
use crate::ports::PortError;
use lambda_http::http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;
use std::time::Duration;

/// A refusal of UrbanFits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A field of a sign-up is missing, empty or has the wrong type, or the timezone is unknown.
    Parameters,
    /// A field of a sign-up breaks a rule; the text says which.
    Invalid(&'static str),
    /// The policies are not accepted.
    Policies,
    /// The e-mail address or the username has an account.
    Taken,
    /// An earlier sign-up with the address still waits for its code.
    Waiting,
    /// A field of the callback is missing.
    CallbackParameters,
    /// The `otp_id` of a request to send a code again is missing.
    ResendParameters,
    /// A field of a request for a new password is missing.
    ForgotParameters,
    /// A field of a new password with its code is missing.
    ChangeParameters,
    /// The password is missing in a request to delete the account.
    DeletionParameters,
    /// No sign-up waits for the code of this `otp_id`, or the code has expired.
    Expired,
    /// The code is wrong.
    Incorrect,
    /// A field of a sign-in is missing.
    LoginParameters,
    /// The request names another provider than UrbanFits.
    Provider,
    /// The address, the username or the password is wrong.
    Credentials,
    /// The session is missing, not genuine, or has ended.
    Session,
    /// A foreign page sent the request.
    Origin,
    BodyTooLarge,
    /// The idempotency key is malformed, was used with another request, or belongs to a request in
    /// progress.
    Key(KeyProblem),
    TooMany {
        retry_after: Duration,
    },
    /// An internal failure; already logged.
    Internal,
}

/// A body that only has a message.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "Message")]
pub(super) struct MessageBody<'a> {
    success: bool,
    msg: &'a str,
}

impl<'a> MessageBody<'a> {
    const fn refused(msg: &'a str) -> Self {
        Self { success: false, msg }
    }
}

impl Refusal {
    /// One refusal of each variant, in the order of the table in `CONTRACT.md`.
    #[must_use]
    pub fn samples() -> Vec<Self> {
        let mut samples = vec![
            Self::Parameters,
            Self::Invalid("Password should be at least 8 characters."),
            Self::Policies,
            Self::Taken,
            Self::Waiting,
            Self::CallbackParameters,
            Self::ResendParameters,
            Self::ForgotParameters,
            Self::ChangeParameters,
            Self::DeletionParameters,
            Self::Expired,
            Self::Incorrect,
            Self::LoginParameters,
            Self::Provider,
            Self::Credentials,
            Self::Session,
            Self::Origin,
            Self::BodyTooLarge,
            Self::TooMany { retry_after: Duration::ZERO },
            Self::Internal,
        ];
        samples.extend(KeyProblem::SAMPLES.map(Self::Key));
        // A new variant stops this from compiling until it has a sample.
        for sample in &samples {
            match sample {
                Self::Parameters
                | Self::Invalid(_)
                | Self::Policies
                | Self::Taken
                | Self::Waiting
                | Self::CallbackParameters
                | Self::ResendParameters
                | Self::ForgotParameters
                | Self::ChangeParameters
                | Self::DeletionParameters
                | Self::Expired
                | Self::Incorrect
                | Self::LoginParameters
                | Self::Provider
                | Self::Credentials
                | Self::Session
                | Self::Origin
                | Self::BodyTooLarge
                | Self::Key(_)
                | Self::TooMany { .. }
                | Self::Internal => {}
            }
        }
        samples
    }

    /// The status, and the text of the body's `msg`.
    pub(super) const fn status_and_text(&self) -> (StatusCode, &'static str) {
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
            Self::ResendParameters => (
                StatusCode::BAD_REQUEST,
                "All valid parameters are required. Body Parameter: otp_id",
            ),
            Self::ForgotParameters => (
                StatusCode::BAD_REQUEST,
                "All valid parameters are required. Body Parameter: email",
            ),
            Self::ChangeParameters => (
                StatusCode::BAD_REQUEST,
                "All valid parameters are required. Body Parameters: otp_id, otp, new_password",
            ),
            Self::DeletionParameters => (
                StatusCode::BAD_REQUEST,
                "All valid parameters are required. Body Parameter: password",
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
            Self::Key(problem) => (problem.status(), problem.text()),
            Self::TooMany { .. } => {
                (StatusCode::TOO_MANY_REQUESTS, "Too many requests, please try again later.")
            }
            Self::Internal => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "Internal Server Error occurred, please try again in a while.",
            ),
        }
    }

    /// The status and the body.
    #[must_use]
    pub fn status_and_body(&self) -> (u16, String) {
        let (status, text) = self.status_and_text();
        (status.as_u16(), serde_json::to_string(&MessageBody::refused(text)).unwrap_or_default())
    }
}

impl http::Refusal for Refusal {
    const INTERNAL: Self = Self::Internal;
    const FOREIGN_PAGE: Option<Self> = Some(Self::Origin);
    fn of_key(problem: KeyProblem) -> Self {
        Self::Key(problem)
    }

    /// Sessions are cookies.
    const CORS: CorsPolicy = CorsPolicy::AllowedOrigins;

    fn into_response(self, _: &Request) -> Response {
        let (status, text) = self.status_and_text();
        let response = refuse(status, text);
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
            BodyError::Malformed => Self::Parameters,
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

fn refuse(status: StatusCode, text: &str) -> Response {
    http::json(status, &MessageBody::refused(text))
}

/// The response to a new password.
#[must_use]
pub fn password_changed() -> Response {
    let msg = "Your password was changed. Please sign in.";
    http::json(StatusCode::OK, &MessageBody { success: true, msg })
}

/// The response to the deletion of an account.
#[must_use]
pub fn account_deleted() -> Response {
    http::json(StatusCode::OK, &MessageBody { success: true, msg: "Your account was deleted." })
}

/// The response to a sign-out, with or without a session. The text is the original's, to the letter.
#[must_use]
pub fn signed_out() -> Response {
    let msg = "You are Logged out successfully !";
    http::json(StatusCode::OK, &MessageBody { success: true, msg })
}

/// The response to a request that no route serves.
pub(super) fn not_found(request: &UnmatchedRequest<'_>) -> Response {
    let status = request.status();
    if status == StatusCode::METHOD_NOT_ALLOWED {
        let methods: Vec<_> = request.methods.iter().map(|method| format!("'{method}'")).collect();
        let methods = methods.join(", ");
        refuse(status, &format!("Method not allowed, Allowed methods: {methods}"))
    } else {
        refuse(status, "Not found.")
    }
}
