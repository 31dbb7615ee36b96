//! Clients: creating and changing them, and granting tokens.

use crate::{Core, Refusal};
use latchkey::domain::client::{ClientId, ClientSecret, ClientStatus, Scopes, WhichSecret};
use latchkey::usecases::{ClientGrant, GrantClientToken, ManageClients, NewCredentials};
use std::sync::Arc;

/// Returns the scopes with these names.
fn scopes(names: &[&str]) -> Scopes {
    names.iter().map(|name| (*name).to_owned()).collect()
}

impl Core {
    fn administrator(&self) -> ManageClients {
        ManageClients {
            clients: Arc::clone(&self.store) as _,
            clock: self.clock_port(),
            entropy: self.entropy_port(),
            keys: Arc::clone(&self.answer_keys),
            contract: self.contract,
        }
    }

    /// Creates a client of the realm with these scopes.
    pub async fn create_client(&self, names: &[&str]) -> NewCredentials {
        let created = self.administrator().create(self.realm.clone(), scopes(names), None).await;
        created.expect("a client")
    }

    /// Gives a client a second secret.
    pub async fn add_secret(&self, client: &ClientId) -> Result<ClientSecret, Refusal> {
        Ok(self.administrator().add_secret(client.clone(), None).await?.secret)
    }

    /// Removes one of two secrets of a client.
    pub async fn retire_secret(
        &self,
        client: &ClientId,
        which: WhichSecret,
    ) -> Result<(), Refusal> {
        Ok(self.administrator().retire(client, which).await?)
    }

    /// Suspends a client, or activates it again.
    pub async fn set_client_status(
        &self,
        client: &ClientId,
        status: ClientStatus,
    ) -> Result<(), Refusal> {
        Ok(self.administrator().set_status(client, status).await?)
    }

    /// Grants a token with the wanted scopes, or with all scopes of the client.
    pub async fn grant_token(
        &self,
        client: &ClientId,
        secret: &ClientSecret,
        wanted: Option<&[&str]>,
    ) -> Result<ClientGrant, Refusal> {
        let grant = GrantClientToken {
            clients: Arc::clone(&self.store) as _,
            clock: self.clock_port(),
            entropy: self.entropy_port(),
            contract: self.contract,
        };
        Ok(grant.run(client, secret, wanted.map(scopes)).await?)
    }
}
