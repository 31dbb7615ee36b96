//! The environment variables of the functions.

use crate::options::Options;
use std::collections::BTreeMap;
use template::Function;
use template::arn::REGION;

/// The variables that have another value here than in the template. No message reaches a phone or
/// costs money, so all countries are allowed, the documents are published, and what limits all people together is off: a test
/// suite would reach it. The pauses of the relay are short: what a fault delayed is promised within
/// 30 seconds after the fault ends.
const LOCAL: [(&str, &str); 12] = [
    ("API_DOCUMENTS", "on"),
    ("SMS_COUNTRIES", "*"),
    ("WRONG_CODES_PER_HOUR", "0"),
    ("MESSAGES_PER_HOUR", "0"),
    ("MESSAGES_PER_DAY", "0"),
    ("MESSAGES_USD_PER_HOUR", "0"),
    ("MESSAGES_USD_PER_DAY", "0"),
    ("MESSAGES_USD_PER_DAY_IN_ALL", "0"),
    ("UNUSED_CODES_PER_PREFIX", "0"),
    ("BREAKER_SECONDS", "2"),
    ("RETRY_PAUSE_SECONDS", "5"),
    // The stack plays the old system of the products that an option names.
    ("MIGRATE_PRODUCTS", ""),
];
/// The variables that switch the limits of recipients, sources and clients off.
const NO_LIMITS: [(&str, &str); 2] =
    [("OTP_SENDS_PER_HOUR", "0"), ("OTP_SENDS_PER_HOUR_PER_IP", "0")];

/// Returns the variables that the options set.
pub(super) fn given(options: &Options) -> Vec<(String, String)> {
    let limits = NO_LIMITS.iter().filter(|_| !options.limits);
    let limits = limits.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    limits.chain(options.env.iter().cloned()).collect()
}

/// The start of the links in mails, which lead to this stack.
const PUBLIC_URL: &str = "PUBLIC_URL";
/// The webhook for texts and the old system, which this stack plays: their addresses, and the variables with the
/// key that signs the requests.
const ENDPOINTS: [[&str; 3]; 2] = [
    ["SMS_WEBHOOK_URL", "/_local/sms-webhook", "SMS_WEBHOOK_KEY_RING"],
    ["MIGRATE_URL", "/_local/old-system", "MIGRATE_SIGNER_RING"],
];
/// The key: the text `a key of the local stack, 32 bytes` in the form of Standard Webhooks.
const ENDPOINT_KEY: &str = r#"{"v1":{"key":"whsec_YSBrZXkgb2YgdGhlIGxvY2FsIHN0YWNrLCAzMiBieXRlcw==","stage":"AWSCURRENT"}}"#;

/// The start of the variables with the origins whose pages may send requests to a contract.
const ALLOWED_ORIGINS: &str = "ALLOWED_ORIGINS_";
/// The pages of this machine, which a developer works on.
const LOCAL_PAGES: [&str; 2] = ["http://localhost:*", "http://127.0.0.1:*"];

/// Returns a list of origins with those of [`LOCAL_PAGES`].
fn with_local_pages(origins: &str) -> String {
    let configured = origins.split(',').filter(|origin| !origin.is_empty());
    configured.chain(LOCAL_PAGES).collect::<Vec<_>>().join(",")
}

/// Returns whether carriers report what becomes of messages.
pub(super) fn reports_deliveries(overrides: &[(String, String)]) -> bool {
    overrides.iter().any(|(name, value)| name == "DELIVERY_REPORTS" && value == "on")
}

/// Returns the variables whose values are the addresses and keys of this stack.
fn own(api_url: &str) -> Vec<(&'static str, String)> {
    let endpoints = ENDPOINTS.into_iter().flat_map(|[url, path, key]| {
        [(url, format!("{api_url}{path}")), (key, ENDPOINT_KEY.to_owned())]
    });
    [(PUBLIC_URL, api_url.to_owned())].into_iter().chain(endpoints).collect()
}

/// Returns the variables that replace the template's in a deployed stack.
pub(super) fn overrides(overrides: &[(String, String)], api_url: &str) -> Vec<(String, String)> {
    let local = LOCAL.map(|(name, value)| (name, value.to_owned()));
    let local = local.into_iter().chain(own(api_url));
    let local = local.map(|(name, value)| (name.to_owned(), value));
    local.chain(overrides.iter().cloned()).collect()
}

