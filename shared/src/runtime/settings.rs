//! The environment. No other code reads it, and each function reads only the groups of variables
//! that it needs, at its start.

use crate::adapters::argon2::Cost;
use crate::adapters::aws::AwsSettings;
use crate::adapters::dynamodb::TableNames;
use crate::adapters::sns::SmsSettings;
use crate::domain::challenge::GuessLimits;
use crate::domain::key_rotation::RotatedKey;
use crate::domain::password_attempts::Backoff;
use crate::domain::phone::DialCodes;
use crate::domain::sends::{SendLimits, SendPolicy};
use crate::http::AllowedOrigins;
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

/// A variable of the environment that is missing or malformed.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The variable is absent or empty.
    #[error("the environment variable {0} is missing")]
    Missing(String),
    /// The value is not of the variable's kind.
    #[error("the environment variable {name} is not {kind}")]
    Malformed {
        name: String,
        /// What the value must be.
        kind: &'static str,
    },
}

/// The value of a variable; an empty one is absent.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
fn optional(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The namespace of the metrics. `Latchkey` for tools that run a single function and do not set it.
pub(super) fn metrics_namespace() -> String {
    optional("METRICS_NAMESPACE").unwrap_or_else(|| "Latchkey".to_owned())
}

fn required(name: &str) -> Result<String, SettingsError> {
    optional(name).ok_or_else(|| SettingsError::Missing(name.to_owned()))
}

fn number<T: FromStr>(name: &str) -> Result<T, SettingsError> {
    let kind = "a whole number in range";
    let malformed = |_| SettingsError::Malformed { name: name.to_owned(), kind };
    required(name)?.trim().parse().map_err(malformed)
}

fn seconds(name: &str) -> Result<Duration, SettingsError> {
    number(name).map(Duration::from_secs)
}

/// Region, credentials and endpoints.
pub(crate) fn aws() -> Result<AwsSettings, SettingsError> {
    const ENDPOINTS: [(&str, &str); 5] = [
        ("DYNAMODB", "AWS_ENDPOINT_URL_DYNAMODB"),
        ("SNS", "AWS_ENDPOINT_URL_SNS"),
        ("SESV2", "AWS_ENDPOINT_URL_SESV2"),
        ("EVENTBRIDGE", "AWS_ENDPOINT_URL_EVENTBRIDGE"),
        ("SECRETS_MANAGER", "AWS_ENDPOINT_URL_SECRETS_MANAGER"),
    ];
    let endpoints = ENDPOINTS.into_iter().filter_map(|(name, key)| Some((name, optional(key)?)));
    let region = optional("AWS_REGION").or_else(|| optional("AWS_DEFAULT_REGION"));
    Ok(AwsSettings {
        region: region.ok_or_else(|| SettingsError::Missing("AWS_REGION".to_owned()))?,
        access_key_id: required("AWS_ACCESS_KEY_ID")?,
        secret_access_key: required("AWS_SECRET_ACCESS_KEY")?.into(),
        session_token: optional("AWS_SESSION_TOKEN").map(SecretString::from),
        endpoint: optional("AWS_ENDPOINT_URL"),
        service_endpoints: endpoints.collect::<BTreeMap<_, _>>(),
        system_roots: optional("USE_SYSTEM_ROOTS").is_some_and(|value| value == "true"),
    })
}

/// The names of the tables.
pub(crate) fn tables() -> Result<TableNames, SettingsError> {
    Ok(TableNames {
        users: required("USERS_TABLE")?,
        identifiers: required("IDENTIFIERS_TABLE")?,
        challenges: required("CHALLENGES_TABLE")?,
        devices: required("DEVICES_TABLE")?,
        sessions: required("SESSIONS_TABLE")?,
        budgets: required("BUDGETS_TABLE")?,
        ledger: required("LEDGER_TABLE")?,
        clients: required("CLIENTS_TABLE")?,
        outbox: required("OUTBOX_TABLE")?,
        sequences: required("SEQUENCES_TABLE")?,
    })
}

/// Whether the limits per source and per client apply: `OTP_SENDS_PER_HOUR_PER_IP=0` switches all of
/// them off.
fn source_limit(name: &str) -> Result<u32, SettingsError> {
    let sends: u32 = number("OTP_SENDS_PER_HOUR_PER_IP")?;
    let limit = number(name)?;
    Ok(if sends == 0 { 0 } else { limit })
}

fn send_limits() -> Result<SendLimits, SettingsError> {
    Ok(SendLimits {
        pause: seconds("OTP_RESEND_SECONDS")?,
        per_hour: number("OTP_SENDS_PER_HOUR")?,
        per_day: number("OTP_SENDS_PER_DAY")?,
    })
}

/// The limits of sending codes.
pub(crate) fn send_policy() -> Result<SendPolicy, SettingsError> {
    Ok(SendPolicy {
        code_lifetime: seconds("OTP_TTL_SECONDS")?,
        limits: send_limits()?,
        per_source_hour: sends_per_source_hour()?,
        per_client_hour: sends_per_client_hour()?,
        countries: DialCodes::parse(&required("SMS_COUNTRIES")?),
    })
}

/// The codes and sign-ups that a source may ask for in an hour; 0 for no limit.
pub(crate) fn sends_per_source_hour() -> Result<u32, SettingsError> {
    source_limit("OTP_SENDS_PER_HOUR_PER_IP")
}

/// The sign-ups that a client may ask for in an hour; 0 for no limit.
pub(crate) fn sends_per_client_hour() -> Result<u32, SettingsError> {
    source_limit("SENDS_PER_HOUR_PER_CLIENT")
}

/// The limits of guessing codes.
pub(crate) fn guess_limits() -> Result<GuessLimits, SettingsError> {
    Ok(GuessLimits {
        per_code: number("OTP_MAX_ATTEMPTS")?,
        per_source_hour: source_limit("OTP_GUESSES_PER_HOUR_PER_IP")?,
    })
}

/// How attempts at one account's password are slowed down; not at all where the limits of
/// recipients are switched off.
pub(crate) fn backoff() -> Result<Option<Backoff>, SettingsError> {
    Ok(send_limits()?.apply().then_some(Backoff::DEFAULT))
}

/// The cost of a password's hash.
pub(crate) fn argon2() -> Result<Cost, SettingsError> {
    Ok(Cost {
        memory_kib: number("ARGON2_MEMORY_KIB")?,
        iterations: number("ARGON2_ITERATIONS")?,
        parallelism: number("ARGON2_PARALLELISM")?,
    })
}

/// How texts are sent.
#[must_use]
pub fn sms() -> SmsSettings {
    SmsSettings {
        sender_id: optional("SMS_SENDER_ID"),
        max_price_usd: optional("SMS_MAX_PRICE_USD"),
    }
}

/// The address that mail comes from.
///
/// # Errors
/// The variable is missing.
pub fn email_sender() -> Result<String, SettingsError> {
    required("EMAIL_SENDER")
}

/// The bus that events go to.
///
/// # Errors
/// The variable is missing.
pub fn event_bus() -> Result<String, SettingsError> {
    required("EVENT_BUS")
}

/// The host of the page that asks for codes.
#[must_use]
pub fn code_host() -> Option<String> {
    optional("CODE_HOST")
}

/// The URL of the API as people reach it. Links in mails begin with it.
///
/// # Errors
/// The variable is missing.
pub fn public_url() -> Result<String, SettingsError> {
    required("PUBLIC_URL")
}

/// How old a copy of a key ring may get.
///
/// # Errors
/// The variable is missing or malformed.
pub fn key_ring_lifetime() -> Result<Duration, SettingsError> {
    seconds("KEY_RING_SECONDS")
}

/// A secret's name and, for tools without Secrets Manager, its key ring written out.
#[derive(Clone)]
pub(crate) struct RingSource {
    /// The secret's name or ARN.
    pub(crate) secret: String,
    /// The ring in the form that [`KeyRing::inline`](crate::adapters::key_ring::KeyRing::inline)
    /// reads. It wins over the secret.
    pub(crate) inline: Option<String>,
}

/// The keys that codes are derived with.
pub(crate) fn code_key() -> Result<RingSource, SettingsError> {
    ring("OTP_KEY_SECRET", "OTP_KEY_RING")
}

/// The name of a contract's own variable: `kind`, then the contract.
fn variable(kind: &str, contract: &str) -> String {
    format!("{kind}_{}", contract.to_ascii_uppercase())
}

/// A key of one contract: `kind` is `TOKEN`, `REFRESH` or `USER_AGENT`.
fn contract_key(kind: &str, contract: &str) -> Result<RingSource, SettingsError> {
    let [secret, inline] = ["SECRET", "RING"].map(|part| format!("{kind}_KEY_{part}"));
    ring(&variable(&secret, contract), &variable(&inline, contract))
}

/// The keys that a contract's access tokens or sessions are signed with.
pub(crate) fn token_key(contract: &str) -> Result<RingSource, SettingsError> {
    contract_key("TOKEN", contract)
}

/// The keys that a contract's refresh tokens are derived with.
pub(crate) fn refresh_key(contract: &str) -> Result<RingSource, SettingsError> {
    contract_key("REFRESH", contract)
}

/// The keys that the names of browsers are signed with.
pub(crate) fn user_agent_key(contract: &str) -> Result<RingSource, SettingsError> {
    contract_key("USER_AGENT", contract)
}

/// How long a contract's access tokens are valid.
pub(crate) fn access_token_lifetime(contract: &str) -> Result<Duration, SettingsError> {
    seconds(&variable("ACCESS_TOKEN_SECONDS", contract))
}

/// The issuer of a contract's tokens, where the contract leaves it open.
pub(crate) fn token_issuer(contract: &str) -> Option<String> {
    optional(&variable("TOKEN_ISSUER", contract))
}

/// How long a session in a cookie lasts unless the user asked to be remembered.
pub(crate) fn session_lifetime(contract: &str) -> Result<Duration, SettingsError> {
    seconds(&variable("SESSION_SECONDS", contract))
}

/// The domain whose hosts all get a contract's cookies.
pub(crate) fn cookie_domain(contract: &str) -> Option<String> {
    optional(&variable("COOKIE_DOMAIN", contract))
}

/// The settings of key rotation.
pub struct RotationSettings {
    /// Every key that a variable names, by the variable's name.
    pub keys: Vec<RotatedKey>,
    /// How long a key signs before its successor is published.
    pub interval: Duration,
}

impl RotationSettings {
    /// Reads the settings. There is no separate list of keys, which could miss one: the variables
    /// that name the keys of the other functions name them here too.
    ///
    /// # Errors
    /// [`SettingsError`] names the first variable that is missing or malformed.
    pub fn from_env() -> Result<Self, SettingsError> {
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            let (name, secret) = (name.into_string().ok()?, value.into_string().ok()?);
            (names_a_key(&name) && !secret.is_empty()).then_some(RotatedKey { name, secret })
        });
        let mut keys: Vec<_> = variables.collect();
        keys.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(Self { keys, interval: seconds("KEY_ROTATION_SECONDS")? })
    }
}

