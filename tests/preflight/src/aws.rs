//! Calls of AWS services, signed with the credentials of the environment (AWS Signature Version 4). All of them read.

use anyhow::{Context as _, Result};
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::http::HttpConnector as _;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use serde_json::Value;
use std::env;
use std::time::{Duration, SystemTime};

/// The time limit of a call.
const PATIENCE: Duration = Duration::from_secs(20);

/// A service: its name in a signature, and the first part of its host.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Service {
    pub(crate) signing: &'static str,
    pub(crate) host: &'static str,
}

pub(crate) const ACM: Service = Service { signing: "acm", host: "acm" };
pub(crate) const LAMBDA: Service = Service { signing: "lambda", host: "lambda" };
pub(crate) const QUOTAS: Service = Service { signing: "servicequotas", host: "servicequotas" };
pub(crate) const SES: Service = Service { signing: "ses", host: "email" };
pub(crate) const SNS: Service = Service { signing: "sns", host: "sns" };

/// Why a question has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unanswered {
    /// The service refused the call with this error code.
    Refused { code: String, message: String },
    /// The service was not reached.
    Unreached(String),
}

/// The credentials.
pub(crate) struct Account {
    pub(crate) region: String,
    credentials: Credentials,
    /// The endpoint of all services, of an emulated account.
    endpoint: Option<String>,
}

fn optional(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

impl Account {
    /// Reads the region and the credentials of the environment.
    ///
    /// # Errors
    /// A variable is not set.
    pub(crate) fn of_environment() -> Result<Self> {
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
        Ok(Self {
            region: region.context("AWS_REGION is not set")?,
            credentials,
            endpoint: optional("AWS_ENDPOINT_URL"),
        })
    }

    /// Sends a request with the protocol of SNS, and returns the XML of the answer.
    pub(crate) async fn query(
        &self,
        (service, region): (Service, &str),
        action: &str,
    ) -> Result<String, Unanswered> {
        let body = format!("Action={action}&Version=2010-03-31");
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        self.call((service, region), ("POST", "/"), &headers, body).await
    }

    /// Sends a request with the JSON protocol.
    pub(crate) async fn json(
        &self,
        (service, region): (Service, &str),
        target: &str,
        input: &Value,
    ) -> Result<Value, Unanswered> {
        let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target)];
        let body = input.to_string();
        read(&self.call((service, region), ("POST", "/"), &headers, body).await?)
    }

    /// Reads a path of a service that has one for each thing.
    pub(crate) async fn get(
        &self,
        (service, region): (Service, &str),
        path: &str,
    ) -> Result<Value, Unanswered> {
        read(&self.call((service, region), ("GET", path), &[], String::new()).await?)
    }

    async fn call(
        &self,
        (service, region): (Service, &str),
        (method, path): (&str, &str),
        headers: &[(&str, &str)],
        body: String,
    ) -> Result<String, Unanswered> {
        let endpoint = self.endpoint.clone();
        let host = || format!("https://{}.{region}.{}", service.host, suffix(region));
        let url = format!("{}{path}", endpoint.unwrap_or_else(host).trim_end_matches('/'));
        let called = self.send(&url, (service, region), method, headers, body);
        match tokio::time::timeout(PATIENCE, called).await {
            Ok(Ok((200..=299, text))) => Ok(text),
            Ok(Ok((status, text))) => Err(refused(status, &text)),
            Ok(Err(error)) => Err(Unanswered::Unreached(format!("{url}: {error:#}"))),
            Err(_) => Err(Unanswered::Unreached(format!("{url} took too long"))),
        }
    }

    async fn send(
        &self,
        url: &str,
        (service, region): (Service, &str),
        method: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Result<(u16, String)> {
        let identity = self.credentials.clone().into();
        let params = SigningParams::builder()
            .identity(&identity)
            .region(region)
            .name(service.signing)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .context("failed to sign the request")?
            .into();
        let content = SignableBody::Bytes(body.as_bytes());
        let signable = SignableRequest::new(method, url, headers.iter().copied(), content)?;
        let (instructions, _) = sign(signable, &params)?.into_parts();
        let signed: Vec<_> = instructions
            .headers()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let mut request = HttpRequest::new(SdkBody::from(body));
        request.set_method(method)?;
        request.set_uri(url)?;
        for (name, value) in headers {
            request.headers_mut().insert((*name).to_owned(), (*value).to_owned());
        }
        for (name, value) in signed {
            request.headers_mut().insert(name, value);
        }
        let provider = Provider::Rustls(CryptoMode::Ring);
        let connector = Connector::builder().tls_provider(provider).build();
        let response = connector.call(request).await?;
        let status = response.status().as_u16();
        let body = ByteStream::new(response.into_body()).collect().await?.into_bytes();
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    }
}

/// The domain of the services of a region.
fn suffix(region: &str) -> &'static str {
    if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" }
}

fn read(text: &str) -> Result<Value, Unanswered> {
    let unread = |_| Unanswered::Unreached(format!("the answer is not JSON: {text}"));
    serde_json::from_str(text).map_err(unread)
}

/// Reads the error of an answer, in XML or in JSON.
fn refused(status: u16, text: &str) -> Unanswered {
    let json = serde_json::from_str::<Value>(text).unwrap_or_default();
    let member = |names: [&str; 2]| {
        let found = names.into_iter().find_map(|name| json.get(name)?.as_str());
        found.map(|text| text.rsplit('#').next().unwrap_or_default().to_owned())
    };
    let code = element(text, "Code").map(str::to_owned).or_else(|| member(["__type", "code"]));
    let message =
        element(text, "Message").map(str::to_owned).or_else(|| member(["message", "Message"]));
    Unanswered::Refused {
        code: code.unwrap_or_else(|| status.to_string()),
        message: message.unwrap_or_default(),
    }
}

/// Returns the text of the first XML element with this name.
pub(crate) fn element<'x>(xml: &'x str, name: &str) -> Option<&'x str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(text, _)| text.trim())
}
