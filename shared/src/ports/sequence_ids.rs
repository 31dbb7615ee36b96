use super::PortError;
use crate::domain::id::Sequence;
use crate::domain::realm::Realm;
use async_trait::async_trait;

/// Hands out integer ids.
#[async_trait]
pub trait SequenceIds: Send + Sync {
    /// An id that no other call, in any process, is ever given for the realm's contract and this
    /// sequence.
    ///
    /// # Errors
    /// The store did not answer, or the ids are used up.
    async fn next(&self, realm: &Realm, sequence: Sequence) -> Result<u32, PortError>;
}
