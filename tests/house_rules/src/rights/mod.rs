//! Proposes the rights that functions lack, from the record of the calls that they made.
//!
//! A run of the tests with `LATCHKEY_RIGHTS=target/rights` records the rights that each call needed.
//! [`propose`] compares the record with the policies in `template.yaml`. `tests/aws/rights.py` makes
//! the same comparison with every kind of statement and condition; it is the check in CI, and this
//! is the help for authors.

mod edit;
mod needs;

pub use edit::with_proposals;
pub use needs::{Need, read_needs};

use anyhow::Result;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use template::{Effect, Function, Statement, Template};

/// What a function's policies lack and what they have in excess.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// The logical id of the function.
    pub id: String,
    /// The logical ids of managed policies that allow what the function needs.
    pub managed_policies: Vec<String>,
    /// The statements that allow the rest.
    pub statements: Vec<Proposed>,
    /// Actions on resources that the function's policies allow and no call needed.
    pub unused: Vec<String>,
}

/// A statement that a function lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposed {
    /// The id of the statement, made of its actions and resources.
    pub sid: String,
    /// The actions.
    pub actions: Vec<String>,
    /// The resources as YAML: `!GetAtt Users.Arn`.
    pub resources: Vec<String>,
}

/// An action on a resource that a statement allows.
struct Grant<'a> {
    statement: &'a Statement,
    action: &'a str,
    resource: String,
}

/// Returns a proposal for each function that lacks a right or has one in excess, in the order of the
/// template. A function without a call in the record is left out.
///
/// # Errors
///
/// A statement has a form that is not known here.
pub fn propose(template: &Template, needs: &BTreeSet<Need>) -> Result<Vec<Proposal>> {
    let mut proposals = Vec::new();
    for function in &template.functions {
        let needs: Vec<_> = needs.iter().filter(|need| need.function == function.name).collect();
        if needs.is_empty() {
            continue;
        }
        let proposal = of_function(template, function, &needs)?;
        let Proposal { managed_policies, statements, unused, .. } = &proposal;
        if !(managed_policies.is_empty() && statements.is_empty() && unused.is_empty()) {
            proposals.push(proposal);
        }
    }
    Ok(proposals)
}

fn of_function(template: &Template, function: &Function, needs: &[&Need]) -> Result<Proposal> {
    let grants = grants(template, &function.statements)?;
    let mut used = BTreeSet::new();
    let mut missing = Vec::new();
    for need in needs {
        let allowing: Vec<_> =
            (0..).zip(&grants).filter(|(_, grant)| grant.covers(template, need)).collect();
        match allowing.as_slice() {
            [] => missing.push(*need),
            [(index, _)] => {
                used.insert(*index);
            }
            _ => {}
        }
    }
    let unused = (0..).zip(&grants).filter(|(index, _)| !used.contains(index));
    let unused = unused.map(|(_, Grant { statement, action, resource })| {
        format!("{}: {action} on {resource}", statement.sid)
    });
    let (managed_policies, rest) = managed_policies(template, missing)?;
    Ok(Proposal {
        id: function.id.clone(),
        managed_policies,
        statements: statements(template, &rest),
        unused: unused.collect(),
    })
}

/// What the statements allow. A statement that denies something is left to the check.
fn grants<'a>(template: &Template, statements: &'a [Statement]) -> Result<Vec<Grant<'a>>> {
    let mut grants = Vec::new();
    for statement in statements.iter().filter(|statement| statement.effect == Effect::Allow) {
        for resource in &statement.resources {
            let resolved = template.resolve(&json!({ "Fn::Sub": resource }))?;
            let resolved = resolved.as_ref().and_then(Value::as_str).unwrap_or(resource);
            grants.extend(statement.actions.iter().map(|action| Grant {
                statement,
                action,
                resource: resolved.to_owned(),
            }));
        }
    }
    Ok(grants)
}

impl Grant<'_> {
    fn covers(&self, template: &Template, need: &Need) -> bool {
        self.action == need.action
            && matches(&self.resource, &need.resource)
            && self.statement.condition.as_ref().is_none_or(|condition| {
                let operators = condition.as_object().into_iter().flatten();
                operators.into_iter().all(|(operator, keys)| {
                    let mut keys = keys.as_object().into_iter().flatten();
                    keys.all(|(key, values)| {
                        let allowed = texts(template, values);
                        let actual = need.context.get(key).map(Vec::as_slice).unwrap_or_default();
                        let allow = actual.iter().all(|value| allowed.contains(value));
                        allow && (operator.starts_with("ForAllValues:") || actual.len() == 1)
                    })
                })
            })
    }
}

