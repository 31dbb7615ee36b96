//! What an administrator does with clients: make them, give them new secrets, suspend them.

use crate::domain::client::{Client, ClientId, ClientSecret, Scopes, WhichSecret};
use crate::domain::realm::Realm;
use crate::ports::{ClientChange, ClientChanged, Clients, Clock, Entropy, PortError, random};
use std::sync::Arc;

/// Manages the clients of one contract.
pub struct ManageClients {
    /// The clients.
    pub clients: Arc<dyn Clients>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Random bytes.
    pub entropy: Arc<dyn Entropy>,
    /// The contract: a client of another one is none.
    pub contract: &'static str,
}

/// What a client needs to be let in. The secret is shown this once.
#[derive(Debug)]
pub struct NewCredentials {
    /// Its id.
    pub id: ClientId,
    /// Its secret.
    pub secret: ClientSecret,
}

/// Why nothing changed.
#[derive(Debug, thiserror::Error)]
pub enum ManageClientsError {
    /// There is no such client.
    #[error("there is no such client")]
    Unknown,
    /// It has two secrets: one has to be retired first.
    #[error("the client has two secrets already; retire one first")]
    TwoSecrets,
    /// It has but one secret, which is not taken from it.
    #[error("the client has only one secret; give it a second one first")]
    OneSecret,
    /// The world broke.
    #[error(transparent)]
    Internal(#[from] PortError),
}

impl ManageClients {
    /// Makes a client of the realm.
    ///
    /// # Errors
    /// The store did not answer.
    pub async fn create(&self, realm: Realm, scopes: Scopes) -> Result<NewCredentials, PortError> {
        let id = ClientId::new(&random(&*self.entropy)?);
        let secret = ClientSecret::new(&random(&*self.entropy)?);
        let client = Client {
            id: id.clone(),
            realm,
            scopes,
            secret: secret.digest(),
            next_secret: None,
            suspended: false,
            created_at: self.clock.now(),
        };
        self.clients.create(&client).await?;
        Ok(NewCredentials { id, secret })
    }

    /// Gives a client a second secret; the first one goes on working until it is retired.
    ///
    /// # Errors
    /// [`ManageClientsError`].
    pub async fn add_secret(&self, id: ClientId) -> Result<NewCredentials, ManageClientsError> {
        let secret = ClientSecret::new(&random(&*self.entropy)?);
        let change = ClientChange::AddSecret(secret.digest());
        self.change(&id, &change, ManageClientsError::TwoSecrets).await?;
        Ok(NewCredentials { id, secret })
    }

    /// Ends one of a client's two secrets.
    ///
    /// # Errors
    /// [`ManageClientsError`].
    pub async fn retire(
        &self,
        id: &ClientId,
        which: WhichSecret,
    ) -> Result<(), ManageClientsError> {
        let change = ClientChange::RetireSecret(which);
        self.change(id, &change, ManageClientsError::OneSecret).await
    }

    /// Gives a client no more tokens, or tokens again. Those it has end by themselves.
    ///
    /// # Errors
    /// [`ManageClientsError`].
    pub async fn suspend(&self, id: &ClientId, suspended: bool) -> Result<(), ManageClientsError> {
        let change = ClientChange::Suspend(suspended);
        self.change(id, &change, ManageClientsError::Unknown).await
    }

    async fn change(
        &self,
        id: &ClientId,
        change: &ClientChange,
        wrong_number: ManageClientsError,
    ) -> Result<(), ManageClientsError> {
        match self.clients.change(self.contract, id, change).await? {
            ClientChanged::Changed => Ok(()),
            ClientChanged::Unknown => Err(ManageClientsError::Unknown),
            ClientChanged::WrongNumberOfSecrets => Err(wrong_number),
        }
    }
}
