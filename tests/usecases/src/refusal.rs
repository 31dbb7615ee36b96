//! Why a use case refuses: one list for all of them, which tests compare with.

use latchkey::domain::identifier::Identifier;
use latchkey::ports::{PortError, chain};
use latchkey::usecases::{
    CheckCodeError, CompleteSignUpError, GrantError, ManageClientsError, RefreshError,
    RequestCodeError, ResetPasswordError, SignInError, SignUpError, SignUpToVerifyError,
    StartSignUpError, VerifyLinkError,
};
use std::time::Duration;

/// The reason for a refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no valid code.
    NoCode,
    WrongCode,
    /// The code is not valid, and the use case does not say why.
    CodeRefused,
    /// The link is not valid, and the use case does not say why.
    LinkRefused,
    /// A limit was reached.
    TooMany {
        retry_after: Duration,
    },
    /// The identifier belongs to another user.
    Taken,
    /// These identifiers belong to other users.
    TheseTaken(Vec<Identifier>),
    /// Another sign-up waits for its code.
    Waiting,
    /// No sign-up waits for a code.
    NotWaiting,
    NoSuchUser,
    WrongPassword,
    /// No identifier of the user is verified.
    NotVerified,
    /// The refresh token is not valid.
    SessionOver,
    ProofUsedUp,
    SamePassword,
    /// The client or its secret is unknown.
    ClientRefused,
    ClientSuspended,
    ScopeRefused,
    UnknownClient,
    TwoSecrets,
    OneSecret,
    /// A port failed.
    Internal(String),
}

impl From<PortError> for Refusal {
    fn from(error: PortError) -> Self {
        Self::Internal(chain(&error))
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
            CheckCodeError::NoCode => Self::NoCode,
            CheckCodeError::Wrong => Self::WrongCode,
            CheckCodeError::TooMany { retry_after } => Self::TooMany { retry_after },
            CheckCodeError::Internal(error) => error.into(),
        }
    }
}

impl From<VerifyLinkError> for Refusal {
    fn from(error: VerifyLinkError) -> Self {
        match error {
            VerifyLinkError::Refused => Self::LinkRefused,
            VerifyLinkError::Internal(error) => error.into(),
        }
    }
}

impl From<SignUpError> for Refusal {
    fn from(error: SignUpError) -> Self {
        match error {
            SignUpError::CodeRefused => Self::CodeRefused,
            SignUpError::Taken => Self::Taken,
            SignUpError::TooMany { retry_after } => Self::TooMany { retry_after },
            SignUpError::Internal(error) => error.into(),
        }
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
            CompleteSignUpError::NotWaiting => Self::NotWaiting,
            CompleteSignUpError::WrongCode => Self::WrongCode,
            CompleteSignUpError::Taken => Self::Taken,
            CompleteSignUpError::TooMany { retry_after } => Self::TooMany { retry_after },
            CompleteSignUpError::Internal(error) => error.into(),
        }
    }
}

impl From<SignUpToVerifyError> for Refusal {
    fn from(error: SignUpToVerifyError) -> Self {
        match error {
            SignUpToVerifyError::Taken(taken) => Self::TheseTaken(taken),
            SignUpToVerifyError::TooMany { retry_after } => Self::TooMany { retry_after },
            SignUpToVerifyError::Internal(error) => error.into(),
        }
    }
}

impl From<SignInError> for Refusal {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::NoSuchUser => Self::NoSuchUser,
            SignInError::WrongPassword => Self::WrongPassword,
            SignInError::CodeRefused => Self::CodeRefused,
            SignInError::NotVerified => Self::NotVerified,
            SignInError::TooMany { retry_after } => Self::TooMany { retry_after },
            SignInError::Internal(error) => error.into(),
        }
    }
}

impl From<RefreshError> for Refusal {
    fn from(error: RefreshError) -> Self {
        match error {
            RefreshError::Refused => Self::SessionOver,
            RefreshError::Internal(error) => error.into(),
        }
    }
}

impl From<ResetPasswordError> for Refusal {
    fn from(error: ResetPasswordError) -> Self {
        match error {
            ResetPasswordError::ProofUsedUp => Self::ProofUsedUp,
            ResetPasswordError::SamePassword => Self::SamePassword,
            ResetPasswordError::Internal(error) => error.into(),
        }
    }
}

impl From<GrantError> for Refusal {
    fn from(error: GrantError) -> Self {
        match error {
            GrantError::Refused => Self::ClientRefused,
            GrantError::Suspended => Self::ClientSuspended,
            GrantError::Scope => Self::ScopeRefused,
            GrantError::Internal(error) => error.into(),
        }
    }
}

impl From<ManageClientsError> for Refusal {
    fn from(error: ManageClientsError) -> Self {
        match error {
            ManageClientsError::Unknown => Self::UnknownClient,
            ManageClientsError::TwoSecrets => Self::TwoSecrets,
            ManageClientsError::OneSecret => Self::OneSecret,
            ManageClientsError::Internal(error) => error.into(),
        }
    }
}
