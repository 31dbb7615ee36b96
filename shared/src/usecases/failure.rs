//! How a use case fails.

use crate::domain::time::Timestamp;
use crate::ports::PortError;
use std::time::Duration;

/// The failure of a use case. `R` names the reasons for which it refuses a request.
#[derive(Debug, thiserror::Error)]
pub enum Failure<R> {
    /// The request was refused.
    #[error(transparent)]
    Refused(R),
    /// A limit of the source, client, recipient or account was reached.
    #[error("a limit was reached")]
    TooMany { retry_after: Duration },
    /// A port failed.
    #[error(transparent)]
    Internal(PortError),
}

impl<R> From<PortError> for Failure<R> {
    fn from(error: PortError) -> Self {
        if error.is_contention() { Self::overtaken() } else { Self::Internal(error) }
    }
}

impl<R> Failure<R> {
    /// Returns the failure for a limit that allows the next request at `at`.
    #[must_use]
    pub fn too_many(at: Timestamp, now: Timestamp) -> Self {
        Self::TooMany { retry_after: at.since(now) }
    }

    /// Returns the failure for a request that other requests overtook in every try.
    #[must_use]
    pub const fn overtaken() -> Self {
        Self::TooMany { retry_after: Duration::from_secs(1) }
    }

    /// Returns the same failure with another reason for the refusal.
    #[must_use]
    pub fn map<S>(self, refused: impl FnOnce(R) -> S) -> Failure<S> {
        match self {
            Self::Refused(reason) => Failure::Refused(refused(reason)),
            Self::TooMany { retry_after } => Failure::TooMany { retry_after },
            Self::Internal(error) => Failure::Internal(error),
        }
    }
}

/// The failure of a use case that refuses nothing.
pub type NoRefusal = std::convert::Infallible;
