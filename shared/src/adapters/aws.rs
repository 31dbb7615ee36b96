//! The common settings of all AWS clients: region, credentials, endpoints, HTTP client, time
//! limits.
//!
//! The crate aws-config is not used. Its credential providers for developer machines would slow
//! down every cold start, and a function finds everything in its environment.

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
use std::sync::OnceLock;
use std::time::Duration;

/// The certificate authorities of AWS endpoints, from the repository of Amazon Trust Services:
/// Amazon Root CA 1 to 4 and Starfield Services Root Certificate Authority G2. They are embedded,
/// because reading the certificate store of the system takes longer than the rest of a cold start.
pub const AMAZON_ROOTS: &str = include_str!("amazon_roots.pem");

/// The number of attempts at one call, including the first. After throttling, a 5xx answer or a
/// timeout, the SDK repeats the identical request with the same client request token.
const ATTEMPTS: u32 = 4;
/// The first pause between attempts. It doubles with each attempt and is jittered.
const FIRST_PAUSE: Duration = Duration::from_millis(40);
const LONGEST_PAUSE: Duration = Duration::from_millis(400);
/// The same for the database. On-demand tables throttle for seconds when the traffic doubles, so the
/// pauses are up to 3.2 seconds in all, and half of that on average.
const DATABASE_ATTEMPTS: u32 = 8;
const LONGEST_DATABASE_PAUSE: Duration = Duration::from_secs(1);
/// The time limit of one attempt. A slow DynamoDB call takes a tenth of it.
const ATTEMPT_TIME: Duration = Duration::from_secs(1);
/// The time limit for opening a connection.
const CONNECT_TIME: Duration = Duration::from_millis(900);
/// The time limit of a call with all its attempts.
const CALL_TIME: Duration = Duration::from_millis(4500);
/// The time limit for a carrier to accept a message. There is only one attempt, because a message
/// that was accepted late must not be sent twice. The outbox tries again later.
const CARRIER_TIME: Duration = Duration::from_secs(8);

/// Creates a client of one SDK crate from an [`Aws`]. It is a macro because the builders of the
/// crates have no common trait.
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

/// Whether the SDK repeats a failed call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RetryMode {
    /// Several short attempts, for calls that may be repeated.
    Retry,
    /// The same until throttling is over, for the database.
    WaitOut,
    /// One long attempt, for calls that may not be repeated.
    Once,
}

/// The region, the credentials and the endpoints of AWS.
#[derive(Clone)]
pub struct AwsSettings {
    /// The region, such as `ap-southeast-1`.
    pub region: String,
    pub access_key_id: String,
    pub secret_access_key: SecretString,
    /// The session token of a role's credentials.
    pub session_token: Option<SecretString>,
    /// The endpoint of every service (`AWS_ENDPOINT_URL`).
    pub endpoint: Option<String>,
    /// The endpoints of single services, by name in upper case (`AWS_ENDPOINT_URL_<NAME>`).
    pub service_endpoints: BTreeMap<&'static str, String>,
    /// Whether to trust the certificate store of the system instead of [`AMAZON_ROOTS`].
    pub system_roots: bool,
}

/// A factory of AWS clients that share one HTTP client.
#[derive(Clone)]
pub struct Aws {
    settings: AwsSettings,
    http: SharedHttpClient,
    /// The client of Secrets Manager. All key rings share it, because creating one takes some 0.3
    /// million instructions of a start.
    secrets: OnceLock<aws_sdk_secretsmanager::Client>,
}

impl Aws {
    /// Prepares the HTTP client. It opens no connection.
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
                tracing::error!(%error, "the embedded certificates could not be used");
                builder.build_https()
            }
        };
        Self { settings, http, secrets: OnceLock::new() }
    }

    /// Returns the factory of clients of another region, which share the HTTP client.
    #[must_use]
    pub fn in_region(&self, region: &str) -> Self {
        let settings = AwsSettings { region: region.to_owned(), ..self.settings.clone() };
        Self { settings, http: self.http.clone(), secrets: OnceLock::new() }
    }

    /// Returns the client of Secrets Manager.
    pub(super) fn secrets(&self) -> aws_sdk_secretsmanager::Client {
        let create = || client!(aws_sdk_secretsmanager, self, "SECRETS_MANAGER", RetryMode::Retry);
        self.secrets.get_or_init(create).clone()
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

    /// Returns the endpoint of a service, or `None` for the public one.
    pub(super) fn endpoint(&self, service: &str) -> Option<&str> {
        let own = self.settings.service_endpoints.get(service);
        own.or(self.settings.endpoint.as_ref()).map(String::as_str)
    }

    pub(super) fn retries(pace: RetryMode) -> RetryConfig {
        let (attempts, longest) = match pace {
            RetryMode::Once => return RetryConfig::disabled(),
            RetryMode::Retry => (ATTEMPTS, LONGEST_PAUSE),
            RetryMode::WaitOut => (DATABASE_ATTEMPTS, LONGEST_DATABASE_PAUSE),
        };
        RetryConfig::standard()
            .with_max_attempts(attempts)
            .with_initial_backoff(FIRST_PAUSE)
            .with_max_backoff(longest)
    }

    pub(super) fn timeouts(pace: RetryMode) -> TimeoutConfig {
        let (attempt, call) = match pace {
            RetryMode::Retry | RetryMode::WaitOut => (ATTEMPT_TIME, CALL_TIME),
            RetryMode::Once => (CARRIER_TIME, CARRIER_TIME),
        };
        TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIME)
            .operation_attempt_timeout(attempt)
            .operation_timeout(call)
            .build()
    }
}

/// Converts a failed call to a port error. The text contains the error code and the request id of
/// the service, or the cause of a failed connection. It never contains the whole text of the SDK,
/// which repeats requests and answers and so could reveal personal data and secrets.
pub(super) fn port_error<E, R>(action: &'static str, error: &SdkError<E, R>) -> PortError
where
    E: ProvideErrorMetadata,
    R: fmt::Debug,
{
    let text = match error {
        SdkError::ServiceError(context) => {
            let meta = context.err().meta();
            let code = meta.code().unwrap_or("an error without a code");
            // A write of one item met a transaction in every try.
            if code == "TransactionConflictException" {
                return PortError::contention(action);
            }
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
