//! The values of intrinsic functions in a template of another team.

use super::{kind, text};
use crate::arn::{self, ACCOUNT, REGION};
use crate::resolve::{Part, intrinsic, parts};
use anyhow::{Context, bail, ensure};
use serde_json::{Map, Value as Json};

/// The most intrinsic functions inside each other: a template can refer to itself.
const DEPTH: u8 = 16;

/// Turns values into values without intrinsic functions. The error names what has no value here.
#[derive(Debug, Clone, Copy)]
pub(super) struct Values<'d> {
    document: &'d Json,
    stack: &'d str,
    depth: u8,
}

impl<'d> Values<'d> {
    pub(super) const fn new(document: &'d Json, stack: &'d str) -> Self {
        Self { document, stack, depth: DEPTH }
    }

    /// Returns the value, or `None` for `AWS::NoValue`.
    pub(super) fn resolve(self, value: &Json) -> anyhow::Result<Option<Json>> {
        ensure!(self.depth > 0, "a reference to itself");
        let inner = Self { depth: self.depth.saturating_sub(1), ..self };
        Ok(Some(match value {
            Json::Array(items) => {
                let items = items.iter().map(|item| inner.resolve(item));
                let items: Vec<_> = items.collect::<anyhow::Result<_>>()?;
                items.into_iter().flatten().collect()
            }
            Json::Object(object) => {
                if let Some((name, argument)) = intrinsic(object) {
                    return inner.call(name, argument);
                }
                let mut resolved = Map::new();
                for (key, value) in object {
                    resolved.extend(inner.resolve(value)?.map(|value| (key.clone(), value)));
                }
                Json::Object(resolved)
            }
            Json::String(text) if text.contains("{{resolve:") => bail!("{text}"),
            plain => plain.clone(),
        }))
    }

    pub(super) fn text(self, value: &Json) -> anyhow::Result<String> {
        let value = self.resolve(value)?.as_ref().and_then(text);
        value.context("a value that is not text")
    }

    pub(super) fn number(self, value: &Json) -> Option<u64> {
        self.text(value).ok()?.parse().ok()
    }

    pub(super) fn condition(self, name: &str) -> anyhow::Result<bool> {
        let condition = self.document.pointer(&format!("/Conditions/{name}"));
        let condition = condition.with_context(|| format!("the condition {name}"))?;
        self.truth(condition)
    }

    fn truth(self, condition: &Json) -> anyhow::Result<bool> {
        let holds = match condition.get("Condition").and_then(Json::as_str) {
            Some(name) => {
                Some(Self { depth: self.depth.saturating_sub(1), ..self }.condition(name)?)
            }
            None => self.resolve(condition)?.and_then(|value| value.as_bool()),
        };
        holds.context("a condition")
    }

    /// Returns the name of a resource: the one that the template gives, or one like those that
    /// `CloudFormation` makes.
    pub(super) fn name(self, id: &str) -> String {
        let resource = self.document.pointer(&format!("/Resources/{id}"));
        let property = match resource.map(kind) {
            Some("AWS::SQS::Queue") => "QueueName",
            Some("AWS::Events::EventBus") => "Name",
            Some("AWS::Serverless::Function" | "AWS::Lambda::Function") => "FunctionName",
            _ => return self.in_stack(&[id]),
        };
        let given = resource.and_then(|resource| resource.get("Properties")?.get(property));
        let given = given.and_then(|name| self.text(name).ok());
        given.unwrap_or_else(|| self.in_stack(&[id]))
    }

    /// Returns a name in the stack.
    pub(super) fn in_stack(self, names: &[&str]) -> String {
        format!("{}-{}", self.stack, names.join("-"))
    }

