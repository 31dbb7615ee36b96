//! The system that users move in from, behind an HTTPS endpoint of the operator.
//! `shared/docs/moving.md` describes its requests and answers.

use super::key_ring::KeyRing;
use super::signed_calls::SignedCalls;
use crate::domain::id::hex;
use crate::domain::identifier::Identifier;
use crate::domain::realm::Realm;
use crate::ports::{Clock, Entropy, OldSystem, PortError, random};
use async_trait::async_trait;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

const ACTION: &str = "ask the old system for a user";
/// The time limit of a call with its answer. A person waits for it.
const TIME_LIMIT: Duration = Duration::from_secs(3);
/// The most bytes of an answer.
const MOST_BYTES: usize = 64 * 1024;

/// Asks for users.
pub struct WebhookOldSystem {
    calls: SignedCalls,
    entropy: Arc<dyn Entropy>,
}

impl WebhookOldSystem {
    /// Creates the adapter for an endpoint, with the ring whose current key signs. It trusts the certificate
    /// store of the system and opens no connection.
    ///
    /// # Errors
    /// The certificate store could not be used.
    pub fn new(
        url: String,
        key: Arc<KeyRing>,
        (clock, entropy): (Arc<dyn Clock>, Arc<dyn Entropy>),
    ) -> Result<Self, PortError> {
        Ok(Self { calls: SignedCalls::new(ACTION, url, key, clock)?, entropy })
    }

    async fn ask(&self, body: String) -> Result<Option<Vec<u8>>, PortError> {
        let id = hex(&random::<16>(&*self.entropy)?);
        let answer = self.calls.post(&id, body).await?;
        match answer.status().as_u16() {
            200 => read(answer.into_body()).await.map(Some),
            404 => Ok(None),
            status => {
                let reason = format!("the old system answered {status}");
                Err(match status {
                    429 | 500..=599 => PortError::new(ACTION, reason),
                    _ => PortError::misconfiguration(ACTION, reason),
                })
            }
        }
    }
}

#[async_trait]
impl OldSystem for WebhookOldSystem {
    async fn user_of(
        &self,
        realm: &Realm,
        identifier: &Identifier,
    ) -> Result<Option<Vec<u8>>, PortError> {
        let mut body = json!({
            "contract": realm.contract(),
            "identifier": {"kind": identifier.kind().as_str(), "value": identifier.as_str()},
        });
        if let (Some(shop), Some(fields)) = (realm.shop(), body.as_object_mut()) {
            fields.insert("store".to_owned(), shop.into());
        }
        let late = |_| PortError::new(ACTION, "the old system took too long");
        tokio::time::timeout(TIME_LIMIT, self.ask(body.to_string())).await.map_err(late)?
    }
}

/// Reads an answer, up to [`MOST_BYTES`].
async fn read(body: SdkBody) -> Result<Vec<u8>, PortError> {
    let (mut stream, mut bytes) = (ByteStream::new(body), Vec::new());
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|error| PortError::new(ACTION, error))?;
        bytes.extend_from_slice(&chunk);
        if bytes.len() > MOST_BYTES {
            return Err(PortError::misconfiguration(ACTION, "the answer is too long"));
        }
    }
    Ok(bytes)
}
