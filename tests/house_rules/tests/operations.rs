//! Alarms, their runbook, the dashboard and deployments.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use house_rules::declarations::{Declarations, TEMPLATE};
use house_rules::project::Project;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use template::{Alarm, Template, references};

/// The namespace of the metrics that the functions write.
const NAMESPACE: &str = "Latchkey/${AWS::StackName}";

/// How the logical ids of the alarms end that guard releases.
const GUARD: &str = "ReleaseAlarm";

const RUNBOOK: &str = "shared/docs/runbook.md";
const OPERATIONS: &str = "shared/docs/operations.md";

fn read(path: &str) -> String {
    Project::here().read(path).unwrap()
}

fn template() -> Template {
    Template::load().unwrap()
}

/// Where the template declares a resource, and its logical id.
fn at(id: &str) -> String {
    let place = Project::here().place(TEMPLATE, &format!("{id}:")).unwrap();
    format!("{place}: {id}")
}

/// The values of a key in a JSON value, at any depth.
fn values<'a>(value: &'a Value, key: &str) -> Vec<&'a Value> {
    match value {
        Value::Array(items) => items.iter().flat_map(|item| values(item, key)).collect(),
        Value::Object(object) => {
            let own = object.get(key).into_iter();
            own.chain(object.values().flat_map(|item| values(item, key))).collect()
        }
        _ => Vec::new(),
    }
}

/// The names of the metrics that an alarm reads.
fn metrics(alarm: &Alarm) -> BTreeSet<String> {
    let names = values(&alarm.properties, "MetricName").into_iter();
    names.filter_map(|name| name.as_str().map(str::to_owned)).collect()
}

#[test]
fn every_alarm_has_a_section_of_the_runbook_and_every_section_an_alarm() {
    let runbook = read(RUNBOOK);
    let sections: Vec<_> = runbook.split("\n## ").skip(1).collect();
    let titles: BTreeSet<_> =
        sections.iter().map(|section| section.lines().next().unwrap().to_owned()).collect();
    let alarms: BTreeSet<_> = template().alarms.into_iter().map(|alarm| alarm.id).collect();
    let of_alarms = titles.iter().filter(|title| title.ends_with("Alarm")).cloned();
    assert_eq!(of_alarms.collect::<BTreeSet<_>>(), alarms, "{RUNBOOK}");
    for section in
        sections.iter().filter(|section| section.lines().next().unwrap().ends_with("Alarm"))
    {
        let id = section.lines().next().unwrap();
        // A line may end within a part's title.
        let section = section.split_whitespace().collect::<Vec<_>>().join(" ");
        for part in ["**Means.**", "**Look at.**", "**Do.**"] {
            let place = Project::here().place(RUNBOOK, &format!("## {id}")).unwrap();
            assert!(section.contains(part), "{place}: the section of {id} lacks {part}");
        }
    }
    let operations = read(OPERATIONS);
    for alarm in alarms {
        let link = format!("[{alarm}](runbook.md#{})", alarm.to_ascii_lowercase());
        assert!(operations.contains(&link), "{OPERATIONS}: the link {link} is missing");
    }
}

#[test]
fn every_alarm_says_what_it_means_and_notifies_when_it_begins_and_ends() {
    for Alarm { id, description, properties, .. } in template().alarms {
        assert!(description.len() > 40 && description.ends_with('.'), "{}", at(&id));
        for change in ["AlarmActions", "OKActions"] {
            let actions = &properties[change]["Fn::If"];
            assert_eq!(actions[0], "HasAlarmTopic", "{}", at(&id));
            let topic = BTreeSet::from(["AlarmTopicArn".to_owned()]);
            assert_eq!(references(&actions[1]), topic, "{}", at(&id));
        }
    }
}

