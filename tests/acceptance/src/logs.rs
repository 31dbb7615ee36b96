//! The lines that the functions write, and the metrics that CloudWatch reads from them.

use crate::TestStack;
use serde_json::Value;
use std::collections::BTreeMap;

/// One value of a metric.
#[derive(Clone, Debug)]
pub struct Sample {
    pub namespace: String,
    pub metric: String,
    pub dimensions: BTreeMap<String, String>,
    pub value: f64,
}

impl TestStack {
    /// The lines that are JSON, each with the name of its function.
    #[must_use]
    pub fn json_lines(&self) -> Vec<(String, Value)> {
        self.logs().iter().filter_map(|line| json_line(line)).collect()
    }

    /// The lines with this message, of any function.
    #[must_use]
    pub fn lines(&self, message: &str) -> Vec<Value> {
        let lines = self.json_lines().into_iter().map(|(_, line)| line);
        lines.filter(|line| line["message"] == message).collect()
    }

    /// The lines that hold metrics.
    #[must_use]
    pub fn metric_lines(&self) -> Vec<Value> {
        let lines = self.json_lines().into_iter().map(|(_, line)| line);
        lines.filter(|line| line.get("_aws").is_some()).collect()
    }

    /// The values that CloudWatch reads from the lines, once for each set of dimensions.
    #[must_use]
    pub fn samples(&self) -> Vec<Sample> {
        self.metric_lines().iter().flat_map(samples_of).collect()
    }

    /// The sum of a metric without dimensions, or with exactly these.
    #[must_use]
    pub fn sum(&self, metric: &str, dimensions: &[(&str, &str)]) -> f64 {
        let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let dimensions: BTreeMap<_, _> = dimensions.iter().map(pair).collect();
        let samples = self.samples().into_iter();
        let of_metric = |it: &Sample| it.metric == metric && it.dimensions == dimensions;
        samples.filter(of_metric).map(|sample| sample.value).sum()
    }

    /// Waits until the sum of a metric over all dimensions is `least` or more, and returns the sum.
    pub async fn wait_for_sum(&self, metric: &str, least: f64) -> f64 {
        let look = || async { Some(self.sum(metric, &[])).filter(|sum| *sum >= least) };
        self.wait_for(metric, look).await
    }
}

/// The name of the function and the JSON of a line; `None` for a line that is not JSON.
#[must_use]
pub fn json_line(line: &str) -> Option<(String, Value)> {
    let (function, line) = line.strip_prefix('[')?.split_once("] ")?;
    Some((function.to_owned(), serde_json::from_str(line).ok()?))
}

/// The samples in a line of the embedded metric format.
fn samples_of(line: &Value) -> Vec<Sample> {
    let mut samples = Vec::new();
    for directive in list(&line["_aws"]["CloudWatchMetrics"]) {
        for set in list(&directive["Dimensions"]) {
            let names = list(set).iter().map(|name| name.as_str().unwrap());
            let dimensions: BTreeMap<_, _> = names
                .map(|name| (name.to_owned(), line[name].as_str().unwrap().to_owned()))
                .collect();
            for metric in list(&directive["Metrics"]) {
                let name = metric["Name"].as_str().unwrap();
                samples.extend(values(&line[name]).iter().map(|value| Sample {
                    namespace: directive["Namespace"].as_str().unwrap().to_owned(),
                    metric: name.to_owned(),
                    dimensions: dimensions.clone(),
                    value: value.as_f64().unwrap(),
                }));
            }
        }
    }
    samples
}

/// The values of a metric: one, or a list.
#[must_use]
pub fn values(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(values) => values.clone(),
        value => vec![value.clone()],
    }
}

/// The elements of a list.
#[must_use]
pub fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap()
}
