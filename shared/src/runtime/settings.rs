//! The environment. No other code reads it, and each function reads only the groups of variables
//! that it needs, at its start.

use super::brands::{self, BrandsError};
use super::senders::{self, SendersError};
use super::test_numbers::{self, TestNumbersError};
use crate::adapters::argon2::{Cost, Hasher};
use crate::adapters::aws::AwsSettings;
use crate::adapters::dynamodb::TableNames;
use crate::adapters::hashes::Work;
use crate::adapters::sns::SmsSettings;
use crate::domain::bill::{Bill, MicroUsd, Prices};
use crate::domain::challenge::GuessLimits;
use crate::domain::key_rotation::RotatedKey;
use crate::domain::password_attempts::Backoff;
use crate::domain::phone::DialCodes;
use crate::domain::sender::{MailSenders, Sender, Senders};
use crate::domain::sends::{SendLimits, SendPolicy};
use crate::domain::test_numbers::TestNumbers;
use crate::domain::time::Timestamp;
use crate::http::{AllowedOrigins, Brand, Front, PageUrl, Passage};
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
    /// The value does not have the kind of the variable.
    #[error("the environment variable {name} is not {kind}")]
    Malformed {
        name: String,
        /// The kind that the value must have.
        kind: &'static str,
    },
    #[error(transparent)]
    Senders(#[from] SendersError),
    #[error(transparent)]
    Brands(#[from] BrandsError),
    #[error(transparent)]
    TestNumbers(#[from] TestNumbersError),
}

/// The number of guesses at one code while a contract is under attack.
const GUESSES_IN_ATTACK: u32 = 2;

/// The value of a variable; an empty one is absent.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
fn optional(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The namespace of the metrics. `Latchkey` for tools that run a single function and do not set it.
pub(super) fn metrics_namespace() -> String {
    optional("METRICS_NAMESPACE").unwrap_or_else(|| "Latchkey".to_owned())
}

/// What the operator calls this release.
pub(super) fn release() -> Option<String> {
    optional("RELEASE")
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
    const ENDPOINTS: [(&str, &str); 6] = [
        ("DYNAMODB", "AWS_ENDPOINT_URL_DYNAMODB"),
        ("SNS", "AWS_ENDPOINT_URL_SNS"),
        ("PINPOINT_SMS_VOICE_V2", "AWS_ENDPOINT_URL_PINPOINT_SMS_VOICE_V2"),
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
        answers: required("ANSWERS_TABLE")?,
        outbox: required("OUTBOX_TABLE")?,
        deliveries: required("DELIVERIES_TABLE")?,
        histories: required("HISTORIES_TABLE")?,
        sequences: required("SEQUENCES_TABLE")?,
        audit: required("AUDIT_TABLE")?,
    })
}

/// A limit per source or per client. `OTP_SENDS_PER_HOUR_PER_IP=0` switches all of them off.
fn source_limit(name: &str) -> Result<u32, SettingsError> {
    let sends: u32 = number("OTP_SENDS_PER_HOUR_PER_IP")?;
    let limit = number(name)?;
    Ok(if sends == 0 { 0 } else { limit })
}

/// The shortest time between two codes to one recipient.
///
/// # Errors
/// The variable is missing or malformed.
pub fn resend_pause() -> Result<Duration, SettingsError> {
    seconds("OTP_RESEND_SECONDS")
}

fn send_limits() -> Result<SendLimits, SettingsError> {
    Ok(SendLimits {
        pause: resend_pause()?,
        per_hour: number("OTP_SENDS_PER_HOUR")?,
        per_day: number("OTP_SENDS_PER_DAY")?,
    })
}

/// The limits of sending codes.
pub(crate) fn send_policy() -> Result<SendPolicy, SettingsError> {
    Ok(SendPolicy {
        code_lifetime: seconds("OTP_TTL_SECONDS")?,
        limits: send_limits()?,
        countries: countries()?,
    })
}

/// The countries that texts may go to.
fn countries() -> Result<DialCodes, SettingsError> {
    Ok(DialCodes::parse(&required("SMS_COUNTRIES")?))
}

/// The numbers whose codes are fixed.
///
/// # Errors
/// The list is malformed or breaks a rule.
pub(crate) fn test_numbers(now: Timestamp) -> Result<TestNumbers, SettingsError> {
    match optional("TEST_NUMBERS") {
        Some(list) => Ok(test_numbers::read(&list, &countries()?, now)?),
        None => Ok(TestNumbers::default()),
    }
}

/// The number of codes and sign-ups that a source may request in an hour; 0 for no limit.
pub(crate) fn sends_per_source_hour() -> Result<u32, SettingsError> {
    source_limit("OTP_SENDS_PER_HOUR_PER_IP")
}

/// The number of sign-ups that a client may request in an hour; 0 for no limit.
pub(crate) fn sends_per_client_hour() -> Result<u32, SettingsError> {
    source_limit("SENDS_PER_HOUR_PER_CLIENT")
}

/// The limits of guesses at one code of a contract.
pub(crate) fn guess_limits(contract: &str) -> Result<GuessLimits, SettingsError> {
    let own = variable("OTP_MAX_ATTEMPTS", contract);
    let name = if optional(&own).is_some() { own } else { "OTP_MAX_ATTEMPTS".to_owned() };
    let per_code = number(&name)?;
    Ok(GuessLimits { per_code, per_code_in_attack: per_code.min(GUESSES_IN_ATTACK) })
}

/// The wrong codes of all sources of a contract in an hour from which on the contract counts as
/// attacked; 0 for no limit.
pub(crate) fn wrong_codes_per_hour() -> Result<u64, SettingsError> {
    number("WRONG_CODES_PER_HOUR")
}

/// An amount of US dollars.
fn usd(name: &str) -> Result<MicroUsd, SettingsError> {
    let malformed = || SettingsError::Malformed { name: name.to_owned(), kind: "an amount" };
    MicroUsd::parse(required(name)?.trim()).ok_or_else(malformed)
}

/// The prices of messages.
pub(crate) fn prices() -> Result<Prices, SettingsError> {
    const PRICES: &str = "MESSAGE_PRICES_USD";
    let kind = "a list of dial codes and prices";
    let malformed = || SettingsError::Malformed { name: PRICES.to_owned(), kind };
    Prices::parse(&required(PRICES)?).ok_or_else(malformed)
}

/// The value of a variable that is `on` or `off`.
fn switch(name: &str) -> Result<bool, SettingsError> {
    match required(name)?.as_str() {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err(SettingsError::Malformed { name: name.to_owned(), kind: "on or off" }),
    }
}

/// Whether carriers report what became of messages.
pub(crate) fn delivery_reports() -> Result<bool, SettingsError> {
    switch("DELIVERY_REPORTS")
}

/// Whether what happens to recipients and users is written to their histories.
pub(crate) fn history() -> Result<bool, SettingsError> {
    switch("HISTORY")
}

/// Whether the OpenAPI documents are published.
///
/// # Errors
/// The variable is missing or malformed.
pub fn api_documents() -> Result<bool, SettingsError> {
    switch("API_DOCUMENTS")
}

/// How long a recipient that cannot be reached is left alone; `None` for not at all.
///
/// # Errors
/// The variable is missing or malformed.
pub fn suppression() -> Result<Option<Duration>, SettingsError> {
    let days: u64 = number("SUPPRESSION_DAYS")?;
    let span = Duration::from_hours(24).saturating_mul(u32::try_from(days).unwrap_or(u32::MAX));
    Ok((!span.is_zero()).then_some(span))
}

/// The ceilings of what a contract sends.
pub(crate) fn bill() -> Result<Bill, SettingsError> {
    Ok(Bill {
        prices: prices()?,
        messages: [number("MESSAGES_PER_HOUR")?, number("MESSAGES_PER_DAY")?],
        spend: [usd("MESSAGES_USD_PER_HOUR")?, usd("MESSAGES_USD_PER_DAY")?],
        total: usd("MESSAGES_USD_PER_DAY_IN_ALL")?,
        unused_per_prefix: number("UNUSED_CODES_PER_PREFIX")?,
    })
}

/// The number of wrong guesses at codes and passwords that a source may make in an hour; 0 for no
/// limit.
pub(crate) fn guesses_per_source_hour() -> Result<u32, SettingsError> {
    source_limit("OTP_GUESSES_PER_HOUR_PER_IP")
}

/// The delay of attempts at the password of one account; `None` if the limits of recipients are
/// switched off.
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

/// The crate that computes the hashes of new passwords.
pub(crate) fn password_hasher() -> Result<Hasher, SettingsError> {
    const NAME: &str = "PASSWORD_HASHER";
    match required(NAME)?.as_str() {
        "argon2" => Ok(Hasher::Argon2),
        "argon2-rust" => Ok(Hasher::Argon2Rust),
        _ => Err(SettingsError::Malformed { name: NAME.to_owned(), kind: "argon2 or argon2-rust" }),
    }
}

/// What a comparison with the imported hashes of a contract costs.
pub(crate) fn imported_hashes(contract: &str) -> Result<Vec<Work>, SettingsError> {
    const NAME: &str = "IMPORTED_HASHES";
    let kind = "a list of contract=algorithm:cost, with costs below the limits";
    let malformed = || SettingsError::Malformed { name: NAME.to_owned(), kind };
    let mut works = Vec::new();
    for stated in optional(NAME).unwrap_or_default().split_whitespace() {
        let (of, work) = stated.split_once('=').ok_or_else(malformed)?;
        let work = work.parse().map_err(|_| malformed())?;
        if of == contract {
            works.push(work);
        }
    }
    Ok(works)
}

/// The settings of SMS.
#[must_use]
pub fn sms() -> SmsSettings {
    SmsSettings { max_price_usd: optional("SMS_MAX_PRICE_USD") }
}

/// The secret with the rules for the senders of texts, unless the environment has them or there are none.
pub(crate) fn senders_secret() -> Option<String> {
    optional("TEXT_SENDERS_SECRET").filter(|_| optional("TEXT_SENDERS").is_none())
}

/// The senders of texts of these contracts, by the rules of a secret or of the environment. Where no rule
/// applies, SNS sends with the sender ID of the stack.
///
/// # Errors
/// The rules are malformed.
pub(crate) fn senders(rules: Option<&str>, contracts: &[&str]) -> Result<Senders, SettingsError> {
    let own = optional("TEXT_SENDERS").unwrap_or_default();
    let rules = senders::read(rules.unwrap_or(&own), contracts)?;
    Ok(Senders { rules, default: Sender::sns(optional("SMS_SENDER_ID")) })
}

/// The endpoint of the webhook that sends texts, and the key that signs its requests.
///
/// # Errors
/// The URL is missing or is not HTTPS, or there is no key. HTTP is allowed on this machine, for tests.
pub(crate) fn sms_webhook() -> Result<(String, RingSource), SettingsError> {
    let key = ["SMS_WEBHOOK_KEY_SECRET", "SMS_WEBHOOK_KEY_RING"];
    webhook("SMS_WEBHOOK_URL", required("SMS_WEBHOOK_URL")?, key)
}

/// The endpoint of the system that users of a contract move in from, and the key that signs its requests.
///
/// # Errors
/// The URL is not HTTPS, or there is no key. HTTP is allowed on this machine, for tests.
pub(crate) fn old_system(contract: &str) -> Result<Option<(String, RingSource)>, SettingsError> {
    let products = optional("MIGRATE_PRODUCTS").unwrap_or_default();
    let moves = products.split(',').any(|product| product.trim() == contract);
    let url = optional("MIGRATE_URL").filter(|_| moves);
    // Not "KEY": an operator makes and rotates it, not the function that rotates keys.
    let key = ["MIGRATE_SIGNER_SECRET", "MIGRATE_SIGNER_RING"];
    url.map(|url| webhook("MIGRATE_URL", url, key)).transpose()
}

/// The highest integer id of the system that users move in from. New users get higher ones.
///
/// # Errors
/// The variable is missing, malformed or zero.
pub(crate) fn highest_old_id() -> Result<u32, SettingsError> {
    const NAME: &str = "MIGRATE_HIGHEST_ID";
    let highest = number(NAME)?;
    let malformed = SettingsError::Malformed { name: NAME.to_owned(), kind: "an id above 0" };
    if highest == 0 { Err(malformed) } else { Ok(highest) }
}

/// Whether users of some contract move in one by one.
#[must_use]
pub fn has_old_system() -> bool {
    ["MIGRATE_URL", "MIGRATE_PRODUCTS"].into_iter().all(|name| optional(name).is_some())
}

/// An endpoint of the operator, and the key that signs its requests: the variables of its secret and of its inline form.
fn webhook(
    variable: &str,
    url: String,
    [secret, name]: [&str; 2],
) -> Result<(String, RingSource), SettingsError> {
    let (stated, inline) = (optional(secret), optional(name));
    let is_local = url.starts_with("http://127.0.0.1:");
    if !url.starts_with("https://") && !is_local {
        let name = variable.to_owned();
        return Err(SettingsError::Malformed { name, kind: "an HTTPS URL" });
    }
    if stated.is_none() && inline.is_none() {
        return Err(SettingsError::Missing(secret.to_owned()));
    }
    Ok((url, RingSource { name: name.to_owned(), secret: stated.unwrap_or_default(), inline }))
}

/// The region that sends texts; `None` for the region of the function.
#[must_use]
pub fn sms_region() -> Option<String> {
    optional("SMS_REGION")
}

/// The region that sends mails; `None` for the region of the function.
#[must_use]
pub fn ses_region() -> Option<String> {
    optional("SES_REGION")
}

/// The configuration set of SES whose events say what became of mails.
pub(crate) fn ses_configuration_set() -> Option<String> {
    optional("SES_CONFIGURATION_SET")
}

/// The senders of mails: those of the brands, and one for all others.
///
/// # Errors
/// The variable is missing.
pub(crate) fn mail_senders(brands: &BTreeMap<String, Brand>) -> Result<MailSenders, SettingsError> {
    Ok(brands::mail_senders(required("EMAIL_SENDER")?, brands))
}

/// The secret with the brands, unless the environment has them or there are none.
pub(crate) fn brands_secret() -> Option<String> {
    optional("BRANDS_SECRET").filter(|_| optional("BRANDS").is_none())
}

/// The brands of these contracts, of a secret or of the environment.
///
/// # Errors
/// The brands are malformed.
pub(crate) fn brands(
    stated: Option<&str>,
    contracts: &[&str],
) -> Result<BTreeMap<String, Brand>, SettingsError> {
    let own = optional("BRANDS").unwrap_or_default();
    Ok(brands::read(stated.unwrap_or(&own), contracts)?)
}

/// The brand of one contract, for its pages. The variables `SIGN_UP_URL`, `SIGN_IN_URL` and `SHOP_URL` of
/// the contract come before the links of the brand.
///
/// # Errors
/// The brands or a variable are malformed.
pub fn page_brand(contract: &str, contracts: &[&str]) -> Result<Brand, SettingsError> {
    let mut brand = brands(None, contracts)?.remove(contract).unwrap_or_default();
    for (kind, link) in [
        ("SIGN_UP_URL", &mut brand.links.sign_up),
        ("SIGN_IN_URL", &mut brand.links.sign_in),
        ("SHOP_URL", &mut brand.links.shop),
    ] {
        let name = variable(kind, contract);
        let Some(url) = optional(&name) else { continue };
        let kind = "a URL that begins with https:// and names a host";
        *link = Some(PageUrl::parse(&url).ok_or(SettingsError::Malformed { name, kind })?);
    }
    Ok(brand)
}

/// The bus that events are published on.
///
/// # Errors
/// The variable is missing.
pub fn event_bus() -> Result<String, SettingsError> {
    required("EVENT_BUS")
}

/// The host of the page where users enter codes.
#[must_use]
pub fn code_host() -> Option<String> {
    optional("CODE_HOST")
}

/// The URL of the API as users reach it. Links in mails begin with it.
///
/// # Errors
/// The variable is missing.
pub fn public_url() -> Result<String, SettingsError> {
    required("PUBLIC_URL")
}

/// The maximum age of a copy of a key ring.
///
/// # Errors
/// The variable is missing or malformed.
pub fn key_ring_lifetime() -> Result<Duration, SettingsError> {
    seconds("KEY_RING_SECONDS")
}

/// The name of a secret, and for tools without Secrets Manager its key ring as text.
#[derive(Clone)]
pub(crate) struct RingSource {
    /// The name of the ring in messages: the variable of its inline form.
    pub(crate) name: String,
    /// The secret's name or ARN.
    pub(crate) secret: String,
    /// The ring in the form that [`KeyRing::inline`](crate::adapters::key_ring::KeyRing::inline)
    /// reads. If it is present, the secret is not read.
    pub(crate) inline: Option<String>,
}

/// The key ring that codes are derived with.
pub(crate) fn code_key() -> Result<RingSource, SettingsError> {
    ring("OTP_KEY_SECRET", "OTP_KEY_RING")
}

/// The key ring of the hashes in log lines.
pub(crate) fn trace_key() -> Result<RingSource, SettingsError> {
    ring("TRACE_KEY_SECRET", "TRACE_KEY_RING")
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

/// The key ring that a contract's access tokens or sessions are signed with.
pub(crate) fn token_key(contract: &str) -> Result<RingSource, SettingsError> {
    contract_key("TOKEN", contract)
}

/// The key ring that a contract's refresh tokens are derived with.
pub(crate) fn refresh_key(contract: &str) -> Result<RingSource, SettingsError> {
    contract_key("REFRESH", contract)
}

/// The key ring that the names of browsers are signed with.
pub(crate) fn user_agent_key(contract: &str) -> Result<RingSource, SettingsError> {
    contract_key("USER_AGENT", contract)
}

/// How long a contract's access tokens are valid.
pub(crate) fn access_token_lifetime(contract: &str) -> Result<Duration, SettingsError> {
    seconds(&variable("ACCESS_TOKEN_SECONDS", contract))
}

/// The issuer of a contract's tokens, if the contract itself does not define it.
pub(crate) fn token_issuer(contract: &str) -> Option<String> {
    optional(&variable("TOKEN_ISSUER", contract))
}

/// Whether a recipient with an account is told so when it asks to sign up. A contract without the
/// setting tells nothing.
pub(crate) fn account_notice(contract: &str) -> Result<bool, SettingsError> {
    let name = variable("ACCOUNT_NOTICE", contract);
    match optional(&name).as_deref() {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(SettingsError::Malformed { name, kind: "true or false" }),
    }
}

/// How long the relay leaves a carrier alone that fails; zero for never.
pub fn breaker_pause() -> Result<Duration, SettingsError> {
    seconds("BREAKER_SECONDS")
}

/// The longest pause between two tries of an outbox entry.
pub fn longest_retry_pause() -> Result<Duration, SettingsError> {
    seconds("RETRY_PAUSE_SECONDS")
}

/// How long a used refresh token of a contract gives its successor again.
pub(crate) fn refresh_repeat(contract: &str) -> Result<Duration, SettingsError> {
    seconds(&variable("REFRESH_REPEAT_SECONDS", contract))
}

/// The lifetime of a session: in a cookie, unless the user asked to be remembered; with refresh
/// tokens, however often it is refreshed.
pub(crate) fn session_lifetime(contract: &str) -> Result<Duration, SettingsError> {
    seconds(&variable("SESSION_SECONDS", contract))
}

/// The domain whose hosts all get a contract's cookies.
pub(crate) fn cookie_domain(contract: &str) -> Option<String> {
    optional(&variable("COOKIE_DOMAIN", contract))
}

/// The settings of key rotation.
pub struct RotationSettings {
    /// Every key that a variable names. The name of the variable is the name of the key.
    pub keys: Vec<RotatedKey>,
    /// How long a key signs before its successor is published.
    pub interval: Duration,
}

impl RotationSettings {
    /// Reads the settings. The keys are those that the variables of the other functions name, so that
    /// no separate list can miss one.
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

/// Returns whether a variable names the secret of a key: `OTP_KEY_SECRET`, `TOKEN_KEY_SECRET_<CONTRACT>`.
fn names_a_key(variable: &str) -> bool {
    let after = variable.split_once("_KEY_SECRET").map(|(_, after)| after);
    after.is_some_and(|after| after.is_empty() || after.starts_with('_'))
}

/// The origins whose pages may send requests to a contract.
#[must_use]
pub fn allowed_origins(contract: &str) -> AllowedOrigins {
    AllowedOrigins::parse(&optional(&variable("ALLOWED_ORIGINS", contract)).unwrap_or_default())
}

/// The front before the API that is trusted.
pub(super) fn front() -> Result<Front, SettingsError> {
    let malformed = |name: &str, kind| SettingsError::Malformed { name: name.to_owned(), kind };
    let passage = match optional("EDGE_REQUIRED").as_deref() {
        None | Some("false") => Passage::Any,
        Some("true") => Passage::FrontOnly,
        Some(_) => return Err(malformed("EDGE_REQUIRED", "true or false")),
    };
    let digests = optional("EDGE_SECRET_SHA256").unwrap_or_default();
    let kind = match passage {
        Passage::Any => "a list of SHA-256 digests in hex",
        Passage::FrontOnly => "a list of SHA-256 digests in hex with at least one",
    };
    Front::parse(&digests, passage).map_err(|_| malformed("EDGE_SECRET_SHA256", kind))
}

fn ring(secret: &str, inline: &str) -> Result<RingSource, SettingsError> {
    Ok(RingSource { name: inline.to_owned(), secret: required(secret)?, inline: optional(inline) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_variables_of_secrets_name_keys() {
        for name in [
            "OTP_KEY_SECRET",
            "TRACE_KEY_SECRET",
            "TOKEN_KEY_SECRET_NEXT",
            "USER_AGENT_KEY_SECRET_NEXT",
        ] {
            assert!(names_a_key(name), "{name}");
        }
        for name in
            ["OTP_KEY_RING", "AWS_SECRET_ACCESS_KEY", "A_KEY_SECRETS", "KEY_ROTATION_SECONDS"]
        {
            assert!(!names_a_key(name), "{name}");
        }
    }
}
