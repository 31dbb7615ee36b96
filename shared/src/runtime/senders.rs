//! Reads the senders of texts from the JSON that the deployment gives (`shared/docs/senders.md`).

use crate::domain::phone::is_dial_code;
use crate::domain::sender::{RegisteredTexts, Sender, SenderRule, TextCarrier};
use serde::Deserialize;
use std::collections::BTreeMap;

/// What is wrong with the senders.
#[derive(Debug, thiserror::Error)]
pub enum SendersError {
    #[error("TEXT_SENDERS is not a JSON list of rules: {0}")]
    Json(#[from] serde_json::Error),
    /// The number of the rule, counted from 1, and the rule of the format that it breaks.
    #[error("rule {0} of TEXT_SENDERS: {1}")]
    Rule(usize, &'static str),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Rule {
    contract: Option<String>,
    dial_code: Option<String>,
    #[serde(default = "sns")]
    carriers: Vec<Carrier>,
    sender_id: Option<String>,
    origination_number: Option<String>,
    entity_id: Option<String>,
    #[serde(default)]
    template_ids: BTreeMap<String, String>,
    region: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Carrier {
    Sns,
    EndUserMessaging,
    Webhook,
}

fn sns() -> Vec<Carrier> {
    vec![Carrier::Sns]
}

impl From<Carrier> for TextCarrier {
    fn from(carrier: Carrier) -> Self {
        match carrier {
            Carrier::Sns => Self::Sns,
            Carrier::EndUserMessaging => Self::EndUserMessaging,
            Carrier::Webhook => Self::Webhook,
        }
    }
}

/// Reads the rules. An empty text has none.
///
/// # Errors
/// The text is not a list of rules, or a rule could never be used by a carrier.
pub(crate) fn read(text: &str, contracts: &[&str]) -> Result<Vec<SenderRule>, SendersError> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let rules: Vec<Rule> = serde_json::from_str(text)?;
    let rules = rules.into_iter().enumerate();
    rules
        .map(|(place, rule)| {
            let broken = |what| SendersError::Rule(place.saturating_add(1), what);
            check(&rule, contracts).map_err(broken)?;
            let register = rule
                .entity_id
                .map(|entity_id| RegisteredTexts { entity_id, template_ids: rule.template_ids });
            Ok(SenderRule {
                contract: rule.contract,
                dial_code: rule.dial_code,
                sender: Sender {
                    carriers: rule.carriers.into_iter().map(TextCarrier::from).collect(),
                    sender_id: rule.sender_id,
                    origination_number: rule.origination_number,
                    register,
                    region: rule.region,
                },
            })
        })
        .collect()
}

/// Returns the rule of the format that a rule breaks.
fn check(rule: &Rule, contracts: &[&str]) -> Result<(), &'static str> {
    let digits = |id: &String| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
    let has = |name: &Option<String>, is: fn(&str) -> bool| name.as_deref().is_none_or(is);
    if rule.contract.as_deref().is_some_and(|name| !contracts.contains(&name)) {
        return Err("contract must be the name of a contract");
    }
    if !has(&rule.dial_code, is_dial_code) {
        return Err("dialCode must be a plus sign and digits");
    }
    if rule.carriers.is_empty() {
        return Err("carriers must name a carrier");
    }
    if !has(&rule.sender_id, is_sender_id) {
        return Err("senderId must be 3 to 11 letters, digits or hyphens, with a letter");
    }
    if rule.entity_id.as_ref().is_some_and(|id| !digits(id))
        || !rule.template_ids.values().all(digits)
    {
        return Err("entityId and templateIds must be digits");
    }
    if rule.entity_id.is_none() && !rule.template_ids.is_empty() {
        return Err("templateIds need an entityId");
    }
    let needs_origin = rule.carriers.iter().any(|it| matches!(it, Carrier::EndUserMessaging));
    if needs_origin && rule.sender_id.is_none() && rule.origination_number.is_none() {
        return Err("end-user-messaging needs a senderId or an originationNumber");
    }
    // SNS takes the ids of India's register with a sender ID only (SNS developer guide).
    if rule.entity_id.is_some() && rule.sender_id.is_none() {
        return Err("entityId needs a senderId");
    }
    Ok(())
}

/// A sender ID as SNS takes it (SNS developer guide, "Sender IDs").
fn is_sender_id(id: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (3..=11).contains(&id.len())
        && id.bytes().all(known)
        && id.bytes().any(|byte| byte.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        read(text, &["gotu", "posbytz"]).unwrap_err().to_string()
    }

    #[test]
    fn a_rule_has_its_carriers_and_the_ids_of_a_register() {
        let rules = r#"[
            {"contract": "posbytz", "dialCode": "+91", "senderId": "PSBYTZ", "entityId": "1101",
             "templateIds": {"posbytz.verify": "1107"}, "region": "ap-south-1"},
            {"carriers": ["webhook", "end-user-messaging", "sns"], "originationNumber": "+15550100"}
        ]"#;
        let rules = read(rules, &["posbytz"]).unwrap();
        let first = &rules.first().unwrap().sender;
        assert_eq!(first.carriers, [TextCarrier::Sns]);
        assert_eq!(first.region.as_deref(), Some("ap-south-1"));
        let register = first.register.as_ref().unwrap();
        assert_eq!(register.entity_id, "1101");
        assert_eq!(register.template_ids.get("posbytz.verify").map(String::as_str), Some("1107"));
        let second = rules.get(1).unwrap();
        let all = [TextCarrier::Webhook, TextCarrier::EndUserMessaging, TextCarrier::Sns];
        assert_eq!((second.sender.carriers.as_slice(), &second.dial_code), (&all[..], &None));
        assert!(read("", &[]).unwrap().is_empty());
    }

    #[test]
    fn a_rule_that_no_carrier_could_use_is_named() {
        for (text, wanted) in [
            (r#"[{"contract": "other"}]"#, "rule 1 of TEXT_SENDERS: contract must be"),
            (r#"[{}, {"dialCode": "91"}]"#, "rule 2 of TEXT_SENDERS: dialCode must be"),
            (r#"[{"carriers": []}]"#, "carriers must name"),
            (r#"[{"carriers": ["end-user-messaging"]}]"#, "needs a senderId or"),
            (r#"[{"senderId": "12345"}]"#, "senderId must be"),
            (r#"[{"senderId": "two words"}]"#, "senderId must be"),
            (r#"[{"senderId": "ABC", "entityId": "x"}]"#, "must be digits"),
            (r#"[{"templateIds": {"a": "1"}}]"#, "need an entityId"),
            (r#"[{"entityId": "1"}]"#, "needs a senderId"),
            (r#"[{"carriers": ["pigeon"]}]"#, "unknown variant `pigeon`"),
            (r#"[{"sender": "ABC"}]"#, "unknown field `sender`"),
            ("{}", "not a JSON list"),
        ] {
            assert!(error(text).contains(wanted), "{text}: {}", error(text));
        }
    }
}
