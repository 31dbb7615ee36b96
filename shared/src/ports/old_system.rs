//! The port of the system that users move in from, one by one.

use super::PortError;
use crate::domain::identifier::Identifier;
use crate::domain::realm::Realm;
use async_trait::async_trait;

/// The system that knows the users who have not moved in yet.
#[async_trait]
pub trait OldSystem: Send + Sync {
    /// Asks for the user that an identifier belongs to. Returns the answer as it was sent, or `None` if
    /// the system knows no such user.
    ///
    /// # Errors
    /// The system did not answer in time, or with anything else.
    async fn user_of(
        &self,
        realm: &Realm,
        identifier: &Identifier,
    ) -> Result<Option<Vec<u8>>, PortError>;
}