/// The values of a condition's key, resolved.
fn texts(template: &Template, values: &Value) -> Vec<String> {
    let values = values.as_array().map_or(std::slice::from_ref(values), Vec::as_slice);
    let resolved = values.iter().filter_map(|value| template.resolve(value).ok().flatten());
    resolved.filter_map(|value| value.as_str().map(str::to_owned)).collect()
}

/// Whether a text matches a pattern in which `*` matches any characters.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(text) = text.strip_prefix(first) else { return false };
    let tails = text.char_indices().map(|(index, _)| index).chain([text.len()]);
    tails.filter_map(|index| text.get(index..)).any(|tail| matches(rest, tail))
}

/// The managed policies of the template that allow some of the needs, and the needs that they do not
/// allow. A policy is not proposed for what the statements for the rest allow anyway.
fn managed_policies<'a>(
    template: &Template,
    needs: Vec<&'a Need>,
) -> Result<(Vec<String>, Vec<&'a Need>)> {
    let statements: BTreeMap<_, _> = template
        .functions
        .iter()
        .flat_map(|function| &function.statements)
        .filter_map(|statement| Some((statement.managed_policy.as_ref()?, statement)))
        .collect();
    let mut by_policy = Vec::new();
    let mut rest = needs;
    for (policy, statement) in statements {
        let grants = grants(template, std::slice::from_ref(statement))?;
        let covered = |need: &&Need| grants.iter().any(|grant| grant.covers(template, need));
        let (allowed, others): (Vec<_>, Vec<_>) = rest.into_iter().partition(covered);
        rest = others;
        by_policy.push((policy, allowed));
    }
    let anyway = |need: &&Need| {
        rest.iter().any(|other| (&other.action, &other.resource) == (&need.action, &need.resource))
    };
    by_policy.retain(|(_, allowed)| !allowed.iter().all(anyway));
    Ok((by_policy.into_iter().map(|(policy, _)| policy.clone()).collect(), rest))
}

/// One statement for each set of actions that some resources have in common.
fn statements(template: &Template, needs: &[&Need]) -> Vec<Proposed> {
    let mut actions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for need in needs {
        actions.entry(&need.resource).or_default().insert(&need.action);
    }
    let mut resources: BTreeMap<BTreeSet<&str>, Vec<&str>> = BTreeMap::new();
    for (resource, actions) in actions {
        resources.entry(actions).or_default().push(resource);
    }
    let proposed = resources.into_iter().map(|(actions, resources)| Proposed {
        sid: sid(&actions, &resources),
        actions: actions.into_iter().map(str::to_owned).collect(),
        resources: resources.into_iter().map(|id| resource_in_yaml(template, id)).collect(),
    });
    proposed.collect()
}

/// `PutItemAndUpdateItemUsers` for both actions on the table `Users`.
fn sid(actions: &BTreeSet<&str>, resources: &[&str]) -> String {
    let actions: Vec<_> =
        actions.iter().map(|action| action.rsplit(':').next().unwrap_or(action)).collect();
    let letters =
        |text: &&str| -> String { text.chars().filter(char::is_ascii_alphanumeric).collect() };
    let resources: Vec<_> = resources.iter().map(letters).collect();
    format!("{}{}", actions.join("And"), resources.join("And"))
}

fn resource_in_yaml(template: &Template, id: &str) -> String {
    if let Some((table, index)) = id.split_once("/index/") {
        return format!("!Sub ${{{table}.Arn}}/index/{index}");
    }
    match template.resource(id).map(|resource| resource.kind.as_str()) {
        Some("AWS::SecretsManager::Secret") => format!("!Ref {id}"),
        Some(_) => format!("!GetAtt {id}.Arn"),
        None => format!("\"{id}\""),
    }
}

