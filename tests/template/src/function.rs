//! The functions and the events that invoke them.

use crate::policy::{self, Statement};
use crate::resolve::{self, Resolver};
use crate::store::Table;
use crate::{Resource, arn, only};
use anyhow::{Context, bail};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::time::Duration;

/// An `AWS::Serverless::Function`.
#[derive(Debug, Clone, Default)]
pub struct Function {
    /// The logical id.
    pub id: String,
    /// The name of the binary, which is the function's name everywhere.
    pub name: String,
    pub description: String,
    pub memory_mb: u64,
    pub timeout: Duration,
    /// The logical id of the log group.
    pub log_group: Option<String>,
    /// The variables of `Globals` and of the function, resolved. The function's own win.
    pub environment: BTreeMap<String, String>,
    pub events: Vec<Event>,
    /// The rights, of the function's own policies and of the managed policies that it names.
    pub statements: Vec<Statement>,
}

/// An event that invokes a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A request with this method and exactly this path.
    Route {
        method: String,
        path: String,
    },
    /// A request that no other route takes.
    DefaultRoute,
    Stream(Stream),
    Schedule(Schedule),
}

/// The stream of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// The name of the event.
    pub name: String,
    /// The physical name of the table.
    pub table: String,
    pub batch_size: usize,
    /// The number of batches, of different keys, that the function may handle at once.
    pub parallelization: usize,
    pub maximum_retries: u32,
    pub maximum_age: Duration,
    /// The kinds of change that the function gets, such as `INSERT`.
    pub event_names: Vec<String>,
    /// What the keys of the changed items begin with; empty for every key.
    pub key_prefixes: Vec<String>,
}

/// A schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    pub name: String,
    pub period: Duration,
    /// The payload instead of the event of EventBridge.
    pub input: Option<Json>,
}

impl Function {
    /// Returns the methods and paths of the routes.
    pub fn routes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.events.iter().filter_map(|event| match event {
            Event::Route { method, path } => Some((method.as_str(), path.as_str())),
            Event::DefaultRoute | Event::Stream(_) | Event::Schedule(_) => None,
        })
    }

    /// Tells whether the function has the default route.
    #[must_use]
    pub fn has_default_route(&self) -> bool {
        self.events.contains(&Event::DefaultRoute)
    }

    /// Returns the streams.
    pub fn streams(&self) -> impl Iterator<Item = &Stream> {
        self.events.iter().filter_map(|event| match event {
            Event::Stream(stream) => Some(stream),
            Event::Route { .. } | Event::DefaultRoute | Event::Schedule(_) => None,
        })
    }

    /// Returns the schedules.
    pub fn schedules(&self) -> impl Iterator<Item = &Schedule> {
        self.events.iter().filter_map(|event| match event {
            Event::Schedule(schedule) => Some(schedule),
            Event::Route { .. } | Event::DefaultRoute | Event::Stream(_) => None,
        })
    }

    fn read(
        resolver: &Resolver<'_>,
        resource: &Resource,
        resources: &[Resource],
        tables: &[Table],
    ) -> anyhow::Result<Self> {
        let id = &resource.id;
        let path = format!("Resources.{id}.Properties");
        let property =
            |name: &str| resolver.resolve_at(&format!("/Resources/{id}/Properties/{name}"));
        let global = |name: &str| resolver.resolve_at(&format!("/Globals/Function/{name}"));
        let number = |name: &str| -> anyhow::Result<u64> {
            let value = property(name)?.map_or_else(|| global(name), |value| Ok(Some(value)))?;
            value.as_ref().and_then(whole).with_context(|| format!("no {name} at {path}"))
        };
        let mut environment = BTreeMap::new();
        for (variables, path) in [
            (global("Environment/Variables")?, "Globals.Function"),
            (property("Environment/Variables")?, path.as_str()),
        ] {
            for (key, value) in variables.iter().filter_map(Json::as_object).flatten() {
                let value = resolve::text(value)
                    .with_context(|| format!("not a text at {path}.Environment.Variables.{key}"))?;
                environment.insert(key.clone(), value);
            }
        }
        let declared = |name: &str| resource.properties().get(name);
        let log_group = declared("LoggingConfig")
            .or_else(|| resolver.declared("/Globals/Function/LoggingConfig"))
            .and_then(|logging| logging.get("LogGroup"))
            .and_then(|group| resolve::references(group).into_iter().next());
        let events = declared("Events").and_then(Json::as_object).into_iter().flatten();
        let events = events.map(|(name, _)| {
            let event = property(&format!("Events/{name}"))?.unwrap_or_default();
            Event::read(name, &event, &format!("{path}.Events.{name}"), tables)
        });
        Ok(Self {
            id: id.clone(),
            name: resolver.physical_name(id)?,
            description: property("Description")?
                .and_then(|text| resolve::text(&text))
                .unwrap_or_default(),
            memory_mb: number("MemorySize")?,
            timeout: Duration::from_secs(number("Timeout")?),
            log_group,
            environment,
            events: events.collect::<anyhow::Result<_>>()?,
            statements: policy::read(resource, resources)?,
        })
    }
}

