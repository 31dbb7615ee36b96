//! template.yaml against the code, and against what every function must have.

use super::{functions, read};
use latchkey::contracts::routes;
use latchkey::domain::session::{IDLE_LIFETIME, REMEMBERED_LIFETIME};
use std::collections::{BTreeMap, BTreeSet};
use yaml_serde::Value;

fn template() -> Value {
    yaml_serde::from_str(&read("template.yaml")).unwrap()
}

/// A value without its tags (`!Ref` and the like), so that it can be searched.
fn untagged(value: &Value) -> &Value {
    match value {
        Value::Tagged(tagged) => untagged(&tagged.value),
        value => value,
    }
}

fn field<'a>(value: &'a Value, path: &[&str]) -> &'a Value {
    path.iter().fold(value, |value, name| &untagged(value)[*name])
}

/// The functions of the template: logical id and properties by binary.
fn declared() -> BTreeMap<String, (String, Value)> {
    let template = template();
    let resources = template["Resources"].as_mapping().unwrap();
    let functions = resources
        .iter()
        .filter(|(_, resource)| resource["Type"].as_str() == Some("AWS::Serverless::Function"));
    let entries = functions.map(|(id, resource)| {
        let binary = field(resource, &["Metadata", "BuildProperties", "Binary"]);
        let binary = binary.as_str().unwrap().to_owned();
        (binary, (id.as_str().unwrap().to_owned(), resource["Properties"].clone()))
    });
    entries.collect()
}

#[test]
fn functions_are_folders_and_folders_are_functions() {
    let declared: Vec<_> = declared().into_keys().collect();
    assert_eq!(declared, functions());
}

#[test]
fn logical_ids_are_made_of_binaries() {
    for (binary, (id, _)) in declared() {
        let words = binary.split('-').map(|word| word[..1].to_uppercase() + &word[1..]);
        assert_eq!(id, words.collect::<String>() + "Function");
    }
}

#[test]
fn routes_are_the_codes_routes() {
    let mut declared_routes = BTreeSet::new();
    let mut defaults = Vec::new();
    for (binary, (_, properties)) in declared() {
        let Some(events) = properties["Events"].as_mapping() else { continue };
        for (_, event) in events {
            if event["Type"].as_str() != Some("HttpApi") {
                continue;
            }
            match field(event, &["Properties", "Path"]).as_str() {
                Some(path) => {
                    let method = field(event, &["Properties", "Method"]).as_str().unwrap();
                    declared_routes.insert((method.to_owned(), path.to_owned(), binary.clone()));
                }
                None => defaults.push(binary.clone()),
            }
        }
    }
    let coded: BTreeSet<_> = routes()
        .map(|route| (route.method.to_owned(), route.path.to_owned(), route.function.to_owned()))
        .collect();
    assert_eq!(declared_routes, coded);
    assert_eq!(defaults, ["fallback"]);
}

#[test]
fn every_function_has_its_log_group_and_narrow_rights() {
    let template = template();
    for (binary, (id, properties)) in declared() {
        let logs = format!("{}Logs", id.trim_end_matches("Function"));
        let group = untagged(field(&properties, &["LoggingConfig", "LogGroup"]));
        assert_eq!(group.as_str(), Some(logs.as_str()), "{binary}");
        let group = field(&template, &["Resources", &logs]);
        assert_eq!(group["Type"].as_str(), Some("AWS::Logs::LogGroup"), "{binary}");
        let Some(policies) = properties["Policies"].as_sequence() else { continue };
        for statement in
            policies.iter().flat_map(|policy| policy["Statement"].as_sequence().unwrap())
        {
            let sid = statement["Sid"].as_str().unwrap_or_else(|| panic!("{binary}: no Sid"));
            let actions = match untagged(&statement["Action"]) {
                Value::Sequence(actions) => actions.clone(),
                action => vec![action.clone()],
            };
            for action in actions {
                assert!(!action.as_str().unwrap().contains('*'), "{binary} {sid}");
            }
            // Publishing to a phone number has no resource; everything else names its own.
            let everything = untagged(&statement["Resource"]).as_str() == Some("*");
            assert!(!everything || sid == "SendTexts", "{binary} {sid}");
        }
    }
}

#[test]
fn only_the_relay_speaks_to_the_world() {
    for (binary, (_, properties)) in declared() {
        let text = yaml_serde::to_string(&properties["Policies"]).unwrap();
        for service in ["sns:", "ses:", "events:"] {
            assert!(binary == "relay" || !text.contains(service), "{binary} may call {service}");
        }
    }
}

/// What a value refers to, or each of its items.
fn references(value: &Value) -> BTreeSet<String> {
    match untagged(value) {
        Value::Sequence(items) => items.iter().flat_map(references).collect(),
        name => name.as_str().map(str::to_owned).into_iter().collect(),
    }
}

/// A function's statements.
fn statements(properties: &Value) -> Vec<Value> {
    let policies = properties["Policies"].as_sequence().into_iter().flatten();
    policies.flat_map(|policy| policy["Statement"].as_sequence().unwrap().clone()).collect()
}

