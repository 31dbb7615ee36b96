//! The functions of the template and what calls them.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use serde_json::Value as Json;

use super::identity;
use super::resolver::{Resolver, Resource};
use super::stores::{TableSpec, is_true};
use super::values::as_text;
use crate::pattern::Pattern;

/// An `AWS::Serverless::Function`.
#[derive(Debug, Clone)]
pub(crate) struct FunctionSpec {
    /// The binary's name, which is the function's name everywhere.
    pub(crate) name: String,
    pub(crate) timeout: Duration,
    pub(crate) memory_mb: u64,
    /// `Globals` and the function's own variables, merged.
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) routes: Vec<RouteSpec>,
    pub(crate) streams: Vec<StreamSpec>,
    pub(crate) schedules: Vec<ScheduleSpec>,
}

/// A route of the HTTP API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RouteSpec {
    /// `$default`: whatever no other route takes.
    Default,
    /// A method, or `ANY`, and a path that may hold `{name}` and `{name+}` segments.
    Path { method: String, path: String },
}

/// A table's stream as the event source of a function.
#[derive(Debug, Clone)]
pub(crate) struct StreamSpec {
    /// The physical name of the table.
    pub(crate) table: String,
    pub(crate) batch_size: usize,
    pub(crate) batching_window: Duration,
    /// How many batches, of different keys, may be worked on at once.
    pub(crate) lanes: usize,
    /// `None`: until it works.
    pub(crate) maximum_retries: Option<u32>,
    /// `None`: however old.
    pub(crate) maximum_age: Option<Duration>,
    pub(crate) bisects: bool,
    pub(crate) reports_item_failures: bool,
    /// A record must match one of these; no patterns take everything.
    pub(crate) filters: Vec<Pattern>,
}

/// A schedule that invokes a function.
#[derive(Debug, Clone)]
pub(crate) struct ScheduleSpec {
    pub(crate) name: String,
    pub(crate) period: Duration,
    /// The payload, if the template fixes it.
    pub(crate) input: Option<String>,
}

impl FunctionSpec {
    pub(super) fn read(
        resolver: &Resolver<'_>,
        resource: &Resource<'_>,
        tables: &[TableSpec],
        gaps: &mut Vec<String>,
    ) -> anyhow::Result<Self> {
        let id = resource.id;
        let number = |name: &str, otherwise: u64| -> anyhow::Result<u64> {
            let value = match resource.property(resolver, name)? {
                Some(value) => Some(value),
                None => resolver.function_global(name)?,
            };
            value.map_or(Ok(otherwise), |value| {
                whole(&value).ok_or_else(|| anyhow!("{id}.{name} is not a whole number"))
            })
        };
        let mut function = Self {
            name: identity::binary(resolver, resource)?,
            timeout: Duration::from_secs(number("Timeout", 3)?.max(1)),
            memory_mb: number("MemorySize", 128)?,
            environment: BTreeMap::new(),
            routes: Vec::new(),
            streams: Vec::new(),
            schedules: Vec::new(),
        };
        // The function's own variables win over the global ones.
        for variables in
            [resolver.function_global("Environment")?, resource.property(resolver, "Environment")?]
        {
            let variables = variables.as_ref().and_then(|environment| environment.get("Variables"));
            for (key, value) in variables.and_then(Json::as_object).into_iter().flatten() {
                let value =
                    as_text(value).ok_or_else(|| anyhow!("{id}: variable {key} is not a text"))?;
                function.environment.insert(key.clone(), value);
            }
        }
        if let Some(Json::Object(events)) = resource.property(resolver, "Events")? {
            for (name, event) in &events {
                function
                    .event(name, event, tables, gaps)
                    .with_context(|| format!("{id}.Events.{name}"))?;
            }
        }
        Ok(function)
    }

