//! The account that the programs of operators call: region, credentials and endpoints of the environment, and signed requests.

#![expect(
    clippy::disallowed_methods,
    reason = "tools of operators read their environment and the clock of the machine"
)]

use anyhow::{Context as _, Result};
pub use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4::SigningParams;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::http::HttpConnector as _;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use std::env;
use std::time::SystemTime;

/// An account, as the environment names it.
#[derive(Clone, Debug)]
pub struct Account {
    pub region: String,
    pub credentials: Credentials,
}

/// A request without its signature.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    pub method: &'a str,
    pub url: &'a str,
    pub headers: &'a [(&'a str, &'a str)],
    pub body: &'a [u8],
}

/// The answer to a request.
#[derive(Debug)]
pub struct Response {
    pub status: u16,
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Response {
    /// The value of a header, whose name is in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

fn optional(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// Returns the endpoint that the environment names for a service, such as `LAMBDA`.
#[must_use]
pub fn endpoint(service: &str) -> Option<String> {
    let endpoint = optional(&format!("AWS_ENDPOINT_URL_{service}"));
    let endpoint = endpoint.or_else(|| optional("AWS_ENDPOINT_URL"));
    endpoint.map(|url| url.trim_end_matches('/').to_owned())
}

impl Account {
    /// Reads region and credentials.
    ///
    /// # Errors
    /// A variable is missing; the error says how to set it.
    pub fn from_env() -> Result<Self> {
        let required = |name: &str| {
            optional(name).with_context(|| {
                format!(
                    "{name} is not set; run: eval \"$(aws configure export-credentials --format env)\""
                )
            })
        };
        let region = optional("AWS_REGION").or_else(|| optional("AWS_DEFAULT_REGION"));
        let credentials = Credentials::new(
            required("AWS_ACCESS_KEY_ID")?,
            required("AWS_SECRET_ACCESS_KEY")?,
            optional("AWS_SESSION_TOKEN"),
            None,
            "environment",
        );
        Ok(Self { region: region.context("AWS_REGION is not set")?, credentials })
    }

    /// Returns the same account in another region.
    #[must_use]
    pub fn in_region(&self, region: &str) -> Self {
        Self { region: region.to_owned(), credentials: self.credentials.clone() }
    }

    /// Returns the headers that sign a request to a service (AWS Signature Version 4).
    ///
    /// # Errors
    /// The request is malformed.
    pub fn signature(&self, service: &str, request: Request<'_>) -> Result<Vec<(String, String)>> {
        let Request { method, url, headers, body } = request;
        let mut settings = SigningSettings::default();
        if service == "s3" {
            // S3 signs a path as it is, and wants the hash of the body as a header.
            settings.percent_encoding_mode = PercentEncodingMode::Single;
            settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        }
        let identity = self.credentials.clone().into();
        let params = SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(service)
            .time(SystemTime::now())
            .settings(settings)
            .build()
            .context("failed to sign the request")?
            .into();
        let content = SignableBody::Bytes(body);
        let request = SignableRequest::new(method, url, headers.iter().copied(), content)?;
        let (instructions, _) = sign(request, &params)?.into_parts();
        let signed = instructions.headers();
        Ok(signed.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    /// Signs a request to a service and sends it.
    ///
    /// # Errors
    /// The service cannot be reached.
    pub async fn call(&self, service: &str, request: Request<'_>) -> Result<Response> {
        send(request, &self.signature(service, request)?).await
    }
}

/// Sends a request with more headers.
///
/// # Errors
/// The address is malformed, or cannot be reached.
pub async fn send(request: Request<'_>, more: &[(String, String)]) -> Result<Response> {
    let Request { method, url, headers, body } = request;
    let mut sent = HttpRequest::new(SdkBody::from(body.to_vec()));
    sent.set_method(method)?;
    sent.set_uri(url).with_context(|| format!("{url} is no address"))?;
    let more = more.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in headers.iter().copied().chain(more) {
        sent.headers_mut().insert(name.to_owned(), value.to_owned());
    }
    let connector = Connector::builder().tls_provider(Provider::Rustls(CryptoMode::Ring)).build();
    let response = connector.call(sent).await;
    let response = response.with_context(|| format!("failed to reach {url}"))?;
    let status = response.status().as_u16();
    let headers = response.headers().iter();
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let body = ByteStream::new(response.into_body()).collect().await;
    let body = body.context("failed to read the answer")?.to_vec();
    Ok(Response { status, headers, body })
}
