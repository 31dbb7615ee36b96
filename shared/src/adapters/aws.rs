//! What every AWS client shares: region, credentials, endpoints, one HTTP client, time limits.
//!
//! There is no aws-config: its providers for developers' machines cost every cold start, and a
//! function finds all it needs in its environment.

use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{Credentials, Region, SharedHttpClient};
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use secrecy::{ExposeSecret as _, SecretString};
use std::collections::BTreeMap;
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
/// How long a call may take with all its attempts: two of them fit a function's ten seconds.
pub(super) const CALL_TIME: Duration = Duration::from_millis(4500);

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

    pub(super) fn retries() -> RetryConfig {
        RetryConfig::standard()
            .with_max_attempts(ATTEMPTS)
            .with_initial_backoff(FIRST_PAUSE)
            .with_max_backoff(LONGEST_PAUSE)
    }

    pub(super) fn timeouts() -> TimeoutConfig {
        TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIME)
            .operation_attempt_timeout(ATTEMPT_TIME)
            .operation_timeout(CALL_TIME)
            .build()
    }
}

/// Makes a client of one SDK crate from an [`Aws`]: the crates' builders share no trait.
macro_rules! client {
    ($sdk:ident, $aws:expr, $service:literal) => {{
        let aws: &$crate::adapters::aws::Aws = $aws;
        let mut config = $sdk::Config::builder();
        config.set_endpoint_url(aws.endpoint($service).map(str::to_owned));
        let config = config
            .behavior_version($sdk::config::BehaviorVersion::v2026_01_12())
            .region(aws.region())
            .credentials_provider(aws.credentials())
            .http_client(aws.http())
            .retry_config($crate::adapters::aws::Aws::retries())
            .timeout_config($crate::adapters::aws::Aws::timeouts())
            .build();
        $sdk::Client::from_conf(config)
    }};
}
pub(super) use client;
