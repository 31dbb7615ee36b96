//! Why a use case refuses: one list for all of them, which tests compare with.

use latchkey::domain::identifier::Identifier;
use latchkey::ports::{PortError, chain};
use latchkey::usecases::{
    ChangeRefused, CodeRefused, EnterRefused, Failure, GrantRefused, LinkRefused, NoRefusal,
    NoUser, NotProved, RefreshRefused, ResendRefused, ResetRefused, SignInRefused,
    StartSignUpRefused, Taken,
};
use std::time::Duration;

/// The reason for a refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no valid code.
    NoCode,
    WrongCode,
    /// The link is not valid, and the use case does not say why.
    LinkRefused,
    /// The link was used before.
    LinkUsed,
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
    NoSuchUser,
    WrongPassword,
    /// No identifier of the user is verified.
    NotVerified,
    /// An operator banned the user.
    Banned,
    /// The refresh token is not valid.
    SessionOver,
    ProofUsedUp,
    /// The proof that an account should be deleted is wrong.
    NotProved,
    SamePassword,
    /// The client or its secret is unknown.
    ClientRefused,
    ClientSuspended,
    ScopeRefused,
    UnknownClient,
    KeyReused,
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

impl<R: Into<Self>> From<Failure<R>> for Refusal {
    fn from(failure: Failure<R>) -> Self {
        match failure {
            Failure::Refused(reason) => reason.into(),
            Failure::TooMany { retry_after } => Self::TooMany { retry_after },
            Failure::Internal(error) => error.into(),
        }
    }
}

impl From<NoRefusal> for Refusal {
    fn from(never: NoRefusal) -> Self {
        match never {}
    }
}

impl From<NoUser> for Refusal {
    fn from(NoUser: NoUser) -> Self {
        Self::NoSuchUser
    }
}

impl From<NotProved> for Refusal {
    fn from(NotProved: NotProved) -> Self {
        Self::NotProved
    }
}

impl From<CodeRefused> for Refusal {
    fn from(refused: CodeRefused) -> Self {
        match refused {
            CodeRefused::NoCode => Self::NoCode,
            CodeRefused::Wrong => Self::WrongCode,
        }
    }
}

impl From<EnterRefused> for Refusal {
    fn from(refused: EnterRefused) -> Self {
        match refused {
            EnterRefused::NoCode => Self::NoCode,
            EnterRefused::WrongCode => Self::WrongCode,
            EnterRefused::Taken => Self::Taken,
            EnterRefused::Banned => Self::Banned,
        }
    }
}

impl From<LinkRefused> for Refusal {
    fn from(refused: LinkRefused) -> Self {
        match refused {
            LinkRefused::Invalid => Self::LinkRefused,
            LinkRefused::Used => Self::LinkUsed,
        }
    }
}

impl From<StartSignUpRefused> for Refusal {
    fn from(refused: StartSignUpRefused) -> Self {
        match refused {
            StartSignUpRefused::Taken => Self::Taken,
            StartSignUpRefused::Waiting => Self::Waiting,
        }
    }
}

impl From<ResendRefused> for Refusal {
    fn from(refused: ResendRefused) -> Self {
        match refused {
            ResendRefused::Ended => Self::NoCode,
        }
    }
}

impl From<Taken> for Refusal {
    fn from(Taken(identifiers): Taken) -> Self {
        Self::TheseTaken(identifiers)
    }
}

impl From<SignInRefused> for Refusal {
    fn from(refused: SignInRefused) -> Self {
        match refused {
            SignInRefused::NoSuchUser => Self::NoSuchUser,
            SignInRefused::WrongPassword => Self::WrongPassword,
            SignInRefused::NotVerified => Self::NotVerified,
            SignInRefused::Banned => Self::Banned,
        }
    }
}

impl From<RefreshRefused> for Refusal {
    fn from(RefreshRefused: RefreshRefused) -> Self {
        Self::SessionOver
    }
}

impl From<ResetRefused> for Refusal {
    fn from(refused: ResetRefused) -> Self {
        match refused {
            ResetRefused::ProofUsedUp => Self::ProofUsedUp,
            ResetRefused::SamePassword => Self::SamePassword,
            ResetRefused::Banned => Self::Banned,
        }
    }
}

impl From<GrantRefused> for Refusal {
    fn from(refused: GrantRefused) -> Self {
        match refused {
            GrantRefused::Unknown => Self::ClientRefused,
            GrantRefused::Suspended => Self::ClientSuspended,
            GrantRefused::Scope => Self::ScopeRefused,
        }
    }
}

impl From<ChangeRefused> for Refusal {
    fn from(refused: ChangeRefused) -> Self {
        match refused {
            ChangeRefused::Unknown => Self::UnknownClient,
            ChangeRefused::KeyReused => Self::KeyReused,
            ChangeRefused::TwoSecrets => Self::TwoSecrets,
            ChangeRefused::OneSecret => Self::OneSecret,
        }
    }
}
