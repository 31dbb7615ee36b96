//! The environment, read once. No other code reads it.

use super::RingSource;
use crate::adapters::argon2::Cost;
use crate::adapters::aws::AwsSettings;
use crate::adapters::dynamodb::TableNames;
use crate::adapters::sns::SmsSettings;
use crate::domain::challenge::GuessLimits;
use crate::domain::phone::DialCodes;
use crate::domain::sends::SendLimits;
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
    Missing(&'static str),
    /// A variable's value is not of its kind.
    #[error("the environment variable {name} is not {kind}")]
    Malformed {
        /// The variable.
        name: &'static str,
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
    /// What a password's hash costs.
    pub argon2: Cost,
    /// How long Gotu's access tokens work.
    pub gotu_access_life: Duration,
    /// How long GoodCity's access tokens work.
    pub goodcity_access_life: Duration,
    /// Who issues GoodCity's access tokens.
    pub goodcity_issuer: String,
    code_key: (String, Option<String>),
    goodcity_token_key: (String, Option<String>),
    gotu_token_key: (String, Option<String>),
}

/// The value of a variable; an empty one is absent.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
fn optional(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn required(name: &'static str) -> Result<String, SettingsError> {
    optional(name).ok_or(SettingsError::Missing(name))
}

fn number<T: FromStr>(name: &'static str) -> Result<T, SettingsError> {
    let malformed = |_| SettingsError::Malformed { name, kind: "a whole number in range" };
    required(name)?.trim().parse().map_err(malformed)
}

fn seconds(name: &'static str) -> Result<Duration, SettingsError> {
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
        region: region.ok_or(SettingsError::Missing("AWS_REGION"))?,
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
                countries: DialCodes::parse(&required("SMS_COUNTRIES")?),
            },
            guesses: GuessLimits {
                per_code: number("OTP_MAX_ATTEMPTS")?,
                // Switching the limits per source off means all of them.
                per_address_hour: if per_address_hour == 0 { 0 } else { guesses_per_address },
            },
            sms: SmsSettings {
                sender_id: optional("SMS_SENDER_ID"),
                max_price_usd: optional("SMS_MAX_PRICE_USD"),
            },
            email_sender: required("EMAIL_SENDER")?,
            event_bus: required("EVENT_BUS")?,
            code_host: optional("CODE_HOST"),
            argon2: Cost {
                memory_kib: number("ARGON2_MEMORY_KIB")?,
                iterations: number("ARGON2_ITERATIONS")?,
                parallelism: number("ARGON2_PARALLELISM")?,
            },
            gotu_access_life: seconds("ACCESS_TOKEN_SECONDS_GOTU")?,
            goodcity_access_life: seconds("ACCESS_TOKEN_SECONDS_GOODCITY")?,
            goodcity_issuer: required("TOKEN_ISSUER_GOODCITY")?,
            code_key: (required("OTP_KEY_SECRET")?, optional("OTP_KEY_RING")),
            goodcity_token_key: (
                required("TOKEN_KEY_SECRET_GOODCITY")?,
                optional("TOKEN_KEY_RING_GOODCITY"),
            ),
            gotu_token_key: (required("TOKEN_KEY_SECRET_GOTU")?, optional("TOKEN_KEY_RING_GOTU")),
        })
    }

    /// Where the keys come from that codes are derived with.
    #[must_use]
    pub fn code_key(&self) -> RingSource<'_> {
        RingSource { secret: &self.code_key.0, inline: self.code_key.1.as_deref() }
    }

    /// Where the keys come from that GoodCity's tokens are signed with.
    #[must_use]
    pub fn goodcity_token_key(&self) -> RingSource<'_> {
        let (secret, inline) = &self.goodcity_token_key;
        RingSource { secret, inline: inline.as_deref() }
    }

    /// Where the keys come from that Gotu's tokens are signed with.
    #[must_use]
    pub fn gotu_token_key(&self) -> RingSource<'_> {
        RingSource { secret: &self.gotu_token_key.0, inline: self.gotu_token_key.1.as_deref() }
    }
}
