//! Metric math.
//!
//! A missing value of one of two series counts as 0; where both are missing, the result is missing; a division by zero drops
//! the point ("Using math expressions with `CloudWatch` metrics"). The documentation does not say what `1 + m` is where `m` is
//! missing: here it is missing.

use anyhow::{Context as _, bail, ensure};

/// A value for each window, the newest first.
pub(crate) type Series = Vec<Option<f64>>;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expression {
    Number(f64),
    Text(String),
    Metric(String),
    Array(Vec<Expression>),
    Call(String, Vec<Expression>),
    Operation(Box<Expression>, &'static str, Box<Expression>),
}

#[derive(Clone, Debug)]
enum Value {
    Number(f64),
    Text(String),
    Series(Series),
    Array(Vec<Series>),
}

/// The binary operators by how strongly they bind, the weakest first. Of two that begin alike, the longer one comes first.
const OPERATORS: [&[&str]; 5] =
    [&["OR", "||"], &["AND", "&&"], &["==", "!=", ">=", "<=", ">", "<"], &["+", "-"], &["*", "/"]];

struct Parser<'t>(&'t str);

impl Parser<'_> {
    fn take(&mut self, token: &str) -> bool {
        let rest = self.0.trim_start();
        let found = rest.strip_prefix(token);
        self.0 = found.unwrap_or(rest);
        found.is_some()
    }

    fn binary(&mut self, level: usize) -> anyhow::Result<Expression> {
        let Some(operators) = OPERATORS.get(level) else { return self.primary() };
        let mut left = self.binary(level.saturating_add(1))?;
        while let Some(operator) = operators.iter().find(|operator| self.take(operator)) {
            let right = self.binary(level.saturating_add(1))?;
            left = Expression::Operation(Box::new(left), operator, Box::new(right));
        }
        Ok(left)
    }

    fn list(&mut self, end: &str) -> anyhow::Result<Vec<Expression>> {
        let mut items = Vec::new();
        while !self.take(end) {
            ensure!(items.is_empty() || self.take(","), "no comma before {}", self.0);
            items.push(self.binary(0)?);
        }
        Ok(items)
    }

    fn primary(&mut self) -> anyhow::Result<Expression> {
        if self.take("(") {
            let inner = self.binary(0)?;
            ensure!(self.take(")"), "no ) before {}", self.0);
            return Ok(inner);
        }
        if self.take("[") {
            return self.list("]").map(Expression::Array);
        }
        if self.take("\"") {
            let (text, rest) = self.0.split_once('"').context("a text without an end")?;
            self.0 = rest;
            return Ok(Expression::Text(text.to_owned()));
        }
        let end = self.0.find(|one: char| !(one.is_ascii_alphanumeric() || "_.".contains(one)));
        let (word, rest) = self.0.split_at(end.unwrap_or(self.0.len()));
        self.0 = rest;
        match word.chars().next().with_context(|| format!("no value before {rest}"))? {
            '0'..='9' => Ok(Expression::Number(word.parse()?)),
            'a'..='z' => Ok(Expression::Metric(word.to_owned())),
            _ if self.take("(") => Ok(Expression::Call(word.to_owned(), self.list(")")?)),
            _ => bail!("{word} is no value"),
        }
    }
}

impl Expression {
    pub(crate) fn parse(text: &str) -> anyhow::Result<Self> {
        let mut parser = Parser(text);
        let expression = parser.binary(0).with_context(|| format!("failed to read {text}"))?;
        ensure!(parser.0.trim().is_empty(), "{} is left of {text}", parser.0);
        Ok(expression)
    }

    /// Returns the series that the expression gives with these metrics.
    pub(crate) fn series(&self, metrics: &[(&str, Series)]) -> anyhow::Result<Series> {
        match self.value(metrics)? {
            Value::Series(series) => Ok(series),
            Value::Number(_) | Value::Text(_) | Value::Array(_) => {
                bail!("the expression gives no single series")
            }
        }
    }

    fn value(&self, metrics: &[(&str, Series)]) -> anyhow::Result<Value> {
        Ok(match self {
            Self::Number(number) => Value::Number(*number),
            Self::Text(text) => Value::Text(text.clone()),
            Self::Metric(id) => {
                let found = metrics.iter().find(|(name, _)| name == id);
                Value::Series(found.with_context(|| format!("there is no metric {id}"))?.1.clone())
            }
            Self::Array(items) => {
                let items = items.iter().map(|item| item.series(metrics));
                Value::Array(items.collect::<anyhow::Result<_>>()?)
            }
            Self::Call(name, arguments) => {
                let arguments = arguments.iter().map(|argument| argument.value(metrics));
                call(name, arguments.collect::<anyhow::Result<_>>()?, metrics)?
            }
            Self::Operation(left, operator, right) => {
                operation(left.value(metrics)?, operator, right.value(metrics)?)?
            }
        })
    }
}

