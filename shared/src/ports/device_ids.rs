use super::PortError;
use crate::domain::id::DeviceId;
use crate::domain::realm::Realm;
use async_trait::async_trait;

/// Hands out device ids.
#[async_trait]
pub trait DeviceIds: Send + Sync {
    /// An id that no other call, in any process, is ever given for the realm's contract.
    ///
    /// # Errors
    /// The store did not answer, or the ids are used up.
    async fn next(&self, realm: &Realm) -> Result<DeviceId, PortError>;
}
