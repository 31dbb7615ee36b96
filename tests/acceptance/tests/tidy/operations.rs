//! Alarms, their runbook, the dashboard, deployments, and what is kept when the stack goes.

use super::read;
use std::collections::BTreeSet;
use yaml_serde::Value;

fn template() -> Value {
    yaml_serde::from_str(&read("template.yaml")).unwrap()
}

fn untagged(value: &Value) -> &Value {
    match value {
        Value::Tagged(tagged) => untagged(&tagged.value),
        value => value,
    }
}

/// The resources of a type, by logical id.
fn resources(kind: &str) -> Vec<(String, Value)> {
    let template = template();
    let all = template["Resources"].as_mapping().unwrap();
    let found = all.iter().filter(|(_, resource)| resource["Type"].as_str() == Some(kind));
    let found: Vec<_> =
        found.map(|(id, resource)| (id.as_str().unwrap().to_owned(), resource.clone())).collect();
    assert!(!found.is_empty(), "no {kind}");
    found
}

#[test]
fn every_alarm_has_its_section_and_every_section_its_alarm() {
    let runbook = read("shared/docs/runbook.md");
    let sections: BTreeSet<_> = runbook.split("\n## ").skip(1).collect();
    let titles: BTreeSet<_> =
        sections.iter().map(|section| section.lines().next().unwrap().to_owned()).collect();
    let alarms: BTreeSet<_> =
        resources("AWS::CloudWatch::Alarm").into_iter().map(|(id, _)| id).collect();
    assert_eq!(titles, alarms);
    for section in sections {
        for part in ["**Means.**", "**Look at.**", "**Do.**"] {
            assert!(section.contains(part), "{section} has no {part}");
        }
    }
    let readme = read("README.md");
    for alarm in alarms {
        let link = format!("[{alarm}](shared/docs/runbook.md#{})", alarm.to_ascii_lowercase());
        assert!(readme.contains(&link), "the README lacks {link}");
    }
}

#[test]
fn every_alarm_says_what_it_means_and_notifies() {
    for (id, alarm) in resources("AWS::CloudWatch::Alarm") {
        let properties = &alarm["Properties"];
        let said = properties["AlarmDescription"].as_str().unwrap();
        assert!(said.len() > 40 && said.ends_with('.'), "{id}: {said}");
        let actions = untagged(&properties["AlarmActions"]).as_sequence().unwrap();
        assert_eq!(actions[0].as_str(), Some("HasAlarmTopic"), "{id}");
        assert_eq!(properties["TreatMissingData"].as_str(), Some("notBreaching"), "{id}");
    }
}

/// The namespace of the functions' metrics.
const OURS: &str = "Latchkey/${AWS::StackName}";

/// The metrics that the functions write, as their source lists them.
fn written() -> BTreeSet<String> {
    let source = read("shared/src/runtime/emf.rs");
    let table =
        source.split("const METRICS").nth(1).unwrap().split("];").next().unwrap().to_owned();
    let names = table.split("name: \"").skip(1).map(|rest| rest.split('"').next().unwrap());
    names.map(str::to_owned).collect()
}

