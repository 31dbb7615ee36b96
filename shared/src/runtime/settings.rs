//! The environment, read once. No other code reads it.

use super::RingSource;
use crate::adapters::argon2::Cost;
use crate::adapters::aws::AwsSettings;
use crate::adapters::dynamodb::TableNames;
use crate::adapters::sns::SmsSettings;
use crate::domain::attempts::SlowDown;
use crate::domain::challenge::GuessLimits;
use crate::domain::key_rotation::RotatedKey;
use crate::domain::phone::DialCodes;
use crate::domain::sends::SendLimits;
use crate::http::Origins;
use crate::usecases::SendPolicy;
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

/// What is wrong with the environment.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A variable is absent or empty.
    #[error("the environment variable {0} is missing")]
    Missing(String),
    /// A variable's value is not of its kind.
    #[error("the environment variable {name} is not {kind}")]
    Malformed {
        /// The variable.
        name: String,
        /// What it must be.
        kind: &'static str,
    },
}

/// Everything the environment says. `template.yaml` sets it; the README explains it.
#[derive(Clone)]
pub struct Settings {
    /// Region, credentials, endpoints.
    pub aws: AwsSettings,
    /// The tables' names.
    pub tables: TableNames,
    /// The bounds of sending codes.
    pub sends: SendPolicy,
    /// The bounds of guessing codes.
    pub guesses: GuessLimits,
    /// How texts are sent.
    pub sms: SmsSettings,
    /// The address that mail comes from.
    pub email_sender: String,
    /// The bus that events go to.
    pub event_bus: String,
    /// The host whose page the codes are for.
    pub code_host: Option<String>,
    /// Where the API is, as people reach it: what links in mails begin with.
    pub public_url: String,
    /// What a password's hash costs.
    pub argon2: Cost,
    /// How old a copy of a key ring may get.
    pub key_ring_life: Duration,
    code_key: RingSource,
}

