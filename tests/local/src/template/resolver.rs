//! `CloudFormation`'s intrinsic functions, conditions, parameters and pseudo parameters.

use std::cell::RefCell;

use anyhow::{Context, anyhow, bail};
use serde_json::{Map, Value as Json};
use yaml_serde::{Mapping, Value as Yaml};

use super::identity::{self, ACCOUNT, REGION, STACK};
use super::values::{as_text, exactly, intrinsic_of, plain_text, text};

/// How deep values may nest; a template that goes deeper refers to itself.
const DEPTH_LIMIT: usize = 64;

/// One resource that the template's conditions let exist.
#[derive(Debug)]
pub(super) struct Resource<'t> {
    pub(super) id: &'t str,
    pub(super) kind: &'t str,
    body: &'t Mapping,
}

impl<'t> Resource<'t> {
    /// A property with everything in it resolved; `None` where it is absent or `AWS::NoValue`.
    pub(super) fn property(
        &self,
        resolver: &Resolver<'t>,
        name: &str,
    ) -> anyhow::Result<Option<Json>> {
        self.body
            .get("Properties")
            .and_then(|properties| properties.get(name))
            .map_or(Ok(None), |value| resolver.resolve(value))
            .with_context(|| format!("{}.{name}", self.id))
    }

    /// A section beside `Properties`, resolved.
    pub(super) fn section(
        &self,
        resolver: &Resolver<'t>,
        name: &str,
    ) -> anyhow::Result<Option<Json>> {
        self.body
            .get(name)
            .map_or(Ok(None), |value| resolver.resolve(value))
            .with_context(|| format!("{}: {name}", self.id))
    }
}

/// Knows the whole template and turns its values into plain JSON.
#[derive(Debug)]
pub(super) struct Resolver<'t> {
    document: &'t Mapping,
    /// How deep the value being resolved is.
    depth: RefCell<usize>,
}

impl<'t> Resolver<'t> {
    pub(super) fn new(document: &'t Yaml) -> anyhow::Result<Self> {
        let document =
            document.as_mapping().ok_or_else(|| anyhow!("the template is not a mapping"))?;
        Ok(Self { document, depth: RefCell::new(0) })
    }