/// Returns all variables of a function: those of the template, those that Lambda sets, and the
/// overrides of the options.
pub(super) fn variables(
    function: &Function,
    overrides: &[(String, String)],
    aws_url: &str,
    api_url: &str,
) -> BTreeMap<String, String> {
    let mut variables = function.environment.clone();
    let local = LOCAL.map(|(name, value)| (name, value.to_owned()));
    for (name, value) in local.into_iter().chain(own(api_url)) {
        if let Some(variable) = variables.get_mut(name) {
            *variable = value;
        }
    }
    for (_, origins) in variables.iter_mut().filter(|(name, _)| name.starts_with(ALLOWED_ORIGINS)) {
        *origins = with_local_pages(origins);
    }
    let name = function.name.as_str();
    let memory = function.memory_mb.to_string();
    let log_group = format!("/aws/lambda/{name}");
    for (key, value) in [
        ("_HANDLER", "bootstrap"),
        ("AWS_DEFAULT_REGION", REGION),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_ENDPOINT_URL", aws_url),
        ("AWS_EXECUTION_ENV", "AWS_Lambda_provided.al2023"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", &memory),
        ("AWS_LAMBDA_FUNCTION_NAME", name),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", &log_group),
        ("AWS_REGION", REGION),
        ("AWS_SECRET_ACCESS_KEY", "local"),
        ("AWS_SESSION_TOKEN", "local"),
        ("TZ", ":UTC"),
    ] {
        variables.insert(key.to_owned(), value.to_owned());
    }
    variables.extend(overrides.iter().cloned());
    variables
}

#[cfg(test)]
mod tests {
    use super::*;

    const API: &str = "http://127.0.0.1:2";

    fn function() -> Function {
        Function {
            name: "gotu-post-otp".to_owned(),
            timeout: std::time::Duration::from_secs(10),
            memory_mb: 256,
            environment: [
                ("SMS_COUNTRIES", "+852"),
                ("MESSAGES_PER_HOUR", "2000"),
                ("OTP_TTL_SECONDS", "300"),
                ("PUBLIC_URL", "https://api.example"),
                ("ALLOWED_ORIGINS_GOTU", ""),
                ("ALLOWED_ORIGINS_URBANFITS", "https://a.example,https://b.example"),
            ]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
            ..Function::default()
        }
    }

    #[test]
    fn every_country_is_allowed_unless_an_override_has_others() {
        let plain = variables(&function(), &[], "http://127.0.0.1:1", API);
        assert_eq!(plain.get("SMS_COUNTRIES").unwrap(), "*");
        let overrides = [("SMS_COUNTRIES".to_owned(), "+62".to_owned())];
        let overridden = variables(&function(), &overrides, "http://127.0.0.1:1", API);
        assert_eq!(overridden.get("SMS_COUNTRIES").unwrap(), "+62");
    }

    #[test]
    fn the_ceilings_of_all_people_are_off_unless_an_override_has_others() {
        let plain = variables(&function(), &[], "http://127.0.0.1:1", API);
        assert_eq!(plain.get("MESSAGES_PER_HOUR").unwrap(), "0");
        let overrides = [("MESSAGES_PER_HOUR".to_owned(), "7".to_owned())];
        let overridden = variables(&function(), &overrides, "http://127.0.0.1:1", API);
        assert_eq!(overridden.get("MESSAGES_PER_HOUR").unwrap(), "7");
    }

    #[test]
    fn links_lead_to_this_stack_unless_an_override_has_another_address() {
        let plain = variables(&function(), &[], "http://127.0.0.1:1", API);
        assert_eq!(plain.get("PUBLIC_URL").unwrap(), API);
        let overrides = [("PUBLIC_URL".to_owned(), "https://shop.example".to_owned())];
        let overridden = variables(&function(), &overrides, "http://127.0.0.1:1", API);
        assert_eq!(overridden.get("PUBLIC_URL").unwrap(), "https://shop.example");
    }

    #[test]
    fn pages_of_this_machine_are_allowed_unless_an_override_has_other_pages() {
        let plain = variables(&function(), &[], "http://127.0.0.1:1", API);
        let local = "http://localhost:*,http://127.0.0.1:*";
        assert_eq!(plain["ALLOWED_ORIGINS_GOTU"], local);
        let all = format!("https://a.example,https://b.example,{local}");
        assert_eq!(plain["ALLOWED_ORIGINS_URBANFITS"], all);
        let overrides = [("ALLOWED_ORIGINS_GOTU".to_owned(), "https://c.example".to_owned())];
        let overridden = variables(&function(), &overrides, "http://127.0.0.1:1", API);
        assert_eq!(overridden["ALLOWED_ORIGINS_GOTU"], "https://c.example");
    }

    #[test]
    fn overrides_win_and_the_variables_of_lambda_are_set() {
        let overrides =
            [("OTP_TTL_SECONDS".to_owned(), "2".to_owned()), ("NEW".to_owned(), "1".to_owned())];
        let variables = variables(&function(), &overrides, "http://127.0.0.1:1", API);
        for (key, value) in [
            ("OTP_TTL_SECONDS", "2"),
            ("NEW", "1"),
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
            ("AWS_LAMBDA_FUNCTION_NAME", "gotu-post-otp"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
            ("AWS_REGION", "us-east-1"),
        ] {
            assert_eq!(variables.get(key).map(String::as_str), Some(value), "{key}");
        }
    }
}
