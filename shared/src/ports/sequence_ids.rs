//! The port for integer ids.

use super::PortError;
use crate::domain::id::Sequence;
use crate::domain::realm::Realm;
use async_trait::async_trait;

/// A source of integer ids.
#[async_trait]
pub trait SequenceIds: Send + Sync {
    /// Returns an id of the realm's contract and this sequence that no other call in any process
    /// gets.
    ///
    /// # Errors
    /// The database did not answer, or all ids are used up.
    async fn next(&self, realm: &Realm, sequence: Sequence) -> Result<u32, PortError>;

    /// Returns an id that was certainly not used. It is given out again.
    fn give_back(&self, realm: &Realm, sequence: Sequence, id: u32);
}
