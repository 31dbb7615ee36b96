//! The port for clients, the programs that act for a shop.

use super::PortError;
use crate::domain::client::{Client, ClientId, ClientStatus, SecretDigest, WhichSecret};
use async_trait::async_trait;

/// A change to a client.
#[derive(Clone, Debug)]
pub enum ClientChange {
    /// Adds a second secret. Both secrets work.
    AddSecret(SecretDigest),
    /// Removes one of two secrets. The other one stays.
    RetireSecret(WhichSecret),
    /// Sets the client's status.
    SetStatus(ClientStatus),
}

/// The outcome of [`Clients::create`].
#[derive(Debug)]
pub enum CreateClientOutcome {
    Created,
    /// There is a client with this id. Nothing was written.
    Exists(Client),
}

/// The outcome of [`Clients::change`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeClientOutcome {
    /// The change was applied.
    Changed,
    /// The contract has no client with this id. Nothing was written.
    Unknown,
    /// The client already has two secrets, or has only one to retire. Nothing was written.
    WrongNumberOfSecrets,
}

/// The clients of all contracts.
#[async_trait]
pub trait Clients: Send + Sync {
    /// Returns the client with this id. The read is the same for known and unknown ids.
    async fn find(&self, id: &ClientId) -> Result<Option<Client>, PortError>;

    /// Returns all clients, in any order. It reads the whole table, which has one item for each program
    /// of a shop.
    async fn list(&self) -> Result<Vec<Client>, PortError>;

    /// Stores a new client.
    async fn create(&self, client: &Client) -> Result<CreateClientOutcome, PortError>;

    /// Changes the client with this id, if it belongs to the contract, in one write. If the reply
    /// is lost, the repeated request returns the same outcome. So does a secret that the client got
    /// before as its second one.
    async fn change(
        &self,
        contract: &str,
        id: &ClientId,
        change: &ClientChange,
    ) -> Result<ChangeClientOutcome, PortError>;
}