/// Lambda counts an error without a dimension for the whole account only, so that each function has
/// a metric of its own. A function in no alarm could fail unseen; in two, it would notify twice.
#[test]
fn the_errors_of_each_function_are_in_one_alarm_and_guard_releases_in_another() {
    let (mut alarms, mut guards) = (BTreeMap::new(), BTreeMap::new());
    for alarm in template().alarms {
        if metrics(&alarm).contains("Errors") {
            let of_kind = if alarm.id.ends_with(GUARD) { &mut guards } else { &mut alarms };
            for function in alarm.functions {
                of_kind.entry(function).or_insert_with(Vec::new).push(alarm.id.clone());
            }
        }
    }
    for function in Declarations::of(&Project::here()).unwrap().functions {
        for of_kind in [&alarms, &guards] {
            let found = of_kind.get(&function.id).map_or(0, Vec::len);
            let place = at(&function.id);
            assert_eq!(found, 1, "{place} is in the alarms {:?}", of_kind.get(&function.id));
        }
    }
}

/// The metrics that the functions write, as their source lists them.
fn written() -> BTreeSet<String> {
    let source = read("shared/src/runtime/emf.rs");
    let table = source.split("const METRICS").nth(1).unwrap().split("];").next().unwrap();
    let names = table.split("name: \"").skip(1).map(|rest| rest.split('"').next().unwrap());
    names.map(str::to_owned).collect()
}

/// The dashboard as JSON, with `${…}` where a value is inserted.
fn dashboard() -> Value {
    let template = template();
    let dashboard = template.resources_of("AWS::CloudWatch::Dashboard").next().unwrap();
    let body = dashboard.properties()["DashboardBody"]["Fn::Sub"].as_str().unwrap();
    serde_json::from_str(body).unwrap()
}

#[test]
fn every_metric_that_functions_write_is_documented_and_on_the_dashboard() {
    let written = written();
    assert_eq!(written.len(), 26);
    let operations = read(OPERATIONS);
    let dashboard = dashboard().to_string();
    for name in written {
        assert!(operations.contains(&format!("| `{name}` |")), "{OPERATIONS}: {name} has no row");
        assert!(dashboard.contains(&name), "{}: {name} is not shown", at("Dashboard"));
    }
}

#[test]
fn the_dashboard_shows_every_alarm_and_only_metrics_that_exist() {
    let written = written();
    let dashboard = dashboard();
    let widgets = dashboard["widgets"].as_array().unwrap().iter();
    let (states, graphs): (Vec<_>, Vec<_>) = widgets.partition(|widget| widget["type"] == "alarm");
    let alarms = template().alarms;
    let arns: Vec<_> = alarms.iter().map(|alarm| format!("${{{}.Arn}}", alarm.id)).collect();
    assert_eq!(states[0]["properties"]["alarms"], json!(arns));
    for metric in graphs.iter().flat_map(|graph| graph["properties"]["metrics"].as_array().unwrap())
    {
        match metric[0].as_str() {
            Some(namespace) if namespace.starts_with("AWS/") => {}
            Some(namespace) => {
                assert_eq!(namespace, NAMESPACE, "{metric}");
                assert!(written.contains(metric[1].as_str().unwrap()), "{metric}");
            }
            None => {
                let search = metric[0]["expression"].as_str().unwrap();
                assert!(search.contains(&format!("{{\"{NAMESPACE}\",")), "{search}");
            }
        }
    }
}

/// An alarm that counts invocations of the relay does not see a schedule that stopped, because the streams invoke it as well.
#[test]
fn the_heartbeat_of_the_relay_watches_each_part_that_a_schedule_sweeps() {
    let template = template();
    let relay = template.function("relay").unwrap();
    let inputs = relay.schedules().map(|schedule| schedule.input.as_ref().unwrap());
    let parts: BTreeSet<_> = inputs.map(|input| input["sweep"]["part"].to_string()).collect();
    let alarm = template.alarms.iter().find(|alarm| alarm.id == "RelayHeartbeatAlarm").unwrap();
    let dimensions = values(&alarm.properties, "Dimensions");
    let watched = dimensions.iter().map(|it| it[0]["Value"].as_str().unwrap().to_owned());
    assert_eq!(watched.collect::<BTreeSet<_>>(), parts, "{}", at(&alarm.id));
    assert_eq!(alarm.properties["Threshold"], json!(parts.len()), "{}", at(&alarm.id));
}

