//! The values of intrinsic functions, parameters and pseudo parameters in the local stack.

use crate::arn::{self, ACCOUNT, REGION, STACK};
use crate::document::below;
use anyhow::{Context, bail};
use serde_json::{Map, Value as Json};
use std::collections::BTreeSet;

/// Turns values of the document into values without intrinsic functions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Resolver<'d> {
    document: &'d Json,
    references: References,
}

/// What a `Ref` may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum References {
    All,
    /// No resources: a physical name that depended on another could depend on itself.
    ParametersOnly,
}

impl<'d> Resolver<'d> {
    pub(crate) const fn new(document: &'d Json) -> Self {
        Self { document, references: References::All }
    }

    /// Resolves a value at `path`. Returns `None` for `AWS::NoValue`.
    pub(crate) fn resolve(self, value: &Json, path: &str) -> anyhow::Result<Option<Json>> {
        Ok(Some(match value {
            Json::Array(items) => {
                let mut list = Vec::with_capacity(items.len());
                for (index, item) in items.iter().enumerate() {
                    list.extend(self.resolve(item, &below(path, &index.to_string()))?);
                }
                Json::Array(list)
            }
            Json::Object(object) => {
                if let Some((name, argument)) = intrinsic(object) {
                    return self.call(name, argument, path);
                }
                let mut resolved = Map::new();
                for (key, value) in object {
                    if let Some(value) = self.resolve(value, &below(path, key))? {
                        resolved.insert(key.clone(), value);
                    }
                }
                Json::Object(resolved)
            }
            plain => plain.clone(),
        }))
    }

    /// Resolves the value that a JSON pointer names. Returns `None` if there is none.
    pub(crate) fn resolve_at(self, pointer: &str) -> anyhow::Result<Option<Json>> {
        let path = pointer.trim_start_matches('/').replace('/', ".");
        self.declared(pointer).map_or(Ok(None), |value| self.resolve(value, &path))
    }

    /// Returns the value that a JSON pointer names, not resolved.
    pub(crate) fn declared(self, pointer: &str) -> Option<&'d Json> {
        self.document.pointer(pointer)
    }

    /// Returns whether a condition of the template holds. `path` refers to it.
    pub(crate) fn condition(self, name: &str, path: &str) -> anyhow::Result<bool> {
        let holds = self.resolve_at(&format!("/Conditions/{name}"))?;
        let holds = holds.and_then(|value| value.as_bool());
        holds.with_context(|| format!("no such condition at {path}"))
    }

    fn truth(self, condition: &Json, path: &str) -> anyhow::Result<bool> {
        if let Some(name) = condition.get("Condition").and_then(Json::as_str) {
            return self.condition(name, path);
        }
        let holds = self.resolve(condition, path)?.and_then(|value| value.as_bool());
        holds.with_context(|| format!("neither true nor false at {path}"))
    }

    fn call(self, name: &str, argument: &Json, path: &str) -> anyhow::Result<Option<Json>> {
        let arguments = argument.as_array().map(Vec::as_slice).unwrap_or_default();
        Ok(Some(match (name, argument, arguments) {
            ("Ref", Json::String(name), _) => return self.reference(name, path),
            ("Fn::Sub", Json::String(pattern), _) => Json::String(self.sub(pattern, path)?),
            ("Fn::GetAtt", _, [Json::String(id), Json::String(attribute)]) => {
                Json::String(self.attribute(id, attribute, path)?)
            }
            ("Fn::If", _, [Json::String(condition), yes, no]) => {
                let chosen = if self.condition(condition, path)? { yes } else { no };
                return self.resolve(chosen, path);
            }
            ("Fn::Equals", _, [left, right]) => {
                Json::Bool(self.resolve(left, path)? == self.resolve(right, path)?)
            }
            ("Fn::Not", _, [condition]) => Json::Bool(!self.truth(condition, path)?),
            ("Fn::And", _, [_, _, ..]) => {
                let all = arguments.iter().map(|condition| self.truth(condition, path));
                let all: Vec<_> = all.collect::<anyhow::Result<_>>()?;
                Json::Bool(all.iter().all(|holds| *holds))
            }
            _ => bail!("unsupported use of intrinsic {name} at {path}"),
        }))
    }

    fn reference(self, name: &str, path: &str) -> anyhow::Result<Option<Json>> {
        let pseudo = match name {
            "AWS::NoValue" => return Ok(None),
            "AWS::AccountId" => Some(ACCOUNT),
            "AWS::Partition" => Some("aws"),
            "AWS::Region" => Some(REGION),
            "AWS::StackName" => Some(STACK),
            "AWS::URLSuffix" => Some("amazonaws.com"),
            _ => None,
        };
        if let Some(value) = pseudo {
            return Ok(Some(value.into()));
        }
        let parameter = self.document.pointer(&format!("/Parameters/{name}/Default"));
        if let Some(default) = parameter {
            return Ok(text(default).map(Json::String));
        }
        let kind = self.kind(name, path)?;
        let physical = self.physical_name(name)?;
        Ok(Some(Json::String(match kind {
            "AWS::SecretsManager::Secret" => arn::secret(&physical),
            "AWS::IAM::ManagedPolicy" => arn::managed_policy(&physical),
            // The one HTTP API is the local front.
            "AWS::Serverless::HttpApi" => "local".to_owned(),
            "AWS::SQS::Queue" => bail!("unsupported Ref of a queue at {path}"),
            _ => physical,
        })))
    }

    fn attribute(self, id: &str, attribute: &str, path: &str) -> anyhow::Result<String> {
        let kind = self.kind(id, path)?;
        let name = self.physical_name(id)?;
        Ok(match (kind, attribute) {
            ("AWS::DynamoDB::Table", "Arn") => arn::table(&name),
            ("AWS::DynamoDB::Table", "StreamArn") => arn::stream(&name),
            ("AWS::Events::EventBus", "Arn") => arn::event_bus(&name),
            ("AWS::SQS::Queue", "Arn") => arn::queue(&name),
            ("AWS::SQS::Queue", "QueueName") => name,
            ("AWS::Logs::LogGroup", "Arn") => arn::log_group(&name),
            ("AWS::CloudWatch::Alarm", "Arn") => arn::alarm(&name),
            // Nothing is published here.
            ("AWS::Serverless::Function", "Version.Version") => "1".to_owned(),
            _ => bail!("unsupported attribute {id}.{attribute} at {path}"),
        })
    }

    fn sub(self, pattern: &str, path: &str) -> anyhow::Result<String> {
        let mut whole = String::new();
        for part in parts(pattern) {
            match part {
                Part::Text(text) => whole.push_str(text),
                Part::Variable(name) => {
                    let value = match name.split_once('.') {
                        Some((id, attribute)) => Some(self.attribute(id, attribute, path)?),
                        None => self.reference(name, path)?.as_ref().and_then(text),
                    };
                    let value = value.with_context(|| format!("{name} has no value at {path}"))?;
                    whole.push_str(&value);
                }
            }
        }
        Ok(whole)
    }

    fn kind(self, id: &str, path: &str) -> anyhow::Result<&'d str> {
        if self.references == References::ParametersOnly {
            bail!("unsupported reference to the resource {id} at {path}");
        }
        let kind = self.document.pointer(&format!("/Resources/{id}/Type")).and_then(Json::as_str);
        kind.with_context(|| format!("no parameter or resource {id}, referred to at {path}"))
    }

    /// Returns the name that a resource has in the local stack: a function's binary, the name that
    /// the template gives, or one made of the logical id.
    pub(crate) fn physical_name(self, id: &str) -> anyhow::Result<String> {
        let path = format!("/Resources/{id}");
        let property = match self.document.pointer(&format!("{path}/Type")).and_then(Json::as_str) {
            Some("AWS::Serverless::Function") => "Metadata/BuildProperties/Binary",
            Some("AWS::DynamoDB::Table") => "Properties/TableName",
            Some("AWS::Events::EventBus" | "AWS::SecretsManager::Secret") => "Properties/Name",
            Some("AWS::Logs::LogGroup") => "Properties/LogGroupName",
            _ => return Ok(format!("{STACK}-{id}")),
        };
        let names = Self { references: References::ParametersOnly, ..self };
        match names.resolve_at(&format!("{path}/{property}"))? {
            Some(Json::String(name)) if !name.is_empty() => Ok(name),
            None if property.starts_with("Properties") => Ok(format!("{STACK}-{id}")),
            _ => bail!("no name at Resources.{id}.{}", property.replace('/', ".")),
        }
    }
}

