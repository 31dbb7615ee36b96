use crate::domain::time::Timestamp;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Now. A use case asks once and hands the answer down.
    fn now(&self) -> Timestamp;
}
