//! The invocation of a function, of a local stack or of an account.

use anyhow::{Context as _, Result, bail};
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

/// Longer than the timeout of the function.
const PATIENCE: Duration = Duration::from_secs(70);
/// The header of an answer that says that the function failed.
const FAILED: &str = "x-amz-function-error";

/// Where a function is.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    /// On a local stack with this address.
    Local(String),
    /// In an account, with this name or ARN.
    Account(String),
}

/// Invokes a function, whose name on a local stack is `local_name`, and returns its answer.
///
/// # Errors
/// The function cannot be reached, or failed.
pub(crate) async fn invoke(target: &Target, local_name: &str, payload: &Value) -> Result<Value> {
    let body = serde_json::to_vec(payload)?;
    let (url, headers) = match target {
        Target::Local(url) => (path(url, local_name), Vec::new()),
        Target::Account(name) => signed(name, &body)?,
    };
    let mut request = HttpRequest::new(SdkBody::from(body));
    request.set_method("POST")?;
    request.set_uri(url.as_str()).with_context(|| format!("{url} is no address"))?;
    request.headers_mut().insert("content-type", "application/json");
    for (name, value) in headers {
        request.headers_mut().insert(name, value);
    }
    let connector = Connector::builder().tls_provider(Provider::Rustls(CryptoMode::Ring)).build();
    let called = tokio::time::timeout(PATIENCE, connector.call(request)).await;
    let called = called.with_context(|| format!("{url} took too long"))?;
    let response = called.with_context(|| format!("failed to reach {url}"))?;
    let (status, failed) = (response.status(), response.headers().get(FAILED).is_some());
    let body = ByteStream::new(response.into_body()).collect().await;
    let body = body.context("failed to read the answer")?.into_bytes();
    if !status.is_success() {
        bail!("{url} answered {}: {}", status.as_u16(), String::from_utf8_lossy(&body));
    }
    let answer: Value = serde_json::from_slice(&body).context("the answer is not JSON")?;
    if failed {
        let message = answer.get("errorMessage").and_then(Value::as_str).unwrap_or_default();
        bail!("the function failed: {message}");
    }
    Ok(answer)
}

/// The address of the operation `Invoke`. A name can be an ARN, whose colons are escaped.
fn path(endpoint: &str, name: &str) -> String {
    let name: String = form_urlencoded::byte_serialize(name.as_bytes()).collect();
    format!("{}/2015-03-31/functions/{name}/invocations", endpoint.trim_end_matches('/'))
}

/// Returns the address of a function in the region, and the headers of a request to it that is signed with
/// the credentials of the environment (AWS Signature Version 4).
fn signed(name: &str, body: &[u8]) -> Result<(String, Vec<(String, String)>)> {
    let optional = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    let required = |name: &str| {
        optional(name).with_context(|| {
            format!(
                "{name} is not set; run: eval \"$(aws configure export-credentials --format env)\""
            )
        })
    };
    let region = optional("AWS_REGION").or_else(|| optional("AWS_DEFAULT_REGION"));
    let region = region.context("AWS_REGION is not set")?;
    let credentials = Credentials::new(
        required("AWS_ACCESS_KEY_ID")?,
        required("AWS_SECRET_ACCESS_KEY")?,
        optional("AWS_SESSION_TOKEN"),
        None,
        "environment",
    );
    let endpoint = optional("AWS_ENDPOINT_URL_LAMBDA").or_else(|| optional("AWS_ENDPOINT_URL"));
    let endpoint = endpoint.unwrap_or_else(|| format!("https://lambda.{region}.amazonaws.com"));
    let url = path(&endpoint, name);
    let identity = credentials.into();
    let params = SigningParams::builder()
        .identity(&identity)
        .region(&region)
        .name("lambda")
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build()
        .context("failed to sign the request")?
        .into();
    let headers = [("content-type", "application/json")];
    let content = SignableBody::Bytes(body);
    let request = SignableRequest::new("POST", &url, headers.into_iter(), content)?;
    let (instructions, _) = sign(request, &params)?.into_parts();
    let headers = instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned()));
    Ok((url, headers.collect()))
}
