//! What was measured, and when it could be read.

use anyhow::{Context as _, bail};
use serde_json::Value;
use std::collections::BTreeMap;

/// A metric.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Metric {
    pub namespace: String,
    pub name: String,
    pub dimensions: BTreeMap<String, String>,
}

impl Metric {
    /// Reads the properties `Namespace`, `MetricName` and `Dimensions`.
    pub(crate) fn read(properties: &Value) -> anyhow::Result<Self> {
        let text = |name: &str| {
            let value = properties.get(name).and_then(Value::as_str);
            value.map(str::to_owned).with_context(|| format!("no {name}"))
        };
        let dimensions = properties.get("Dimensions").and_then(Value::as_array);
        let pair = |dimension: &Value| {
            let part = |name| dimension.get(name).and_then(Value::as_str).map(str::to_owned);
            part("Name").zip(part("Value")).context("a dimension without a name or a value")
        };
        let dimensions = dimensions.into_iter().flatten().map(pair);
        Ok(Self {
            namespace: text("Namespace")?,
            name: text("MetricName")?,
            dimensions: dimensions.collect::<anyhow::Result<_>>()?,
        })
    }
}

/// A statistic of the values in a window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Statistic {
    Sum,
    Maximum,
    Minimum,
    Average,
    SampleCount,
    /// A percentile, from 0 to 100.
    Percentile(f64),
}

impl Statistic {
    pub(crate) fn read(name: &str) -> anyhow::Result<Self> {
        Ok(match name {
            "Sum" => Self::Sum,
            "Maximum" => Self::Maximum,
            "Minimum" => Self::Minimum,
            "Average" => Self::Average,
            "SampleCount" => Self::SampleCount,
            _ => match name.strip_prefix('p').map(str::parse) {
                Some(Ok(percent)) => Self::Percentile(percent),
                _ => bail!("unsupported statistic {name}"),
            },
        })
    }

    /// Returns `None` if there is no value.
    #[expect(clippy::cast_precision_loss, reason = "tests have few values")]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank is small")]
    fn of(self, mut values: Vec<f64>) -> Option<f64> {
        values.sort_by(f64::total_cmp);
        let (first, last) = (*values.first()?, *values.last()?);
        let (sum, count) = (values.iter().sum::<f64>(), values.len() as f64);
        Some(match self {
            Self::Sum => sum,
            Self::Maximum => last,
            Self::Minimum => first,
            Self::Average => sum / count,
            Self::SampleCount => count,
            Self::Percentile(percent) => {
                let rank = (percent / 100.0 * count).ceil() as usize;
                *values.get(rank.saturating_sub(1))?
            }
        })
    }

    /// Returns the number of samples from which on a percentile counts as reliable ("Percentile-based alarms and low data
    /// samples").
    pub(crate) fn reliable_from(self) -> f64 {
        match self {
            Self::Percentile(percent) if percent >= 50.0 => 10.0 / (1.0 - percent / 100.0),
            Self::Percentile(percent) => 10.0 / (percent / 100.0),
            _ => 0.0,
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Sample {
    value: f64,
    readable_from: i64,
}

/// The values of all metrics, by metric and minute.
#[derive(Clone, Debug, Default)]
pub struct Data(BTreeMap<Metric, BTreeMap<i64, Vec<Sample>>>);

impl Data {
    /// Adds a value that was measured in this minute and can be read at its end.
    pub fn put(&mut self, metric: &Metric, minute: i64, value: f64) {
        self.put_late(metric, minute, value, 0);
    }

    /// Adds a value that can be read so many minutes later.
    pub fn put_late(&mut self, metric: &Metric, minute: i64, value: f64, late: i64) {
        let readable_from = minute.saturating_add(1).saturating_add(late);
        let minutes = self.0.entry(metric.clone()).or_default();
        minutes.entry(minute).or_default().push(Sample { value, readable_from });
    }

    /// Returns the statistic of a metric over the minutes from `from` to before `to`, as it can be read at `now`.
    pub(crate) fn statistic(
        &self,
        (metric, statistic): (&Metric, Statistic),
        (from, to): (i64, i64),
        now: i64,
    ) -> Option<f64> {
        let samples = self.0.get(metric)?.range(from..to).flat_map(|(_, samples)| samples);
        let readable = samples.filter(|sample| sample.readable_from <= now);
        statistic.of(readable.map(|sample| sample.value).collect())
    }
}