    fn event(
        &mut self,
        name: &str,
        event: &Json,
        tables: &[TableSpec],
        gaps: &mut Vec<String>,
    ) -> anyhow::Result<()> {
        let kind =
            event.get("Type").and_then(Json::as_str).ok_or_else(|| anyhow!("has no Type"))?;
        let empty = Json::Null;
        let properties = event.get("Properties").unwrap_or(&empty);
        // A disabled source is there and calls nobody.
        let enabled = properties.get("Enabled").is_none_or(is_true)
            && properties.get("State").and_then(Json::as_str) != Some("DISABLED");
        match kind {
            "HttpApi" => self.routes.push(RouteSpec::read(properties)?),
            "DynamoDB" if enabled => self.streams.push(StreamSpec::read(properties, tables)?),
            "Schedule" | "ScheduleV2" if enabled => {
                let key = if kind == "Schedule" { "Schedule" } else { "ScheduleExpression" };
                let expression = properties.get(key).and_then(Json::as_str).unwrap_or_default();
                match rate(expression) {
                    Some(period) => self.schedules.push(ScheduleSpec {
                        name: name.to_owned(),
                        period,
                        input: properties.get("Input").and_then(Json::as_str).map(str::to_owned),
                    }),
                    None if expression.starts_with("cron(") || expression.starts_with("at(") => {
                        gaps.push(format!(
                            "{}: the schedule {name}, {expression}, does not run here",
                            self.name
                        ));
                    }
                    None => bail!("{key} {expression:?} is not rate(…), cron(…) or at(…)"),
                }
            }
            "DynamoDB" | "Schedule" | "ScheduleV2" => {}
            other => {
                gaps.push(format!("{}: the {other} event {name} does not happen here", self.name));
            }
        }
        Ok(())
    }
}

impl RouteSpec {
    fn read(properties: &Json) -> anyhow::Result<Self> {
        let text = |name: &str| properties.get(name).and_then(Json::as_str);
        let (method, path) = (text("Method"), text("Path"));
        // SAM: an event with neither is the API's default route.
        let path = match path {
            None | Some("$default") => return Ok(Self::Default),
            Some(path) => path,
        };
        if !path.starts_with('/') {
            bail!("Path {path:?} does not begin with a slash");
        }
        let method = match method {
            None | Some("x-amazon-apigateway-any-method") => "ANY".to_owned(),
            Some(method) => method.to_ascii_uppercase(),
        };
        Ok(Self::Path { method, path: path.to_owned() })
    }
}

impl StreamSpec {
    fn read(properties: &Json, tables: &[TableSpec]) -> anyhow::Result<Self> {
        let stream = properties.get("Stream").and_then(Json::as_str).unwrap_or_default();
        let table = tables
            .iter()
            .find(|table| identity::stream_arn(&table.name) == stream)
            .ok_or_else(|| anyhow!("Stream is not the stream of a table of this template"))?;
        if !table.streams {
            bail!("{} has no StreamSpecification", table.id);
        }
        let mut filters = Vec::new();
        let patterns = properties.pointer("/FilterCriteria/Filters").and_then(Json::as_array);
        for filter in patterns.into_iter().flatten() {
            let text = filter
                .get("Pattern")
                .and_then(Json::as_str)
                .ok_or_else(|| anyhow!("FilterCriteria: a filter without a Pattern"))?;
            filters.push(Pattern::parse(text).context("FilterCriteria")?);
        }
        // -1 is Lambda's way to say "without end".
        let limit = |name: &str| properties.get(name).and_then(whole);
        let responses = properties.get("FunctionResponseTypes").and_then(Json::as_array);
        Ok(Self {
            table: table.name.clone(),
            batch_size: limit("BatchSize")
                .and_then(|n| usize::try_from(n).ok())
                .unwrap_or(100)
                .max(1),
            batching_window: Duration::from_secs(
                limit("MaximumBatchingWindowInSeconds").unwrap_or(0),
            ),
            lanes: limit("ParallelizationFactor")
                .and_then(|n| usize::try_from(n).ok())
                .unwrap_or(1),
            maximum_retries: limit("MaximumRetryAttempts").and_then(|n| u32::try_from(n).ok()),
            maximum_age: limit("MaximumRecordAgeInSeconds").map(Duration::from_secs),
            bisects: properties.get("BisectBatchOnFunctionError").is_some_and(is_true),
            reports_item_failures: responses.is_some_and(|types| {
                types.iter().any(|t| t.as_str() == Some("ReportBatchItemFailures"))
            }),
            filters,
        })
    }
}

/// `rate(5 minutes)`.
fn rate(expression: &str) -> Option<Duration> {
    let inside = expression.trim().strip_prefix("rate(")?.strip_suffix(')')?;
    let (count, unit) = inside.trim().split_once(' ')?;
    let unit = match unit.trim().trim_end_matches('s') {
        "second" => 1,
        "minute" => 60,
        "hour" => 3_600,
        "day" => 86_400,
        _ => return None,
    };
    let count: u64 = count.parse().ok().filter(|count| *count > 0)?;
    Some(Duration::from_secs(count.saturating_mul(unit)))
}

/// A whole number, also where a parameter made it a text.
fn whole(value: &Json) -> Option<u64> {
    as_text(value)?.parse().ok()
}
