//! Manages clients for an administrator: creates them, changes their secrets and suspends them.

use super::Failure;
use crate::domain::client::{Client, ClientId, ClientSecret, ClientStatus, Scopes, WhichSecret};
use crate::domain::realm::Realm;
use crate::ports::{ChangeClientOutcome, ClientChange, Clients, Clock, Entropy, PortError, random};
use std::sync::Arc;

/// Manages the clients of one contract.
pub struct ManageClients {
    pub clients: Arc<dyn Clients>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    /// The contract. A client of another contract is treated as unknown.
    pub contract: &'static str,
}

/// The new credentials of a client. The secret is shown only once.
#[derive(Debug)]
pub struct NewCredentials {
    pub id: ClientId,
    pub secret: ClientSecret,
}

/// The reason why a client was not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangeRefused {
    #[error("there is no such client")]
    Unknown,
    #[error("the client has two secrets already; retire one first")]
    TwoSecrets,
    /// The last secret of a client cannot be retired.
    #[error("the client has only one secret; give it a second one first")]
    OneSecret,
}

impl ManageClients {
    /// Creates a client of the realm.
    pub async fn create(&self, realm: Realm, scopes: Scopes) -> Result<NewCredentials, PortError> {
        let id = ClientId::new(&random(&*self.entropy)?);
        let secret = ClientSecret::new(&random(&*self.entropy)?);
        let client = Client {
            id: id.clone(),
            realm,
            scopes,
            secret: secret.digest(),
            next_secret: None,
            status: ClientStatus::Active,
            created_at: self.clock.now(),
        };
        self.clients.create(&client).await?;
        Ok(NewCredentials { id, secret })
    }

    /// Adds a second secret to a client. The first one works until it is retired.
    pub async fn add_secret(&self, id: ClientId) -> Result<NewCredentials, Failure<ChangeRefused>> {
        let secret = ClientSecret::new(&random(&*self.entropy)?);
        let change = ClientChange::AddSecret(secret.digest());
        self.change(&id, &change, ChangeRefused::TwoSecrets).await?;
        Ok(NewCredentials { id, secret })
    }

    /// Removes one of two secrets of a client.
    pub async fn retire(
        &self,
        id: &ClientId,
        which: WhichSecret,
    ) -> Result<(), Failure<ChangeRefused>> {
        let change = ClientChange::RetireSecret(which);
        self.change(id, &change, ChangeRefused::OneSecret).await
    }

    /// Suspends a client or activates it again. Tokens that it has keep working until they expire.
    pub async fn set_status(
        &self,
        id: &ClientId,
        status: ClientStatus,
    ) -> Result<(), Failure<ChangeRefused>> {
        let change = ClientChange::SetStatus(status);
        self.change(id, &change, ChangeRefused::Unknown).await
    }

    async fn change(
        &self,
        id: &ClientId,
        change: &ClientChange,
        wrong_number: ChangeRefused,
    ) -> Result<(), Failure<ChangeRefused>> {
        match self.clients.change(self.contract, id, change).await? {
            ChangeClientOutcome::Changed => Ok(()),
            ChangeClientOutcome::Unknown => Err(Failure::Refused(ChangeRefused::Unknown)),
            ChangeClientOutcome::WrongNumberOfSecrets => Err(Failure::Refused(wrong_number)),
        }
    }
}
