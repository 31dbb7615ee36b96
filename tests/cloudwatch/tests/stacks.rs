//! The alarms of the stacks that `template.yaml` is cut into.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use cloudwatch::{Alarm, Data, Missing, State};
use house_rules::project::Project;
use house_rules::stacks::deploy::{self, Arrangement};
use house_rules::stacks::{Names, Part, cut};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use template::Template;

const END: i64 = 60;

/// A stack: the binaries of its functions, and its alarms.
struct Stack {
    functions: BTreeSet<String>,
    alarms: BTreeMap<String, Alarm>,
}

fn stacks() -> BTreeMap<String, Stack> {
    let template = Template::load().unwrap();
    let mut parts = deploy::parts(Arrangement::PerContract, &Project::here().contracts().unwrap());
    parts.push(Part::All);
    let stacks = parts.iter().map(|part| {
        let document = cut(&template, part, &Names::of("latchkey-test")).unwrap();
        (part.to_string(), stack(&template, &document).unwrap_or_else(|| panic!("{part}")))
    });
    stacks.collect()
}

fn stack(template: &Template, document: &Value) -> Option<Stack> {
    let resources = document["Resources"].as_object()?;
    let of_kind = |kind: &'static str| resources.iter().filter(move |(_, it)| it["Type"] == kind);
    let binary = |resource: &Value| {
        resource.pointer("/Metadata/BuildProperties/Binary")?.as_str().map(str::to_owned)
    };
    let functions = of_kind("AWS::Serverless::Function").map(|(_, function)| binary(function));
    let alarms = of_kind("AWS::CloudWatch::Alarm").map(|(id, alarm)| {
        let properties = template.resolve(&alarm["Properties"]).unwrap().unwrap();
        let alarm = Alarm::read(&properties).unwrap_or_else(|error| panic!("{id}: {error:#}"));
        (id.clone(), alarm)
    });
    Some(Stack { functions: functions.collect::<Option<_>>()?, alarms: alarms.collect() })
}

/// A metric of a function of another stack has no data here, and may have data of another name.
#[test]
fn each_stack_has_alarms_on_its_own_functions_alone() {
    for (part, Stack { functions, alarms }) in stacks() {
        assert!(part == "data" || alarms.len() > 5, "{part}: {:?}", alarms.keys());
        for (id, alarm) in &alarms {
            for metric in alarm.metrics() {
                for name in ["FunctionName", "Function"] {
                    let function = metric.dimensions.get(name);
                    let is_here = function.is_none_or(|function| functions.contains(function));
                    assert!(is_here, "{part}: {id} reads {metric:?}");
                }
            }
        }
    }
}

#[test]
fn without_data_the_heartbeats_of_each_stack_ring_alone() {
    for (part, Stack { alarms, .. }) in stacks() {
        for (id, alarm) in &alarms {
            let is_heartbeat = alarm.rule().missing == Missing::Breaching;
            assert_eq!(is_heartbeat, id.ends_with("HeartbeatAlarm"), "{part}: {id}");
            let rings = alarm.history(&Data::default(), END, 0).contains(&State::Alarm);
            assert_eq!(rings, is_heartbeat, "{part}: {id}");
        }
    }
}

/// The errors of each function are in an alarm and in a guard of its own stack, and each of them rings if the function alone
/// crashes.
#[test]
fn a_function_that_crashes_rings_in_its_stack() {
    for (part, Stack { functions, alarms }) in stacks() {
        for function in &functions {
            let rings = |id: &str, alarm: &Alarm| {
                let is_of = |name: &String| name == function;
                let errors = alarm.metrics().find(|metric| {
                    metric.name == "Errors"
                        && metric.dimensions.get("FunctionName").is_some_and(is_of)
                })?;
                let mut data = Data::default();
                (0..END).for_each(|minute| data.put(errors, minute, 5.0));
                assert!(alarm.rings(&data, END).is_some(), "{part}: {id} of {function}");
                Some(id.to_owned())
            };
            let ringing: Vec<_> =
                alarms.iter().filter_map(|(id, alarm)| rings(id, alarm)).collect();
            let (guards, others): (Vec<_>, Vec<_>) =
                ringing.iter().partition(|id| id.ends_with("ReleaseAlarm"));
            assert_eq!((guards.len(), others.len()), (1, 1), "{part}: {function}: {ringing:?}");
        }
    }
}