/// Reads all functions and checks that each binary and each route belongs to one of them.
pub(crate) fn read_all(
    resolver: &Resolver<'_>,
    resources: &[Resource],
    tables: &[Table],
) -> anyhow::Result<Vec<Function>> {
    let declared = resources.iter().filter(|found| found.kind == "AWS::Serverless::Function");
    let functions = declared
        .map(|resource| Function::read(resolver, resource, resources, tables))
        .collect::<anyhow::Result<Vec<_>>>()?;
    if functions.is_empty() {
        bail!("no AWS::Serverless::Function at Resources");
    }
    let mut owners = BTreeMap::new();
    for function in &functions {
        let routes = function.routes().map(|(method, path)| format!("route {method} {path}"));
        let default = function.has_default_route().then(|| "default route".to_owned());
        let unique = [format!("binary {}", function.name)].into_iter().chain(routes).chain(default);
        for unique in unique {
            if let Some(other) = owners.insert(unique.clone(), &function.id) {
                bail!("{unique} of both Resources.{other} and Resources.{}", function.id);
            }
        }
    }
    Ok(functions)
}

impl Event {
    fn read(name: &str, event: &Json, path: &str, tables: &[Table]) -> anyhow::Result<Self> {
        let kind = event.get("Type").and_then(Json::as_str).unwrap_or_default();
        let properties = event.get("Properties").unwrap_or(&Json::Null);
        let path = &format!("{path}.Properties");
        match kind {
            "HttpApi" => Self::route(properties, path),
            "DynamoDB" => Stream::read(name, properties, path, tables).map(Self::Stream),
            "Schedule" => {
                only(properties, path, &["Description", "Input", "Schedule"])?;
                let rate = properties.get("Schedule").and_then(Json::as_str).unwrap_or_default();
                let period = period(rate).with_context(|| {
                    format!("unsupported schedule {rate:?} at {path}: expected rate(…)")
                })?;
                let input = properties.get("Input").map(|input| {
                    let input = input.as_str().and_then(|input| serde_json::from_str(input).ok());
                    input.with_context(|| format!("no JSON text at {path}.Input"))
                });
                let input = input.transpose()?;
                Ok(Self::Schedule(Schedule { name: name.to_owned(), period, input }))
            }
            other => bail!("unsupported event type {other:?} at {path}"),
        }
    }

    fn route(properties: &Json, path: &str) -> anyhow::Result<Self> {
        only(properties, path, &["ApiId", "Method", "Path"])?;
        let text = |name: &str| properties.get(name).and_then(Json::as_str);
        match (text("Method"), text("Path")) {
            // SAM: an event with neither is the API's default route.
            (None, None) => Ok(Self::DefaultRoute),
            (Some(method @ ("GET" | "POST" | "PUT" | "PATCH" | "DELETE")), Some(route))
                if route.starts_with('/') && !route.contains('{') =>
            {
                Ok(Self::Route { method: method.to_owned(), path: route.to_owned() })
            }
            (method, route) => bail!(
                "unsupported route {} {} at {path}: expected a method and an exact path",
                method.unwrap_or("-"),
                route.unwrap_or("-")
            ),
        }
    }
}

