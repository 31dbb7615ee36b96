//! An alarm, read from its properties.

use crate::EXTRA_POINTS;
use crate::data::{Data, Metric, Statistic};
use crate::expression::{Expression, Series};
use crate::rule::{Missing, Rule, State};
use anyhow::{Context as _, bail, ensure};
use serde_json::Value;

#[derive(Clone, Debug)]
struct Query {
    id: String,
    metric: Metric,
    statistic: Statistic,
}

/// An alarm of the type `AWS::CloudWatch::Alarm`.
#[derive(Clone, Debug)]
pub struct Alarm {
    queries: Vec<Query>,
    /// What is compared with the threshold.
    expression: Expression,
    /// The length of a window, in minutes.
    period: i64,
    rule: Rule,
    comparison: String,
    threshold: f64,
    /// Whether the state stays as it is while a percentile has too few samples.
    ignores_low_samples: bool,
}

/// A number, also as text, which is how `CloudFormation` passes parameters on.
fn number(properties: &Value, name: &str) -> anyhow::Result<Option<f64>> {
    properties.get(name).map_or(Ok(None), |value| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        text.parse().map(Some).with_context(|| format!("{name} is no number: {text}"))
    })
}

fn count(properties: &Value, name: &str) -> anyhow::Result<Option<usize>> {
    let value = properties.get(name).map(|value| value.as_u64().and_then(|it| it.try_into().ok()));
    value.map(|value| value.with_context(|| format!("{name} is no count"))).transpose()
}

/// Reads a period, in minutes.
fn period(properties: &Value) -> anyhow::Result<i64> {
    let seconds = properties.get("Period").and_then(Value::as_i64).context("no Period")?;
    ensure!(seconds >= 60 && seconds.checked_rem(60) == Some(0), "unsupported Period {seconds}");
    seconds.checked_div(60).context("no Period")
}

impl Alarm {
    /// Reads the properties, with intrinsic functions resolved.
    ///
    /// # Errors
    /// A property is missing, or the model does not know its value.
    pub fn read(properties: &Value) -> anyhow::Result<Self> {
        let text = |name: &str| properties.get(name).and_then(Value::as_str);
        let metrics = properties.get("Metrics").and_then(Value::as_array);
        let (queries, expression, period) = if let Some(metrics) = metrics {
            read_metrics(metrics)?
        } else {
            let statistic = text("Statistic").or_else(|| text("ExtendedStatistic"));
            let statistic = Statistic::read(statistic.context("no statistic")?)?;
            let query = Query { id: "m".to_owned(), metric: Metric::read(properties)?, statistic };
            (vec![query], Expression::Metric("m".to_owned()), period(properties)?)
        };
        let periods = count(properties, "EvaluationPeriods")?.context("no EvaluationPeriods")?;
        let to_alarm = count(properties, "DatapointsToAlarm")?.unwrap_or(periods);
        ensure!((1..=periods).contains(&to_alarm), "{to_alarm} of {periods} points");
        let missing = match text("TreatMissingData") {
            Some("breaching") => Missing::Breaching,
            Some("notBreaching") => Missing::NotBreaching,
            Some("ignore") => Missing::Ignore,
            Some("missing") | None => Missing::Missing,
            Some(other) => bail!("unsupported TreatMissingData {other}"),
        };
        Ok(Self {
            queries,
            expression,
            period,
            rule: Rule { to_alarm, periods, missing },
            comparison: text("ComparisonOperator").context("no ComparisonOperator")?.to_owned(),
            threshold: number(properties, "Threshold")?.context("no Threshold")?,
            ignores_low_samples: text("EvaluateLowSampleCountPercentile") == Some("ignore"),
        })
    }

    /// The metrics that the alarm reads.
    pub fn metrics(&self) -> impl Iterator<Item = &Metric> {
        self.queries.iter().map(|query| &query.metric)
    }

    /// The length of a window, in minutes.
    #[must_use]
    pub const fn period(&self) -> i64 {
        self.period
    }

    #[must_use]
    pub const fn rule(&self) -> Rule {
        self.rule
    }

    /// Returns the first minute from which on the alarm rings, whatever number of points an evaluation reads; `None` if it may
    /// stay silent until this minute.
    #[must_use]
    pub fn rings(&self, data: &Data, until: i64) -> Option<i64> {
        let first = |extra| first(&self.history(data, until, extra), State::Alarm);
        EXTRA_POINTS.into_iter().map(first).try_fold(0, |latest, one| Some(one?.max(latest)))
    }