#[test]
fn metrics_and_alarms_are_documented_shown_and_exist() {
    let written = written();
    assert_eq!(written.len(), 11);
    let readme = read("README.md");
    let (_, dashboard) = resources("AWS::CloudWatch::Dashboard").remove(0);
    let body = untagged(&dashboard["Properties"]["DashboardBody"]).as_str().unwrap().to_owned();
    let widgets: serde_json::Value = serde_json::from_str(&body).unwrap();
    let text = widgets.to_string();
    for name in &written {
        assert!(readme.contains(&format!("| `{name}` |")), "{name} is not in the README");
        assert!(text.contains(name), "{name} is not on the dashboard");
    }
    let (states, graphs): (Vec<_>, Vec<_>) =
        widgets["widgets"].as_array().unwrap().iter().partition(|widget| widget["type"] == "alarm");
    let alarms = resources("AWS::CloudWatch::Alarm");
    let arns: Vec<_> = alarms.iter().map(|(id, _)| format!("${{{id}.Arn}}")).collect();
    assert_eq!(states[0]["properties"]["alarms"], serde_json::json!(arns));
    for widget in graphs {
        for metric in widget["properties"]["metrics"].as_array().unwrap() {
            match metric[0].as_str() {
                Some(namespace) if namespace.starts_with("AWS/") => {}
                Some(namespace) => {
                    assert_eq!(namespace, OURS, "{metric}");
                    assert!(written.contains(metric[1].as_str().unwrap()), "{metric}");
                }
                None => {
                    let search = metric[0]["expression"].as_str().unwrap();
                    assert!(search.contains(&format!("{{\"{OURS}\",")), "{search}");
                }
            }
        }
    }
    for (id, alarm) in alarms {
        let text = yaml_serde::to_string(&alarm["Properties"]).unwrap();
        if !text.contains("Namespace: AWS/") {
            assert!(text.contains(OURS), "{id}");
            assert!(
                written.iter().any(|name| text.contains(&format!("MetricName: {name}"))),
                "{id}"
            );
        }
    }
}

#[test]
fn deployments_are_canaries_that_alarms_roll_back() {
    let template = template();
    let globals = &template["Globals"]["Function"];
    assert_eq!(globals["AutoPublishAlias"].as_str(), Some("live"));
    assert_eq!(globals["AutoPublishAliasAllProperties"].as_bool(), Some(true));
    let preference = &globals["DeploymentPreference"];
    assert_eq!(untagged(&preference["Type"]).as_str(), Some("Deployment"));
    let default = &template["Parameters"]["Deployment"]["Default"];
    assert_eq!(default.as_str(), Some("Canary10Percent5Minutes"));
    let alarms = preference["Alarms"].as_sequence().unwrap();
    let alarms: BTreeSet<_> =
        alarms.iter().map(|alarm| untagged(alarm).as_str().unwrap().to_owned()).collect();
    // What functions count or Lambda counts of them. What the gateway counts would close a circle: its
    // routes name the aliases, and the aliases' deployments the alarms.
    let of_functions = resources("AWS::CloudWatch::Alarm").into_iter().filter(|(_, alarm)| {
        let text = yaml_serde::to_string(&alarm["Properties"]).unwrap();
        ["Faults", "ErrorLines", "Errors"]
            .iter()
            .any(|metric| text.contains(&format!("MetricName: {metric}\n")))
    });
    assert_eq!(alarms, of_functions.map(|(id, _)| id).collect());
    assert!((3..=10).contains(&alarms.len()), "CodeDeploy takes ten");
}

#[test]
fn tables_and_keys_stay_when_the_stack_goes_and_logs_do_not_stay_for_ever() {
    for kind in ["AWS::DynamoDB::Table", "AWS::SecretsManager::Secret"] {
        for (id, resource) in resources(kind) {
            for policy in ["DeletionPolicy", "UpdateReplacePolicy"] {
                assert_eq!(resource[policy].as_str(), Some("Retain"), "{id} {policy}");
            }
        }
    }
    for (id, group) in resources("AWS::Logs::LogGroup") {
        let days = untagged(&group["Properties"]["RetentionInDays"]).as_str();
        assert_eq!(days, Some("LogRetentionDays"), "{id}");
    }
}

#[test]
fn the_walk_through_explains_every_parameter_in_order() {
    let template = template();
    let readme = read("README.md");
    let walk = readme.split("### Deploying step by step").nth(1).unwrap();
    let mut rest = walk;
    for (name, _) in template["Parameters"].as_mapping().unwrap() {
        let name = name.as_str().unwrap();
        let at = rest.find(&format!("`{name}`"));
        rest = &rest[at.unwrap_or_else(|| panic!("{name} is not explained, or out of order"))..];
    }
}
