//! CloudWatch as far as the alarms need it: what it reads from the functions' lines, and whether an
//! alarm of template.yaml takes a period for a bad one.
//!
//! All samples count as those of one period; that a condition lasts for several is not tested.

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use yaml_serde::Value as Yaml;

/// One value of a metric.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) namespace: String,
    pub(crate) metric: String,
    pub(crate) dimensions: BTreeMap<String, String>,
    pub(crate) value: f64,
}

impl Sample {
    /// A sample of a metric that AWS itself writes. A dimension's value is a logical id.
    pub(crate) fn of_aws(
        namespace: &str,
        metric: &str,
        dimension: (&str, &str),
        value: f64,
    ) -> Self {
        let (name, id) = dimension;
        let dimensions = match name {
            "" => BTreeMap::new(),
            name => BTreeMap::from([(name.to_owned(), id.to_owned())]),
        };
        Self { namespace: namespace.to_owned(), metric: metric.to_owned(), dimensions, value }
    }
}

/// The functions' lines that are JSON, each with the function's name.
pub(crate) fn json_lines(logs: &[String]) -> Vec<(String, Value)> {
    let lines = logs.iter().filter_map(|line| line.strip_prefix('[')?.split_once("] "));
    lines
        .filter_map(|(function, line)| {
            Some((function.to_owned(), serde_json::from_str(line).ok()?))
        })
        .collect()
}

/// The lines that CloudWatch takes metrics from.
pub(crate) fn metric_lines(logs: &[String]) -> Vec<Value> {
    let lines = json_lines(logs).into_iter().map(|(_, line)| line);
    lines.filter(|line| line.get("_aws").is_some()).collect()
}

/// What CloudWatch reads from the lines: each value under each set of dimensions.
pub(crate) fn samples(logs: &[String]) -> Vec<Sample> {
    let mut samples = Vec::new();
    for line in metric_lines(logs) {
        for directive in line["_aws"]["CloudWatchMetrics"].as_array().unwrap() {
            for set in directive["Dimensions"].as_array().unwrap() {
                let names = set.as_array().unwrap().iter().map(|name| name.as_str().unwrap());
                let dimensions: BTreeMap<_, _> = names
                    .map(|name| (name.to_owned(), line[name].as_str().unwrap().to_owned()))
                    .collect();
                for metric in directive["Metrics"].as_array().unwrap() {
                    let name = metric["Name"].as_str().unwrap();
                    let values = match &line[name] {
                        Value::Array(values) => values.clone(),
                        value => vec![value.clone()],
                    };
                    samples.extend(values.iter().map(|value| Sample {
                        namespace: directive["Namespace"].as_str().unwrap().to_owned(),
                        metric: name.to_owned(),
                        dimensions: dimensions.clone(),
                        value: value.as_f64().unwrap(),
                    }));
                }
            }
        }
    }
    samples
}

/// The sum of a metric over everything, or over one value of one dimension.
pub(crate) fn sum(samples: &[Sample], metric: &str, dimensions: &[(&str, &str)]) -> f64 {
    let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let dimensions: BTreeMap<_, _> = dimensions.iter().map(pair).collect();
    let of_metric = |sample: &&Sample| sample.metric == metric && sample.dimensions == dimensions;
    samples.iter().filter(of_metric).map(|sample| sample.value).sum()
}

/// A value without its tag (`!Ref` and the like).
fn untagged(value: &Yaml) -> &Yaml {
    match value {
        Yaml::Tagged(tagged) => untagged(&tagged.value),
        value => value,
    }
}

/// The text of a value, in the stack that the tests run.
fn text(value: &Yaml) -> String {
    untagged(value).as_str().unwrap().replace("${AWS::StackName}", "latchkey")
}

/// An alarm of template.yaml.
pub(crate) struct Alarm {
    properties: Yaml,
    template: Yaml,
}

impl Alarm {
    /// The alarm of this logical id.
    pub(crate) fn named(id: &str) -> Self {
        let template = template();
        Self { properties: template["Resources"][id]["Properties"].clone(), template }
    }

    /// A number, written out or a parameter's default.
    fn number(&self, value: &Yaml) -> f64 {
        let resolved = match value {
            Yaml::Tagged(_) => &self.template["Parameters"][text(value).as_str()]["Default"],
            value => value,
        };
        resolved.as_f64().unwrap()
    }

    /// Whether a period with these samples is bad. A period without a value is not.
    pub(crate) fn breaches(&self, samples: &[Sample]) -> bool {
        assert_eq!(self.properties["TreatMissingData"].as_str(), Some("notBreaching"));
        let Some(value) = self.value(samples) else { return false };
        let threshold = self.number(&self.properties["Threshold"]);
        match self.properties["ComparisonOperator"].as_str().unwrap() {
            "GreaterThanThreshold" => value > threshold,
            "GreaterThanOrEqualToThreshold" => value >= threshold,
            other => panic!("{other}"),
        }
    }

    fn value(&self, samples: &[Sample]) -> Option<f64> {
        let Some(queries) = self.properties["Metrics"].as_sequence() else {
            let properties = &self.properties;
            let statistic = properties["Statistic"].as_str();
            let statistic = statistic.or(properties["ExtendedStatistic"].as_str()).unwrap();
            return statistics(properties, statistic, samples);
        };
        let mut values = BTreeMap::new();
        let mut expressions = Vec::new();
        for query in queries {
            let id = query["Id"].as_str().unwrap().to_owned();
            if query["Expression"].is_null() {
                let metric = &query["MetricStat"];
                let statistic = metric["Stat"].as_str().unwrap();
                values.insert(id, statistics(&metric["Metric"], statistic, samples));
            } else {
                expressions.push(text(&query["Expression"]));
            }
        }
        let [expression] = expressions.as_slice() else { panic!("one expression is understood") };
        let mut expression = expression.clone();
        for (name, parameter) in self.template["Parameters"].as_mapping().unwrap() {
            let reference = format!("${{{}}}", name.as_str().unwrap());
            if let Some(default) = parameter["Default"].as_i64() {
                expression = expression.replace(&reference, &default.to_string());
            }
        }
        Math::evaluate(&expression, &values)
    }
}