#[test]
fn alarms_read_metrics_of_aws_or_metrics_that_functions_write() {
    let written = written();
    for alarm in template().alarms {
        let namespaces = values(&alarm.properties, "Namespace");
        assert!(!namespaces.is_empty(), "{}", at(&alarm.id));
        let of_aws = |namespace: &Value| {
            namespace.as_str().is_some_and(|namespace| namespace.starts_with("AWS/"))
        };
        if !namespaces.iter().all(|namespace| of_aws(namespace)) {
            let ours = |namespace: &&Value| namespace["Fn::Sub"] == NAMESPACE;
            assert!(namespaces.iter().any(ours), "{}", at(&alarm.id));
            assert!(!metrics(&alarm).is_disjoint(&written), "{}", at(&alarm.id));
        }
    }
}

#[test]
fn deployments_are_canaries_that_alarms_roll_back() {
    let template = template();
    let globals = &template.document()["Globals"]["Function"];
    assert_eq!(globals["AutoPublishAlias"], "live");
    assert_eq!(globals["AutoPublishAliasAllProperties"], true);
    assert_eq!(globals["VersionDeletionPolicy"], "Delete");
    let preference = &globals["DeploymentPreference"];
    assert_eq!(preference["Type"]["Ref"], "Deployment");
    assert_eq!(template.parameter("Deployment").unwrap().default, "Canary10Percent5Minutes");
    let choice = &preference["Alarms"]["Fn::If"];
    assert_eq!(choice[0], "GuardsReleases");
    assert_eq!(choice[2], json!([{"Ref": "AWS::NoValue"}]));
    let alarms = references(&choice[1]);
    let guards = template.alarms.iter().filter(|alarm| alarm.id.ends_with(GUARD));
    assert_eq!(alarms, guards.clone().map(|alarm| alarm.id.clone()).collect());
    assert!((3..=10).contains(&alarms.len()), "CodeDeploy takes at most ten alarms");
    for guard in guards {
        only_new_versions(guard);
    }
}

/// Requires that an alarm counts errors of the newest versions alone. What a service does to every version must not roll a
/// release back. A function without a route reports that as errors as well, and counts it among its faults: they are subtracted,
/// for each function from its own errors.
fn only_new_versions(guard: &Alarm) {
    if metrics(guard) == BTreeSet::from(["Defects".to_owned()]) {
        let release = &guard.properties["Dimensions"][0];
        assert_eq!(
            (&release["Name"], &release["Value"]["Fn::If"][1]["Ref"]),
            (&json!("Release"), &json!("Release"))
        );
        return;
    }
    let queries = guard.properties["Metrics"].as_array().unwrap();
    let expression = queries[0]["Expression"].as_str().unwrap();
    let mut with_faults = BTreeSet::new();
    for query in &queries[1..] {
        let metric = &query["MetricStat"]["Metric"];
        let dimensions = metric["Dimensions"].as_array().unwrap();
        let names: Vec<_> = dimensions.iter().map(|it| it["Name"].as_str().unwrap()).collect();
        if metric["MetricName"] == "Errors" {
            assert_eq!(names, ["FunctionName", "Resource", "ExecutedVersion"], "{}", at(&guard.id));
            let function = dimensions[0]["Value"]["Ref"].as_str().unwrap();
            assert_eq!(dimensions[1]["Value"]["Fn::Sub"], format!("${{{function}}}:live"));
            assert_eq!(dimensions[2]["Value"]["Fn::GetAtt"], json!([function, "Version.Version"]));
        } else {
            assert_eq!((names, &metric["MetricName"]), (vec!["Function"], &json!("Faults")));
            with_faults.insert(dimensions[0]["Value"].as_str().unwrap().to_owned());
            let number = query["Id"].as_str().unwrap().trim_start_matches('f');
            let own = format!("IF(e{number} > f{number}, e{number} - f{number}, 0)");
            assert!(expression.contains(&own), "{}: {expression}", at(&guard.id));
        }
    }
    let template = template();
    let of_guard = template.functions.iter().filter(|it| guard.functions.contains(&it.id));
    let silent = of_guard.filter(|it| it.routes().count() == 0 && !it.has_default_route());
    let silent: BTreeSet<_> = silent.map(|it| it.name.clone()).collect();
    assert_eq!(with_faults, silent, "{}", at(&guard.id));
    let adds_all = expression == "SUM(METRICS())";
    assert_eq!(adds_all, silent.is_empty(), "{}: {expression}", at(&guard.id));
}