    fn call(self, name: &str, argument: &Json) -> anyhow::Result<Option<Json>> {
        let arguments = argument.as_array().map(Vec::as_slice).unwrap_or_default();
        Ok(Some(match (name, argument, arguments) {
            ("Ref", Json::String(name), _) => return self.reference(name),
            ("Fn::GetAtt", _, [Json::String(id), Json::String(attribute)]) => {
                self.attribute(id, attribute)?.into()
            }
            ("Fn::Sub", Json::String(pattern), _) => self.sub(pattern, &Json::Null)?.into(),
            ("Fn::Sub", _, [Json::String(pattern), names]) => self.sub(pattern, names)?.into(),
            ("Fn::Join", _, [Json::String(between), list]) => {
                let list = self.resolve(list)?;
                let list = list.as_ref().and_then(Json::as_array).context("a joined list")?;
                let texts: Option<Vec<_>> = list.iter().map(text).collect();
                texts.context("a joined list")?.join(between).into()
            }
            ("Fn::Select", _, [index, list]) => {
                let index = self.number(index).and_then(|index| usize::try_from(index).ok());
                let list = self.resolve(list)?;
                let chosen = list.as_ref().and_then(|list| list.get(index?));
                chosen.cloned().context("an element of a list")?
            }
            ("Fn::FindInMap", _, [map, first, second]) => {
                let (map, first, second) = (self.text(map)?, self.text(first)?, self.text(second)?);
                let value = self
                    .document
                    .get("Mappings")
                    .and_then(|maps| maps.get(&map)?.get(&first)?.get(&second));
                value.cloned().with_context(|| format!("the mapping {map}"))?
            }
            ("Fn::If", _, [Json::String(condition), yes, no]) => {
                return self.resolve(if self.condition(condition)? { yes } else { no });
            }
            ("Fn::Equals", _, [left, right]) => {
                (self.resolve(left)? == self.resolve(right)?).into()
            }
            ("Fn::Not", _, [condition]) => (!self.truth(condition)?).into(),
            ("Fn::And" | "Fn::Or", _, [_, ..]) => {
                let all = arguments.iter().map(|condition| self.truth(condition));
                let all: Vec<_> = all.collect::<anyhow::Result<_>>()?;
                let holds = |holds: &bool| *holds;
                (if name == "Fn::And" { all.iter().all(holds) } else { all.iter().any(holds) })
                    .into()
            }
            ("Fn::ImportValue", ..) => bail!("an import of another stack"),
            _ => bail!("the function {name}"),
        }))
    }

    fn reference(self, name: &str) -> anyhow::Result<Option<Json>> {
        Ok(Some(match name {
            "AWS::NoValue" => return Ok(None),
            "AWS::AccountId" => ACCOUNT.into(),
            "AWS::Partition" => "aws".into(),
            "AWS::Region" => REGION.into(),
            "AWS::StackName" => self.stack.into(),
            "AWS::URLSuffix" => "amazonaws.com".into(),
            name => {
                if let Some(parameter) = self.document.pointer(&format!("/Parameters/{name}")) {
                    return parameter_value(name, parameter).map(Some);
                }
                let resource = self.document.pointer(&format!("/Resources/{name}"));
                resource.with_context(|| format!("the reference to {name}"))?;
                self.name(name).into()
            }
        }))
    }

    fn attribute(self, id: &str, attribute: &str) -> anyhow::Result<String> {
        let resource = self.document.pointer(&format!("/Resources/{id}"));
        let name = self.name(id);
        Ok(match (resource.map(kind).unwrap_or_default(), attribute) {
            ("AWS::SQS::Queue", "Arn") => arn::queue(&name),
            ("AWS::SQS::Queue", "QueueName") | ("AWS::Events::EventBus", "Name") => name,
            ("AWS::Events::EventBus", "Arn") => arn::event_bus(&name),
            ("AWS::Serverless::Function" | "AWS::Lambda::Function", "Arn") => arn::function(&name),
            _ => bail!("the attribute {id}.{attribute}"),
        })
    }

    fn sub(self, pattern: &str, names: &Json) -> anyhow::Result<String> {
        let mut whole = String::new();
        for part in parts(pattern) {
            match part {
                Part::Text(text) => whole.push_str(text),
                Part::Variable(name) => {
                    let value = match (names.get(name), name.split_once('.')) {
                        (Some(value), _) => self.text(value)?,
                        // A plain `${name}` in the text.
                        (None, _) if name.starts_with('!') => {
                            format!("${{{}}}", name.trim_start_matches('!'))
                        }
                        (None, Some((id, attribute))) => self.attribute(id, attribute)?,
                        (None, None) => {
                            let value = self.reference(name)?.as_ref().and_then(text);
                            value.with_context(|| format!("the reference to {name}"))?
                        }
                    };
                    whole.push_str(&value);
                }
            }
        }
        Ok(whole)
    }
}

fn parameter_value(name: &str, parameter: &Json) -> anyhow::Result<Json> {
    let kind = kind(parameter);
    ensure!(!kind.starts_with("AWS::SSM"), "the parameter {name} of Systems Manager");
    let default = parameter.get("Default").and_then(text);
    let default = default.with_context(|| format!("the parameter {name}, which has no default"))?;
    Ok(if kind.contains("List") {
        default.split(',').map(|item| Json::from(item.trim())).collect()
    } else {
        default.into()
    })
}