/// template.yaml.
fn template() -> Yaml {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../template.yaml");
    yaml_serde::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The logical ids of the template's resources of a type.
pub(crate) fn resources(kind: &str) -> Vec<String> {
    let template = template();
    let all = template["Resources"].as_mapping().unwrap();
    let found = all.iter().filter(|(_, resource)| resource["Type"].as_str() == Some(kind));
    let ids: Vec<_> = found.map(|(id, _)| id.as_str().unwrap().to_owned()).collect();
    assert!(!ids.is_empty(), "no {kind}");
    ids
}

/// The statistic of the samples that a metric has.
fn statistics(metric: &Yaml, statistic: &str, samples: &[Sample]) -> Option<f64> {
    let dimensions = metric["Dimensions"].as_sequence().cloned().unwrap_or_default();
    let dimensions: BTreeMap<_, _> = dimensions
        .iter()
        .map(|dimension| (text(&dimension["Name"]), text(&dimension["Value"])))
        .collect();
    let (namespace, name) = (text(&metric["Namespace"]), text(&metric["MetricName"]));
    let of_metric = |sample: &&Sample| {
        sample.namespace == namespace && sample.metric == name && sample.dimensions == dimensions
    };
    let mut values: Vec<_> = samples.iter().filter(of_metric).map(|sample| sample.value).collect();
    values.sort_by(f64::total_cmp);
    let last = values.last().copied()?;
    Some(match statistic {
        "Sum" => values.iter().sum(),
        "Maximum" => last,
        // The smallest value that 99 of 100 do not exceed.
        "p99" => values[(values.len() * 99).div_ceil(100) - 1],
        other => panic!("{other}"),
    })
}

/// Metric math: what the expressions of the alarms use of it.
struct Math<'a> {
    rest: &'a str,
    values: &'a BTreeMap<String, Option<f64>>,
}

impl<'a> Math<'a> {
    fn evaluate(expression: &'a str, values: &'a BTreeMap<String, Option<f64>>) -> Option<f64> {
        let mut math = Self { rest: expression, values };
        let value = math.comparison();
        assert_eq!(math.rest.trim(), "", "{expression}");
        value
    }

    fn takes(&mut self, token: &str) -> bool {
        let Some(rest) = self.rest.trim_start().strip_prefix(token) else { return false };
        self.rest = rest;
        true
    }

    fn comparison(&mut self) -> Option<f64> {
        let left = self.sum();
        if !self.takes(">=") {
            return left;
        }
        let right = self.sum();
        Some(f64::from(u8::from(left? >= right?)))
    }

    fn sum(&mut self) -> Option<f64> {
        let mut left = self.quotient();
        while self.takes("+") {
            let right = self.quotient();
            left = left.zip(right).map(|(left, right)| left + right);
        }
        left
    }

    fn quotient(&mut self) -> Option<f64> {
        let mut left = self.atom();
        while self.takes("/") {
            let right = self.atom();
            left = left.zip(right).map(|(left, right)| left / right);
        }
        left
    }

    fn arguments(&mut self) -> Vec<Option<f64>> {
        let mut arguments = vec![self.comparison()];
        while self.takes(",") {
            arguments.push(self.comparison());
        }
        assert!(self.takes(")"), "{}", self.rest);
        arguments
    }

    /// All metrics, each with something in place of a missing value.
    fn metrics(&mut self) -> Vec<Option<f64>> {
        assert!(self.takes("FILL(METRICS(),"), "{}", self.rest);
        let other = self.arguments()[0];
        self.values.values().map(|value| value.or(other)).collect()
    }

    fn atom(&mut self) -> Option<f64> {
        if self.takes("(") {
            return self.arguments()[0];
        }
        if self.takes("IF(") {
            let arguments = self.arguments();
            return if arguments[0]? > 0.0 { arguments[1] } else { arguments[2] };
        }
        if self.takes("FILL(") {
            let arguments = self.arguments();
            return arguments[0].or(arguments[1]);
        }
        if self.takes("SUM(") {
            let sum = self.metrics().into_iter().sum();
            assert!(self.takes(")"), "{}", self.rest);
            return sum;
        }
        let rest = self.rest.trim_start();
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let (word, rest) = rest.split_at(end);
        self.rest = rest;
        match word.parse() {
            Ok(number) => Some(number),
            Err(_) => *self.values.get(word).unwrap_or_else(|| panic!("{word:?} is no metric")),
        }
    }
}

#[test]
fn the_math_is_cloudwatchs() {
    let values = BTreeMap::from([("a".to_owned(), Some(6.0)), ("b".to_owned(), None)]);
    for (expression, expected) in [
        ("a", Some(6.0)),
        ("b", None),
        ("a / b", None),
        ("a / (FILL(b, 0) + 2)", Some(3.0)),
        ("IF(a >= 6, a / 2, 0)", Some(3.0)),
        ("IF(a >= 7, a / 2, 0)", Some(0.0)),
        ("IF(b >= 7, a / 2, 0)", None),
        ("SUM(FILL(METRICS(), 1)) / 2", Some(3.5)),
    ] {
        assert_eq!(Math::evaluate(expression, &values), expected, "{expression}");
    }
}