/// The value of a variable; an empty one is absent.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
fn optional(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The namespace of the metrics. Tools that run a single function may leave it out.
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

fn aws() -> Result<AwsSettings, SettingsError> {
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

fn tables() -> Result<TableNames, SettingsError> {
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

impl Settings {
    /// Reads the environment.
    ///
    /// # Errors
    /// [`SettingsError`] names the first variable that is missing or malformed.
    pub fn from_env() -> Result<Self, SettingsError> {
        let per_address_hour = number("OTP_SENDS_PER_HOUR_PER_IP")?;
        let guesses_per_address = number("OTP_GUESSES_PER_HOUR_PER_IP")?;
        let per_client_hour = number("SENDS_PER_HOUR_PER_CLIENT")?;
        // Switching the limits per source off means all of them.
        let unless_off = |limit| if per_address_hour == 0 { 0 } else { limit };
        Ok(Self {
            aws: aws()?,
            tables: tables()?,
            sends: SendPolicy {
                code_life: seconds("OTP_TTL_SECONDS")?,
                limits: SendLimits {
                    pause: seconds("OTP_RESEND_SECONDS")?,
                    per_hour: number("OTP_SENDS_PER_HOUR")?,
                    per_day: number("OTP_SENDS_PER_DAY")?,
                },
                per_address_hour,
                per_client_hour: unless_off(per_client_hour),
                countries: DialCodes::parse(&required("SMS_COUNTRIES")?),
            },
            guesses: GuessLimits {
                per_code: number("OTP_MAX_ATTEMPTS")?,
                per_address_hour: unless_off(guesses_per_address),
            },
            sms: SmsSettings {
                sender_id: optional("SMS_SENDER_ID"),
                max_price_usd: optional("SMS_MAX_PRICE_USD"),
            },
            email_sender: required("EMAIL_SENDER")?,
            event_bus: required("EVENT_BUS")?,
            code_host: optional("CODE_HOST"),
            public_url: required("PUBLIC_URL")?,
            argon2: Cost {
                memory_kib: number("ARGON2_MEMORY_KIB")?,
                iterations: number("ARGON2_ITERATIONS")?,
                parallelism: number("ARGON2_PARALLELISM")?,
            },
            key_ring_life: seconds("KEY_RING_SECONDS")?,
            code_key: ring("OTP_KEY_SECRET", "OTP_KEY_RING")?,
        })
    }

    /// How attempts at one account's password are slowed down; not at all where the limits of
    /// recipients are switched off.
    #[must_use]
    pub fn slow_down(&self) -> Option<SlowDown> {
        self.sends.limits.apply().then_some(SlowDown::USUAL)
    }

    /// Where the keys come from that codes are derived with.
    #[must_use]
    pub const fn code_key(&self) -> &RingSource {
        &self.code_key
    }
}

/// What the environment says of the access tokens of one contract. The variables end in the
/// contract's name.
#[derive(Clone)]
pub struct TokenSettings {
    /// How long a token works.
    pub life: Duration,
    /// Who issues the tokens, where the contract leaves it open.
    pub issuer: String,
    /// Where the keys come from that tokens are signed with.
    pub key: RingSource,
}

impl TokenSettings {
    /// Reads the settings of a contract.
    ///
    /// # Errors
    /// [`SettingsError`] names the first variable that is missing or malformed.
    pub fn of_contract(name: &str) -> Result<Self, SettingsError> {
        let name = name.to_ascii_uppercase();
        Ok(Self {
            life: seconds(&format!("ACCESS_TOKEN_SECONDS_{name}"))?,
            issuer: optional(&format!("TOKEN_ISSUER_{name}")).unwrap_or_default(),
            key: ring(&format!("TOKEN_KEY_SECRET_{name}"), &format!("TOKEN_KEY_RING_{name}"))?,
        })
    }
}

/// Where the keys come from that a contract's refresh tokens are derived with.
///
/// # Errors
/// [`SettingsError`] when the variable is missing.
pub fn refresh_key(contract: &str) -> Result<RingSource, SettingsError> {
    let name = contract.to_ascii_uppercase();
    ring(&format!("REFRESH_KEY_SECRET_{name}"), &format!("REFRESH_KEY_RING_{name}"))
}

/// What the environment says of the sessions of a contract that keeps them in cookies. The
/// variables end in the contract's name.
#[derive(Clone)]
pub struct CookieSettings {
    /// How long a session lives that nobody asked to be remembered.
    pub life: Duration,
    /// The domain whose hosts all get the cookies.
    pub domain: Option<String>,
    /// Where the keys come from that sessions are signed with.
    pub key: RingSource,
    /// Where the keys come from that the names of browsers are signed with.
    pub user_agent_key: RingSource,
}

impl CookieSettings {
    /// Reads the settings of a contract.
    ///
    /// # Errors
    /// [`SettingsError`] names the first variable that is missing or malformed.
    pub fn of_contract(name: &str) -> Result<Self, SettingsError> {
        let name = name.to_ascii_uppercase();
        let secret = |kind: &str| {
            ring(&format!("{kind}_KEY_SECRET_{name}"), &format!("{kind}_KEY_RING_{name}"))
        };
        Ok(Self {
            life: seconds(&format!("SESSION_SECONDS_{name}"))?,
            domain: optional(&format!("COOKIE_DOMAIN_{name}")),
            key: secret("TOKEN")?,
            user_agent_key: secret("USER_AGENT")?,
        })
    }
}

/// What the environment says of the rotation of keys.
pub struct RotationSettings {
    /// Every key that a variable names, by that variable's name.
    pub keys: Vec<RotatedKey>,
    /// How long a key signs before its successor is published.
    pub interval: Duration,
}

impl RotationSettings {
    /// Reads the settings. There is no list of keys that somebody could forget to add one to: the
    /// variables that tell the other functions their keys tell this one too.
    ///
    /// # Errors
    /// [`SettingsError`] names the first variable that is missing or malformed.
    pub fn from_env() -> Result<Self, SettingsError> {
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            let (name, kept_as) = (name.into_string().ok()?, value.into_string().ok()?);
            (names_a_key(&name) && !kept_as.is_empty()).then_some(RotatedKey { name, kept_as })
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

/// The origins whose pages may use a contract's cookies: `ALLOWED_ORIGINS_…`.
#[must_use]
pub fn allowed_origins(contract: &str) -> Origins {
    let name = format!("ALLOWED_ORIGINS_{}", contract.to_ascii_uppercase());
    Origins::parse(&optional(&name).unwrap_or_default())
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