#[test]
fn every_secret_is_a_key_that_is_rotated() {
    let template = template();
    let resources = template["Resources"].as_mapping().unwrap();
    let secrets = resources
        .iter()
        .filter(|(_, resource)| resource["Type"].as_str() == Some("AWS::SecretsManager::Secret"));
    let secrets: BTreeSet<_> = secrets.map(|(id, _)| id.as_str().unwrap().to_owned()).collect();
    assert!(secrets.len() >= 5);
    // The function finds them by their variables (runtime::RotationSettings), and has the rights.
    let variables = field(&template, &["Globals", "Function", "Environment", "Variables"]);
    let named = variables.as_mapping().unwrap().iter().filter(|(name, _)| {
        let name = name.as_str().unwrap();
        name.ends_with("_KEY_SECRET") || name.contains("_KEY_SECRET_")
    });
    let named: Vec<_> = named.flat_map(|(_, value)| references(value)).collect();
    assert_eq!(named.iter().cloned().collect::<BTreeSet<_>>(), secrets);
    assert_eq!(named.len(), secrets.len(), "one variable for each");
    let rights = statements(&declared()["rotate-keys"].1);
    assert_eq!(rights.len(), 1);
    assert_eq!(references(&rights[0]["Resource"]), secrets);
}

#[test]
fn who_changes_keys_reads_none_and_who_reads_them_changes_none() {
    for (binary, (_, properties)) in declared() {
        for statement in statements(&properties) {
            for action in references(&statement["Action"]) {
                let Some(action) = action.strip_prefix("secretsmanager:") else { continue };
                let allowed: &[&str] = if binary == "rotate-keys" {
                    &["DescribeSecret", "PutSecretValue", "UpdateSecretVersionStage"]
                } else {
                    &["DescribeSecret", "GetSecretValue"]
                };
                assert!(allowed.contains(&action), "{binary} may {action}");
            }
        }
    }
}

#[test]
fn a_key_is_not_retired_before_what_it_signed_has_ended() {
    let template = template();
    let parameters = template["Parameters"].as_mapping().unwrap();
    let parameter = |name: &str, bound: &str| parameters[name][bound].as_u64();
    let interval = parameter("KeyRotationSeconds", "MinValue").unwrap();
    assert!(interval > IDLE_LIFETIME.as_secs() && interval > REMEMBERED_LIFETIME.as_secs());
    let mut lives = 0;
    for (name, parameter) in parameters {
        let name = name.as_str().unwrap();
        if name.contains("Seconds") && name != "KeyRotationSeconds" {
            let longest = parameter["MaxValue"].as_u64();
            assert!(longest.is_some_and(|longest| longest < interval), "{name}");
            lives += 1;
        }
    }
    assert!(lives >= 4);
}

#[test]
fn tables_are_kept_encrypted_and_recoverable() {
    let template = template();
    let resources = template["Resources"].as_mapping().unwrap();
    let tables = resources
        .iter()
        .filter(|(_, resource)| resource["Type"].as_str() == Some("AWS::DynamoDB::Table"));
    for (id, table) in tables {
        let id = id.as_str().unwrap();
        assert_eq!(table["DeletionPolicy"].as_str(), Some("Retain"), "{id}");
        let properties = &table["Properties"];
        assert_eq!(properties["BillingMode"].as_str(), Some("PAY_PER_REQUEST"), "{id}");
        for (section, switch) in [
            ("PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled"),
            ("SSESpecification", "SSEEnabled"),
        ] {
            assert_eq!(properties[section][switch].as_bool(), Some(true), "{id} {section}");
        }
    }
}

/// The guesses a day that are the ceiling: 50 of 100,000 codes, 0.05 %.
const CEILING: i64 = 50;

/// Whether a rule's condition or assertion holds for these parameters.
fn holds(value: &Value, parameters: &BTreeMap<&str, i64>) -> bool {
    let Value::Tagged(tagged) = value else { panic!("{value:?}") };
    match (tagged.tag.to_string().as_str(), &tagged.value) {
        ("!Not", Value::Sequence(inner)) => !holds(&inner[0], parameters),
        ("!Contains", Value::Sequence(inner)) => {
            let parameter = parameters[untagged(&inner[1]).as_str().unwrap()].to_string();
            let listed = inner[0].as_sequence().unwrap();
            listed.iter().any(|value| value.as_str() == Some(parameter.as_str()))
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn rules_refuse_more_guesses_a_day_than_the_ceiling() {
    let template = template();
    let rules = template["Rules"].as_mapping().unwrap();
    let bounds = |name: &str| {
        let parameter = field(&template, &["Parameters", name]);
        parameter["MinValue"].as_i64().unwrap()..=parameter["MaxValue"].as_i64().unwrap()
    };
    let mut refused = 0;
    for attempts in bounds("OtpMaxAttempts") {
        for sends in bounds("OtpSendsPerDay") {
            let parameters =
                BTreeMap::from([("OtpMaxAttempts", attempts), ("OtpSendsPerDay", sends)]);
            let accepted = rules.iter().all(|(_, rule)| {
                !holds(&rule["RuleCondition"], &parameters)
                    || rule["Assertions"]
                        .as_sequence()
                        .unwrap()
                        .iter()
                        .all(|assertion| holds(&assertion["Assert"], &parameters))
            });
            assert!(!accepted || attempts * sends <= CEILING, "{attempts} x {sends}");
            refused += u32::from(!accepted);
        }
    }
    assert!(refused > 0);
    let default = |name: &str| field(&template, &["Parameters", name, "Default"]).as_i64().unwrap();
    assert_eq!(default("OtpMaxAttempts") * default("OtpSendsPerDay"), CEILING);
}
