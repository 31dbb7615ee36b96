//! The port for the records of password attempts.

use super::PortError;
use crate::domain::password_attempts::{AttemptSubject, PasswordAttempts};
use async_trait::async_trait;

/// The records of password attempts. A sign-in with the right password deletes the record of its
/// account, in its own transaction.
#[async_trait]
pub trait AttemptRecords: Send + Sync {
    /// Replaces the record by `newer`, if the stored record is `seen`. Returns `None` if it was
    /// replaced, and else the stored record.
    async fn count_password_attempt(
        &self,
        at: &AttemptSubject,
        seen: PasswordAttempts,
        newer: PasswordAttempts,
    ) -> Result<Option<PasswordAttempts>, PortError>;
}