fn call(name: &str, arguments: Vec<Value>, metrics: &[(&str, Series)]) -> anyhow::Result<Value> {
    let mut arguments = arguments.into_iter();
    let given = (arguments.next(), arguments.next(), arguments.next());
    Ok(match (name, given) {
        ("METRICS", (None, None, None)) => {
            Value::Array(metrics.iter().map(|(_, series)| series.clone()).collect())
        }
        ("METRICS", (Some(Value::Text(part)), None, None)) => {
            let named = metrics.iter().filter(|(id, _)| id.contains(&part));
            Value::Array(named.map(|(_, series)| series.clone()).collect())
        }
        ("SUM", (Some(Value::Array(all)), None, None)) => {
            let add = |sum: Series, one: Series| combine(sum, one, |a, b| Some(a + b));
            Value::Series(all.into_iter().reduce(add).context("a sum of nothing")?)
        }
        ("FILL", (Some(Value::Series(series)), Some(Value::Number(number)), None)) => {
            Value::Series(series.into_iter().map(|value| value.or(Some(number))).collect())
        }
        ("FILL", (Some(Value::Array(all)), Some(Value::Number(number)), None)) => {
            let fill = |series: Series| series.into_iter().map(|value| value.or(Some(number)));
            Value::Array(all.into_iter().map(|series| fill(series).collect()).collect())
        }
        ("IF", (Some(Value::Series(condition)), Some(yes), Some(no))) => {
            let choose = |(place, condition): (usize, Option<f64>)| {
                let chosen = if condition? == 0.0 { &no } else { &yes };
                match chosen {
                    Value::Number(number) => Some(*number),
                    Value::Series(series) => series.get(place).copied().flatten(),
                    Value::Text(_) | Value::Array(_) => None,
                }
            };
            Value::Series(condition.into_iter().enumerate().map(choose).collect())
        }
        _ => bail!("unsupported use of {name}"),
    })
}

/// Combines two series point by point. A missing value of one of them counts as 0.
fn combine(left: Series, right: Series, with: impl Fn(f64, f64) -> Option<f64>) -> Series {
    let pair = |(left, right): (Option<f64>, Option<f64>)| match (left, right) {
        (None, None) => None,
        (left, right) => with(left.unwrap_or_default(), right.unwrap_or_default()),
    };
    left.into_iter().zip(right).map(pair).collect()
}

fn operation(left: Value, operator: &str, right: Value) -> anyhow::Result<Value> {
    let with = |a, b| apply(a, operator, b);
    Ok(match (left, right) {
        (Value::Series(left), Value::Series(right)) => Value::Series(combine(left, right, with)),
        (Value::Series(left), Value::Number(right)) => {
            Value::Series(left.into_iter().map(|left| with(left?, right)).collect())
        }
        (Value::Number(left), Value::Series(right)) => {
            Value::Series(right.into_iter().map(|right| with(left, right?)).collect())
        }
        (Value::Number(left), Value::Number(right)) => {
            Value::Number(with(left, right).context("a division by zero")?)
        }
        _ => bail!("unsupported use of {operator} with an array"),
    })
}

fn apply(a: f64, operator: &str, b: f64) -> Option<f64> {
    let truth = |holds: bool| if holds { 1.0 } else { 0.0 };
    #[expect(clippy::float_cmp, reason = "metric math compares without a tolerance")]
    Some(match operator {
        "+" => a + b,
        "-" => a - b,
        "*" => a * b,
        "/" if b == 0.0 => return None,
        "/" => a / b,
        "==" => truth(a == b),
        "!=" => truth(a != b),
        ">=" => truth(a >= b),
        "<=" => truth(a <= b),
        ">" => truth(a > b),
        "<" => truth(a < b),
        "AND" | "&&" => truth(a != 0.0 && b != 0.0),
        _ => truth(a != 0.0 || b != 0.0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Series {
        let one = vec![Some(30.0), Some(20.0), Some(0.0), Some(0.0), None];
        let two = vec![Some(20.0), None, Some(20.0), None, None];
        Expression::parse(text).unwrap().series(&[("m1", one), ("m2", two)]).unwrap()
    }

    fn all<const N: usize>(values: [f64; N]) -> Series {
        values.into_iter().map(Some).chain([None]).collect()
    }

    /// The examples of "Comparison and logical operators", with one point more where both are missing.
    #[test]
    fn comparisons_as_in_the_documentation() {
        assert_eq!(of("(m1 < m2)"), all([0.0, 0.0, 1.0, 0.0]));
        assert_eq!(of("(m1 >= 30)"), all([1.0, 0.0, 0.0, 0.0]));
        assert_eq!(of("(m1 > 15 AND m2 > 15)"), all([1.0, 0.0, 0.0, 0.0]));
    }

    #[test]
    fn a_missing_value_counts_as_zero_beside_another() {
        assert_eq!(of("m1 + m2"), all([50.0, 20.0, 20.0, 0.0]));
        assert_eq!(of("SUM([m1, m2])"), of("m1 + m2"));
        assert_eq!(of("SUM(METRICS())"), of("m1 + m2"));
        assert_eq!(of("SUM(METRICS(\"1\")) - SUM(METRICS(\"2\"))"), of("m1 - m2"));
        assert_eq!(of("m1 - 2 * m2"), all([-10.0, 20.0, -40.0, 0.0]));
    }

    #[test]
    fn a_division_by_zero_drops_the_point() {
        assert_eq!(of("m1 / m2"), [Some(1.5), None, Some(0.0), None, None]);
    }

    #[test]
    fn a_filled_series_has_no_missing_point() {
        assert_eq!(of("FILL(m2, 7)"), [20.0, 7.0, 20.0, 7.0, 7.0].map(Some));
        assert_eq!(of("SUM(FILL(METRICS(), 0))"), [50.0, 20.0, 20.0, 0.0, 0.0].map(Some));
    }

    #[test]
    fn a_condition_chooses_point_by_point() {
        assert_eq!(of("IF(m1 >= 20, 100 * m1 / (m1 + m2), 0)"), all([60.0, 100.0, 0.0, 0.0]));
    }

    #[test]
    fn what_the_model_does_not_know_is_refused() {
        for text in
            ["ANOMALY_DETECTION_BAND(m1)", "m1 +", "m1 m2", "RATE(m1)", "SUM(m1)", "(m1", "m3"]
        {
            let series = Expression::parse(text).and_then(|it| it.series(&[("m1", Series::new())]));
            assert!(series.is_err(), "{text}: {series:?}");
        }
    }
}
