use super::PortError;
use crate::domain::client::{Client, ClientId, SecretDigest, WhichSecret};
use async_trait::async_trait;

/// What is to become of a client.
#[derive(Clone, Debug)]
pub enum ClientChange {
    /// It gets a second secret; both work.
    AddSecret(SecretDigest),
    /// One of its two secrets ends, and the other stays.
    RetireSecret(WhichSecret),
    /// It gets tokens, or none for the time being.
    Suspend(bool),
}

/// What became of a [`ClientChange`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientChanged {
    /// It is so.
    Changed,
    /// There is no such client. Nothing was written.
    Unknown,
    /// The client has two secrets already, or but one to retire. Nothing was written.
    WrongNumberOfSecrets,
}

/// The clients.
#[async_trait]
pub trait Clients: Send + Sync {
    /// The client of this id; the same read whether there is one or not.
    ///
    /// # Errors
    /// The store did not answer.
    async fn find(&self, id: &ClientId) -> Result<Option<Client>, PortError>;

    /// Stores a new client.
    ///
    /// # Errors
    /// The store did not answer.
    async fn create(&self, client: &Client) -> Result<(), PortError>;

    /// Changes the client of this id, if it is of the contract, in one write. A reply that is
    /// lost after it is asked for again and answered as the success it was.
    ///
    /// # Errors
    /// The store did not answer.
    async fn change(
        &self,
        contract: &str,
        id: &ClientId,
        change: &ClientChange,
    ) -> Result<ClientChanged, PortError>;
}
