//! What every AWS client shares: region, credentials, endpoints, one HTTP client, time limits.
//!
//! There is no aws-config: its providers for developers' machines cost every cold start, and a
//! function finds all it needs in its environment.

use crate::ports::{PortError, chain};
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{Credentials, Region, SharedHttpClient};
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use secrecy::{ExposeSecret as _, SecretString};
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// The certificate authorities that AWS endpoints chain to, from Amazon Trust Services' repository:
/// Amazon Root CA 1 to 4 and Starfield Services Root Certificate Authority G2. Embedded, because
/// reading the system's whole store costs more than the rest of a cold start.
pub const AMAZON_ROOTS: &str = include_str!("amazon_roots.pem");

/// Attempts at one call, the first included: throttling, 5xx and timeouts are tried again by the
/// SDK with the identical request, client request token included.
const ATTEMPTS: u32 = 4;
/// The first pause between attempts; it doubles and is jittered.
const FIRST_PAUSE: Duration = Duration::from_millis(40);
/// The longest pause between attempts.
const LONGEST_PAUSE: Duration = Duration::from_millis(400);
/// How long one attempt may take. A slow DynamoDB call is over within a tenth of this.
const ATTEMPT_TIME: Duration = Duration::from_secs(1);
/// How long opening a connection may take.
const CONNECT_TIME: Duration = Duration::from_millis(900);
/// How long a call may take with all its attempts.
const CALL_TIME: Duration = Duration::from_millis(4500);
/// How long a carrier may take to accept a message. There is one attempt: a message that was
/// accepted late must not be sent twice, and the outbox tries again.
const CARRIER_TIME: Duration = Duration::from_secs(8);

/// How patient a client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// Many quick attempts, for calls that may be repeated.
    Repeat,
    /// One long attempt, for calls that may not.
    Once,
}

/// Where AWS is and who asks.
#[derive(Clone)]
pub struct AwsSettings {
    /// The region, such as `ap-southeast-1`.
    pub region: String,
    /// The access key id.
    pub access_key_id: String,
    /// The secret access key.
    pub secret_access_key: SecretString,
    /// The session token that goes with a role's keys.
    pub session_token: Option<SecretString>,
    /// The endpoint of every service (`AWS_ENDPOINT_URL`).
    pub endpoint: Option<String>,
    /// The endpoints of single services, by name in upper case (`AWS_ENDPOINT_URL_<NAME>`).
    pub service_endpoints: BTreeMap<&'static str, String>,
    /// Trust the system's certificate store instead of [`AMAZON_ROOTS`].
    pub system_roots: bool,
}

/// What AWS clients are made of.
#[derive(Clone)]
pub struct Aws {
    settings: AwsSettings,
    http: SharedHttpClient,
}

impl Aws {
    /// Prepares clients; nothing is opened yet.
    #[must_use]
    pub fn new(settings: AwsSettings) -> Self {
        let roots = if settings.system_roots {
            TrustStore::default()
        } else {
            TrustStore::empty().with_pem_certificate(AMAZON_ROOTS)
        };
        let builder =
            aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring));
        let http = match TlsContext::builder().with_trust_store(roots).build() {
            Ok(context) => builder.tls_context(context).build_https(),
            Err(error) => {
                tracing::error!(%error, "the embedded certificates cannot be used");
                builder.build_https()
            }
        };
        Self { settings, http }
    }

    pub(super) fn region(&self) -> Region {
        Region::new(self.settings.region.clone())
    }

    pub(super) fn credentials(&self) -> Credentials {
        Credentials::new(
            &self.settings.access_key_id,
            self.settings.secret_access_key.expose_secret(),
            self.settings.session_token.as_ref().map(|token| token.expose_secret().to_owned()),
            None,
            "environment",
        )
    }

    pub(super) fn http(&self) -> SharedHttpClient {
        self.http.clone()
    }

    /// The endpoint to use for a service instead of the public one.
    pub(super) fn endpoint(&self, service: &str) -> Option<&str> {
        let own = self.settings.service_endpoints.get(service);
        own.or(self.settings.endpoint.as_ref()).map(String::as_str)
    }

    pub(super) fn retries(pace: Pace) -> RetryConfig {
        if pace == Pace::Once {
            return RetryConfig::disabled();
        }
        RetryConfig::standard()
            .with_max_attempts(ATTEMPTS)
            .with_initial_backoff(FIRST_PAUSE)
            .with_max_backoff(LONGEST_PAUSE)
    }

    pub(super) fn timeouts(pace: Pace) -> TimeoutConfig {
        let (attempt, call) = match pace {
            Pace::Repeat => (ATTEMPT_TIME, CALL_TIME),
            Pace::Once => (CARRIER_TIME, CARRIER_TIME),
        };
        TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIME)
            .operation_attempt_timeout(attempt)
            .operation_timeout(call)
            .build()
    }
}

/// A failed call as a port error: the service's error code and request id, or what went wrong on
/// the way. Never the SDK's whole text: that repeats requests and responses, and with them people's
/// data and secrets.
pub(super) fn failed<E, R>(action: &'static str, error: &SdkError<E, R>) -> PortError
where
    E: ProvideErrorMetadata,
    R: fmt::Debug,
{
    let text = match error {
        SdkError::ServiceError(context) => {
            let meta = context.err().meta();
            let code = meta.code().unwrap_or("an error without a code");
            let request = meta.extra("aws_request_id").unwrap_or("unknown");
            format!("the service answered {code} (request {request})")
        }
        SdkError::TimeoutError(_) => "the service took too long".to_owned(),
        SdkError::DispatchFailure(failure) => match failure.as_connector_error() {
            Some(error) => format!("no connection: {}", chain(error)),
            None => "no connection".to_owned(),
        },
        SdkError::ResponseError(_) => "the answer could not be read".to_owned(),
        _ => "the request could not be made".to_owned(),
    };
    PortError::new(action, text)
}

/// Makes a client of one SDK crate from an [`Aws`]: the crates' builders share no trait.
macro_rules! client {
    ($sdk:ident, $aws:expr, $service:literal, $pace:expr) => {{
        let aws: &$crate::adapters::aws::Aws = $aws;
        let mut config = $sdk::Config::builder();
        config.set_endpoint_url(aws.endpoint($service).map(str::to_owned));
        let config = config
            .behavior_version($sdk::config::BehaviorVersion::v2026_01_12())
            .region(aws.region())
            .credentials_provider(aws.credentials())
            .http_client(aws.http())
            .retry_config($crate::adapters::aws::Aws::retries($pace))
            .timeout_config($crate::adapters::aws::Aws::timeouts($pace))
            .interceptor($crate::adapters::call_counter::CallCounter { service: $service })
            .build();
        $sdk::Client::from_conf(config)
    }};
}
pub(super) use client;
