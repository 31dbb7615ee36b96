//! Manages clients for an administrator: creates them, changes their secrets and suspends them.

use super::Failure;
use crate::domain::client::{Client, ClientId, ClientSecret, ClientStatus, Scopes, WhichSecret};
use crate::domain::idempotency::IdempotencyKey;
use crate::domain::realm::Realm;
use crate::ports::{
    AnswerKeys, ChangeClientOutcome, ClientChange, Clients, Clock, CreateClientOutcome, Entropy,
    PortError, random,
};
use std::sync::Arc;

/// Manages the clients of one contract.
pub struct ManageClients {
    pub clients: Arc<dyn Clients>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    /// The keys that the credentials of requests with idempotency keys are derived with.
    pub keys: Arc<dyn AnswerKeys>,
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
    #[error("the idempotencyKey was used with another payload")]
    KeyReused,
    #[error("the client has two secrets already; retire one first")]
    TwoSecrets,
    /// The last secret of a client cannot be retired.
    #[error("the client has only one secret; give it a second one first")]
    OneSecret,
}

impl ManageClients {
    /// Creates a client of the realm. With a key, the id and the secret are derived: a repetition
    /// finds the client and returns the same credentials, until the client's secrets change or the
    /// keys are replaced.
    pub async fn create(
        &self,
        realm: Realm,
        scopes: Scopes,
        key: Option<&IdempotencyKey>,
    ) -> Result<NewCredentials, Failure<ChangeRefused>> {
        let id = self.bytes(key, &["id"]).await?;
        let id = ClientId::new(id.first_chunk().unwrap_or(&[0; 16]));
        let secret = ClientSecret::new(&self.bytes(key, &["secret", id.as_str()]).await?);
        let client = Client {
            id: id.clone(),
            realm,
            scopes,
            secret: secret.digest(),
            next_secret: None,
            status: ClientStatus::Active,
            created_at: self.clock.now(),
        };
        match self.clients.create(&client).await? {
            CreateClientOutcome::Created => Ok(NewCredentials { id, secret }),
            CreateClientOutcome::Exists(known) if known.is_repeated_by(&client) => {
                Ok(NewCredentials { id, secret })
            }
            CreateClientOutcome::Exists(_) => Err(Failure::Refused(ChangeRefused::KeyReused)),
        }
    }

    /// Returns random bytes, or those that are derived for this use of the key.
    async fn bytes(
        &self,
        key: Option<&IdempotencyKey>,
        uses: &[&str],
    ) -> Result<[u8; 32], PortError> {
        let Some(key) = key else { return random(&*self.entropy) };
        let uses = uses.iter().map(|part| part.as_bytes());
        let parts: Vec<_> = [b"client", self.contract.as_bytes(), key.expose().as_bytes()]
            .into_iter()
            .chain(uses)
            .collect();
        Ok(self.keys.answer_key(None).await?.mac(&parts))
    }

    /// Adds a second secret to a client. The first one works until it is retired. With a key, a
    /// repetition returns the same secret.
    pub async fn add_secret(
        &self,
        id: ClientId,
        key: Option<&IdempotencyKey>,
    ) -> Result<NewCredentials, Failure<ChangeRefused>> {
        let secret = ClientSecret::new(&self.bytes(key, &["second secret", id.as_str()]).await?);
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
