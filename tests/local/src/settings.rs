//! Checks the variables that `--env` sets, before anything starts.

use anyhow::bail;
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};
use template::Template;

/// The variables that functions read and the template never sets.
const OTHERS: [&str; 2] = ["RUST_BACKTRACE", "TEXT_SENDERS"];
/// A ring of keys can be given instead of the secret that has it.
const RING: (&str, &str) = ("_KEY_RING", "_KEY_SECRET");
/// What the variables of Lambda and of the SDK begin with.
const OF_AWS: [&str; 3] = ["AWS_", "LAMBDA_", "_"];
/// How much a name may differ from the one that is suggested (Jaro-Winkler; 1 is equal).
const LIKE: f64 = 0.85;

/// Refuses variables that no function reads, and values that their parameter cannot have.
pub(crate) fn check(template: &Template, given: &[(String, String)]) -> anyhow::Result<()> {
    let known = names(template);
    let parameters = parameters(template);
    for (name, value) in given {
        let is_of_aws = OF_AWS.iter().any(|start| name.starts_with(start));
        let secret = name.replace(RING.0, RING.1);
        let is_known = known.contains(name) || known.contains(&secret);
        if !is_of_aws && !is_known {
            bail!("no function reads {name}{}", suggestion(name, &known));
        }
        if let Some(mistake) = parameters.get(name).and_then(|body| mistake(body, value)) {
            bail!("{name} must be {mistake}, not {value:?}");
        }
    }
    Ok(())
}

/// Returns every variable that the template sets in some case, also with other parameters.
fn names(template: &Template) -> BTreeSet<String> {
    let mut names: BTreeSet<_> = OTHERS.iter().map(|name| (*name).to_owned()).collect();
    add_variables(template.document(), &mut names);
    names
}

fn add_variables(value: &Json, names: &mut BTreeSet<String>) {
    match value {
        Json::Object(members) => {
            for (name, member) in members {
                if name == "Variables"
                    && let Some(variables) = member.as_object()
                {
                    names.extend(variables.keys().cloned());
                }
                add_variables(member, names);
            }
        }
        Json::Array(members) => members.iter().for_each(|member| add_variables(member, names)),
        _ => {}
    }
}

fn suggestion(name: &str, known: &BTreeSet<String>) -> String {
    let upper = name.to_ascii_uppercase();
    let scored = known.iter().map(|known| (strsim::jaro_winkler(&upper, known), known));
    let best = scored.max_by(|(one, _), (other, _)| one.total_cmp(other));
    match best.filter(|(score, _)| *score >= LIKE) {
        Some((_, known)) => format!("; did you mean {known}?"),
        None => "; configuration.md lists the variables".to_owned(),
    }
}

/// Returns the parameter whose value each variable has.
fn parameters(template: &Template) -> BTreeMap<String, Json> {
    let body = |name: &str| {
        let parameter = template.parameters.iter().find(|parameter| parameter.name == name);
        parameter.map(|parameter| parameter.body.clone())
    };
    // A variable has the name of its parameter in another case.
    let own = template.functions.iter().flat_map(|function| function.environment.keys());
    let found = own.filter_map(|name| Some((name.clone(), body(&pascal(name))?)));
    found.collect()
}

/// Returns `OtpTtlSeconds` for `OTP_TTL_SECONDS`.
fn pascal(name: &str) -> String {
    let words = name.split('_').filter_map(|word| {
        let (first, rest) = word.split_at_checked(1)?;
        Some(format!("{first}{}", rest.to_ascii_lowercase()))
    });
    words.collect()
}

/// Returns what a value must be, if it is not. Bounds do not count here: 0 is allowed for tests.
fn mistake(body: &Json, value: &str) -> Option<String> {
    if let Some(allowed) = body.get("AllowedValues").and_then(Json::as_array) {
        let allowed: Vec<_> = allowed.iter().map(plain).collect();
        return (!allowed.iter().any(|it| it == value))
            .then(|| format!("one of {}", allowed.join(", ")));
    }
    let is_number = body.get("Type").and_then(Json::as_str) == Some("Number");
    let is_whole = value.bytes().all(|byte| byte.is_ascii_digit()) && !value.is_empty();
    (is_number && !is_whole).then(|| "a whole number".to_owned())
}

fn plain(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(name: &str, value: &str) -> Result<(), String> {
        let template = Template::load().unwrap();
        let given = [(name.to_owned(), value.to_owned())];
        check(&template, &given).map_err(|error| error.to_string())
    }

    #[test]
    fn a_name_that_no_function_reads_is_refused_with_the_nearest_one() {
        let refused = checked("OTP_TTL_SECOND", "5").unwrap_err();
        assert_eq!(refused, "no function reads OTP_TTL_SECOND; did you mean OTP_TTL_SECONDS?");
        let refused = checked("otp_ttl_seconds", "5").unwrap_err();
        assert!(refused.ends_with("did you mean OTP_TTL_SECONDS?"), "{refused}");
        let refused = checked("COLOUR", "blue").unwrap_err();
        assert!(refused.contains("configuration.md"), "{refused}");
        for name in ["OTP_TTL_SECONDS", "AWS_REGION", "TRACE_KEY_RING"] {
            checked(name, "5").unwrap();
        }
    }

    #[test]
    fn a_value_that_its_parameter_cannot_have_is_refused() {
        let refused = checked("OTP_TTL_SECONDS", "abc").unwrap_err();
        assert_eq!(refused, "OTP_TTL_SECONDS must be a whole number, not \"abc\"");
        for (name, value) in [("OTP_TTL_SECONDS", "-1"), ("OTP_SENDS_PER_HOUR", "")] {
            checked(name, value).unwrap_err();
        }
        checked("OTP_SENDS_PER_HOUR", "0").unwrap();
        checked("SMS_COUNTRIES", "*").unwrap();
    }

    #[test]
    fn every_documented_variable_is_known() {
        let path = template::project_root().join("shared/docs/configuration.md");
        let text = std::fs::read_to_string(path).unwrap();
        let known = names(&Template::load().unwrap());
        let words = text.split('`').filter(|word| {
            let is_name =
                |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
            word.contains('_') && word.bytes().all(is_name) && !word.starts_with("AWS_")
        });
        let unknown: Vec<_> = words
            .filter(|word| !known.contains(*word) && !known.contains(&word.replace(RING.0, RING.1)))
            .collect();
        assert!(known.len() > 50 && unknown.is_empty(), "{unknown:?}");
    }
}