impl Stream {
    fn read(name: &str, properties: &Json, path: &str, tables: &[Table]) -> anyhow::Result<Self> {
        let known = [
            "BatchSize",
            "BisectBatchOnFunctionError",
            "DestinationConfig",
            "FilterCriteria",
            "FunctionResponseTypes",
            "MaximumRecordAgeInSeconds",
            "MaximumRetryAttempts",
            "ParallelizationFactor",
            "StartingPosition",
            "Stream",
        ];
        only(properties, path, &known)?;
        let stream = properties.get("Stream").and_then(Json::as_str).unwrap_or_default();
        let table = tables
            .iter()
            .find(|table| table.has_stream && arn::stream(&table.name) == stream)
            .with_context(|| format!("not the stream of a table at {path}.Stream"))?;
        // The local stack delivers in this way only.
        for (name, expected) in [
            ("BisectBatchOnFunctionError", Json::Bool(true)),
            ("FunctionResponseTypes", ["ReportBatchItemFailures"].as_slice().into()),
            ("StartingPosition", "TRIM_HORIZON".into()),
        ] {
            if properties.get(name) != Some(&expected) {
                bail!("unsupported value at {path}.{name}: expected {expected}");
            }
        }
        let number = |name: &str| {
            let value = properties.get(name).and_then(whole);
            value.with_context(|| format!("no {name} at {path}"))
        };
        let (event_names, key_prefixes) = filter(properties).with_context(|| {
            format!(
                r#"unsupported filter at {path}.FilterCriteria: expected {{"eventName":[…]}}, and prefixes of one key"#
            )
        })?;
        Ok(Self {
            name: name.to_owned(),
            table: table.name.clone(),
            batch_size: usize::try_from(number("BatchSize")?)?,
            parallelization: usize::try_from(number("ParallelizationFactor")?)?,
            maximum_retries: u32::try_from(number("MaximumRetryAttempts")?)?,
            maximum_age: Duration::from_secs(number("MaximumRecordAgeInSeconds")?),
            event_names,
            key_prefixes,
        })
    }
}

/// Reads the one filter of a stream: a list of event names, and what a key begins with.
fn filter(properties: &Json) -> Option<(Vec<String>, Vec<String>)> {
    let filters = properties.pointer("/FilterCriteria/Filters")?.as_array()?;
    let [filter] = filters.as_slice() else { return None };
    let pattern: Json = serde_json::from_str(filter.get("Pattern")?.as_str()?).ok()?;
    let members = pattern.as_object()?;
    let texts = |list: &Json, of: fn(&Json) -> Option<&str>| -> Option<Vec<String>> {
        list.as_array()?.iter().map(|item| of(item).map(str::to_owned)).collect()
    };
    let names = texts(pattern.get("eventName")?, Json::as_str)?;
    let Some(record) = pattern.get("dynamodb") else {
        return (members.len() == 1).then_some((names, Vec::new()));
    };
    // The table has one key, so any key of the pattern is that one.
    let keys = record.get("Keys")?.as_object().filter(|keys| keys.len() == 1)?;
    let prefixes = keys.values().next()?.get("S")?;
    let prefixes = texts(prefixes, |item| item.get("prefix")?.as_str())?;
    let is_whole = members.len() == 2 && record.as_object()?.len() == 1 && !prefixes.is_empty();
    is_whole.then_some((names, prefixes))
}

/// Reads a schedule such as `rate(5 minutes)`.
fn period(schedule: &str) -> Option<Duration> {
    let (count, unit) = schedule.strip_prefix("rate(")?.strip_suffix(')')?.split_once(' ')?;
    let seconds = match unit.trim_end_matches('s') {
        "minute" => 60,
        "hour" => 3_600,
        "day" => 86_400,
        _ => return None,
    };
    let count: u64 = count.parse().ok().filter(|count| *count > 0)?;
    Some(Duration::from_secs(count.saturating_mul(seconds)))
}

/// Reads a whole number, also where a parameter made it a text.
fn whole(value: &Json) -> Option<u64> {
    resolve::text(value)?.parse().ok()
}
