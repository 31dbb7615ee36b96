//! Metrics in CloudWatch's Embedded Metric Format: log lines that CloudWatch reads as metrics. They
//! cost no call.

use super::counters::{Counters, Key};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::io::Write as _;

/// The maximum number of values of one metric in one line (EMF, "Target members").
const MOST_VALUES: usize = 100;

/// A metric: its name, its unit, and its sets of dimensions. AWS charges each combination of values
/// as one metric, so there are few sets, and every dimension has few values. The empty set is the sum
/// over all values, for alarms.
struct Metric {
    name: &'static str,
    unit: &'static str,
    dimensions: &'static [&'static [&'static str]],
}

impl Metric {
    fn has(&self, dimension: &str) -> bool {
        self.dimensions.iter().any(|set| set.contains(&dimension))
    }
}

/// The dimensions whose values the core calls groups. A metric has one of them at most.
const OF_GROUPS: [&str; 2] = ["DialCode", "Part"];

/// All metrics. `shared/docs/operations.md` and the dashboard name the same ones.
const METRICS: [Metric; 26] = [
    Metric { name: "SignUps", unit: "Count", dimensions: &[&[], &["Contract"]] },
    Metric { name: "SignIns", unit: "Count", dimensions: &[&[], &["Contract"]] },
    Metric { name: "CodesSent", unit: "Count", dimensions: &[&[], &["Contract"]] },
    Metric { name: "CodesEnded", unit: "Count", dimensions: &[&[], &["Contract"]] },
    Metric { name: "RecipientsRefused", unit: "Count", dimensions: &[&[], &["Contract"]] },
    Metric { name: "SendersRefused", unit: "Count", dimensions: &[&[], &["Contract"]] },
    Metric {
        name: "MessagesDelivered",
        unit: "Count",
        dimensions: &[&[], &["Contract", "DialCode"]],
    },
    Metric {
        name: "MessagesUndelivered",
        unit: "Count",
        dimensions: &[&[], &["Contract", "DialCode"]],
    },
    Metric { name: "CodesVerified", unit: "Count", dimensions: &[&[], &["Contract"]] },
    Metric { name: "CodesRefused", unit: "Count", dimensions: &[&["Contract", "Cause"]] },
    Metric { name: "WrongGuesses", unit: "Count", dimensions: &[&["Contract"]] },
    Metric { name: "UnknownHashes", unit: "Count", dimensions: &[&[], &["Contract"]] },
    Metric { name: "UsersMovedIn", unit: "Count", dimensions: &[&["Contract"]] },
    Metric { name: "BillUsed", unit: "Percent", dimensions: &[&[], &["Contract"]] },
    Metric { name: "BillRefused", unit: "Count", dimensions: &[&[], &["Contract"]] },
    Metric { name: "IdSpaceUsed", unit: "Percent", dimensions: &[&[], &["Contract"]] },
    Metric { name: "TestNumbersOpen", unit: "Count", dimensions: &[&[]] },
    Metric { name: "TestCodesAccepted", unit: "Count", dimensions: &[&[], &["Contract"]] },
    Metric { name: "Refusals", unit: "Count", dimensions: &[&["Contract", "Class"]] },
    Metric { name: "RelayLag", unit: "Milliseconds", dimensions: &[&[]] },
    Metric { name: "OutboxAge", unit: "Milliseconds", dimensions: &[&[]] },
    Metric { name: "Sweeps", unit: "Count", dimensions: &[&["Part"]] },
    Metric { name: "WriteUnits", unit: "Count", dimensions: &[&["Function"]] },
    Metric { name: "Faults", unit: "Count", dimensions: &[&[], &["Function"]] },
    Metric { name: "Defects", unit: "Count", dimensions: &[&[], &["Release"]] },
    Metric { name: "ErrorLines", unit: "Count", dimensions: &[&[]] },
];

/// The outcome of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Ok,
    /// A refusal of this class.
    Refused(&'static str),
    Fault,
}

/// The values of dimensions that the metrics of one line share.
type Group = BTreeMap<&'static str, String>;

/// The contract that a function belongs to, by its name.
fn contract_of(function: &str) -> &str {
    function.split_once('-').map_or("every", |(contract, _)| contract)
}

fn group_of(metric: &Metric, key: &Key, release: Option<&String>) -> Group {
    let mut group = Group::new();
    if let Some(contract) = &key.contract {
        group.insert("Contract", contract.clone());
    }
    if let Some(cause) = &key.cause {
        group.insert("Cause", cause.clone());
    }
    let of_group = OF_GROUPS.into_iter().find(|dimension| metric.has(dimension));
    group.extend(of_group.zip(key.group.clone()));
    group.extend(release.filter(|_| metric.has("Release")).map(|name| ("Release", name.clone())));
    group
}

/// Writes the metrics of one function.
pub(super) struct Metrics {
    pub(super) function: String,
    /// The namespace. Two stacks of one account have two.
    pub(super) namespace: String,
    /// What the operator calls this release, if it has a name.
    pub(super) release: Option<String>,
}

impl Metrics {
    /// Writes the metrics of a request.
    pub(super) fn write(&self, counters: &Counters, outcome: Outcome, now_millis: i64) {
        let mut text = String::new();
        for line in lines(self, counters, outcome, now_millis) {
            text.push_str(&line.to_string());
            text.push('\n');
        }
        // If standard output is closed, there is no place to report it.
        drop(std::io::stdout().lock().write_all(text.as_bytes()));
    }
}

/// The lines of one request.
fn lines(metrics: &Metrics, counters: &Counters, outcome: Outcome, now_millis: i64) -> Vec<Value> {
    let mut groups: BTreeMap<Group, BTreeMap<&str, Vec<Value>>> = BTreeMap::new();
    let mut add = |group: Group, name: &'static str, values: Vec<Value>| {
        groups.entry(group).or_default().insert(name, values);
    };
    for metric in &METRICS {
        for (key, values) in counters.counts.iter().filter(|(key, _)| key.metric == metric.name) {
            let values = if metric.unit == "Count" {
                vec![json!(values.iter().fold(0, |sum: u64, value| sum.saturating_add(*value)))]
            } else {
                // The alarms use the maximum, so the largest values are kept.
                let mut values = values.clone();
                values.sort_by(|one, other| other.cmp(one));
                values.truncate(MOST_VALUES);
                values.into_iter().map(Value::from).collect()
            };
            add(group_of(metric, key, metrics.release.as_ref()), metric.name, values);
        }
    }
    let of_function = || Group::from([("Function", metrics.function.clone())]);
    if counters.write_units > 0.0 {
        add(of_function(), "WriteUnits", vec![json!(counters.write_units)]);
    }
    match outcome {
        Outcome::Ok => {}
        Outcome::Refused(class) => {
            let contract = contract_of(&metrics.function).to_owned();
            let group = Group::from([("Contract", contract), ("Class", class.to_owned())]);
            add(group, "Refusals", vec![json!(1)]);
        }
        Outcome::Fault => add(of_function(), "Faults", vec![json!(1)]),
    }
    if counters.error_lines > 0 {
        add(Group::new(), "ErrorLines", vec![json!(counters.error_lines)]);
    }
    let line = |(group, values)| line(&metrics.namespace, group, &values, now_millis);
    groups.into_iter().map(line).collect()
}

