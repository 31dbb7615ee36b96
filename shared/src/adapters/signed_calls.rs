//! Requests to an HTTPS endpoint of the operator, signed as Standard Webhooks says
//! (<https://www.standardwebhooks.com>).

use super::key_ring::KeyRing;
use crate::ports::{Clock, PortError};
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::{HttpConnector as _, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use data_encoding::BASE64;
use ring::hmac;
use secrecy::ExposeSecret as _;
use std::sync::Arc;

/// What a key in the form of Standard Webhooks begins with; base64 follows.
const KEY_PREFIX: &str = "whsec_";

/// Sends signed requests to one endpoint.
pub(super) struct SignedCalls {
    connector: SharedHttpConnector,
    /// What a call does, for errors.
    action: &'static str,
    url: String,
    key: Arc<KeyRing>,
    clock: Arc<dyn Clock>,
}

impl SignedCalls {
    /// Takes the ring whose current key signs. Trusts the certificate store of the system and opens no
    /// connection.
    pub(super) fn new(
        action: &'static str,
        url: String,
        key: Arc<KeyRing>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, PortError> {
        let context = TlsContext::builder().with_trust_store(TrustStore::default()).build();
        let context = context.map_err(|error| PortError::new("read the certificates", error))?;
        let connector = Connector::builder()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .tls_context(context)
            .build();
        let connector = SharedHttpConnector::new(connector);
        Ok(Self { connector, action, url, key, clock })
    }

    /// Returns the header `webhook-signature`.
    async fn signature(&self, id: &str, at: &str, body: &str) -> Result<String, PortError> {
        let ring = self.key.ring().await?;
        let key = ring.key(ring.current());
        let key = key.ok_or_else(|| PortError::new(self.action, "the signing key is missing"))?;
        let text = key.expose_secret();
        let bytes = match text.strip_prefix(KEY_PREFIX) {
            Some(encoded) => BASE64.decode(encoded.as_bytes()).map_err(|_| {
                PortError::misconfiguration(self.action, "the signing key is not base64")
            })?,
            None => text.as_bytes().to_vec(),
        };
        let key = hmac::Key::new(hmac::HMAC_SHA256, &bytes);
        let mac = hmac::sign(&key, format!("{id}.{at}.{body}").as_bytes());
        Ok(format!("v1,{}", BASE64.encode(mac.as_ref())))
    }

    /// Signs a JSON body and sends it. `id` is the same for a repetition.
    pub(super) async fn post(&self, id: &str, body: String) -> Result<HttpResponse, PortError> {
        let at = self.clock.now().as_seconds().to_string();
        let signature = self.signature(id, &at, &body).await?;
        let mut request = HttpRequest::new(SdkBody::from(body));
        let bad = |_| PortError::misconfiguration(self.action, "the URL is malformed");
        request.set_method("POST").map_err(bad)?;
        request.set_uri(self.url.as_str()).map_err(bad)?;
        let headers = request.headers_mut();
        headers.insert("content-type", "application/json");
        headers.insert("webhook-id", id.to_owned());
        headers.insert("webhook-timestamp", at);
        headers.insert("webhook-signature", signature);
        let answer = self.connector.call(request).await;
        answer.map_err(|_| PortError::new(self.action, "the endpoint cannot be reached"))
    }
}
