//! Grants an access token to a client that presents its secret.

use super::Failure;
use crate::domain::client::{Client, ClientId, ClientSecret, ClientStatus, Scopes, secret_matches};
use crate::domain::realm::Realm;
use crate::domain::time::Timestamp;
use crate::ports::{Clients, Clock, Entropy, random};
use std::sync::Arc;

/// Grants tokens to the clients of one contract.
pub struct GrantClientToken {
    pub clients: Arc<dyn Clients>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    /// The contract. A client of another contract is treated as unknown.
    pub contract: &'static str,
}

/// The content of a client's access token.
#[derive(Clone, Debug)]
pub struct ClientGrant {
    /// The random id of the token.
    pub id: [u8; 16],
    pub client: ClientId,
    /// The realm whose users the client may act on.
    pub realm: Realm,
    /// What the client may do.
    pub scopes: Scopes,
    pub issued_at: Timestamp,
}

/// The reason why a client gets no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrantRefused {
    /// The client does not exist or the secret is wrong. The two are deliberately not
    /// distinguished.
    #[error("the client or its secret is unknown")]
    Unknown,
    /// An administrator suspended the client. Only a caller with the right secret learns this.
    #[error("the client is suspended")]
    Suspended,
    /// The client asked for a scope that it does not have.
    #[error("the client does not have the scope")]
    Scope,
}

impl GrantClientToken {
    /// Grants the `wanted` scopes, or all scopes of the client. An unknown client and a wrong
    /// secret cause the same work: one read, one digest and two comparisons.
    pub async fn run(
        &self,
        id: &ClientId,
        secret: &ClientSecret,
        wanted: Option<Scopes>,
    ) -> Result<ClientGrant, Failure<GrantRefused>> {
        let found = self.clients.find(id).await?;
        let found = found.filter(|client| client.realm.contract() == self.contract);
        let proved = secret_matches(&secret.digest(), found.as_ref());
        let Some(client) = found.filter(|_| proved) else {
            return Err(Failure::Refused(GrantRefused::Unknown));
        };
        let Client { id, realm, scopes, status, .. } = client;
        if status == ClientStatus::Suspended {
            return Err(Failure::Refused(GrantRefused::Suspended));
        }
        let scopes = match wanted {
            None => scopes,
            Some(wanted) if wanted.is_subset(&scopes) => wanted,
            Some(_) => return Err(Failure::Refused(GrantRefused::Scope)),
        };
        let issued_at = self.clock.now();
        Ok(ClientGrant { id: random(&*self.entropy)?, client: id, realm, scopes, issued_at })
    }
}