    /// Every resource whose condition holds, in the template's order.
    pub(super) fn resources(&self) -> anyhow::Result<Vec<Resource<'t>>> {
        let resources =
            self.section("Resources").ok_or_else(|| anyhow!("there are no Resources"))?;
        let mut found = Vec::new();
        for (id, body) in resources {
            let id = id.as_str().ok_or_else(|| anyhow!("a logical id that is not a text"))?;
            let resource = Self::as_resource(id, body)?;
            let exists = match resource.body.get("Condition") {
                None => true,
                Some(name) => {
                    let name =
                        name.as_str().ok_or_else(|| anyhow!("{id}.Condition is not a name"))?;
                    self.condition(name).with_context(|| format!("{id}.Condition"))?
                }
            };
            if exists {
                found.push(resource);
            }
        }
        Ok(found)
    }

    /// A value of `Globals.Function`, resolved.
    pub(super) fn function_global(&self, name: &str) -> anyhow::Result<Option<Json>> {
        self.section("Globals")
            .and_then(|globals| globals.get("Function"))
            .and_then(|function| function.get(name))
            .map_or(Ok(None), |value| self.resolve(value))
            .with_context(|| format!("Globals.Function.{name}"))
    }

    /// Resolves a value; `None` stands for `AWS::NoValue`.
    pub(super) fn resolve(&self, value: &'t Yaml) -> anyhow::Result<Option<Json>> {
        if *self.depth.borrow() >= DEPTH_LIMIT {
            bail!("values nest too deeply, or refer to themselves");
        }
        self.depth.replace_with(|depth| depth.saturating_add(1));
        let resolved = self.resolve_here(value);
        self.depth.replace_with(|depth| depth.saturating_sub(1));
        resolved
    }

    fn resolve_here(&self, value: &'t Yaml) -> anyhow::Result<Option<Json>> {
        Ok(Some(match value {
            Yaml::Null => Json::Null,
            Yaml::Bool(truth) => Json::Bool(*truth),
            Yaml::Number(_) => serde_json::to_value(value).context("a number out of range")?,
            Yaml::String(text) => Json::String(text.clone()),
            Yaml::Sequence(items) => {
                let mut list = Vec::with_capacity(items.len());
                for item in items {
                    list.extend(self.resolve(item)?);
                }
                Json::Array(list)
            }
            Yaml::Mapping(mapping) => match intrinsic_of(mapping) {
                Some((name, argument)) => return self.call(name, argument),
                None => self.object(mapping)?,
            },
            Yaml::Tagged(tagged) => {
                let tag = tagged.tag.to_string();
                return self.call(tag.trim_start_matches('!'), &tagged.value);
            }
        }))
    }

    fn object(&self, mapping: &'t Mapping) -> anyhow::Result<Json> {
        let mut object = Map::new();
        for (key, value) in mapping {
            let key = plain_text(key).ok_or_else(|| anyhow!("a key that is not a text"))?;
            if let Some(value) = self.resolve(value).with_context(|| key.clone())? {
                object.insert(key, value);
            }
        }
        Ok(Json::Object(object))
    }

    /// Evaluates one intrinsic function, named without `Fn::` or `!`.
    fn call(&self, name: &str, argument: &'t Yaml) -> anyhow::Result<Option<Json>> {
        let result = match name {
            "Ref" => return self.reference(text(argument)?),
            "GetAtt" => Json::String(self.get_att(argument)?),
            "Sub" => Json::String(self.sub(argument)?),
            "If" => {
                let [condition, yes, no] = exactly(argument)?;
                let branch = if self.condition(text(condition)?)? { yes } else { no };
                return self.resolve(branch);
            }
            "Join" => {
                let [delimiter, parts] = exactly(argument)?;
                Json::String(self.texts(parts)?.join(&self.text(delimiter)?))
            }
            "Split" => {
                let [delimiter, whole] = exactly(argument)?;
                let whole = self.text(whole)?;
                whole.split(&self.text(delimiter)?).map(Json::from).collect()
            }
            "Select" => {
                let [index, list] = exactly(argument)?;
                let index = self.text(index)?.parse::<usize>().context("!Select's index")?;
                let Some(Json::Array(list)) = self.resolve(list)? else {
                    bail!("!Select of no list")
                };
                list.get(index)
                    .cloned()
                    .ok_or_else(|| anyhow!("!Select {index} is beyond the list"))?
            }
            "FindInMap" => self.find_in_map(argument)?,
            "Equals" | "Not" | "And" | "Or" | "Condition" => {
                Json::Bool(self.truth(name, argument)?)
            }
            other => bail!("the local stack knows no function {other}"),
        };
        Ok(Some(result))
    }

    fn reference(&self, name: &str) -> anyhow::Result<Option<Json>> {
        let pseudo = match name {
            "AWS::NoValue" => return Ok(None),
            "AWS::Region" => Some(REGION.to_owned()),
            "AWS::AccountId" => Some(ACCOUNT.to_owned()),
            "AWS::StackName" => Some(STACK.to_owned()),
            "AWS::StackId" => {
                Some(format!("arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{STACK}/local"))
            }
            "AWS::Partition" => Some("aws".to_owned()),
            "AWS::URLSuffix" => Some("amazonaws.com".to_owned()),
            _ => None,
        };
        if let Some(value) = pseudo {
            return Ok(Some(Json::String(value)));
        }
        if let Some(parameter) = self.section("Parameters").and_then(|all| all.get(name)) {
            return Ok(Some(Self::default_of(name, parameter)?));
        }
        // SAM makes this one itself when functions have HttpApi events and the template has no HttpApi.
        if name == "ServerlessHttpApi" {
            return Ok(Some(Json::String("local".to_owned())));
        }
        Ok(Some(Json::String(identity::reference(self, &self.resource(name)?)?)))
    }

    fn default_of(name: &str, parameter: &Yaml) -> anyhow::Result<Json> {
        let default = parameter.get("Default").ok_or_else(|| {
            anyhow!("parameter {name} has no Default, and the local stack has no other value")
        })?;
        let default =
            plain_text(default).ok_or_else(|| anyhow!("parameter {name}: Default is no text"))?;
        let kind = parameter.get("Type").and_then(Yaml::as_str).unwrap_or("String");
        // Lists are written with commas; everything else stays the text it is.
        Ok(if kind == "CommaDelimitedList" || kind.starts_with("List<") {
            default.split(',').map(|part| Json::from(part.trim())).collect()
        } else {
            Json::String(default)
        })
    }

    fn get_att(&self, argument: &'t Yaml) -> anyhow::Result<String> {
        let (id, attribute) = match argument {
            Yaml::String(path) => {
                let (id, attribute) = path
                    .split_once('.')
                    .ok_or_else(|| anyhow!("!GetAtt {path} names no attribute"))?;
                (id, attribute.to_owned())
            }
            list => {
                let [id, attribute] = exactly(list)?;
                (text(id)?, self.text(attribute)?)
            }
        };
        identity::attribute(self, &self.resource(id)?, &attribute)
    }

    /// Both forms: a text, or a list of a text and a mapping of further names.
    fn sub(&self, argument: &'t Yaml) -> anyhow::Result<String> {
        let (pattern, names) = match argument {
            Yaml::String(pattern) => (pattern.as_str(), None),
            list => {
                let [pattern, names] = exactly(list)?;
                (text(pattern)?, names.as_mapping())
            }
        };
        let mut whole = String::new();
        let mut rest = pattern;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, tail) =
                after.split_once('}').ok_or_else(|| anyhow!("!Sub: a ${{ without its }}"))?;
            whole.push_str(before);
            if let Some(literal) = name.strip_prefix('!') {
                whole.push_str("${");
                whole.push_str(literal);
                whole.push('}');
            } else if let Some(value) = names.and_then(|names| names.get(name)) {
                whole.push_str(&self.text(value)?);
            } else if let Some((id, attribute)) = name.split_once('.') {
                whole.push_str(&identity::attribute(self, &self.resource(id)?, attribute)?);
            } else {
                let value = self.reference(name)?.unwrap_or_default();
                whole.push_str(
                    &as_text(&value).ok_or_else(|| anyhow!("!Sub: {name} is not a text"))?,
                );
            }
            rest = tail;
        }
        whole.push_str(rest);
        Ok(whole)
    }

    fn find_in_map(&self, argument: &'t Yaml) -> anyhow::Result<Json> {
        let [map, first, second] = exactly(argument)?;
        let (map, first, second) = (self.text(map)?, self.text(first)?, self.text(second)?);
        let found = self
            .section("Mappings")
            .and_then(|maps| maps.get(map.as_str()))
            .and_then(|keys| keys.get(first.as_str()))
            .and_then(|keys| keys.get(second.as_str()))
            .ok_or_else(|| anyhow!("there is no {map}.{first}.{second} in Mappings"))?;
        self.resolve(found)?.ok_or_else(|| anyhow!("{map}.{first}.{second} is empty"))
    }

    /// The truth of a named condition.
    fn condition(&self, name: &str) -> anyhow::Result<bool> {
        let condition = self
            .section("Conditions")
            .and_then(|all| all.get(name))
            .ok_or_else(|| anyhow!("there is no condition {name}"))?;
        self.boolean(condition).with_context(|| format!("condition {name}"))
    }

    fn truth(&self, name: &str, argument: &'t Yaml) -> anyhow::Result<bool> {
        let list = argument.as_sequence().map(Vec::as_slice).unwrap_or_default();
        match name {
            "Condition" => self.condition(text(argument)?),
            "Equals" => {
                let [left, right] = exactly(argument)?;
                Ok(self.text(left)? == self.text(right)?)
            }
            "Not" => {
                let [inner] = exactly(argument)?;
                Ok(!self.boolean(inner)?)
            }
            "And" => list.iter().try_fold(true, |all, one| Ok(self.boolean(one)? && all)),
            _ => list.iter().try_fold(false, |any, one| Ok(self.boolean(one)? || any)),
        }
    }

    fn boolean(&self, value: &'t Yaml) -> anyhow::Result<bool> {
        match self.resolve(value)? {
            Some(Json::Bool(truth)) => Ok(truth),
            _ => bail!("neither true nor false"),
        }
    }

    fn text(&self, value: &'t Yaml) -> anyhow::Result<String> {
        let value = self.resolve(value)?.unwrap_or_default();
        as_text(&value).ok_or_else(|| anyhow!("expected a text"))
    }

    fn texts(&self, value: &'t Yaml) -> anyhow::Result<Vec<String>> {
        let Some(Json::Array(list)) = self.resolve(value)? else { bail!("expected a list") };
        list.iter()
            .map(|item| as_text(item).ok_or_else(|| anyhow!("expected a list of texts")))
            .collect()
    }

    fn resource(&self, id: &str) -> anyhow::Result<Resource<'t>> {
        let (id, body) = self
            .section("Resources")
            .and_then(|all| all.iter().find(|(key, _)| key.as_str() == Some(id)))
            .ok_or_else(|| anyhow!("there is no parameter or resource {id}"))?;
        Self::as_resource(id.as_str().unwrap_or_default(), body)
    }

    fn as_resource(id: &'t str, body: &'t Yaml) -> anyhow::Result<Resource<'t>> {
        let body = body.as_mapping().ok_or_else(|| anyhow!("{id} is not a mapping"))?;
        let kind =
            body.get("Type").and_then(Yaml::as_str).ok_or_else(|| anyhow!("{id} has no Type"))?;
        Ok(Resource { id, kind, body })
    }

    fn section(&self, name: &str) -> Option<&'t Mapping> {
        self.document.get(name).and_then(Yaml::as_mapping)
    }
}