    /// Returns whether the alarm is silent until this minute, whatever number of points an evaluation reads.
    #[must_use]
    pub fn is_silent(&self, data: &Data, until: i64) -> bool {
        let rings = |extra| self.history(data, until, extra).contains(&State::Alarm);
        !EXTRA_POINTS.into_iter().any(rings)
    }

    /// Returns the state after each minute, from the first to this one, if each evaluation reads so many points more than it
    /// needs.
    ///
    /// # Panics
    /// The expression cannot be evaluated.
    #[must_use]
    pub fn history(&self, data: &Data, until: i64, extra: usize) -> Vec<State> {
        let mut state = State::InsufficientData;
        let evaluate = |now| {
            state = self.evaluate(data, now, (state, extra));
            state
        };
        (1..=until).map(evaluate).collect()
    }

    /// Returns the window with this number, counted back from `now`: its first minute and the minute after it.
    fn window(&self, now: i64, number: usize) -> (i64, i64) {
        let back = i64::try_from(number).unwrap_or(i64::MAX).saturating_mul(self.period);
        let end = now.saturating_sub(back);
        (end.saturating_sub(self.period), end)
    }

    fn evaluate(&self, data: &Data, now: i64, (previous, extra): (State, usize)) -> State {
        let count = self.rule.periods.saturating_add(extra);
        let series = |metric: &Metric, statistic| -> Series {
            let windows = (0..count).map(|number| self.window(now, number));
            windows.map(|window| data.statistic((metric, statistic), window, now)).collect()
        };
        if self.ignores_low_samples
            && self.queries.iter().any(|query| {
                let samples = series(&query.metric, Statistic::SampleCount);
                samples.first().copied().flatten().unwrap_or_default()
                    < query.statistic.reliable_from()
            })
        {
            return previous;
        }
        let metrics: Vec<_> = self
            .queries
            .iter()
            .map(|query| (query.id.as_str(), series(&query.metric, query.statistic)))
            .collect();
        let points = match self.expression.series(&metrics) {
            Ok(points) => points,
            #[expect(clippy::panic, reason = "a test fails by panicking")]
            Err(error) => panic!("{error:#}"),
        };
        let breaches = |value: f64| match self.comparison.as_str() {
            "GreaterThanThreshold" => value > self.threshold,
            "LessThanThreshold" => value < self.threshold,
            "LessThanOrEqualToThreshold" => value <= self.threshold,
            _ => value >= self.threshold,
        };
        let points: Vec<_> = points.into_iter().map(|point| point.map(breaches)).collect();
        self.rule.state(&points, previous)
    }
}

/// The first minute with this state.
fn first(history: &[State], state: State) -> Option<i64> {
    let place = history.iter().position(|one| *one == state)?;
    i64::try_from(place).ok()?.checked_add(1)
}

fn read_metrics(metrics: &[Value]) -> anyhow::Result<(Vec<Query>, Expression, i64)> {
    let (mut queries, mut expression, mut periods) = (Vec::new(), None, Vec::new());
    for metric in metrics {
        let id = metric.get("Id").and_then(Value::as_str).context("a metric without Id")?;
        if let Some(text) = metric.get("Expression").and_then(Value::as_str) {
            ensure!(expression.is_none(), "more than one expression");
            expression = Some(Expression::parse(text)?);
            continue;
        }
        let stat = metric.get("MetricStat").with_context(|| format!("{id} has no MetricStat"))?;
        let statistic = stat.get("Stat").and_then(Value::as_str).context("no Stat")?;
        let properties = stat.get("Metric").context("no Metric")?;
        let (metric, statistic) = (Metric::read(properties)?, Statistic::read(statistic)?);
        queries.push(Query { id: id.to_owned(), metric, statistic });
        periods.push(period(stat)?);
    }
    ensure!(queries.len() <= 10, "an alarm computes with ten metrics at most");
    periods.dedup();
    let [period] = periods.as_slice() else { bail!("the metrics have several periods") };
    let expression = expression.context("no expression")?;
    // CloudWatch refuses an expression that names a metric which the alarm does not have.
    let ids = queries.iter().map(|query| (query.id.as_str(), Series::new()));
    expression.series(&ids.collect::<Vec<_>>()).context("the expression has no value")?;
    Ok((queries, expression, *period))
}
