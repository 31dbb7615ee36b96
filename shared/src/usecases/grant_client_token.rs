//! Let a client in: it shows its secret and gets what its access token will state.

use crate::domain::client::{Client, ClientId, ClientSecret, Scopes, proves};
use crate::domain::realm::Realm;
use crate::domain::time::Timestamp;
use crate::ports::{Clients, Clock, Entropy, PortError, random};
use std::sync::Arc;

/// Grants tokens to the clients of one contract.
pub struct GrantClientToken {
    /// The clients.
    pub clients: Arc<dyn Clients>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Random bytes.
    pub entropy: Arc<dyn Entropy>,
    /// The contract: a client of another one is none.
    pub contract: &'static str,
}

/// What a client's access token will state.
#[derive(Clone, Debug)]
pub struct ClientGrant {
    /// A random id of the grant.
    pub id: [u8; 16],
    /// Who it is for.
    pub client: ClientId,
    /// Whose users it acts upon.
    pub realm: Realm,
    /// What it may do.
    pub scopes: Scopes,
    /// When it was given.
    pub issued_at: Timestamp,
}

/// Why a client gets no token.
#[derive(Debug, thiserror::Error)]
pub enum GrantError {
    /// There is no such client, or the secret is none of its: no difference is told.
    #[error("client refused")]
    Refused,
    /// The client gets none for the time being; only who knows its secret learns it.
    #[error("client suspended")]
    Suspended,
    /// It asks for more than it may do.
    #[error("scope refused")]
    Scope,
    /// The world broke.
    #[error(transparent)]
    Internal(#[from] PortError),
}

impl GrantClientToken {
    /// Grants `wanted`, or everything that the client may do. An unknown client and a wrong secret
    /// cost the same: one read, one digest, two comparisons.
    ///
    /// # Errors
    /// [`GrantError`].
    pub async fn run(
        &self,
        id: &ClientId,
        secret: &ClientSecret,
        wanted: Option<Scopes>,
    ) -> Result<ClientGrant, GrantError> {
        let found = self.clients.find(id).await?;
        let found = found.filter(|client| client.realm.contract() == self.contract);
        let proved = proves(&secret.digest(), found.as_ref());
        let Some(client) = found.filter(|_| proved) else { return Err(GrantError::Refused) };
        let Client { id, realm, scopes, suspended, .. } = client;
        if suspended {
            return Err(GrantError::Suspended);
        }
        let scopes = match wanted {
            None => scopes,
            Some(wanted) if wanted.is_subset(&scopes) => wanted,
            Some(_) => return Err(GrantError::Scope),
        };
        let issued_at = self.clock.now();
        Ok(ClientGrant { id: random(&*self.entropy)?, client: id, realm, scopes, issued_at })
    }
}