/// One line: the metrics whose dimensions have the same values.
fn line(
    namespace: &str,
    group: Group,
    metrics: &BTreeMap<&str, Vec<Value>>,
    now_millis: i64,
) -> Value {
    let mut members = Map::new();
    let mut directives = Vec::new();
    for metric in &METRICS {
        let Some(values) = metrics.get(metric.name) else { continue };
        let value = match values.as_slice() {
            [value] => value.clone(),
            values => json!(values),
        };
        // A dimension without a value would make the line invalid: a release may have no name.
        let has_all = |set: &&&[&str]| set.iter().all(|name| group.contains_key(name));
        let dimensions: Vec<_> = metric.dimensions.iter().filter(has_all).collect();
        members.insert(metric.name.to_owned(), value);
        directives.push(json!({
            "Namespace": namespace,
            "Dimensions": dimensions,
            "Metrics": [{"Name": metric.name, "Unit": metric.unit}],
        }));
    }
    members.extend(group.into_iter().map(|(name, value)| (name.to_owned(), Value::from(value))));
    let about = json!({"Timestamp": now_millis, "CloudWatchMetrics": directives});
    members.insert("_aws".to_owned(), about);
    Value::Object(members)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(metric: &str, contract: &str, cause: &str) -> Key {
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Key {
            metric: metric.to_owned(),
            contract: given(contract),
            cause: given(cause),
            group: None,
        }
    }

    fn of(function: &str) -> Metrics {
        let namespace = "Test".to_owned();
        Metrics { function: function.to_owned(), namespace, release: None }
    }

    #[test]
    fn a_request_without_metrics_writes_no_line() {
        assert!(lines(&of("relay"), &Counters::default(), Outcome::Ok, 0).is_empty());
    }

    #[test]
    fn a_defect_belongs_to_its_release_if_that_has_a_name() {
        let mut counters = Counters::default();
        counters.counts.insert(key("Defects", "", ""), vec![1, 1]);
        for (release, sets) in [(None, json!([[]])), (Some("4f2a"), json!([[], ["Release"]]))] {
            let metrics = Metrics { release: release.map(str::to_owned), ..of("acme-join") };
            let lines = lines(&metrics, &counters, Outcome::Ok, 0);
            assert_eq!((lines.len(), &lines[0]["Defects"]), (1, &json!(2)));
            assert_eq!(lines[0]["_aws"]["CloudWatchMetrics"][0]["Dimensions"], sets);
            assert_eq!(lines[0].get("Release").and_then(Value::as_str), release);
        }
    }

    #[test]
    fn a_sweep_counts_for_its_part() {
        let mut counters = Counters::default();
        let of_part = |part: &str| Key { group: Some(part.to_owned()), ..key("Sweeps", "", "") };
        counters.counts.insert(of_part("0"), vec![1]);
        counters.counts.insert(of_part("3"), vec![1]);
        let lines = lines(&of("relay"), &counters, Outcome::Ok, 0);
        let parts: Vec<_> = lines.iter().map(|line| (&line["Part"], &line["Sweeps"])).collect();
        assert_eq!(parts, [(&json!("0"), &json!(1)), (&json!("3"), &json!(1))]);
        assert_eq!(lines[0]["_aws"]["CloudWatchMetrics"][0]["Dimensions"], json!([["Part"]]));
    }

    #[test]
    fn metrics_with_the_same_dimensions_share_a_line() {
        let mut counters = Counters { write_units: 3.5, error_lines: 2, ..Counters::default() };
        counters.counts.insert(key("SignUps", "acme", ""), vec![1]);
        counters.counts.insert(key("CodesVerified", "acme", ""), vec![1]);
        counters.counts.insert(key("CodesRefused", "acme", "wrong_code"), vec![1, 1]);
        counters.counts.insert(key("OutboxAge", "", ""), (0..150).collect());
        let lines = lines(&of("acme-join"), &counters, Outcome::Fault, 42);
        assert_eq!(lines.len(), 4);
        let with = |name: &str| lines.iter().find(|line| line.get(name).is_some()).unwrap();
        assert_eq!(with("SignUps")["CodesVerified"], 1);
        assert_eq!(with("SignUps")["Contract"], "acme");
        assert_eq!(with("CodesRefused")["CodesRefused"], 2);
        assert_eq!(with("CodesRefused")["Cause"], "wrong_code");
        assert_eq!(with("Faults")["WriteUnits"], 3.5);
        assert_eq!(with("ErrorLines")["ErrorLines"], 2);
        let ages = with("OutboxAge")["OutboxAge"].as_array().unwrap();
        assert_eq!((ages.len(), &ages[0]), (100, &json!(149)));
        let about = &with("Faults")["_aws"];
        assert_eq!(
            (&about["Timestamp"], &about["CloudWatchMetrics"][0]["Namespace"]),
            (&json!(42), &json!("Test"))
        );
    }
}