/// Whether a variable names the secret of a key: `OTP_KEY_SECRET`, `TOKEN_KEY_SECRET_<CONTRACT>`.
fn names_a_key(variable: &str) -> bool {
    let after = variable.split_once("_KEY_SECRET").map(|(_, after)| after);
    after.is_some_and(|after| after.is_empty() || after.starts_with('_'))
}

/// The origins whose pages may use a contract's cookies.
#[must_use]
pub fn allowed_origins(contract: &str) -> AllowedOrigins {
    AllowedOrigins::parse(&optional(&variable("ALLOWED_ORIGINS", contract)).unwrap_or_default())
}

fn ring(secret: &str, inline: &str) -> Result<RingSource, SettingsError> {
    Ok(RingSource { secret: required(secret)?, inline: optional(inline) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_of_secrets_name_keys_and_no_others_do() {
        for name in ["OTP_KEY_SECRET", "TOKEN_KEY_SECRET_NEXT", "USER_AGENT_KEY_SECRET_NEXT"] {
            assert!(names_a_key(name), "{name}");
        }
        for name in
            ["OTP_KEY_RING", "AWS_SECRET_ACCESS_KEY", "A_KEY_SECRETS", "KEY_ROTATION_SECONDS"]
        {
            assert!(!names_a_key(name), "{name}");
        }
    }
}
