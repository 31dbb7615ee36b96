//! The port that tells the time.

use crate::domain::time::Timestamp;

/// A clock.
pub trait Clock: Send + Sync {
    /// The current time. A use case asks once and passes the answer on.
    fn now(&self) -> Timestamp;
}