impl fmt::Display for Proposed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sid, actions, resources } = self;
        let list = |values: &[String]| match values {
            [value] => value.clone(),
            values => format!("[{}]", values.join(", ")),
        };
        let (actions, resources) = (list(actions), list(resources));
        write!(
            formatter,
            "- Sid: {sid}\n  Effect: Allow\n  Action: {actions}\n  Resource: {resources}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = include_str!("../fixtures/template.yaml");

    fn need(function: &str, action: &str, resource: &str, keys: &[&str]) -> Need {
        let keys: Vec<_> = keys.iter().map(|key| (*key).to_owned()).collect();
        let context = BTreeMap::from([("dynamodb:LeadingKeys".to_owned(), keys)]);
        Need {
            function: function.to_owned(),
            action: action.to_owned(),
            resource: resource.to_owned(),
            context,
        }
    }

    fn proposals(needs: &[Need]) -> Vec<Proposal> {
        let template = Template::parse(TEMPLATE).unwrap();
        propose(&template, &needs.iter().cloned().collect()).unwrap()
    }

    /// The needs of the functions of the fixture, all of which it grants.
    fn granted() -> Vec<Need> {
        vec![
            need("gotu-post-otp", "dynamodb:UpdateItem", "Challenges", &["+62"]),
            need("gotu-post-otp", "dynamodb:UpdateItem", "Budgets", &["+62"]),
            need("rotate-keys", "dynamodb:GetItem", "Challenges", &["warm-up"]),
        ]
    }

    #[test]
    fn functions_that_may_do_what_they_do_need_no_proposal() {
        assert_eq!(proposals(&granted()), []);
    }

    #[test]
    fn rights_that_no_call_needed_are_listed() {
        let mut needs = granted();
        needs.remove(1);
        let proposals = proposals(&needs);
        assert_eq!(proposals[0].unused, ["OpenChallenge: dynamodb:UpdateItem on Budgets"]);
        assert_eq!(proposals.len(), 1);
    }

    #[test]
    fn missing_rights_are_grouped_by_actions_and_resources() {
        let mut needs = granted();
        for (action, resource) in [
            ("dynamodb:PutItem", "Outbox"),
            ("dynamodb:PutItem", "Budgets"),
            ("dynamodb:DeleteItem", "Budgets"),
            ("secretsmanager:GetSecretValue", "OtpKey"),
            ("dynamodb:Query", "Outbox/index/due"),
            ("sns:Publish", "*"),
        ] {
            needs.push(need("gotu-get-me", action, resource, &["x"]));
        }
        let proposals = proposals(&needs);
        let statements: Vec<_> = proposals[0].statements.iter().map(Proposed::to_string).collect();
        let wanted = [
            "- Sid: DeleteItemAndPutItemBudgets\n  Effect: Allow\n  \
             Action: [dynamodb:DeleteItem, dynamodb:PutItem]\n  Resource: !GetAtt Budgets.Arn",
            "- Sid: PutItemOutbox\n  Effect: Allow\n  \
             Action: dynamodb:PutItem\n  Resource: !GetAtt Outbox.Arn",
            "- Sid: QueryOutboxindexdue\n  Effect: Allow\n  \
             Action: dynamodb:Query\n  Resource: !Sub ${Outbox.Arn}/index/due",
            "- Sid: GetSecretValueOtpKey\n  Effect: Allow\n  \
             Action: secretsmanager:GetSecretValue\n  Resource: !Ref OtpKey",
            "- Sid: Publish\n  Effect: Allow\n  Action: sns:Publish\n  Resource: \"*\"",
        ];
        assert_eq!(statements, wanted);
    }

    #[test]
    fn a_managed_policy_is_proposed_where_it_is_enough() {
        let warm_up = || need("gotu-get-me", "dynamodb:GetItem", "Challenges", &["warm-up"]);
        let mut needs = granted();
        needs.push(warm_up());
        let only_warm_up = proposals(&needs);
        assert_eq!(only_warm_up[0].managed_policies, ["WarmUp"]);
        assert_eq!(only_warm_up[0].statements, []);
        needs.push(need("gotu-get-me", "dynamodb:GetItem", "Challenges", &["+62"]));
        let both = proposals(&needs);
        assert!(both[0].managed_policies.is_empty());
        assert_eq!(both[0].statements[0].sid, "GetItemChallenges");
    }

    #[test]
    fn a_star_matches_any_characters() {
        assert!(matches("*", "") && matches("*", "a") && matches("a*c", "abbc"));
        assert!(matches("a:*:*", "a:b:c") && matches("ab", "ab"));
        assert!(!matches("a*c", "abbd") && !matches("ab", "abc"));
    }
}
