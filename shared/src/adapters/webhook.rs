//! Text messages through an HTTPS endpoint of the operator, signed as Standard Webhooks says
//! (<https://www.standardwebhooks.com>).

use super::key_ring::KeyRing;
use crate::domain::identifier::Identifier;
use crate::ports::{Clock, Message, Messages, PortError, SendOutcome};
use async_trait::async_trait;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::{HttpConnector as _, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use data_encoding::BASE64;
use ring::hmac;
use secrecy::ExposeSecret as _;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

const ACTION: &str = "send a text";
/// The time limit of a call, as for the other carriers, with the read of the key.
const TIME_LIMIT: Duration = Duration::from_secs(8);
/// What a key in the form of Standard Webhooks begins with; base64 follows.
const KEY_PREFIX: &str = "whsec_";

/// Sends text messages.
pub struct WebhookTexts {
    connector: SharedHttpConnector,
    url: String,
    key: Arc<KeyRing>,
    clock: Arc<dyn Clock>,
}

impl WebhookTexts {
    /// Creates the adapter for an endpoint, with the ring whose current key signs. It trusts the certificate
    /// store of the system and opens no connection.
    ///
    /// # Errors
    /// The certificate store could not be used.
    pub fn new(url: String, key: Arc<KeyRing>, clock: Arc<dyn Clock>) -> Result<Self, PortError> {
        let context = TlsContext::builder().with_trust_store(TrustStore::default()).build();
        let context = context.map_err(|error| PortError::new("read the certificates", error))?;
        let connector = Connector::builder()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .tls_context(context)
            .build();
        Ok(Self { connector: SharedHttpConnector::new(connector), url, key, clock })
    }

    /// Returns the header `webhook-signature`.
    async fn signature(&self, id: &str, at: &str, body: &str) -> Result<String, PortError> {
        let ring = self.key.ring().await?;
        let key = ring.key(ring.current());
        let key = key.ok_or_else(|| PortError::new(ACTION, "the key of the webhook is missing"))?;
        let text = key.expose_secret();
        let bytes = match text.strip_prefix(KEY_PREFIX) {
            Some(encoded) => BASE64
                .decode(encoded.as_bytes())
                .map_err(|_| PortError::misconfiguration(ACTION, "the key is not base64"))?,
            None => text.as_bytes().to_vec(),
        };
        let key = hmac::Key::new(hmac::HMAC_SHA256, &bytes);
        let mac = hmac::sign(&key, format!("{id}.{at}.{body}").as_bytes());
        Ok(format!("v1,{}", BASE64.encode(mac.as_ref())))
    }
}

#[async_trait]
impl Messages for WebhookTexts {
    async fn send(&self, message: &Message) -> Result<SendOutcome, PortError> {
        let Identifier::Phone(phone) = &message.recipient else {
            return Ok(SendOutcome::Refused("not a phone".to_owned()));
        };
        let body = json!({
            "to": phone.as_str(),
            "text": message.text,
            "name": message.name,
            "senderId": message.sender.sender_id,
        })
        .to_string();
        let call = self.call(&message.id, body);
        let late = |_| PortError::new(ACTION, "the webhook or its key took too long");
        judge(tokio::time::timeout(TIME_LIMIT, call).await.map_err(late)??)
    }
}

impl WebhookTexts {
    /// Signs a request and sends it. Returns the status of the answer.
    async fn call(&self, id: &str, body: String) -> Result<u16, PortError> {
        let at = self.clock.now().as_seconds().to_string();
        let signature = self.signature(id, &at, &body).await?;
        let mut request = HttpRequest::new(SdkBody::from(body));
        let bad = |_| PortError::misconfiguration(ACTION, "the URL of the webhook is malformed");
        request.set_method("POST").map_err(bad)?;
        request.set_uri(self.url.as_str()).map_err(bad)?;
        let headers = request.headers_mut();
        headers.insert("content-type", "application/json");
        headers.insert("webhook-id", id.to_owned());
        headers.insert("webhook-timestamp", at);
        headers.insert("webhook-signature", signature);
        let answer = self.connector.call(request).await;
        let answer = answer.map_err(|_| PortError::new(ACTION, "no connection to the webhook"))?;
        Ok(answer.status().as_u16())
    }
}

/// Judges an answer by its status: 2xx accepts the text, 422 says that the number can never be reached, and
/// 429 and 5xx ask for another try. Everything else is a matter of the operator.
fn judge(status: u16) -> Result<SendOutcome, PortError> {
    let reason = format!("the webhook answered {status}");
    match status {
        200..=299 => Ok(SendOutcome::Accepted(None)),
        422 => Ok(SendOutcome::Refused(reason)),
        429 | 500..=599 => Err(PortError::new(ACTION, reason)),
        _ => Err(PortError::misconfiguration(ACTION, reason)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_judged_by_its_status() {
        assert_eq!(judge(204).unwrap(), SendOutcome::Accepted(None));
        assert!(matches!(judge(422).unwrap(), SendOutcome::Refused(_)));
        for (status, is_misconfigured) in [(429, false), (503, false), (401, true), (302, true)] {
            assert_eq!(judge(status).unwrap_err().is_misconfiguration(), is_misconfigured);
        }
    }
}