/// Returns the logical ids, parameters and pseudo parameters that a value refers to with `Ref`,
/// `Fn::GetAtt` and `Fn::Sub`, at any depth.
#[must_use]
pub fn references(value: &Json) -> BTreeSet<String> {
    match value {
        Json::Array(items) => items.iter().flat_map(references).collect(),
        Json::Object(object) => match intrinsic(object) {
            Some(("Ref", Json::String(name))) => BTreeSet::from([name.clone()]),
            Some(("Fn::GetAtt", Json::Array(path))) => {
                path.first().and_then(text).into_iter().collect()
            }
            Some(("Fn::Sub", Json::String(pattern))) => parts(pattern)
                .filter_map(|part| match part {
                    Part::Variable(name) => name.split('.').next().map(str::to_owned),
                    Part::Text(_) => None,
                })
                .collect(),
            _ => object.values().flat_map(references).collect(),
        },
        _ => BTreeSet::new(),
    }
}

/// Returns a scalar as text, which is how `CloudFormation` passes scalars on.
pub(crate) fn text(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        Json::Bool(flag) => Some(flag.to_string()),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

/// Returns the name and the argument of an intrinsic function: an object with the one key `Ref` or
/// `Fn::…`.
pub(crate) fn intrinsic(object: &Map<String, Json>) -> Option<(&str, &Json)> {
    let (name, argument) = object.iter().next().filter(|_| object.len() == 1)?;
    (name == "Ref" || name.starts_with("Fn::")).then_some((name, argument))
}

/// A part of the pattern of `Fn::Sub`.
pub(crate) enum Part<'p> {
    Text(&'p str),
    Variable(&'p str),
}

pub(crate) fn parts(pattern: &str) -> impl Iterator<Item = Part<'_>> {
    pattern.split("${").enumerate().flat_map(|(index, piece)| {
        let (variable, text) = match piece.split_once('}').filter(|_| index > 0) {
            Some((name, text)) => (Some(Part::Variable(name)), text),
            None => (None, piece),
        };
        variable.into_iter().chain([Part::Text(text)])
    })
}
