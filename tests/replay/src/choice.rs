//! Which rules a replay goes to.
//!
//! A replay of EventBridge takes the events of a time and cannot be limited to a type. It can be limited to rules, and each rule
//! takes the events that its pattern matches. So a type is chosen by the rules that take it.

use anyhow::{Result, bail, ensure};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// A rule, and the events that it can take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) name: String,
    pub(crate) arn: String,
    /// The events that it takes of those that are wanted, as `source TYPE`.
    pub(crate) wanted: BTreeSet<String>,
    /// The other events that it takes.
    pub(crate) others: BTreeSet<String>,
}

/// Returns the part of a pattern that is about source and type. The rest cannot be judged by an example of an event.
pub(crate) fn of_source_and_type(pattern: &str) -> Result<Value> {
    let Ok(Value::Object(pattern)) = serde_json::from_str(pattern) else {
        bail!("a pattern is not an object: {pattern}");
    };
    let about = |(name, _): &(String, Value)| ["source", "detail-type"].contains(&name.as_str());
    // `$or` can be about them, too: the rule counts as one that takes everything that the other fields allow.
    Ok(Value::Object(pattern.into_iter().filter(about).collect::<Map<_, _>>()))
}

/// Returns the ARNs of the rules that take what is wanted. `named` are the rules that the operator named.
///
/// # Errors
///
/// If no rule takes it, a named rule does not, or a rule takes other events, unless `with_others` allows that.
pub(crate) fn choose(rules: &[Rule], named: &[String], with_others: bool) -> Result<Vec<String>> {
    for name in named {
        let Some(rule) = rules.iter().find(|rule| rule.name == *name) else {
            bail!("the bus has no rule {name} that is enabled and has an event pattern");
        };
        ensure!(!rule.wanted.is_empty(), "the rule {name} takes none of these events");
    }
    let is_chosen =
        |rule: &&Rule| !rule.wanted.is_empty() && (named.is_empty() || named.contains(&rule.name));
    let chosen: Vec<_> = rules.iter().filter(is_chosen).collect();
    ensure!(!chosen.is_empty(), "no rule on the bus takes these events");
    if !with_others {
        for rule in &chosen {
            let others: Vec<_> = rule.others.iter().map(String::as_str).collect();
            ensure!(
                others.is_empty(),
                "the rule {} also takes {}, and a replay brings them with it. Choose rules with --rule, or allow it with \
                 --with-others: consumers drop an eventId that they have handled",
                rule.name,
                others.join(", ")
            );
        }
    }
    Ok(chosen.into_iter().map(|rule| rule.arn.clone()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(name: &str, wanted: &[&str], others: &[&str]) -> Rule {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Rule {
            name: name.to_owned(),
            arn: format!("arn:{name}"),
            wanted: set(wanted),
            others: set(others),
        }
    }

    fn chosen(rules: &[Rule], named: &[&str], with_others: bool) -> Result<Vec<String>, String> {
        let named: Vec<_> = named.iter().map(|name| (*name).to_owned()).collect();
        choose(rules, &named, with_others).map_err(|error| error.to_string())
    }

    #[test]
    fn the_rules_that_take_the_wanted_events_and_no_others_are_chosen() {
        let rules = [rule("a", &["s T"], &[]), rule("b", &[], &["s U"]), rule("c", &["s T"], &[])];
        assert_eq!(chosen(&rules, &[], false).unwrap(), ["arn:a", "arn:c"]);
        assert_eq!(chosen(&rules, &["c"], false).unwrap(), ["arn:c"]);
        assert!(chosen(&rules, &["b"], false).unwrap_err().contains("takes none of these events"));
        assert!(chosen(&rules, &["d"], false).unwrap_err().contains("no rule d"));
        assert!(chosen(&rules[1..2], &[], false).unwrap_err().contains("no rule on the bus"));
    }

    #[test]
    fn a_rule_that_takes_other_events_is_chosen_only_on_demand() {
        let rules = [rule("a", &["s T"], &[]), rule("b", &["s T"], &["s U", "s V"])];
        let error = chosen(&rules, &[], false).unwrap_err();
        assert!(error.starts_with("the rule b also takes s U, s V, and"), "{error}");
        assert_eq!(chosen(&rules, &["a"], false).unwrap(), ["arn:a"]);
        assert_eq!(chosen(&rules, &[], true).unwrap(), ["arn:a", "arn:b"]);
    }

    #[test]
    fn only_source_and_type_of_a_pattern_are_judged() {
        let pattern = r#"{"source": ["s"], "detail": {"store": ["S1"]}, "$or": []}"#;
        assert_eq!(of_source_and_type(pattern).unwrap().to_string(), r#"{"source":["s"]}"#);
        assert!(of_source_and_type("[]").is_err());
    }
}
