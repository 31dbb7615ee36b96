//! The port for users.

use super::{Holder, PortError};
use crate::domain::id::UserId;
use crate::domain::identifier::Identifier;
use crate::domain::realm::Realm;
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use async_trait::async_trait;

/// The users of all contracts.
#[async_trait]
pub trait Users: Send + Sync {
    /// Returns the user with this id; `None` if the user does not exist or has expired.
    async fn find(&self, id: &UserId, now: Timestamp) -> Result<Option<User>, PortError>;

    /// Returns the user that an identifier belongs to.
    async fn known_by(
        &self,
        realm: &Realm,
        identifier: &Identifier,
        now: Timestamp,
    ) -> Result<Option<Holder>, PortError>;
}
